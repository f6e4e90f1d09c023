"""Receipts as people read them: a line each, its faults below it. Pure text; what is from the wire is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import click

from fsoc.cli.alert_words import Language
from fsoc.cli.printable import printable
from fsoc.runtime.receipts import Received
from fsoc.tickets.receipts import Told
from fsoc.tickets.told import ToldFault, ToldResend

_COLOURS: Final[dict[Told, str]] = {
    "accepted": "green",
    "duplicate": "cyan",
    "late": "yellow",
    "quarantined": "red",
}
_ZH: Final[dict[Told, str]] = {"accepted": "採用", "duplicate": "重複", "late": "逾時", "quarantined": "隔離"}
_WIDTHS: Final = (12, 10, 12, 9)
_NOTE: Final[dict[Language, str]] = {"en": "note", "zh-TW": "提示"}
REFUSED: Final = ("late", "quarantined")


@dataclass(slots=True)
class Tally:
    """How many there were of each outcome."""

    counts: dict[Told, int] = field(default_factory=lambda: dict.fromkeys(_COLOURS, 0))

    def add(self, outcome: Told) -> None:
        self.counts[outcome] += 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def refused(self) -> int:
        """Those that are not in use and are no duplicate of one that is."""
        return sum(count for outcome, count in self.counts.items() if outcome in REFUSED)

    def line(self, language: Language) -> str:
        if not self.total:
            return "no receipts" if language == "en" else "沒有回執"
        return " · ".join(
            f"{count:,} {outcome_word(outcome, language)}" for outcome, count in self.counts.items() if count
        )


def outcome_word(outcome: Told, language: Language) -> str:
    return outcome if language == "en" else _ZH[outcome]


def heading(language: Language) -> str:
    names = ("outcome", "offset", "feed", "seq") if language == "en" else ("結果", "offset", "來源", "序號")
    last = "ticket, revision" if language == "en" else "事件單、版次"
    return click.style("  ".join(_to(name, width) for name, width in zip(names, _WIDTHS, strict=True)) + f"  {last}")


def lines(one: Received, language: Language) -> Iterator[str]:
    """The receipt, then each of its faults and hints with how to mend it."""
    receipt = one.receipt
    ticket = "-" if receipt.ticket_id is None else f"{receipt.ticket_id} r{receipt.revision}"
    whose = f"{one.institution} " if one.institution else ""
    cells = (str(receipt.offset), receipt.feed or "-", "-" if receipt.seq is None else str(receipt.seq))
    rest = "  ".join(_to(printable(cell), width) for cell, width in zip(cells, _WIDTHS[1:], strict=True))
    outcome = _to(outcome_word(receipt.outcome, language), _WIDTHS[0])
    yield f"{click.style(outcome, fg=_COLOURS[receipt.outcome])}  {rest}  {printable(whose + ticket)}"
    for fault in receipt.faults:
        yield from fault_lines(fault, language)
    for note in receipt.notes:
        yield from fault_lines(note, language, before=click.style(_NOTE[language], fg="yellow") + "  ")
    if receipt.resend is not None:
        yield from _resend_lines(receipt.resend, receipt.feed or "-", language)


_RESEND: Final = (
    ("ask", "missing, please send again", "缺漏，請重送", "yellow"),
    ("closed", "was missing and has come", "缺漏已補", "green"),
    ("given_up", "missing and given up", "缺漏，已不再追蹤", "red"),
)


def _resend_lines(resend: ToldResend, feed: str, language: Language) -> Iterator[str]:
    for name, en, zh, colour in _RESEND:
        ranges = getattr(resend, name)
        if ranges:
            said = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
            word = click.style(en if language == "en" else zh, fg=colour)
            yield f"    {word}: {printable(feed)}/{printable(resend.seq_epoch)} {said}"


def fault_lines(fault: ToldFault, language: Language, margin: str = "    ", before: str = "") -> Iterator[str]:
    """Where, which and what was found; then how to mend it. before: stands before the first of it."""
    said = fault.reason if language == "en" else f"{fault.reason_zh}（{fault.reason}）"
    hint = fault.hint if language == "en" else fault.hint_zh
    place = fault.pointer or "/"
    yield f"{margin}{before}{click.style(printable(place), bold=True)}  {printable(fault.code)}  {printable(said)}"
    if hint:
        yield f"{margin}  → {printable(hint)}"


def _to(text: str, width: int) -> str:
    """At least so wide; Chinese characters take two places."""
    from rich.cells import cell_len

    return text + " " * (width - cell_len(text))
