"""Which engine matches the rules, and what its rules are searched by while it runs. Matches nothing itself.

plain is the oracle: every rule is tried. fast and native search for anchors, and are planned anew from what they saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from fsoc.detection.detector import Detector, Lines, Match, Stated
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.plain import PlainDetector
from fsoc.detection.plan import Anchor, Rates, replan
from fsoc.detection.planned import PlannedDetector
from fsoc.detection.program import Program, flatten
from fsoc.detection.rules import Rule
from fsoc.errors import Problem, RefusedToStart

PlannedName = Literal["auto", "native", "fast"]
EngineName = Literal["auto", "native", "fast", "plain"]
Background = Callable[[Callable[[], None]], None]
"""Does a piece of work, now or beside what goes on."""

FIRST_REPLAN_EVENTS: Final = 4_096
REPLAN_EVENTS_MAX: Final = 1_048_576
"""Plans are looked at again after four times as many events as before, and at least this often."""
SAVING_MIN: Final = 0.25
"""A new plan is made ready where it is expected to save trying so many rules an event."""


def make_detector(
    rules: Sequence[Rule],
    logsources: LogsourceMap,
    engine: EngineName = "auto",
    *,
    program: Program | None = None,
    background: Background | None = None,
) -> Detector:
    """The rules, ready to match: by the plain evaluator, or as make_planned makes them.

    program: the rules flattened, where it is at hand.

    Raises:
        RefusedToStart: the native engine is asked for and not installed.
    """
    if engine == "plain":
        return PlainDetector(rules, logsources)
    program = flatten(rules) if program is None else program
    return make_planned([rule.id for rule in rules], logsources, program, engine, background)


def make_planned(
    ids: Sequence[str],
    logsources: LogsourceMap,
    program: Program,
    engine: PlannedName = "auto",
    background: Background | None = None,
) -> Replanned:
    """The rules of a program, ready to match, without a node of them.

    ids: of the program's rules, in their order. engine: auto takes native where it is installed, else fast.
    background: does the work of re-planning; None: at once, between two batches.

    Raises:
        RefusedToStart: the native engine is asked for and not installed.
    """
    return Replanned(_engine(ids, logsources, program, engine), program, background or _at_once)


def _engine(ids: Sequence[str], logsources: LogsourceMap, program: Program, engine: PlannedName) -> PlannedDetector:
    if engine != "fast":
        try:
            # Built where there is a Rust compiler, else left out.
            from fsoc.detection.native import NativeDetector

            return NativeDetector(ids, logsources, program)
        except ImportError as error:
            if engine == "native":
                text = f"native: {error} — built by `make install` where cargo is found; auto takes fast instead"
                raise RefusedToStart(Problem("engine", text)) from error
    from fsoc.detection.fast import FastDetector

    return FastDetector(ids, logsources, program)


class Replanned(Detector):
    """An engine whose anchors follow the events: rates are read at growing distances, newer ones weigh more."""

    def __init__(self, engine: PlannedDetector, program: Program, background: Background) -> None:
        self._engine = engine
        self._program = program
        self._background = background
        self._anchors = engine.anchors
        self._ready: tuple[tuple[Anchor, ...], Any] | None = None
        self._seen_last = Rates((0,) * len(program.clauses), (0,) * len(program.clauses))
        self._weighed = self._seen_last
        self._events = 0
        self._look_at = FIRST_REPLAN_EVENTS
        self._working = False
        self.replanned_total = 0

    @property
    def engine(self) -> PlannedDetector:
        return self._engine

    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        ids = self._engine.match_event(fields, logsource)
        self._after(1)
        return ids

    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        matches = self._engine.match_ticket(body)
        self._after(1)
        return matches

    def match_lines(self, lines: Sequence[bytes]) -> Lines:
        found = self._engine.match_lines(lines)
        self._after(found.events)
        return found

    def covers(self, fields: Mapping[str, Any], logsource: Stated = None) -> bool:
        return self._engine.covers(fields, logsource)

    def _after(self, events: int) -> None:
        self._events += events
        if self._ready is not None:
            self._anchors, prepared = self._ready
            self._ready = None
            self._engine.adopt(prepared)
            self.replanned_total += 1
        if self._events >= self._look_at and not self._working:
            self._look_at = self._events + min(self._events * 3, REPLAN_EVENTS_MAX)
            self._working = True
            self._weigh(self._engine.rates())
            self._background(self._replan)

    def _weigh(self, seen: Rates) -> None:
        """What was seen since the last look counts whole, what was before half."""
        self._weighed = Rates(
            *(
                [old // 2 + now - last for old, now, last in zip(*columns, strict=True)]
                for columns in zip(self._weighed, seen, self._seen_last, strict=True)
            )
        )
        self._seen_last = seen

    def _replan(self) -> None:
        try:
            anchors, saved = replan(self._program, self._anchors, self._weighed)
            if saved >= SAVING_MIN:
                self._ready = anchors, self._engine.prepare(anchors)
        finally:
            self._working = False


def _at_once(work: Callable[[], None]) -> None:
    work()
