"""What no decoder here sees: duplicate keys, escaped NUL, deep nesting, integers beyond 64 bit. Not field checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from fsoc.errors import Fault
from fsoc.tickets import vocabulary as words
from fsoc.tickets.pointer import pointer

_INTEGER_BEYOND = 2.0**63


def is_sound(payload: bytes, body: dict[str, Any]) -> bool:
    """Whether `payload`, which decoded to `body`, hides none of the above. `body` has the shape of a ticket."""
    if b"\\u0000" in payload:
        return not structural_faults(payload, body)
    if "ext" not in body and orjson.dumps(body) == payload:
        return True  # written as we would write it, so nothing was dropped while reading: half the price of counting
    # Every key written ends in a quote and, white space aside, a colon; so this is never less than the keys written.
    # It is more when a string holds such a pair; then the exact count decides.
    written = payload.translate(None, b" \t\n\r").count(b'":')
    kept = _keys_of_ticket(body)
    if body.get("ext") is not None:
        kept_in_ext = _keys_if_shallow(body["ext"])
        if kept_in_ext is None:
            return False
        kept += kept_in_ext
    return written == kept or not _duplicates(payload)


def structural_faults(payload: bytes, body: Any) -> list[Fault]:
    """Every structural fault of a payload that decodes to `body`."""
    faults: list[Fault] = []
    too_deep = False
    for path, value, depth in _walk(body):
        if depth > words.DEPTH_MAX and not too_deep:
            too_deep = True
            text = f"nested deeper than {words.DEPTH_MAX}"
            faults.append(Fault("payload.too-deep", pointer(path[: words.DEPTH_MAX]), text))
        if isinstance(value, str) and "\0" in value:
            faults.append(Fault("payload.nul", pointer(path), "contains the character U+0000"))
        elif isinstance(value, dict) and any("\0" in key for key in value):
            faults.append(Fault("payload.nul", pointer(path), "a key contains the character U+0000"))
        elif _is_beyond_64_bit(value):
            faults.append(Fault("field.out-of-range", pointer(path), "is a number beyond 64 bit; write it as a string"))
    if not too_deep:
        faults += _duplicates(payload)
    return faults


def _walk(body: Any) -> Iterator[tuple[tuple[str | int, ...], Any, int]]:
    """Every value with its path and depth (the whole is 1); without recursion, since the wire decides the depth."""
    stack: list[tuple[tuple[str | int, ...], Any, int]] = [((), body, 1)]
    while stack:
        path, value, depth = stack.pop()
        is_nested = isinstance(value, dict | list)
        yield path, value, depth if is_nested else depth - 1
        if isinstance(value, dict):
            stack.extend(((*path, key), inner, depth + 1) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*path, index), value[index], depth + 1) for index in reversed(range(len(value))))


def _keys_of_ticket(body: dict[str, Any]) -> int:
    """How many keys a body of the ticket's shape has, those within `ext` aside."""
    keys = len(body)
    for name in ("trigger", "volume", "impact", "relations"):
        keys += len(body.get(name) or ())
    for name in ("attack", "observables", "assets", "suppliers"):
        keys += sum(map(len, body.get(name) or ()))
    keys += sum(map(len, (body.get("relations") or {}).get("acknowledges") or ()))
    for item in body.get("evidence") or ():
        keys += len(item) + len(item["fields"]) + len(item.get("logsource") or ())
    return keys


def _keys_if_shallow(ext: dict[str, Any]) -> int | None:
    """How many keys `ext` has; None when it nests too deep or holds a number beyond 64 bit."""
    keys = 0
    level: list[Any] = [ext]
    for _ in range(1, words.DEPTH_MAX):  # the ticket around it is the first
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                keys += len(value)
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
            elif _is_beyond_64_bit(value):
                return None
        level = inner
    return None if any(isinstance(value, dict | list) or _is_beyond_64_bit(value) for value in level) else keys


def _is_beyond_64_bit(value: Any) -> bool:
    """Integers past 64 bit unsigned have become floats by now, so floats of that size are refused with them."""
    if isinstance(value, float):
        return abs(value) >= _INTEGER_BEYOND
    return isinstance(value, int) and not words.INTEGER_MIN <= value <= words.INTEGER_MAX


class _Pairs(list[tuple[str, Any]]):
    """An object as the pairs that were written."""


def _duplicates(payload: bytes) -> list[Fault]:
    """The exact answer, by the standard library, at some ten times the cost of a decode."""
    faults: list[Fault] = []
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), json.loads(payload, object_pairs_hook=_Pairs))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, inner in value:
                if key in seen:
                    faults.append(Fault("payload.duplicate-key", pointer((*path, key)), "the key is written twice"))
                seen.add(key)
                stack.append(((*path, key), inner))
        elif isinstance(value, list):
            stack.extend(((*path, index), inner) for index, inner in enumerate(value))
    return faults
