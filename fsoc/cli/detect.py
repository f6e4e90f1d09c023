"""`fsoc detect`: Sigma rules against events, NDJSON in and out, in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import orjson

from fsoc.cli.variadic import VariadicCommand
from fsoc.detection import Detector, LogsourceMap, PlainDetector, load_rules
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.content import LOGSOURCES, collector_paused, read_source, read_sources, shipped

PROGRESS_EVENTS: Final = 500
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_path = click.Path(path_type=Path)


@click.command("detect", cls=VariadicCommand)
@click.option("--rules", type=_path, multiple=True, required=True, metavar="DIR…", help="Rule files or folders.")
@click.option("--events", type=_path, required=True, metavar="FILE|-", help="Events, one a line; - is standard input.")
@click.option("--logsources", type=_path, metavar="FILE", help="Which events are of which logsource. Default: ours.")
@click.option("--placeholders", type=_path, metavar="FILE", help="Values for `expand`: YAML, name: [value, …].")
@click.option("--pipeline", type=_path, metavar="FILE", help="A processing pipeline of pySigma's for the rules.")
def command(
    rules: tuple[Path, ...], events: Path, logsources: Path | None, placeholders: Path | None, pipeline: Path | None
) -> None:
    """Match Sigma rules against events.

    An event is a flat JSON object of Sigma fields. Its key "logsource" ({product, category, service}) may be left out
    where the rest tells it (Channel, EventID, Provider_Name). Prints a line for each event that matched, in the order
    of the input: {"event": <0-based line>, "rules": [<id>, …]}. A line that is no JSON object is told on stderr and
    passed over; the exit code is then 1.

    \b
    Examples:
      fsoc detect --rules rules --events events.ndjson
      fsoc detect --rules rules sigma/rules --events - < events.ndjson
      fsoc detect --rules sigma/rules --events zeek.ndjson --pipeline zeek.yml
    """
    with collector_paused():
        detector = _detector(rules, logsources, placeholders, pipeline)
    run = _Run(detector, "standard input" if str(events) == "-" else str(events))
    if str(events) == "-":
        run.over(sys.stdin.buffer, live=True)
    else:
        try:
            with events.open("rb") as lines:
                run.over(lines, live=False)
        except OSError as error:
            raise RefusedToStart(Problem("--events", f"{events}: {error.strerror}")) from error
    run.tell()
    if run.unreadable:
        sys.exit(1)


def _detector(
    rules: tuple[Path, ...], logsources: Path | None, placeholders: Path | None, pipeline: Path | None
) -> Detector:
    mapping = LogsourceMap.parse(read_source(logsources or shipped("rules") / LOGSOURCES))
    loaded = load_rules(
        read_sources(rules),
        placeholders=read_placeholders(read_source(placeholders)) if placeholders else None,
        pipeline=read_pipeline(read_source(pipeline)) if pipeline else None,
    )
    if not loaded.rules:
        raise RefusedToStart(*loaded.problems, Problem("--rules", "no rule can be used"))
    if loaded.refused:
        click.echo(f"fsoc: {_counted(loaded.refused, 'rule')} refused, see fsoc check rules", err=True)
    return PlainDetector(loaded.rules, mapping)


class _Run:
    """One stream of events, and what is to be told about it at its end."""

    def __init__(self, detector: Detector, name: str) -> None:
        self._detector = detector
        self._name = name
        self._out: BinaryIO = sys.stdout.buffer
        self._shows_progress = sys.stderr.isatty()
        self.events = self.matched = self.unreadable = self.untried = 0

    def over(self, lines: Iterable[bytes], *, live: bool) -> None:
        """live: somebody may be waiting at the other end of the pipe for each line."""
        for number, line in enumerate(lines):
            text = line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line
            if not text.strip():
                continue
            try:
                ids = self._match(orjson.loads(text))
            except ValueError as error:  # orjson's is one
                self.unreadable += 1
                click.echo(f"{self._name}:{number + 1}: {_reason(error)}", err=True)
                continue
            if ids:
                self.matched += 1
                self._out.write(orjson.dumps({"event": number, "rules": ids}) + b"\n")
                if live:
                    self._out.flush()
            if self._shows_progress and self.events % PROGRESS_EVENTS == 0:
                click.echo(f"\r{self.events:,} events, {self.matched:,} matched", err=True, nl=False)
        self._out.flush()

    def _match(self, event: Any) -> list[str]:
        if not isinstance(event, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - one error for what a line can be
        logsource = event.pop("logsource", None)
        if not isinstance(logsource, dict | None):
            raise ValueError(f"logsource is {logsource!r:.64} — expected {{product, category, service}}")  # noqa: TRY004
        ids = self._detector.match_event(event, logsource)
        self.events += 1
        self.untried += not ids and not self._detector.covers(event, logsource)
        return ids

    def tell(self) -> None:
        if self._shows_progress:
            click.echo(f"\r{self.events:,} events, {self.matched:,} matched", err=True)
        if self.untried:
            text = "tell no logsource, or one that no rule is for: no rule was tried on them"
            click.echo(f"fsoc: {self.untried:,} of {_counted(self.events, 'event')} {text}", err=True)
        if self.unreadable:
            click.echo(f"fsoc: {_counted(self.unreadable, 'line')} could not be read", err=True)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _reason(error: ValueError) -> str:
    return f"not JSON: {error}" if isinstance(error, orjson.JSONDecodeError) else str(error)
