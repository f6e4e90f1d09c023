"""The value of a group-by or counted field in one ticket. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from fsoc.correlation.entries import NUMBERS_MAX, VALUES_MAX
from fsoc.tickets.vocabulary import INDICATOR_ROLES


class TicketFields:
    """Looks names up as rules mean them.

    `institution`, `environment` and `ticket_id` are what intake found, never what an evidence item calls so.
    `indicator` is the values of observables that belong to the attacker. Otherwise a name is the matched evidence
    item's field, else the ticket's field by dotted name.
    """

    def __init__(self, body: Mapping[str, Any], institution: str) -> None:
        self._body = body
        self._institution = institution

    def __call__(self, evidence: int, field: str) -> tuple[str, ...]:
        """The field's distinct values as text, at most VALUES_MAX; () where it is missing or null."""
        special = self._special(field)
        if special is not None:
            return special
        if evidence >= 0:
            found = _values(self._body["evidence"][evidence]["fields"], field)
            if found:
                return found
        return _values(self._body, field)

    def occurrences(self, evidence: int, field: str) -> tuple[int, tuple[str, ...]]:
        """Where the field was found, and every value there, equal ones too, at most NUMBERS_MAX."""
        special = self._special(field)
        if special is not None:
            return -1, special
        if evidence >= 0:
            found = tuple(_texts(self._body["evidence"][evidence]["fields"], field))
            if found:
                return evidence, found
        return -1, tuple(_texts(self._body, field))

    def _special(self, field: str) -> tuple[str, ...] | None:
        match field:
            case "institution":
                return (self._institution,)
            case "environment" | "ticket_id":
                return (str(self._body[field]),)
            case "indicator":
                return self._indicators
        return None

    @cached_property
    def _indicators(self) -> tuple[str, ...]:
        return indicators(self._body)


def indicators(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The ticket's indicators, letter case folded: names and hashes mean the same in either."""
    observables = body.get("observables") or ()
    found = (str(item["value"]).lower() for item in observables if item.get("role") in INDICATOR_ROLES)
    return tuple(dict.fromkeys(found))[:VALUES_MAX]


def _values(node: Mapping[str, Any], field: str) -> tuple[str, ...]:
    found = dict.fromkeys(_text(value) for value in _walk(node, field))
    return tuple(found)[:VALUES_MAX]


def _texts(node: Mapping[str, Any], field: str) -> Iterator[str]:
    return (_text(value) for value in islice(_walk(node, field), NUMBERS_MAX))


def _walk(node: Any, field: str) -> Iterator[Any]:
    """Every scalar under a dotted name; a literal key that has dots wins; lists are looked into."""
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, field)
    elif isinstance(node, Mapping):
        head, _, rest = field.partition(".")
        if field in node:
            yield from _scalars(node[field])
        elif rest and head in node:
            yield from _walk(node[head], rest)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif value is not None and not isinstance(value, dict):
        yield value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
