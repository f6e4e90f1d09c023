"""Ticket files, checked ticket by ticket: one a line, or one JSON text. What a ticket must be is fsoc/tickets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fsoc.errors import Fault, Problem, RefusedToStart
from fsoc.tickets.explain import explain

TICKET_SUFFIXES: Final = frozenset({".json", ".ndjson", ".jsonl"})
WHOLE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A file that is one JSON text is held in memory; one ticket a line has no such limit."""


def faults_of(paths: Iterable[Path]) -> Iterator[list[Problem]]:
    """The problems of each ticket of each file, in order; [] for one without.

    Raises:
        RefusedToStart: naming every path that is no file or holds none.
    """
    problems: list[Problem] = []
    files: list[Path] = []
    for path in paths:
        found = sorted(each for each in path.rglob("*") if each.suffix in TICKET_SUFFIXES) if path.is_dir() else [path]
        if not found or not path.exists():
            problems.append(
                Problem(str(path), "no such file or folder" if not path.exists() else "holds no ticket file")
            )
        files += found
    if problems:
        raise RefusedToStart(*problems)
    for file in files:
        yield from _faults_of_file(file)


def _faults_of_file(file: Path) -> Iterator[list[Problem]]:
    for line, payload in _payloads(file):
        yield [_problem(file, line, fault) for fault in explain(payload, _institution(payload))]


def _payloads(file: Path) -> Iterator[tuple[int, bytes]]:
    """Each ticket with the line it starts in."""
    with file.open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"")
    if first.strip().startswith(b"[") or first.strip() == b"{":
        yield from _of_text(file)
        return
    with file.open("rb") as lines:
        yield from ((number, line.rstrip(b"\r\n")) for number, line in enumerate(lines, 1) if line.strip())


def _of_text(file: Path) -> Iterator[tuple[int, bytes]]:
    """One JSON text: an object, or a list of objects. What cannot be taken apart is one payload, refused as such."""
    if file.stat().st_size > WHOLE_BYTES_MAX:
        limit = f"{file.stat().st_size} bytes of one JSON text, limit {WHOLE_BYTES_MAX} — write one ticket a line"
        raise RefusedToStart(Problem(str(file), limit))
    payload = file.read_bytes()
    try:
        text = payload.decode()
        places = list(_places(text))
    except (ValueError, IndexError, RecursionError):
        yield 1, payload
        return
    for start, end in places:
        yield text.count("\n", 0, start) + 1, text[start:end].encode()


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where each ticket starts and ends: as written, for what is wrong with it may be lost in decoding."""
    decoder = json.JSONDecoder()
    start = _after_space(text, 0)
    if text[start] != "[":
        yield start, len(text)
        return
    start = _after_space(text, start + 1)
    while text[start] != "]":
        _, end = decoder.raw_decode(text, start)
        yield start, end
        start = _after_space(text, end)
        if text[start] == ",":
            start = _after_space(text, start + 1)
        elif text[start] != "]":
            raise ValueError(f"no comma at {start}")


def _after_space(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _institution(payload: bytes) -> str:
    """Whom the ticket claims to be from: a file has no topic that would know better."""
    try:
        body: Any = json.loads(payload)
        return str(body["institution"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _problem(file: Path, line: int, fault: Fault) -> Problem:
    return Problem(f"{file}:{line}", f"{fault.code} at {fault.pointer or '/'}: {fault.text}")
