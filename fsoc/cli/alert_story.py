"""One alert told whole: why it was raised, how grave it is, what is due, who is concerned, how it became so. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fsoc.alerts.read import ReadAlert
from fsoc.cli.alert_words import (
    LEVEL_STYLES,
    Language,
    clock_text,
    either,
    kind_name,
    seen_asked,
    severity_name,
    shared,
    span,
    title,
    word,
)
from fsoc.cli.printable import printable
from fsoc.tickets.times import milliseconds

TICKETS_SHOWN: Final = 50
"""Ticket ids of one institution; `--json` has all."""


def story(
    alert: ReadAlert, revisions: Sequence[ReadAlert], now_ms: int, language: Language
) -> Iterator[RenderableType]:
    """revisions: all that were read, oldest first. now_ms: what clocks are told against."""
    yield from _head(alert, language)
    yield from _part("Why", language)
    yield _in(Text(either(alert.explanation, language)))
    yield from _graveness(alert, language)
    if alert.clocks:
        yield from _part("Clocks", language)
        yield _in(_clocks(alert, now_ms, language))
    if alert.timeline:
        version = f"ATT&CK {printable(alert.attack_version)}" if alert.attack_version else ""
        yield from _part("Timeline", language, version)
        yield _in(_timeline(alert))
    yield from _part("Institutions", language)
    yield _in(_institutions(alert, language))
    if alert.intel:
        yield from _part("Intel", language, f"({word('no victims', language)})")
        yield _in(_intel(alert, language))
    yield from _part("History", language)
    yield _in(_history(revisions, language))


def _head(alert: ReadAlert, language: Language) -> Iterator[RenderableType]:
    yield Text.assemble(
        (printable(alert.alert_id), "bold"),
        f"  ·  {word('revision', language)} {alert.revision}  ·  {word(alert.status, language)}",
        f"  ·  {kind_name(alert.kind, language)}  ·  ",
        (word(alert.level, language), LEVEL_STYLES.get(alert.level, "")),
        f"  ·  {word(alert.environment, language)}",
    )
    yield Text(title(alert, language), "bold")
    if common := shared(alert):
        yield _in(Text(common, "cyan"))
    window = f"{clock_text(alert.window_from)} → {clock_text(alert.window_to)} UTC"
    yield _in(Text(f"{word('window', language)} {window}  ·  {seen_asked(alert.explanation)}", "dim"))
    for name, value in (("continues", alert.continues), ("campaign", alert.campaign_id)):
        if value is not None:
            yield _in(Text(f"{word(name, language)} {printable(value)}", "dim"))
    if alert.suppressed is not None:
        by = alert.suppressed
        owner = f"{word('owner', language)} {printable(by.owner)}, {word('until', language)} {clock_text(by.until)}"
        told = f"{word('Suppressed', language)}: {printable(by.reason)} ({printable(by.id)}, {owner})"
        yield _in(Text(told, "magenta"))


def _graveness(alert: ReadAlert, language: Language) -> Iterator[RenderableType]:
    name = severity_name(alert.severity, language)
    yield from _part("Severity", language, f"{alert.severity} ({name})")
    for reason in alert.severity_reasons:
        yield _in(Text(f"+{reason.points:<3} {either(reason, language)}"))
    grade = alert.suggested_grade
    if grade is not None:
        yield from _part("Suggested grade", language, str(grade.grade))
        for reason in grade.reasons:
            yield _in(Text(f"- {either(reason, language)}"))
        yield _in(Text(either(grade, language, "note"), "dim"))


def _clocks(alert: ReadAlert, now_ms: int, language: Language) -> Table:
    table = _table()
    for clock in alert.clocks:
        left_ms = milliseconds(clock.due_at) - now_ms
        left = Text(word("past", language), "dim") if left_ms < 0 else Text(f"{word('left', language)} {span(left_ms)}")
        table.add_row(Text(f"{clock_text(clock.due_at)} UTC"), left, Text(either(clock, language, "name")))
    return table


def _timeline(alert: ReadAlert) -> Table:
    table = _table()
    for row in alert.timeline:
        table.add_row(
            Text(printable(row.tactic), "bold"),
            Text(f"{clock_text(row.first_seen)} → {clock_text(row.last_seen)}"),
            Text(f"{row.tickets} / {row.institutions}"),
            Text(printable(" ".join(row.techniques)), "cyan"),
        )
    return table


def _institutions(alert: ReadAlert, language: Language) -> Table:
    """Who has most first; the tickets that decided it are named as such."""
    table = _table()
    novelty, deciding = alert.explanation.novelty, alert.explanation.deciding
    for name, ids in sorted(alert.tickets.items(), key=lambda one: (-len(one[1]), one[0])):
        told = Text()
        if name in novelty:
            new = novelty[name]
            is_first = new.kind == "first_ever"
            told.append(word("first ever" if is_first else "surge", language), "yellow")
            told.append("  " if is_first else f" {new.seen:g} ↔ {new.before or 0:g}  ", "yellow")
        decided = set(deciding.get(name, ()))
        for place, ticket in enumerate(ids[:TICKETS_SHOWN]):
            told.append(", " if place else "")
            told.append(printable(ticket), "bold" if ticket in decided else "")
            if ticket in decided:
                told.append(f" ({word('decided it', language)})", "dim")
        if len(ids) > TICKETS_SHOWN:
            told.append(f" +{len(ids) - TICKETS_SHOWN}", "dim")
        table.add_row(Text(printable(name), "bold"), Text(str(len(ids)), justify="right"), told)
    return table


def _intel(alert: ReadAlert, language: Language) -> Table:
    """Who warned, when, and by which ticket."""
    table = _table()
    for heard in alert.intel[:TICKETS_SHOWN]:
        told = Text(printable(heard.ticket_id))
        if heard.ticket_id in alert.explanation.deciding.get(heard.institution, ()):
            told.append(f" ({word('decided it', language)})", "dim")
        table.add_row(Text(printable(heard.institution), "bold"), Text(f"{clock_text(heard.at)} UTC"), told)
    if len(alert.intel) > TICKETS_SHOWN:
        table.add_row(Text(f"+{len(alert.intel) - TICKETS_SHOWN}", "dim"))
    return table


def _history(revisions: Sequence[ReadAlert], language: Language) -> Table:
    """What each revision that can still be read said."""
    table = _table()
    for one in revisions:
        table.add_row(
            Text(str(one.revision), justify="right"),
            Text(word(one.status, language)),
            Text(seen_asked(one.explanation)),
            Text(f"{one.ticket_count} {word('tickets', language)}"),
            Text(f"{one.institution_count} {word('institutions', language)}"),
            Text(f"{word('Severity', language)} {one.severity}"),
        )
    return table


def _part(name: str, language: Language, more: str = "") -> Iterator[RenderableType]:
    yield Text()
    yield Text(f"{word(name, language)}  {more}".rstrip(), "bold underline")


def _table() -> Table:
    return Table(box=None, show_header=False, padding=(0, 2, 0, 0))


def _in(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2), expand=False)
