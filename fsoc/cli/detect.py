"""`fsoc detect`: Sigma rules against events, NDJSON in and out, in constant memory."""

from __future__ import annotations

import os
import stat
import sys
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast, get_args

import click
import orjson

from fsoc.cli.progress import ProgressLine
from fsoc.cli.rules_bar import rules_bar
from fsoc.cli.variadic import VariadicCommand
from fsoc.detection import Detector
from fsoc.detection.engine import EngineName, Replanned
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.cache import Cache, cache_folder
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.line_batches import LINE_BYTES_MAX, Batch, batches
from fsoc.runtime.loading import detector_of, load
from fsoc.runtime.rule_files import RuleFiles

_STANDARD_INPUT: Final = Path("-")
_path = click.Path(path_type=Path)


@click.command("detect", cls=VariadicCommand)
@click.option("--rules", type=_path, multiple=True, required=True, metavar="DIR…", help="Rule files or folders.")
@click.option("--events", type=_path, required=True, metavar="FILE|-", help="Events, one a line; - is standard input.")
@click.option("--logsources", type=_path, metavar="FILE", help="Which events are of which logsource. Default: ours.")
@click.option("--placeholders", type=_path, metavar="FILE", help="Values for `expand`: YAML, name: [value, …].")
@click.option("--pipeline", type=_path, metavar="FILE", help="A processing pipeline of pySigma's for the rules.")
@click.option(
    "--engine",
    type=click.Choice(get_args(EngineName)),
    default="auto",
    show_default=True,
    help="What matches; all find the same. auto: the fastest that is installed.",
)
@click.option("--json", "as_json", is_flag=True, help="At the end one JSON object of counts on stderr, not sentences.")
def command(
    rules: tuple[Path, ...],
    events: Path,
    logsources: Path | None,
    placeholders: Path | None,
    pipeline: Path | None,
    engine: EngineName,
    as_json: bool,
) -> None:
    """Match Sigma rules against events.

    An event is a flat JSON object of Sigma fields. Its key "logsource" ({product, category, service}) may be left out
    where the rest tells it (Channel, EventID, Provider_Name). Prints a line for each event that matched, in the order
    of the input: {"event": <0-based line>, "rules": [<id>, …]}. A line that is no JSON object is told on stderr and
    passed over; the exit code is then 1. From a pipe, what is there is matched and printed before more is waited for.

    \b
    Examples:
      fsoc detect --rules rules --events events.ndjson
      fsoc detect --rules rules sigma/rules --events - < events.ndjson
      tail -f sysmon.ndjson | fsoc detect --rules sigma/rules --events -
      fsoc detect --rules sigma/rules --events zeek.ndjson --pipeline zeek.yml
    """
    detector, refused = _detector(rules, logsources, placeholders, pipeline, engine)
    if refused and not as_json:
        click.echo(f"fsoc: {_counted(refused, 'rule')} refused, see fsoc check rules", err=True)
    if events == _STANDARD_INPUT:
        run = _Run(detector, "standard input", sys.stdin.buffer)
        run.to_the_end()
    else:
        try:
            stream = events.open("rb")
        except OSError as error:
            raise RefusedToStart(Problem("--events", f"{events}: {error.strerror}")) from error
        with stream:
            run = _Run(detector, str(events), stream)
            run.to_the_end()
    run.tell(refused, as_json=as_json)
    if run.unreadable:
        sys.exit(1)


def _detector(
    rules: tuple[Path, ...],
    logsources: Path | None,
    placeholders: Path | None,
    pipeline: Path | None,
    engine: EngineName,
) -> tuple[Detector, int]:
    """The rules, ready to match, and how many were refused."""
    with collector_paused():
        content = RuleFiles(rules, logsources, placeholders, pipeline).read()
        with rules_bar() as advance:
            compiled = load(content, Cache(cache_folder()), advance)
        return detector_of(compiled, content, engine), compiled.refused


class _Run:
    """One stream of events, and what is to be told about it at its end."""

    def __init__(self, detector: Detector, name: str, stream: BinaryIO) -> None:
        self._detector = detector
        self._name = name
        self._stream = cast("BufferedReader", stream)
        self._size = _size(stream)
        self._out: BinaryIO = sys.stdout.buffer
        self._progress = ProgressLine()
        self.events = self.matched = self.unreadable = self.untried = 0

    def to_the_end(self) -> None:
        for batch in batches(self._read):
            self._match(batch)
            if self._size is None:  # somebody may be waiting at the other end of the pipe
                self._out.flush()
            self._progress.show(lambda read=batch.read: self._so_far(read))  # type: ignore[misc]
        self._out.flush()

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read1(size)
        except OSError as error:
            raise RefusedToStart(Problem("--events", f"{self._name}: {error.strerror}")) from error

    def _match(self, batch: Batch) -> None:
        found = self._detector.match_lines(batch.lines)
        self.events += found.events
        self.matched += len(found.matched)
        self.untried += found.untried
        too_long = [(place, f"longer than {LINE_BYTES_MAX} bytes") for place in batch.too_long]
        unreadable = sorted([*found.unreadable, *too_long])
        self.unreadable += len(unreadable)
        if unreadable or found.matched:
            self._progress.clear()
        for place, reason in unreadable:
            click.echo(f"{self._name}:{batch.first + place + 1}: {reason}", err=True)
        self._out.write(
            b"".join(
                b'{"event":%d,"rules":%b}\n' % (batch.first + place, orjson.dumps(ids)) for place, ids in found.matched
            )
        )

    def _so_far(self, read: int) -> str:
        share = f", {read / self._size:.0%}" if self._size else ""
        return f"{self._counts()}, {self.events / max(self._progress.seconds, 0.001):,.0f} events/s{share}"

    def _counts(self) -> str:
        return f"{_counted(self.events, 'event')}, {self.matched:,} matched"

    def tell(self, refused: int, *, as_json: bool) -> None:
        seconds = self._progress.seconds
        if as_json:
            self._progress.clear()
            counts = {name: getattr(self, name) for name in ("events", "matched", "untried", "unreadable")}
            told = {**counts, "refused": refused, "engine": _name(self._detector), "seconds": round(seconds, 3)}
            click.echo(orjson.dumps(told), err=True)
            return
        self._progress.end(f"{self._counts()} in {seconds:,.1f} s, {self.events / max(seconds, 0.001):,.0f} events/s")
        if self.untried:
            text = "tell no logsource, or one that no rule is for: no rule was tried on them"
            click.echo(f"fsoc: {self.untried:,} of {_counted(self.events, 'event')} {text}", err=True)
        if self.unreadable:
            click.echo(f"fsoc: {_counted(self.unreadable, 'line')} could not be read", err=True)


def _size(stream: BinaryIO) -> int | None:
    """Its bytes, of a file; None of what comes as it is written: a pipe, a terminal."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # no file at all
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _name(detector: Detector) -> str:
    engine = detector.engine if isinstance(detector, Replanned) else detector
    return type(engine).__name__.removesuffix("Detector").lower()


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
