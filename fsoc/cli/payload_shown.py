"""A payload laid out for a terminal, with its faults at their places. Pure text, all of it escaped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from fsoc.cli.printable import printable
from fsoc.tickets.pointer import pointer

DEPTH_MAX: Final = 32
"""Deeper than any ticket; what nests further is shown as …"""
RAW_LINE_MAX: Final = 400
_STEP: Final = "  "


class Line(NamedTuple):
    """One line of a payload. pointer: of the value that begins here; None where a list or object only ends."""

    pointer: str | None
    text: str


def laid_out(payload: bytes) -> list[Line]:
    """JSON, a member a line; anything else as escaped text, all of it at pointer ""."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        text = payload.decode("utf-8", "backslashreplace")
        return [
            Line("" if place == 0 and number == 0 else None, printable(line[start : start + RAW_LINE_MAX]))
            for number, line in enumerate(text.split("\n"))
            for place, start in enumerate(range(0, max(len(line), 1), RAW_LINE_MAX))
        ]
    return list(_lines(body, (), "", ""))


def place_faults(lines: Sequence[Line], pointers: Sequence[str]) -> Mapping[int, list[int]]:
    """Line → the faults to show below it, by their places in `pointers`: where the value is, else what holds it."""
    at: dict[str, int] = {}
    for number, line in enumerate(lines):
        if line.pointer is not None:
            at.setdefault(line.pointer, number)
    placed: dict[int, list[int]] = {}
    for fault, wanted in enumerate(pointers):
        where = wanted
        while where not in at and where:
            where = where.rpartition("/")[0]
        placed.setdefault(at.get(where, 0), []).append(fault)
    return placed


def _lines(value: Any, path: tuple[str | int, ...], key: str, comma: str) -> Iterator[Line]:
    margin, name = _STEP * len(path), pointer(path)
    if not isinstance(value, dict | list) or not value:
        yield Line(name, f"{margin}{key}{_scalar(value)}{comma}")
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if len(path) >= DEPTH_MAX:
        yield Line(name, f"{margin}{key}{opening}…{closing}{comma}")
        return
    yield Line(name, f"{margin}{key}{opening}")
    members: list[tuple[str | int, Any]] = list(value.items() if isinstance(value, dict) else enumerate(value))
    for place, (member, inner) in enumerate(members):
        label = f"{_scalar(member)}: " if isinstance(value, dict) else ""
        yield from _lines(inner, (*path, member), label, "," if place < len(members) - 1 else "")
    yield Line(None, f"{margin}{closing}{comma}")


def _scalar(value: Any) -> str:
    return printable(json.dumps(value, ensure_ascii=False))
