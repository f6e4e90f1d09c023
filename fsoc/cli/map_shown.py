"""An event before and after it became a ticket, as people read it. Pure text; what is from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click
import msgspec
import orjson

from fsoc.cli.alert_words import Language
from fsoc.cli.payload_shown import laid_out, place_faults
from fsoc.cli.printable import printable
from fsoc.cli.receipts_shown import fault_lines
from fsoc.errors import Fault
from fsoc.tickets.adapters.mapping import Mapped
from fsoc.tickets.receipts import faults_wire
from fsoc.tickets.told import ToldFault

_HEADS: Final[Mapping[Language, tuple[str, str, str, str]]] = {
    "en": ("line", "before", "after", "nothing was made of"),
    "zh-TW": ("行", "轉換前", "轉換後", "未採用之欄位"),
}


def before_and_after(line: int, event: Any, mapped: Mapped, language: Language) -> Iterator[str]:
    """The event, its ticket with each fault below its place, and what was left of the event."""
    _, before, after, unused = _HEADS[language]
    yield click.style(f"{line_name(line, language)} · {before}", bold=True)
    for one in laid_out(orjson.dumps(event)):
        yield f"  {one.text}"
    yield click.style(after, bold=True)
    told = _told(mapped.faults)
    lines = laid_out(orjson.dumps(mapped.ticket))
    placed = place_faults(lines, [fault.pointer for fault in told])
    for number, one in enumerate(lines):
        faults = placed.get(number)
        yield f"  {one.text}" if faults is None else click.style(f"> {one.text}", fg="red")
        for fault in faults or ():
            yield from fault_lines(told[fault], language, "  ^ ")
    if mapped.left_over:
        yield click.style(unused, bold=True)
        for path in mapped.left_over:
            yield f"  {printable(path)}"
    yield ""


def faults_of_line(line: int, faults: Sequence[Fault], language: Language) -> Iterator[str]:
    """Why the event of a line became no ticket."""
    yield f"{line_name(line, language)}:"
    for fault in _told(faults):
        yield from fault_lines(fault, language)


def line_name(line: int, language: Language) -> str:
    """How a line is called."""
    return f"{_HEADS[language][0]} {line}" if language == "en" else f"第 {line} {_HEADS[language][0]}"


def _told(faults: Sequence[Fault]) -> list[ToldFault]:
    return [msgspec.convert(fault, ToldFault) for fault in faults_wire(faults)]
