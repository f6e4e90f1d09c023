"""Alerts as a table, two lines each, as wide as the terminal is: what happened, and what its tickets share. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from fsoc.alerts.read import Clock, ReadAlert
from fsoc.cli.alert_words import LEVEL_STYLES, Language, seen_asked, shared, span, title, word
from fsoc.cli.printable import printable
from fsoc.tickets.times import milliseconds, rfc3339

ID_SHOWN: Final = 8
WIDE: Final = 100
"""Columns from which techniques are shown, and what was seen against what was asked beside the rule, not below it."""
CLOCKS_FROM: Final = 120
"""Columns from which it is shown which clock runs out next; else only when."""
SOON: Final = 0.25
"""Of a clock's time, the share that is left when it is shown as urgent."""


@dataclass(frozen=True, slots=True)
class AlertTable:
    """alerts: newest first. hidden: those left out because they are suppressed. notice: a line at the end, if any.

    now_ms: what ages and clocks are told against. full: as high as the console and the newest first; else all of
    them, the newest last, where one looks when a command has ended. answered: by alert, how many institutions did.
    """

    alerts: Sequence[ReadAlert]
    now_ms: int
    language: Language
    hidden: int = 0
    notice: str = ""
    full: bool = False
    answered: Mapping[str, int] = field(default_factory=dict)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        fitting = max(1, (height - 4) // 2) if self.full else len(self.alerts)
        shown = self.alerts[:fitting] if self.full else self.alerts[::-1]
        for line in self._lines(shown, width):
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
            yield line

    def _lines(self, shown: Sequence[ReadAlert], width: int) -> Iterator[Text]:
        if self.full:
            yield self._head(len(shown))
        if shown:
            yield _heading(width, self.language)
        for alert in shown:
            yield from _rows(alert, self.answered.get(alert.alert_id, 0), self.now_ms, width, self.language)
        if not self.full:
            yield self._head(len(shown))
        if self.notice:
            yield Text(printable(self.notice), "yellow")

    def _head(self, shown: int) -> Text:
        count = len(self.alerts)
        counted = word("no alerts", self.language)
        if count:
            counted = f"{count} {word('alert' if count == 1 else 'alerts', self.language)}"
        head = Text.assemble((f" {counted}", "bold"))
        if shown < count:
            head.append(f"  ·  {word('the newest', self.language)} {shown}", "dim")
        if self.hidden:
            head.append(f"  ·  {self.hidden} {word('suppressed', self.language)}", "dim")
        if self.now_ms:
            head.append(
                f"  ·  {word('event time', self.language)} {rfc3339(self.now_ms)[:16].replace('T', ' ')}", "dim"
            )
        return head


def _heading(width: int, language: Language) -> Text:
    names = (
        word(name, language) for name in ("age", "level", "sev", "rule", "inst", "seen, asked", "techniques", "due")
    )
    line = _line(("id", *names), width)
    line.stylize("dim")
    return line


def _rows(alert: ReadAlert, answered: int, now_ms: int, width: int, language: Language) -> Iterator[Text]:
    techniques = alert.techniques
    clocks = () if alert.status in {"retracted", "merged"} else alert.clocks  # nothing is due of what does not stand
    first = _line(
        (
            printable(alert.alert_id.removeprefix("al-"))[:ID_SHOWN],
            span(now_ms - alert.raised_ms),
            word(alert.level, language),
            f"S{alert.severity} G{alert.suggested_grade.grade if alert.suggested_grade else '-'}",
            title(alert, language),
            str(alert.institution_count),
            seen_asked(alert.explanation),
            printable(" ".join(techniques)),
            _due(clocks, now_ms, language, named=width >= CLOCKS_FROM),
        ),
        width,
        LEVEL_STYLES.get(alert.level, ""),
        _urgency(clocks, now_ms),
    )
    second = Text(" " * (ID_SHOWN + 2) + "└ ")
    if width < WIDE:
        second.append(f"{seen_asked(alert.explanation)}  ")
    if alert.status != "open":
        second.append(f"{word(alert.status, language)}  ", "bold yellow" if alert.status == "retracted" else "dim")
    if alert.suppressed is not None:
        by = f"{printable(alert.suppressed.id)}, {printable(alert.suppressed.owner)}"
        second.append(f"{word('suppressed', language)} ({by})  ", "magenta")
    if answered:
        second.append(f"{word('acknowledged by', language)} {answered}  ", "green")
    share = ", ".join(f"{name} {count}" for name, count in alert.explanation.share.items())
    common = shared(alert)
    second.append(f"{common} · {printable(share)}" if common else printable(share), "dim")
    if alert.status == "retracted" or alert.suppressed is not None:
        first.stylize("dim")
    yield first
    yield second


def _line(cells: Sequence[str], width: int, level_style: str = "", due_style: str = "") -> Text:
    """One line; the rule's title takes what the other columns leave."""
    named, age, level, severity, rule, institutions, why, techniques, due = cells
    several, measured = (max(12, min(40, width // 6)), 15) if width >= WIDE else (0, 0)
    clock = 18 if width >= CLOCKS_FROM else 6
    fixed = ID_SHOWN + 6 + 8 + 5 + 4 + clock
    room = max(12, width - 1 - fixed - several - measured - 2 * (8 if several else 6))
    line = Text(" ")
    for text, size, style, right in (
        (named, ID_SHOWN, "dim", False),
        (age, 6, "", True),
        (level, 8, level_style, False),
        (severity, 5, "", False),
        (rule, room, "bold" if level_style else "", False),
        (institutions, 4, "", True),
        (why, measured, "", False),
        (techniques, several, "cyan", False),
        (due, clock, due_style, False),
    ):
        if not size:
            continue
        cell = Text(text, style)
        cell.truncate(size, overflow="ellipsis")
        cell.align("right" if right else "left", size)
        line.append_text(cell)
        line.append("  ")
    line.rstrip()
    return line


def next_clock(clocks: Sequence[Clock], now_ms: int) -> Clock | None:
    """The first that is not past."""
    coming = [clock for clock in clocks if milliseconds(clock.due_at) >= now_ms]
    return min(coming, key=lambda clock: (milliseconds(clock.due_at), clock.id), default=None)


def _due(clocks: Sequence[Clock], now_ms: int, language: Language, *, named: bool) -> str:
    if not clocks:
        return ""
    clock = next_clock(clocks, now_ms)
    if clock is None:
        return word("past", language)
    left = span(milliseconds(clock.due_at) - now_ms)
    return f"{left} {printable(clock.id)}" if named else left


def _urgency(clocks: Sequence[Clock], now_ms: int) -> str:
    clock = next_clock(clocks, now_ms)
    if clock is None:
        return "dim"
    due_ms, starts_ms = milliseconds(clock.due_at), milliseconds(clock.starts_at)
    return "bold yellow" if due_ms - now_ms <= SOON * (due_ms - starts_ms) else "yellow"
