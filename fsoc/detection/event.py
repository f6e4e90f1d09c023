"""One event as rules see it: fields by name, values with their text. Knows no rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_NOTHING: Final[Mapping[str, Any]] = {}


class Value:
    """One scalar (or a nested object, which has no text) of an event.

    text: as JSON writes it, without quotes; None for null and for objects.
    folded: the text without letter case, by Unicode's full case folding.
    """

    __slots__ = ("_folded_utf8", "_utf8", "folded", "raw", "text")

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.text = text_of(raw)
        self.folded = None if self.text is None else self.text.casefold()
        self._utf8: bytes | None = None
        self._folded_utf8: bytes | None = None

    @property
    def number(self) -> int | float | None:
        """Its value as a number; also of a text that is one. A boolean is none."""
        raw = self.raw
        return number_of(raw) if isinstance(raw, str) else raw if is_number(raw) else None

    @property
    def utf8(self) -> bytes:
        """The text's bytes for RE2; encoded once, however many patterns are tried."""
        if self._utf8 is None:
            self._utf8 = (self.text or "").encode("utf-8", "surrogatepass")
        return self._utf8

    @property
    def folded_utf8(self) -> bytes:
        if self._folded_utf8 is None:
            self._folded_utf8 = (self.folded or "").encode("utf-8", "surrogatepass")
        return self._folded_utf8


Found = tuple[Value, ...] | None
"""The values of a field, lists laid flat; () for an empty list; None where the event has no such field."""


class Event:
    """The fields of one event.

    over: fields that hide those of the same name: aliases, and what is derived.
    """

    __slots__ = ("_everything", "_fields", "_found", "_over")

    def __init__(self, fields: Mapping[str, Any], over: Mapping[str, Any] = _NOTHING) -> None:
        self._fields = fields
        self._over = over
        self._found: dict[str, Found] = {}
        self._everything: tuple[Value, ...] | None = None

    def find(self, name: str) -> Found:
        """The values of a field. A literal key wins over a path of keys; a list on the path is looked into."""
        try:
            return self._found[name]
        except KeyError:
            pass
        found: Found
        raws = [self._over[name]] if name in self._over else _resolve(self._fields, name)
        if raws is None:
            found = None
        elif len(raws) == 1 and not isinstance(raws[0], list | tuple):
            found = (Value(raws[0]),)
        else:
            found = tuple(map(Value, _leaves(raws)))
        self._found[name] = found
        return found

    def everything(self) -> tuple[Value, ...]:
        """Every scalar of the event, however deep; for keywords."""
        if self._everything is None:
            self._everything = tuple(map(Value, _leaves(self._fields, objects=True)))
        return self._everything


def text_of(raw: Any) -> str | None:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int | float) else None


def is_number(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool)


def number_of(text: str) -> int | float | None:
    """The number a text is as a whole: digits, sign, point and exponent; nothing else, no hexadecimal."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(text) if match[1] or match[2] else int(text)


def _resolve(node: Any, name: str) -> list[Any] | None:
    """What `name` leads to: [value], several through lists, None where it leads nowhere."""
    if isinstance(node, list | tuple):
        reached = [raws for item in _leaves(node) if (raws := _resolve(item, name)) is not None]
        return [raw for raws in reached for raw in raws] if reached else None
    if not isinstance(node, Mapping):
        return None
    if name in node:
        return [node[name]]
    dot = name.find(".")
    while dot != -1:
        head = name[:dot]
        if head in node and (raws := _resolve(node[head], name[dot + 1 :])) is not None:
            return raws
        dot = name.find(".", dot + 1)
    return None


def _leaves(raw: Any, *, objects: bool = False) -> Iterator[Any]:
    """The items of lists within lists, in order; with `objects`, the values of objects too. Any depth, no recursion."""
    open_ones = [iter((raw,))]
    while open_ones:
        for item in open_ones[-1]:
            if isinstance(item, list | tuple):
                open_ones.append(iter(item))
                break
            if objects and isinstance(item, Mapping):
                open_ones.append(iter(item.values()))
                break
            yield item
        else:
            open_ones.pop()
