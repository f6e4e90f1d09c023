"""Rules over events: which match. The plain evaluator: every rule of a fitting logsource is tried on every event.

It is slow and it is right; the fast engine is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsoc.detection.detector import Stated, stated_logsource
from fsoc.detection.event import Event
from fsoc.detection.logsources import LogsourceMap, over
from fsoc.detection.routed import RoutedDetector
from fsoc.detection.routes import over_of_ticket
from fsoc.detection.rules import Rule


class PlainDetector(RoutedDetector):
    """Compiled once, used for every event; remembers nothing but which logsource has which rules."""

    def __init__(self, rules: Iterable[Rule], logsources: LogsourceMap) -> None:
        rules = tuple(rules)
        super().__init__([rule.id for rule in rules], [rule.logsource for rule in rules], logsources)
        self._conditions = tuple(rule.condition for rule in rules)

    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        matched: set[int] = set()
        for view in self._router.route(fields, stated_logsource(logsource)).views:
            event = Event(fields, over(fields, view.aliases))
            matched.update(index for index in view.rules if index not in matched and self._conditions[index](event))
        return self._ids_of(sorted(matched))

    def _match_own(self, body: Mapping[str, Any]) -> list[str]:
        ticket = Event(body, over_of_ticket(body))
        return self._ids_of(index for index in self._router.of_tickets if self._conditions[index](ticket))
