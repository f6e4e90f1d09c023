"""Rules over events: which match. The plain evaluator: every rule of a fitting logsource is tried on every event.

It is slow and it is right; the fast engine is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fsoc.detection.event import Event
from fsoc.detection.logsource import ATTRIBUTES, Logsource
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.rules import Rule
from fsoc.tickets.vocabulary import INDICATOR_ROLES

TICKET: Final = "fsoc"
"""The product of rules about tickets themselves. No evidence item can claim it."""

_LOGSOURCES_REMEMBERED_MAX: Final = 4096


class Match(NamedTuple):
    """evidence: the index of the item that matched, or -1 for the ticket itself."""

    rule_id: str
    evidence: int


class Detector:
    """Compiled once, used for every event; remembers nothing but which logsource has which rules."""

    def __init__(self, rules: Iterable[Rule], logsources: LogsourceMap) -> None:
        self._rules = tuple(rules)
        self._logsources = logsources
        self._of_tickets = [index for index, rule in enumerate(self._rules) if rule.logsource.product == TICKET]
        self._known = {name: {getattr(rule.logsource, name) for rule in self._rules} for name in ATTRIBUTES}
        self._covering = lru_cache(_LOGSOURCES_REMEMBERED_MAX)(self._rules_covering)

    def match_event(
        self, fields: Mapping[str, Any], logsource: Mapping[str, Any] | Logsource | None = None
    ) -> list[str]:
        """Ids of the rules that match one event, in the rules' order.

        logsource: as its sender states it; what logsources.yml derives is added. Nothing stated and nothing derived:
        no rule is for such an event.

        Raises:
            ValueError: what is stated is no logsource.
        """
        return self._ids(self._matches(fields, _stated(logsource)))

    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        """Matches of one ticket: its own, then those of each evidence item, in order."""
        indicators = [
            item.get("value") for item in body.get("observables") or () if item.get("role") in INDICATOR_ROLES
        ]
        ticket = Event(body, {"indicator": indicators} if indicators else {})
        own = [index for index in self._of_tickets if self._rules[index].condition(ticket)]
        matches = [Match(rule_id, -1) for rule_id in self._ids(own)]
        for place, item in enumerate(body.get("evidence") or ()):
            found = self.match_event(item.get("fields") or {}, item.get("logsource"))
            matches += [Match(rule_id, place) for rule_id in found]
        return matches

    def covers(self, fields: Mapping[str, Any], logsource: Mapping[str, Any] | Logsource | None = None) -> bool:
        """Whether any rule is for events such as this one; if not, no rule was tried."""
        views = self._logsources.views(fields, _stated(logsource))
        return any(self._candidates(each) for view in views for each in view.logsources)

    def _matches(self, fields: Mapping[str, Any], stated: Logsource | None) -> list[int]:
        matched: set[int] = set()
        for view in self._logsources.views(fields, stated):
            event = Event(fields, view.over)
            candidates = {index for each in view.logsources for index in self._candidates(each)}
            matched.update(index for index in candidates - matched if self._rules[index].condition(event))
        return sorted(matched)

    def _candidates(self, logsource: Logsource) -> Sequence[int]:
        # What no rule names covers no more than what is unset: so senders cannot fill the memory.
        product, category, service = (
            value if (value := getattr(logsource, name)) in self._known[name] else None for name in ATTRIBUTES
        )
        return self._covering(Logsource(product, category, service))

    def _rules_covering(self, logsource: Logsource) -> Sequence[int]:
        if logsource.product == TICKET:
            return ()
        return tuple(index for index, rule in enumerate(self._rules) if rule.logsource.covers(logsource))

    def _ids(self, matched: Iterable[int]) -> list[str]:
        return list(dict.fromkeys(self._rules[index].id for index in matched))


def _stated(logsource: Mapping[str, Any] | Logsource | None) -> Logsource | None:
    return (logsource if isinstance(logsource, Logsource) else Logsource.read(logsource or {})) or None
