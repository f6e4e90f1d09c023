"""The Python path: anchors are searched, what was found is remembered, rules whose anchor was found are tried.

event ─ names ─► shape ─ what decides its route ─► lane ─ values ─► memos ─► targets ─► tests ─► rule ids
                                                                    │ miss
                                                                    └─► search of the field
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fsoc.detection.detector import Lines, Stated
from fsoc.detection.event import Event
from fsoc.detection.fast.conditions import Vocabulary
from fsoc.detection.fast.lane import Lane
from fsoc.detection.fast.lanes import Lanes
from fsoc.detection.fast.memo import Ledger
from fsoc.detection.fast.sampling import SAMPLED_EVERY, Sampler
from fsoc.detection.fast.searches import Searches
from fsoc.detection.fast.views import View
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.plan import Anchor, Rates, plan
from fsoc.detection.planned import PlannedDetector
from fsoc.detection.program import Program
from fsoc.detection.routes import RouteView, over_of_ticket


class FastDetector(PlannedDetector):
    """The rules of a program; finds what PlainDetector finds."""

    def __init__(self, ids: Sequence[str], logsources: LogsourceMap, program: Program) -> None:
        super().__init__(ids, [Logsource(*each) for each in program.logsources], logsources)
        self._known = Vocabulary(program)
        self._sampler = Sampler(self._known)
        self._until_sample = SAMPLED_EVERY - 1
        self.anchors = plan(program)
        self._searches = Searches(self._known, self.anchors)
        self.adopt(self._searches)

    def rates(self) -> Rates:
        return self._sampler.rates()

    def prepare(self, anchors: Sequence[Anchor]) -> Searches:
        return Searches(self._known, anchors, self._searches)

    def adopt(self, prepared: Searches) -> None:
        self._searches = prepared
        ledger = Ledger()
        self._lanes = Lanes(self._router, prepared, ledger)
        self._tickets = View(RouteView((), self._router.of_tickets), 0, prepared, ledger)

    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        event = fields if type(fields) is dict else dict(fields)
        found = self._matched(self._lanes.lane(event, logsource), event)
        return self._ids_of(found) if found else []

    def _match_own(self, body: Mapping[str, Any]) -> list[str]:
        if not self._router.of_tickets:
            return []
        over = over_of_ticket(body)
        targets = sorted(self._tickets.targets(Event(body, over)))
        return self._ids_of(self._searches.matched(targets, body, over)) if targets else []

    def match_lines(self, lines: Sequence[bytes]) -> Lines:
        found = Lines()
        loads, lane_of, matched = orjson.loads, self._lanes.lane, self._matched
        for place, line in enumerate(lines):
            try:
                event = loads(line)
                stated = event.pop("logsource", None)
                if stated is not None and type(stated) is not dict:
                    raise ValueError  # noqa: TRY301
                lane = lane_of(event, stated)
            except (ValueError, AttributeError, TypeError):
                # Nothing, or something wrong with it: said as every engine says it.
                if line.strip():
                    self.match_line(place, line, found)
                continue
            found.events += 1
            rules = matched(lane, event, line)
            if rules:
                found.matched.append((place, self._ids_of(rules)))
            elif not lane.route.views:
                found.untried += 1
        return found

    def _matched(self, lane: Lane, fields: dict[str, Any], line: bytes | None = None) -> list[int]:
        """Indexes of the rules that match, ascending."""
        self._until_sample -= 1
        if self._until_sample < 0:
            self._until_sample = self._sampler.sample(lane.route, fields)
        return lane.matched(fields, line)
