"""What `fsoc send` says of lines that arrived: those that will be refused, with how to mend them; a sum at the end."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.client.spool import LINE_BYTES_MAX


class Shown:
    """Counts and writes. refused: lines that will be quarantined, and those that were too large to be sent."""

    def __init__(self, *, as_json: bool) -> None:
        self.taken = 0
        self.refused = 0
        self._as_json = as_json

    def arrived(self, entries: list[dict[str, Any]], progress: ProgressLine) -> None:
        """Entries as the gateway has them."""
        for entry in entries:
            refused = entry.get("outcome") != "taken"
            self.refused += refused
            self.taken += not refused
            if self._as_json:
                click.echo(json.dumps({name: value for name, value in entry.items() if name != "line"}))
            elif refused:
                progress.clear()
                self._refused(entry)
        sys.stdout.flush()
        progress.show(lambda: f"{self.taken:,} arrived, {self.refused:,} refused")

    def too_large(self, number: int, size: int) -> None:
        """A line that no Kafka record can hold; it is not sent."""
        self.refused += 1
        text = f"line {number} is {size:,} bytes, limit {LINE_BYTES_MAX:,}: not sent  單行過大，未送出"
        click.echo(f"fsoc: {text}", err=True)

    def end(self, waiting: int) -> None:
        if self._as_json:
            click.echo(json.dumps({"taken": self.taken, "refused": self.refused, "waiting": waiting}))
            return
        told = f"{self.taken:,} arrived, {self.refused:,} refused, {waiting:,} wait in the spool"
        click.echo(f"{told}  已收妥 {self.taken:,}、將隔離 {self.refused:,}、待送 {waiting:,}")

    def _refused(self, entry: dict[str, Any]) -> None:
        click.echo(click.style(f"quarantined  offset {entry.get('offset')}", fg="red"))
        for fault in entry.get("faults", ()):
            told = [str(fault.get(name, "")) for name in ("code", "reason", "reason_zh")]
            click.echo(printable(f"    {fault.get('pointer') or '/'}  {'  '.join(told)}"))
            click.echo(printable(f"      → {fault.get('hint', '')} {fault.get('hint_zh', '')}"))
