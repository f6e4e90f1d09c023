"""What every engine does alike that knows its rules by index: tickets item by item, whether any rule is tried, ids."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fsoc.detection.detector import Detector, Match, Stated, stated_logsource
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.routes import Router, kind_apart, service_apart
from fsoc.tickets.derived import with_derived


class RoutedDetector(Detector):
    """ids: of the rules, in their order; several may be the same."""

    def __init__(self, ids: Iterable[str], logsources_of_rules: Sequence[Logsource], logsources: LogsourceMap) -> None:
        self._ids = tuple(ids)
        self._router = Router(logsources_of_rules, logsources)
        self._apart = {
            rule_id: service
            for rule_id, rule in zip(self._ids, logsources_of_rules, strict=True)
            if (service := service_apart(rule)) is not None
        }

    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        kind = kind_apart(body)
        own = self._match_own(with_derived(body))
        matches = [Match(rule_id, -1) for rule_id in own if self._apart.get(rule_id) == kind]
        if kind is not None:  # what somebody heard of has happened to nobody
            return matches
        for place, item in enumerate(body.get("evidence") or ()):
            found = self.match_event(item.get("fields") or {}, item.get("logsource"))
            matches += [Match(rule_id, place) for rule_id in found]
        return matches

    @abstractmethod
    def _match_own(self, body: Mapping[str, Any]) -> list[str]:
        """Ids of the rules about tickets themselves that match this one."""

    def covers(self, fields: Mapping[str, Any], logsource: Stated = None) -> bool:
        return self._router.route(fields, stated_logsource(logsource)).tried

    def _ids_of(self, rules: Iterable[int]) -> list[str]:
        """rules: indexes, ascending. Each id once."""
        return list(dict.fromkeys([self._ids[rule] for rule in rules]))
