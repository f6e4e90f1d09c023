"""Ticket files through the pipeline. Files are read twice: first for who sends, then for what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.runtime.direct import Direct
from fsoc.tickets.times import BadTime, milliseconds

SLICE_LINES = 500

UNIDENTIFIED = "unidentified"
"""Under whose name a line is counted that names no institution that is known. On Kafka the topic says who sent it."""

_is_institution = re.compile(r"[a-z0-9-]{2,32}").fullmatch


def registry_of(files: Sequence[Path]) -> Registry:
    """A registry of every institution that the files name, each independent of the others."""
    registry = Registry.open()
    for line in _lines(files, lambda _: None):
        registry.get(_institution(_peek(line)))
    return registry


def replay(direct: Direct, registry: Registry, files: Sequence[Path], advance: Callable[[int], None]) -> None:
    """Feed all files, one stream in the order given, and end it.

    advance: told the bytes read since it was told last.
    """
    received_ms = 0
    for number, lines in enumerate(_chunks(_lines(files, advance))):
        slices: dict[str, list[Record]] = {}
        for place, line in enumerate(lines):
            body = _peek(line)
            institution = _institution(body)
            if registry.get(institution) is None:
                institution = UNIDENTIFIED
            received_ms = _received_ms(body, received_ms)
            record = Record(number * SLICE_LINES + place, received_ms, None, line)
            slices.setdefault(institution, []).append(record)
        direct.work(slices)
    direct.finish()


def check_files(files: Iterable[Path]) -> None:
    """Raises: RefusedToStart: naming every file that cannot be read."""
    problems = [Problem(str(path), "no such file") for path in files if not path.is_file()]
    if problems:
        raise RefusedToStart(*problems)


def _lines(files: Sequence[Path], advance: Callable[[int], None]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as stream:
            for line in stream:
                advance(len(line))
                if stripped := line.strip(b"\r\n"):
                    yield stripped


def _chunks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == SLICE_LINES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _peek(line: bytes) -> Mapping[str, Any]:
    """The line's JSON object as far as it is one; what is wrong with it, decoding will say."""
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _institution(body: Mapping[str, Any]) -> str:
    named = body.get("institution")
    return named if isinstance(named, str) and _is_institution(named) else UNIDENTIFIED


def _received_ms(body: Mapping[str, Any], before_ms: int) -> int:
    """When it arrived: `received_at`, else `sent_at`, else when the line before it did."""
    for name in ("received_at", "sent_at"):
        value = body.get(name)
        if isinstance(value, str):
            try:
                return milliseconds(value)
            except BadTime:
                continue
    return before_ms
