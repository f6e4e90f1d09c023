"""Which rules are tried on an event, and under which names of its fields. Matches nothing.

An event's logsources decide; they are many by name and few by what they mean to a rule set, so that each answer is
made once and shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fsoc.detection.detector import APART, TICKET
from fsoc.detection.logsource import ATTRIBUTES, Logsource
from fsoc.detection.logsources import Aliases, Derived, LogsourceMap
from fsoc.tickets.vocabulary import INDICATOR_ROLES

ROUTES_REMEMBERED_MAX: Final = 4096


class RouteView(NamedTuple):
    """One way to look at an event. aliases: (name a rule uses, name in the event). rules: indexes, ascending."""

    aliases: Aliases
    rules: tuple[int, ...]


class Route(NamedTuple):
    """views: those that some rule is for; a rule may stand in several."""

    views: tuple[RouteView, ...]

    @property
    def tried(self) -> bool:
        return bool(self.views)


class Router:
    """Answers from what decides, and remembers a bounded number of answers."""

    def __init__(self, logsources_of_rules: Sequence[Logsource], logsources: LogsourceMap) -> None:
        self._rules = tuple(logsources_of_rules)
        self._logsources = logsources
        self._known = {name: {getattr(rule, name) for rule in self._rules} for name in ATTRIBUTES}
        self._covering = lru_cache(ROUTES_REMEMBERED_MAX)(self._rules_covering)
        self._route = lru_cache(ROUTES_REMEMBERED_MAX)(self._route_of)
        self.of_tickets = tuple(index for index, rule in enumerate(self._rules) if rule.product == TICKET)

    @property
    def deciding(self) -> tuple[str, ...]:
        """The fields of an event that decide its route; `route` looks at no other."""
        return self._logsources.deciding

    def route(self, fields: Mapping[str, Any], stated: Logsource | None) -> Route:
        """The same object for the same answer, while it is remembered."""
        return self._route(self._logsources.derive(fields, stated))

    def _route_of(self, derived: tuple[Derived, ...]) -> Route:
        views = []
        for aliases, logsources in derived:
            rules = sorted({index for each in logsources for index in self._candidates(each)})
            if rules:
                views.append(RouteView(aliases, tuple(rules)))
        return Route(tuple(views))

    def _candidates(self, logsource: Logsource) -> Sequence[int]:
        # What no rule names covers no more than what is unset: so senders cannot fill the memory.
        product, category, service = (
            value if (value := getattr(logsource, name)) in self._known[name] else None for name in ATTRIBUTES
        )
        return self._covering(Logsource(product, category, service))

    def _rules_covering(self, logsource: Logsource) -> Sequence[int]:
        if logsource.product == TICKET:
            return ()
        return tuple(index for index, rule in enumerate(self._rules) if rule.covers(logsource))


def is_about(rule: Logsource, body: Mapping[str, Any]) -> bool:
    """Whether a rule about tickets themselves is about this message: on what is no ticket, those that ask for it."""
    return service_apart(rule) == kind_apart(body)


def service_apart(rule: Logsource) -> str | None:
    """The kind of message that is no ticket which a rule is about; None where it is about tickets or events."""
    return rule.service if rule.product == TICKET and rule.service in APART else None


def kind_apart(body: Mapping[str, Any]) -> str | None:
    """The kind of a message that is no ticket; None of a ticket."""
    kind = body.get("kind")
    return kind if kind in APART else None


def over_of_ticket(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What rules on the ticket see beside its own fields: `indicator`, the values that are the attacker's."""
    indicators = [item.get("value") for item in body.get("observables") or () if item.get("role") in INDICATOR_ROLES]
    return {"indicator": indicators} if indicators else {}
