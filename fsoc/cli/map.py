"""`fsoc map`: events of other forms to event tickets, NDJSON in and out; or before and after, for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import orjson

from fsoc.cli.alert_words import LANGUAGES, Language
from fsoc.cli.map_shown import before_and_after, faults_of_line, line_name
from fsoc.cli.printable import printable
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.content import read_source, shipped
from fsoc.runtime.line_batches import LINE_BYTES_MAX, batches
from fsoc.tickets.adapters.mapping import Mapped, Sender, TicketMapping
from fsoc.tickets.receipts import faults_wire
from fsoc.tickets.times import rfc3339

SHOWN: Final = 3
"""Events that --dry-run shows, unless told otherwise."""

_FOLDER: Final = "deploy/mappings"


@click.command("map", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="FILE|-")
@click.option("--mapping", "name", required=True, metavar="NAME|FILE", help="ocsf-2004, ecs, idea, or a file of yours.")
@click.option("--institution", required=True, metavar="ID", help="Whose tickets they become.")
@click.option("--feed", default="siem", show_default=True, metavar="NAME", help="One of its registered feeds.")
@click.option("--seq-epoch", metavar="ID", help="Default: a new one for each run, of the present time.")
@click.option("--seq-from", default=1, show_default=True, type=click.IntRange(0), metavar="N", help="The first number.")
@click.option("--dry-run", is_flag=True, help="Show events before and after, and write no tickets.")
@click.option(
    "--events", "most", type=click.IntRange(1), metavar="N", help=f"With --dry-run: so many. Default: {SHOWN}."
)
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: a JSON object an event; else counts at the end.")
@click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", help="Default: en.")
def command(
    file: str,
    name: str,
    institution: str,
    feed: str,
    seq_epoch: str | None,
    seq_from: int,
    dry_run: bool,
    most: int | None,
    as_json: bool,
    language: Language,
) -> None:
    """Make event tickets of the events in FILE, one JSON object a line; - is standard input.

    A mapping says what each field of a ticket is made of (fsoc/tickets/adapters/README.md). Tickets go to standard
    output. An event whose ticket intake would refuse is left out, with every fault and how to mend it on standard
    error, and takes no number; the exit code is then 1. Events that the mapping is not about are passed over.

    \\b
    將其他格式之事件（OCSF、ECS、IDEA 或自訂）依對應檔轉為事件單；--dry-run 可並列轉換前後內容。

    \\b
    Examples:
      fsoc map alerts.ndjson --mapping ecs --institution fi-001 --dry-run
      fsoc map alerts.ndjson --mapping my-ecs.yml --institution fi-001 > tickets.ndjson
      tail -f idea.ndjson | fsoc map - --mapping idea --institution fi-001 --feed warden
      fsoc check mappings my-ecs.yml
    """
    if most is not None and not dry_run:
        raise click.UsageError("--events is for --dry-run.")
    source = read_source(_mapping_file(name))
    mapping = TicketMapping.parse(source.text, source.path)
    now = datetime.now(UTC)
    run = _Run(mapping, Sender(institution, feed, seq_epoch or now.strftime("%Y%m%dT%H%M%SZ")), seq_from, language)
    with _opened(file) as stream:
        if dry_run:
            run.show(_events(stream), most or SHOWN, as_json=as_json)
        else:
            run.write(_events(stream), as_json=as_json)
    if run.faulty or run.unreadable:
        sys.exit(1)


def _mapping_file(name: str) -> Path:
    """That of ours of this name, else the file."""
    ours = shipped(_FOLDER) / f"{name}.yml"
    if "/" not in name and ours.is_file():
        return ours
    if not Path(name).is_file():
        known = ", ".join(sorted(file.stem for file in shipped(_FOLDER).glob("*.yml")))
        raise RefusedToStart(Problem("--mapping", f"{name}: no such file, and none of ours: {known}"))
    return Path(name)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise RefusedToStart(Problem("FILE", f"{file}: {error.strerror}")) from error


def _events(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Line, from 1, and its event, or why there is none. Empty lines are passed over."""
    read = getattr(stream, "read1", stream.read)
    for batch in batches(read):
        for place, line in enumerate(batch.lines):
            number = batch.first + place + 1
            if place in batch.too_long:
                yield number, f"longer than {LINE_BYTES_MAX} bytes"
            elif line.strip():
                yield number, _event(line)


def _event(line: bytes) -> dict[str, Any] | str:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    return event if isinstance(event, dict) else "not a JSON object"


class _Run:
    """One stream of events, and what is told of it."""

    def __init__(self, mapping: TicketMapping, sender: Sender, seq_from: int, language: Language) -> None:
        self.events = self.tickets = self.faulty = self.passed_over = self.unreadable = 0
        self._mapping = mapping
        self._sender = sender
        self._seq = seq_from
        self._language: Language = language

    def write(self, events: Iterator[tuple[int, dict[str, Any] | str]], *, as_json: bool) -> None:
        """Tickets to standard output, the rest to standard error."""
        for line, event in events:
            mapped = self._take(line, event)
            if mapped is None or mapped.ticket is None:
                continue
            if mapped.faults:
                for text in faults_of_line(line, mapped.faults, self._language):
                    click.echo(text, err=True)
                continue
            click.echo(orjson.dumps(mapped.ticket))
        self._tell(as_json=as_json)

    def show(self, events: Iterator[tuple[int, dict[str, Any] | str]], most: int, *, as_json: bool) -> None:
        """The first events that the mapping is about, before and after."""
        for line, event in events:
            mapped = self._take(line, event)
            if mapped is None or mapped.ticket is None:
                continue
            if as_json:
                faults, left_over = faults_wire(mapped.faults), list(mapped.left_over)
                told = {"line": line, "event": event, "ticket": mapped.ticket, "faults": faults}
                click.echo(orjson.dumps({**told, "left_over": left_over}))
            else:
                for text in before_and_after(line, event, mapped, self._language):
                    click.echo(text)
            if self.tickets + self.faulty == most:
                break
        if not as_json:
            self._tell(as_json=False)

    def _take(self, line: int, event: dict[str, Any] | str) -> Mapped | None:
        """Map one event, and count it; None where there is none."""
        if isinstance(event, str):
            self.unreadable += 1
            click.echo(printable(f"{line_name(line, self._language)}: {event}"), err=True)
            return None
        self.events += 1
        now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
        mapped = self._mapping.map(event, self._sender, self._seq, now)
        if mapped.ticket is None:
            self.passed_over += 1
        elif mapped.faults:
            self.faulty += 1
        else:
            self.tickets += 1
            self._seq += 1
        return mapped

    def _tell(self, *, as_json: bool) -> None:
        names = ("events", "tickets", "faulty", "passed_over", "unreadable")
        counts = {name: getattr(self, name) for name in names}
        if as_json:
            click.echo(orjson.dumps({**counts, "seq_epoch": self._sender.seq_epoch, "seq_next": self._seq}), err=True)
        elif self._language == "en":
            said = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
            click.echo(f"fsoc: {said}", err=True)
        else:
            said = "，".join(f"{word} {count:,}" for word, count in zip(_WORDS_ZH, counts.values(), strict=True))
            click.echo(f"fsoc：{said}", err=True)


_WORDS_ZH: Final = ("事件", "事件單", "有誤", "略過", "無法讀取")
