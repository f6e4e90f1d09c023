"""The rules in Rust (native_core/): the plain evaluator's matches, sooner. Built where cargo is found, else left out.

What the core leaves open, odd lines and patterns on text beyond ASCII, is decided here as the plain evaluator does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakMethod

import fsoc_native
import msgspec
import orjson

from fsoc.detection.detector import Lines, Stated, stated_logsource
from fsoc.detection.event import Event, Value
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap, over
from fsoc.detection.nodes import Matcher, Node
from fsoc.detection.plan import Anchor, Rates, plan
from fsoc.detection.planned import PlannedDetector
from fsoc.detection.program import Program, matcher_of, unflatten
from fsoc.detection.routes import Route, over_of_ticket

_CASED_BEFORE: Final = 0x20000
"""Only the first two planes of Unicode have letter case; looking at the other fifteen takes a quarter of a second."""
_SURROGATES: Final = range(0xD800, 0xE000)
_OVER: Final = "indicator"
"""What routes.over_of_ticket lays over a ticket's own fields."""


def _folds() -> list[tuple[str, str]]:
    """Every character that has letter case, and what is left without."""
    characters = (chr(code) for code in range(_CASED_BEFORE) if code not in _SURROGATES)
    return [(character, folded) for character in characters if (folded := character.casefold()) != character]


_FOLDS: Final = _folds()


def _weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method without a hold on its object: the collector cannot see what the core holds, and neither could go."""
    reference = WeakMethod(method)

    def call(*given: Any) -> Any:
        found = reference()
        assert found is not None  # noqa: S101 - the object owns the core that calls
        return found(*given)

    return call


def _texts(logsources: LogsourceMap, name: str) -> list[tuple[str, str]] | None:
    texts = logsources.texts_deciding(name)
    return None if texts is None else [(each.place, each.text) for each in texts]


class NativeDetector(PlannedDetector):
    """The core, what it asks, and the plain evaluator for events it leaves to that."""

    def __init__(
        self,
        ids: Sequence[str],
        logsources: LogsourceMap,
        program: Program,
        *,
        memo_entries_max: int | None = None,
        memo_bytes_max: int | None = None,
    ) -> None:
        """memo_…_max: of each of two generations; None: as the core has it."""
        super().__init__(ids, [Logsource(*each) for each in program.logsources], logsources)
        self._program = program
        self._matchers: dict[int, Matcher] = {}
        self._conditions: tuple[Node, ...] | None = None
        self.anchors = plan(program)
        self._rules = fsoc_native.Rules(msgspec.json.encode(program), _FOLDS)
        bounds = {"entries_max": memo_entries_max, "bytes_max": memo_bytes_max}
        self._core = fsoc_native.Engine(
            rules=self._rules,
            plan=self._rules.plan(self.anchors),
            ids=list(self._ids),
            deciding=[(name, _texts(logsources, name)) for name in self._router.deciding],
            route=_weakly(self._route),
            route_of_json=_weakly(self._route_of_json),
            holds=_weakly(self._holds),
            of_tickets=list(self._router.of_tickets),
            over=_OVER,
            **{name: bound for name, bound in bounds.items() if bound is not None},
        )

    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        try:
            found: list[str] = self._core.match_event(fields if isinstance(fields, dict) else dict(fields), logsource)
        except fsoc_native.Unsure:
            found = self._plain_event(fields, stated_logsource(logsource))
        return found

    def _match_own(self, body: Mapping[str, Any]) -> list[str]:
        hidden = over_of_ticket(body)
        try:
            own: list[str] = self._core.match_own(body if isinstance(body, dict) else dict(body), hidden.get(_OVER))
        except fsoc_native.Unsure:
            own = self._ids_of(self._plain(self._router.of_tickets, Event(body, hidden), frozenset()))
        return own

    def match_lines(self, lines: Sequence[bytes]) -> Lines:
        found = Lines()
        found.matched, unsure, found.events, found.untried = self._core.match_lines(
            lines if isinstance(lines, list) else list(lines)
        )
        if unsure:
            for place in unsure:
                self.match_line(place, lines[place], found)
            found.matched.sort(key=lambda each: each[0])
        return found

    def rates(self) -> Rates:
        """Of samples, since the start."""
        tried, hits = self._core.rates()
        return Rates(tried, hits)

    def prepare(self, anchors: Sequence[Anchor]) -> Any:
        """Ready to adopt; any thread may call this."""
        return self._rules.plan(anchors)

    def adopt(self, prepared: Any) -> None:
        self._core.adopt(prepared)

    def counters(self) -> dict[str, int]:
        """events, matches, verified, asked (of Python), memo_entries, memo_bytes, memo_hits, memo_misses, routes …"""
        counted: dict[str, int] = self._core.counters()
        return counted

    def _route(self, fields: Mapping[str, Any], stated: Stated) -> Route:
        return self._router.route(fields, stated_logsource(stated))

    def _route_of_json(self, fields: Mapping[str, bytes], stated: bytes | None) -> Route:
        decoded = {name: orjson.loads(token) for name, token in fields.items()}
        return self._route(decoded, None if stated is None else orjson.loads(stated))

    def _holds(self, clause: int, raw: Any) -> bool:
        matcher = self._matchers.get(clause)
        if matcher is None:
            matcher = self._matchers[clause] = matcher_of(self._program, self._program.clauses[clause])
        return matcher((Value(raw),), _NO_EVENT)

    def _plain_event(self, fields: Mapping[str, Any], stated: Logsource | None) -> list[str]:
        matched: set[int] = set()
        for view in self._router.route(fields, stated).views:
            matched.update(self._plain(view.rules, Event(fields, over(fields, view.aliases)), matched))
        return self._ids_of(sorted(matched))

    def _plain(self, rules: Iterable[int], event: Event, but: Iterable[int]) -> list[int]:
        """Rules that match what the core does not read: lone surrogates, a thousand lists in lists, no JSON types."""
        if self._conditions is None:
            self._conditions = unflatten(self._program)
        conditions = self._conditions
        return [index for index in rules if index not in but and conditions[index](event)]


_NO_EVENT: Final = Event({})
"""Matchers that the core asks about look at the value alone."""
