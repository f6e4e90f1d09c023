"""The value of a group-by or counted field in one ticket. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final, get_args

from fsoc.correlation.entries import NUMBERS_MAX, VALUES_MAX
from fsoc.tickets.derived import with_derived
from fsoc.tickets.vocabulary import INDICATOR_ROLES, ObservableType

Pair = tuple[str, str]
"""(tactic, technique)."""

OBSERVABLE: Final = "observable:"
"""What a field begins with that is the observables of one type: `observable:ja4`."""

INTEL: Final = "intel"
"""The kind of a message that says what its sender heard of."""

_TYPES: Final = frozenset(get_args(ObservableType))
_TOKENS: Final = frozenset({"account_token", "customer_token", "atm_id_token"})
_OF_ANY_ROLE: Final = _TOKENS | {"cve"}
"""Whoever's they are: a token tells nobody's name and no two customers share one, and a weakness is nobody's."""
_ALIASES: Final = {"account_token": ("account_token", "customer_token")}
_ATTACK: Final[Mapping[str, Callable[[Pair], str]]] = {
    "tactic": lambda pair: pair[0],
    "technique": lambda pair: pair[1],
    "parent_technique": lambda pair: pair[1].partition(".")[0],
}


class TicketFields:
    """Looks names up as rules mean them.

    `institution`, `environment` and `ticket_id` are what intake found, never what an evidence item calls so. Intel has
    no institution: whoever passes it on is not whom it happened to.
    `indicator` is the values of observables that belong to the attacker, `observable:<type>` those of one type,
    `account_token` the tokens of accounts and customers. `technique`, `parent_technique` and `tactic` are the ticket's
    and those of every detection it matched. Otherwise a name is the matched evidence item's field, else the ticket's
    field by dotted name, what is derived among them.

    attack: (tactic, technique) pairs in one ATT&CK version's words; asked for only where a rule names such a field.
    """

    def __init__(self, body: Mapping[str, Any], institution: str, attack: Callable[[], Iterable[Pair]] = tuple) -> None:
        self._body = with_derived(body)
        self._institution = institution
        self._attack = attack
        self._found: dict[tuple[int, str], tuple[str, ...]] = {}

    def __call__(self, evidence: int, field: str) -> tuple[str, ...]:
        """The field's distinct values as text, at most VALUES_MAX; () where it is missing or null."""
        known = self._found.get((evidence, field))
        if known is None:  # rules by the dozen ask for the same
            known = self._found[evidence, field] = self._look_up(evidence, field)
        return known

    def _look_up(self, evidence: int, field: str) -> tuple[str, ...]:
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
                return () if self._body.get("kind") == INTEL else (self._institution,)
            case "environment" | "ticket_id":
                return (str(self._body[field]),)
            case "indicator":
                return self._indicators
            case "technique" | "parent_technique" | "tactic":
                return _bounded(map(_ATTACK[field], self._pairs))
        if field in _ALIASES or field.startswith(OBSERVABLE):
            return self._observed(field)
        return None

    @cached_property
    def _indicators(self) -> tuple[str, ...]:
        return indicators(self._body)

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        return tuple(self._attack())

    def _observed(self, field: str) -> tuple[str, ...]:
        known = self._found.get((-1, field))
        if known is None:  # whichever item asks, it is the ticket's
            types = _ALIASES.get(field) or (field.removeprefix(OBSERVABLE),)
            known = self._found[-1, field] = observed(self._body, types)
        return known


def complaint(field: str) -> str | None:
    """What is wrong with a field's name, where it can be told without any ticket."""
    if not field.startswith(OBSERVABLE) or field.removeprefix(OBSERVABLE) in _TYPES:
        return None
    return f'"{field}" — expected {OBSERVABLE} and one of {", ".join(get_args(ObservableType))}'


def indicators(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The ticket's indicators, letter case folded: names and hashes mean the same in either."""
    observables = body.get("observables") or ()
    return _bounded(str(item["value"]).lower() for item in observables if item.get("role") in INDICATOR_ROLES)


def observed(body: Mapping[str, Any], types: Iterable[str]) -> tuple[str, ...]:
    """The values of observables of these types, letter case folded: the attacker's, of tokens and CVEs anybody's."""
    return _bounded(
        str(item["value"]).lower()
        for item in body.get("observables") or ()
        if item["type"] in types and (item["type"] in _OF_ANY_ROLE or item.get("role") in INDICATOR_ROLES)
    )


def _bounded(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:VALUES_MAX]


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
