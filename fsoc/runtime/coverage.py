"""What coverage is judged by, read from a log or from files: tickets, heartbeats, alerts, what was read before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from fsoc.coverage.gaps import Gap
from fsoc.coverage.groups import Group
from fsoc.coverage.judge import STATUSES, Norm
from fsoc.coverage.seen import Seen, declared_by, is_line, of_line
from fsoc.errors import InvalidTicket, Problem, RefusedToStart
from fsoc.feeds.faults import FUTURE_MAX_MS
from fsoc.runtime.alert_records import Shelf, records_to_end
from fsoc.runtime.baseline.load import load_baseline
from fsoc.runtime.feeds import on_log as feeds_on_log
from fsoc.runtime.log import Log, UnknownTopic
from fsoc.runtime.state import read_all
from fsoc.tickets.decode import Message, decode

TICKETS: Final = "tickets."
_PEEK: Final = msgspec.json.Decoder(dict[str, object])


@dataclass(slots=True)
class Reading:
    """By institution, what was read. refused: messages that intake refuses too; they say nothing.

    environment: of the messages that count; others: how many there were of another.
    since_ms: tickets before are nothing. read: messages, for progress.
    """

    norm: Norm
    environment: str
    since_ms: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)
    refused: int = 0
    others: dict[str, int] = field(default_factory=dict)
    read: int = 0
    alerts_read: bool = False

    def take(self, institution: str, payload: bytes, received_ms: int | None = None) -> None:
        """One record of an institution's topic, or one line. received_ms: what is said to be later is refused."""
        self.read += 1
        try:
            message = decode(payload, institution=institution)
        except InvalidTicket:
            self.refused += 1
            return
        self._take(message, received_ms)

    def _take(self, message: Message, received_ms: int | None) -> None:
        if message.environment != self.environment:
            self.others[message.environment] = self.others.get(message.environment, 0) + 1
            return
        if received_ms is not None and message.detected_at_ms > received_ms + FUTURE_MAX_MS:
            self.refused += 1
            return
        self.of(message.institution).take(message, self.norm.baselines, self.norm.techniques, self.since_ms)

    def of(self, institution: str) -> Seen:
        found = self.seen.get(institution)
        if found is None:
            found = self.seen[institution] = Seen()
        return found


def norm_of(baseline: Path | None, older: Sequence[Path], rules: Sequence[Path] = ()) -> Norm:
    """The baseline in a folder, None is what fsoc ships, and those that were before it.

    Raises:
        RefusedToStart: with every problem of them.
    """
    loaded = load_baseline(baseline, rules)
    before = [load_baseline(folder, rules) for folder in older]
    problems = [problem for each in (loaded, *before) for problem in each.problems]
    if problems:
        raise RefusedToStart(*problems)
    return Norm.of(loaded.baseline, loaded.techniques, loaded.rules.rules, [each.baseline for each in before])


def read_lines(reading: Reading, lines: Iterable[tuple[str, bytes]], advance: Callable[[], None]) -> None:
    """NDJSON: messages as senders write them, and what `fsoc coverage export` wrote.

    Raises:
        RefusedToStart: a line that claims to be of an export is none.
    """
    for where, line in lines:
        advance()
        if is_line(line):
            try:
                institution, seen = of_line(line)
            except msgspec.MsgspecError as error:
                raise RefusedToStart(Problem(where, f"no line of an export: {error}")) from error
            reading.of(institution).merge(seen)
            continue
        reading.take(_institution(line), line)


def _institution(line: bytes) -> str:
    """Whose a line says it is: in a file nothing else tells."""
    try:
        named = _PEEK.decode(line).get("institution")
    except msgspec.MsgspecError:
        return ""
    return named if isinstance(named, str) else ""


async def read_log(
    reading: Reading,
    log: Log,
    prefix: str,
    institutions: Iterable[str],
    complain: Callable[[str], None],
    advance: Callable[[], None],
) -> None:
    """Alerts, versions that feeds declared (kept longer than tickets are), then the institutions' tickets.

    complain: told of what is not there or cannot be read; the rest is read all the same.

    Raises:
        Retry: the log does not answer.
    """
    try:
        async for alert in records_to_end(log, prefix, complain):
            reading.shelf.take(alert)
        reading.alerts_read = True
    except UnknownTopic as missing:
        complain(str(missing))
    try:
        for institution, state in (await feeds_on_log(log, prefix, complain)).items():
            for declared in declared_by(state):
                reading.of(institution).declare(*declared)
    except UnknownTopic as missing:
        complain(str(missing))
    for institution in institutions:
        topic = f"{prefix}{TICKETS}{institution}"
        try:
            async for _, records in read_all(log, [(topic, 0)]):
                for record in records:
                    advance()
                    reading.take(institution, record.value or b"", record.timestamp_ms)
        except UnknownTopic as missing:
            complain(str(missing))


def metrics_of(groups: Iterable[Group], gaps: Sequence[Gap], norm: Norm) -> bytes:
    """Gauges, for node-exporter's textfile collector. Labels are the registry's and the baseline's own words."""
    registry = CollectorRegistry()
    items = Gauge(
        "fsoc_coverage_items",
        "Items of the monitoring baseline that an institution must have, by how it covers them.",
        ["institution", "status"],
        registry=registry,
    )
    ratio = Gauge(
        "fsoc_coverage_ratio",
        "Of the items of the monitoring baseline that an institution must have, those that are covered; 0 to 1.",
        ["institution"],
        registry=registry,
    )
    lacking = Gauge(
        "fsoc_coverage_gap_institutions",
        "Institutions that must have an item of the monitoring baseline and do not cover it.",
        ["item", "technique"],
        registry=registry,
    )
    used = Gauge(
        "fsoc_coverage_gap_alerts",
        "Joint alerts of the window whose techniques an item that is lacking somewhere would have shown.",
        ["item", "technique"],
        registry=registry,
    )
    for member in (member for group in groups for member in group.members):
        for status in STATUSES:
            items.labels(member.institution.id, status).set(member.count(status))
        if member.share is not None:
            ratio.labels(member.institution.id).set(member.share)
    for gap in gaps:
        labels = gap.item, norm.baseline.items[gap.item].technique
        lacking.labels(*labels).set(gap.institutions)
        used.labels(*labels).set(gap.alerts)
    return generate_latest(registry)


def write_whole(content: bytes, out: Path) -> None:
    """Write a file so that who reads it meanwhile has the one before or this, whole.

    Raises:
        RefusedToStart: it cannot be written.
    """
    beside = out.with_name(f".{out.name}.new")
    try:
        beside.write_bytes(content)
        beside.replace(out)
    except OSError as error:
        raise RefusedToStart(Problem("--out", f"{out}: {error.strerror}")) from error
