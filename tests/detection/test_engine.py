"""Which engine is taken, and when it is planned anew: with an engine that only counts."""

from __future__ import annotations

from typing import Any

import pytest

from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules
from fsoc.detection.detector import Detector, Lines, Match
from fsoc.detection.engine import FIRST_REPLAN_EVENTS, REPLAN_EVENTS_MAX, Replanned, make_detector
from fsoc.detection.plan import Rates, plan
from fsoc.detection.program import flatten
from fsoc.errors import RefusedToStart

RULE = """
title: r
logsource: {category: test}
detection:
  a: {Image: 'x.exe', CommandLine|contains: 'quite-a-long-text'}
  condition: a
"""


@pytest.fixture
def program():
    loaded = load_rules([Source("r.yml", RULE)])
    assert not loaded.problems
    return flatten(loaded.rules)


class Counting(Detector):
    """Matches nothing; says what it is told to have seen."""

    def __init__(self, clauses: int, anchors: tuple[Any, ...]) -> None:
        self.anchors = anchors
        self.seen = Rates((0,) * clauses, (0,) * clauses)
        self.prepared: list[Any] = []
        self.adopted: list[Any] = []

    def match_event(self, fields, logsource=None) -> list[str]:
        return ["e"]

    def match_ticket(self, body) -> list[Match]:
        return [Match("t", -1)]

    def match_lines(self, lines) -> Lines:
        return Lines(events=len(lines))

    def covers(self, fields, logsource=None) -> bool:
        return True

    def rates(self) -> Rates:
        return self.seen

    def prepare(self, anchors):
        self.prepared.append(anchors)
        return ("prepared", anchors)

    def adopt(self, prepared) -> None:
        self.adopted.append(prepared)


def replanned(program, background=lambda work: work()) -> tuple[Replanned, Counting]:
    engine = Counting(len(program.clauses), plan(program))
    return Replanned(engine, program, background), engine


def holding_often(program, clause: int, events: int) -> Rates:
    """Everything was tried on `events` events; only this clause held, and always."""
    count = len(program.clauses)
    return Rates((events,) * count, tuple(events if index == clause else 0 for index in range(count)))


def test_a_plan_is_made_anew_when_the_anchor_in_use_is_seen_to_hold_often(program):
    made, engine = replanned(program)
    ((anchor,),) = plan(program)
    engine.seen = holding_often(program, anchor, 10_000)
    made.match_lines([b""] * FIRST_REPLAN_EVENTS)
    assert engine.prepared == [((1 - anchor,),)]
    assert engine.adopted == []  # not within the batch that showed it
    made.match_lines([b""])
    assert engine.adopted == [("prepared", ((1 - anchor,),))]
    assert made.replanned_total == 1


def test_a_plan_that_is_hardly_better_is_not_made_ready(program):
    made, engine = replanned(program)
    engine.seen = Rates((10_000,) * len(program.clauses), (0,) * len(program.clauses))
    made.match_lines([b""] * FIRST_REPLAN_EVENTS)
    assert engine.prepared == []


def test_what_was_seen_before_weighs_half_of_what_was_seen_since(program):
    made, engine = replanned(program)
    ((anchor,),) = plan(program)
    engine.seen = holding_often(program, anchor, 10_000)
    made.match_lines([b""] * FIRST_REPLAN_EVENTS)
    made.match_lines([b""])
    other = holding_often(program, 1 - anchor, 90_000)
    engine.seen = Rates(*([a + b for a, b in zip(*pair, strict=True)] for pair in zip(engine.seen, other, strict=True)))
    made.match_lines([b""] * FIRST_REPLAN_EVENTS * 4)
    assert engine.prepared[-1] == ((anchor,),)


def test_looking_grows_rarer_and_never_stops(program):
    made, engine = replanned(program)
    looked: list[int] = []
    engine.rates = lambda: looked.append(made._events) or engine.seen
    for _ in range(12):
        made.match_lines([b""] * REPLAN_EVENTS_MAX)
    assert len(looked) == 12
    made, engine = replanned(program)
    looked.clear()
    engine.rates = lambda: looked.append(made._events) or engine.seen
    for _ in range(20 * 4):
        made.match_lines([b""] * (FIRST_REPLAN_EVENTS // 4))
    assert looked == [FIRST_REPLAN_EVENTS, FIRST_REPLAN_EVENTS * 4, FIRST_REPLAN_EVENTS * 16]


def test_no_second_plan_is_begun_while_one_is_being_made(program):
    works: list[Any] = []
    made, engine = replanned(program, works.append)
    ((anchor,),) = plan(program)
    engine.seen = holding_often(program, anchor, 10_000)
    made.match_lines([b""] * REPLAN_EVENTS_MAX)
    made.match_lines([b""] * REPLAN_EVENTS_MAX)
    assert len(works) == 1
    works[0]()
    made.match_event({})
    assert made.replanned_total == 1
    made.match_lines([b""] * REPLAN_EVENTS_MAX * 4)
    assert len(works) == 2


def test_a_plan_that_fails_leaves_the_one_in_use_and_the_next_may_come(program):
    works: list[Any] = []
    made, engine = replanned(program, works.append)
    ((anchor,),) = plan(program)
    engine.seen = holding_often(program, anchor, 10_000)

    def fails(anchors):
        raise MemoryError

    engine.prepare = fails
    made.match_lines([b""] * FIRST_REPLAN_EVENTS)
    with pytest.raises(MemoryError):
        works[0]()
    made.match_lines([b""] * FIRST_REPLAN_EVENTS * 4)
    assert len(works) == 2
    assert made.replanned_total == 0


def test_answers_are_the_engines(program):
    made, _ = replanned(program)
    assert made.match_event({}) == ["e"]
    assert made.match_ticket({}) == [Match("t", -1)]
    assert made.covers({})


def test_plain_is_the_plain_evaluator():
    loaded = load_rules([Source("r.yml", RULE)])
    assert isinstance(make_detector(loaded.rules, LogsourceMap(), "plain"), PlainDetector)


def test_native_where_it_is_missing_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsoc.detection.native", None)
    loaded = load_rules([Source("r.yml", RULE)])
    with pytest.raises(RefusedToStart, match="make install"):
        make_detector(loaded.rules, LogsourceMap(), "native")
