"""A second oracle: pySigma's own reading of a rule, its SQLite backend's query, SQLite's verdict. None of it is ours.

What SQL means otherwise than Sigma is enumerated in REASONS; each says of which pairs of rule and event it may be true.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sigma.backends.sqlite import sqliteBackend
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from fsoc.detection.event import Event, number_of
from fsoc.detection.matchers import Bool, Compare, Number, Text
from fsoc.detection.nodes import And, AtLeast, Item, Node, Not, Or

CONDITION = "SELECT * FROM <TABLE_NAME> WHERE "


class CannotAskError(Exception):
    """The backend has no query for a rule, or SQLite takes none so deep."""


class Table:
    """Events as rows, a column a field; what an event has not is NULL. Letter case is that of ASCII."""

    def __init__(self, fields: Sequence[str], events: Sequence[Mapping[str, Any]]) -> None:
        self.events = events
        self._backend = _Backend(fields)
        self._database = sqlite3.connect(":memory:")
        self._database.create_function("REGEXP", 2, _found, deterministic=True)
        columns = "".join(f", f{index} TEXT COLLATE NOCASE" for index in range(len(fields)))
        self._database.execute(f"CREATE TABLE events (number INTEGER{columns})")
        marks = ", ".join("?" * (len(fields) + 1))
        rows = ((number, *(event.get(field) for field in fields)) for number, event in enumerate(events))
        self._database.executemany(f"INSERT INTO events VALUES ({marks})", rows)  # noqa: S608 - numbers of our own

    def matched(self, text: str) -> set[int]:
        """The events' numbers that one rule, as written, matches.

        Raises:
            CannotAskError: with the reason.
        """
        try:
            queries = self._backend.convert_rule(SigmaRule.from_yaml(text))
        except (SigmaError, NotImplementedError) as error:
            raise CannotAskError(str(error).partition(".")[0]) from error
        numbers: set[int] = set()
        for query in queries:
            asked = f"SELECT number FROM events WHERE {query.removeprefix(CONDITION)}"  # noqa: S608 - in memory
            try:
                numbers.update(number for (number,) in self._database.execute(asked))
            except sqlite3.OperationalError as error:
                raise CannotAskError(str(error)) from error
        return numbers


class _Backend(sqliteBackend):  # type: ignore[misc]
    """With columns by number: SQLite tells names by ASCII letter case apart no more than values."""

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__()
        self._columns = {field: f"f{index}" for index, field in enumerate(fields)}

    def escape_and_quote_field(self, field_name: str) -> str:
        return self._columns[field_name]


def _found(pattern: str, value: Any) -> bool | None:
    return None if value is None else re.search(pattern, str(value)) is not None


class Reason(NamedTuple):
    """why: in a sentence. explains: whether that may be why a rule and an event differ, matched by us alone or not."""

    why: str
    explains: Callable[[Node, Mapping[str, Any], bool], bool]


def _items(node: Node, under_not: bool = False) -> Iterable[tuple[Item, bool]]:
    match node:
        case Item():
            yield node, under_not
        case Not():
            yield from _items(node.part, True)
        case And() | Or() | AtLeast():
            for part in node.parts:
                yield from _items(part, under_not)


def _about(*kinds: type) -> Callable[[Node], list[tuple[Any, Any]]]:
    """(matcher of one of these kinds, name of its field) of a rule."""

    def about(node: Node) -> list[tuple[Any, Any]]:
        return [
            (matcher, item.field) for item, _ in _items(node) for matcher in item.matchers if isinstance(matcher, kinds)
        ]

    return about


def _unknown_is_not_false(node: Node, event: Mapping[str, Any], ours: bool) -> bool:
    return ours and any(under_not and event.get(item.field) is None for item, under_not in _items(node))


def _beyond_ascii(node: Node, event: Mapping[str, Any], ours: bool) -> bool:
    return any(not str(event.get(item.field, "")).isascii() for item, _ in _items(node))


def _number_as_text(node: Node, event: Mapping[str, Any], ours: bool) -> bool:
    for matcher, field in _about(Number, Text, Compare)(node):
        value = event.get(field)
        number = value if isinstance(value, int | float) else number_of(value) if isinstance(value, str) else None
        if isinstance(matcher, Compare) and number is not None:
            return True
        if number is not None and matcher.number is not None and str(value) != str(matcher.number):
            return True
    return False


def _boolean(node: Node, event: Mapping[str, Any], ours: bool) -> bool:
    return any(isinstance(event.get(item.field), bool) for item, _ in _items(node)) or bool(
        [field for _, field in _about(Bool)(node) if str(event.get(field)).lower() in {"true", "false", "1", "0"}]
    )


def _ends_at_nul(node: Node, event: Mapping[str, Any], ours: bool) -> bool:
    return any("\0" in str(event.get(item.field, "")) for item, _ in _items(node))


REASONS = {
    "null": Reason(
        "NOT of what is unknown is unknown; to Sigma a missing field matches nothing", _unknown_is_not_false
    ),
    "ascii": Reason("SQLite folds the letter case of ASCII alone", _beyond_ascii),
    "number": Reason("a column of text compares numbers as texts: 05 is not 5, 10 < 9", _number_as_text),
    "boolean": Reason("true is the number 1 to SQLite", _boolean),
    "nul": Reason("a text ends at its first NUL for LIKE", _ends_at_nul),
}


def reason_for(node: Node, event: Mapping[str, Any], ours: bool) -> str | None:
    """The first reason that explains a difference."""
    return next((name for name, reason in REASONS.items() if reason.explains(node, event, ours)), None)


def ours(node: Node, events: Iterable[Mapping[str, Any]]) -> set[int]:
    return {number for number, event in enumerate(events) if node(Event(event))}
