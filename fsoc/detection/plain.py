"""Rules over events: which match. The plain evaluator: every rule of a fitting logsource is tried on every event.

It is slow and it is right; the fast engine is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsoc.detection.detector import Detector, Match, Stated, stated_logsource
from fsoc.detection.event import Event
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap, over
from fsoc.detection.routes import Router, over_of_ticket
from fsoc.detection.rules import Rule


class PlainDetector(Detector):
    """Compiled once, used for every event; remembers nothing but which logsource has which rules."""

    def __init__(self, rules: Iterable[Rule], logsources: LogsourceMap) -> None:
        self._rules = tuple(rules)
        self._router = Router([rule.logsource for rule in self._rules], logsources)

    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        return self._ids(self._matches(fields, stated_logsource(logsource)))

    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        ticket = Event(body, over_of_ticket(body))
        own = [index for index in self._router.of_tickets if self._rules[index].condition(ticket)]
        matches = [Match(rule_id, -1) for rule_id in self._ids(own)]
        for place, item in enumerate(body.get("evidence") or ()):
            found = self.match_event(item.get("fields") or {}, item.get("logsource"))
            matches += [Match(rule_id, place) for rule_id in found]
        return matches

    def covers(self, fields: Mapping[str, Any], logsource: Stated = None) -> bool:
        return self._router.route(fields, stated_logsource(logsource)).tried

    def _matches(self, fields: Mapping[str, Any], stated: Logsource | None) -> list[int]:
        matched: set[int] = set()
        for view in self._router.route(fields, stated).views:
            event = Event(fields, over(fields, view.aliases))
            matched.update(
                index for index in view.rules if index not in matched and self._rules[index].condition(event)
            )
        return sorted(matched)

    def _ids(self, matched: Iterable[int]) -> list[str]:
        return list(dict.fromkeys(self._rules[index].id for index in matched))
