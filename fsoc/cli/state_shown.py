"""State as people read it: tables of what it says, lines of what was found. Pure text; reads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import click

from fsoc.alerts.spans import span_text
from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table
from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.show import InstitutionShown, PartitionShown, Report, RuleShown

_COLOURS: Final = {"unchanged": "green", "changed": "yellow", "removed": "yellow", "regrouped": "red", "unknown": "red"}


def lines(report: Report) -> Iterator[str]:
    """The report, section by section; what is not there is not shown."""
    if report.institutions:
        yield click.style(f"{len(report.institutions):,} institutions", bold=True)
        yield from table(_INSTITUTION, report.institutions, "yellow", lambda row: bool(row.missing or row.quarantined))
        yield from _rules("institutions", [row.rules for row in report.institutions])
    if report.partitions:
        yield click.style(f"{len(report.partitions):,} partitions of detections", bold=True)
        yield from table(_PARTITION, report.partitions, "yellow", lambda row: bool(row.evicted or row.displaced))
        yield from _rules("partitions", [row.rules for row in report.partitions])
        for row in report.partitions:
            if row.held:
                yield click.style(f"partition {row.partition} holds", bold=True)
                yield from _held(row.held)
    for line in report.unreadable:
        yield click.style(printable(line), fg="red")


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _watermark(row: InstitutionShown) -> str:
    return "ended" if row.ended else row.watermark or "-"


def _closed(row: PartitionShown) -> str:
    return "ended" if row.ended else row.closed_until or "-"


def _lateness(row: InstitutionShown) -> str:
    return "?" if row.allowed_lateness_ms is None else span_text(row.allowed_lateness_ms)


_INSTITUTION: Final[tuple[Column, ...]] = (
    ("institution", lambda row: row.institution),
    ("offset", lambda row: _number(row.offset)),
    ("waiting", lambda row: _number(row.waiting)),
    ("watermark", _watermark),
    ("lateness", _lateness),
    ("received", lambda row: _number(row.received)),
    ("used", lambda row: _number(row.used)),
    ("duplicate", lambda row: _number(row.duplicate)),
    ("late", lambda row: _number(row.late)),
    ("quarantined", lambda row: _number(row.quarantined)),
    ("missing", lambda row: _number(row.missing)),
    ("live", lambda row: _number(row.live)),
    ("detections", lambda row: _number(row.detections)),
)

_PARTITION: Final[tuple[Column, ...]] = (
    ("partition", lambda row: str(row.partition)),
    ("waiting", lambda row: _number(row.waiting)),
    ("closed until", _closed),
    ("groups", lambda row: _number(row.groups)),
    ("entries", lambda row: _number(row.entries)),
    ("withdrawals", lambda row: _number(row.withdrawals)),
    ("open", lambda row: _number(row.alerts["open"])),
    ("final", lambda row: _number(row.alerts["final"])),
    ("retracted", lambda row: _number(row.alerts["retracted"])),
    ("raised ever", lambda row: _number(row.alerts_raised)),
    ("evicted", lambda row: _number(row.evicted)),
    ("displaced", lambda row: _number(row.displaced)),
)


def _held(held: Sequence[RuleShown]) -> Iterator[str]:
    for row in held:
        definition = click.style(f"{row.definition:<9}", fg=_COLOURS[row.definition])
        counts = f"{row.groups:>7,} groups  {row.entries:>8,} entries"
        yield f"  {definition}  {counts}  {printable(row.rule)}  {printable(row.title)}"


def _rules(things: str, written: Sequence[dict[str, str] | None]) -> Iterator[str]:
    """With which rules the state was last written, where it says so."""
    counts: dict[tuple[str, str], int] = {}
    for rules in written:
        if rules is not None:
            name = (rules["version"], rules["digest"])
            counts[name] = counts.get(name, 0) + 1
    for (version, digest), count in sorted(counts.items()):
        yield f"  {count:,} {things} written with rules {printable(version)} ({printable(digest[:12])})"


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "sound": verdict.is_sound,
        "findings": [
            {
                "code": finding.code,
                "topic": finding.place.topic,
                "partition": finding.place.partition,
                "key": None if finding.place.key is None else finding.place.key.decode("utf-8", "backslashreplace"),
                "text": finding.text,
            }
            for finding in verdict.findings
        ],
        "looked": asdict(verdict.looked),
        "notes": verdict.notes,
    }


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """A line for each finding, then what is no fault, then at how much was looked."""
    for finding in verdict.findings:
        yield click.style(printable(f"{finding.place}: {finding.code}: {finding.text}"), fg="red")
    for note in verdict.notes:
        yield printable(f"note: {note}")
    looked = verdict.looked
    in_flight = {
        "tickets whose output may not be out": looked.in_flight_tickets,
        "entries that detections not committed name": looked.in_flight_entries,
        "relays that these may change": looked.in_flight_relays,
        "alerts that these may change": looked.in_flight_alerts,
        "alerts not yet published": looked.unpublished,
    }
    if any(in_flight.values()):
        yield "in flight: " + ", ".join(f"{count:,} {what}" for what, count in in_flight.items() if count)
    if looked.let_go:
        yield f"let go of because a bound was reached: {looked.let_go:,} entries"
    told = (
        f"{looked.institutions:,} institutions with {looked.live:,} live tickets; {looked.partitions:,} partitions "
        f"with {looked.entries:,} entries in {looked.groups:,} groups, {looked.relays:,} relays, "
        f"{looked.alerts:,} alerts"
    )
    found = len(verdict.findings)
    end = click.style("sound", fg="green") if not found else click.style(f"{found:,} found", fg="red")
    yield f"{told}: {end}"
