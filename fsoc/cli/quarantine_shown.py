"""Refused payloads as people read them. Pure text; what is from the wire is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import click
import msgspec

from fsoc.cli.alert_words import Language
from fsoc.cli.payload_shown import laid_out, place_faults
from fsoc.cli.printable import printable
from fsoc.cli.receipts_shown import fault_lines
from fsoc.cli.table import Column, table
from fsoc.runtime.quarantine import Step
from fsoc.tickets.receipts import faults_wire
from fsoc.tickets.told import Refused, Replayed, ToldFault

Done = Literal["sent", "would be sent", "left out"]
Row = tuple[Refused, Replayed | None]

_HEADS: Final[dict[Language, tuple[str, ...]]] = {
    "en": ("refused", "received at", "bytes", "sent again", "why"),
    "zh-TW": ("隔離內容", "收到時間", "位元組", "重送時間", "原因"),
}
_CODES_MAX: Final = 4


def entry_json(one: Refused, replayed: Replayed | None) -> dict[str, Any]:
    """A line of `fsoc quarantine list --json`."""
    return {
        "name": one.name,
        "institution": one.institution,
        "offset": one.offset,
        "received_at": one.received_at,
        "payload_bytes": one.payload_bytes,
        "faults": msgspec.to_builtins(one.faults),
        "replayed": None if replayed is None else msgspec.to_builtins(replayed),
    }


def rows(shown: Sequence[Row], language: Language) -> Iterator[str]:
    """A table, one a line; what was sent again is marked."""
    if not shown:
        yield "nothing is waiting" if language == "en" else "沒有待處理之隔離內容"
        return
    refused, received, size, again, why = _HEADS[language]
    columns: tuple[Column, ...] = (
        (refused, lambda row: printable(row[0].name)),
        (received, lambda row: printable(row[0].received_at)),
        (size, lambda row: f"{row[0].payload_bytes:,}"),
        (again, lambda row: printable(row[1].at) if row[1] else "-"),
        (why, lambda row: printable(_codes(row[0].faults))),
    )
    yield from table(columns, shown, "green", lambda row: row[1] is not None)


def _codes(faults: Sequence[ToldFault]) -> str:
    codes = list(dict.fromkeys(fault.code for fault in faults))
    return ", ".join(codes[:_CODES_MAX]) + (", …" if len(codes) > _CODES_MAX else "")


def whole(one: Refused, replayed: Sequence[Replayed], language: Language) -> Iterator[str]:
    """Where it came from, what became of it, and the payload with each fault below its place."""
    en = language == "en"
    yield click.style(printable(one.name), bold=True)
    size = f"{one.payload_bytes:,} bytes" if en else f"{one.payload_bytes:,} 位元組"
    yield f"{'received' if en else '收到'} {printable(one.received_at)} · {size}"
    if not one.is_whole:
        yield (
            f"only the first {len(one.payload):,} bytes were kept" if en else f"僅保存前 {len(one.payload):,} 位元組"
        )
    for told in replayed:
        how = ("mended" if en else "已修正") if told.mended else ("as it was" if en else "原樣")
        yield f"{'sent again' if en else '重送'} {printable(told.at)} · {printable(told.by)} · {how}"
    yield ""
    lines = laid_out(one.payload)
    placed = place_faults(lines, [fault.pointer for fault in one.faults])
    for number, line in enumerate(lines):
        faults = placed.get(number)
        if faults is None:
            yield f"  {line.text}"
            continue
        yield click.style(f"> {line.text}", fg="red")
        for fault in faults:
            yield from fault_lines(one.faults[fault], language, "  ^ ")


_DONE_ZH: Final[dict[Done, str]] = {"sent": "已重送", "left out": "未重送", "would be sent": "將重送"}


def step_json(step: Step, done: Done) -> dict[str, Any]:
    """A line of `fsoc quarantine replay --json`."""
    return {
        "name": step.of.name,
        "done": done,
        "mended": step.is_mended,
        "bytes": len(step.payload),
        "why": step.left_out,
        "faults": faults_wire(step.faults),
    }


def step_lines(step: Step, done: Done, language: Language) -> Iterator[str]:
    """What was done with one, and why it was left out."""
    en = language == "en"
    colour = "yellow" if done == "left out" else "green"
    word = click.style(done if en else _DONE_ZH[done], fg=colour)
    how = ("mended" if en else "已修正") if step.is_mended else ("as it was" if en else "原樣")
    text = f"{printable(step.of.name)}  {word}  {how}, {len(step.payload):,} bytes"
    yield text if step.left_out is None else f"{text}: {printable(step.left_out)}"
    for fault in faults_wire(step.faults):
        yield from fault_lines(msgspec.convert(fault, ToldFault), language)
