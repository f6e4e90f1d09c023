"""Rules and events that hypothesis draws: every engine finds what the plain evaluator finds, first, last and again."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsoc.detection import PlainDetector, engine
from tests.detection.differential import documents, events
from tests.detection.differential.engines import ENGINES, UNFLATTENED, adopt_other_anchors, make, outcome
from tests.detection.differential.rules import MAPPING, rule_sets

MANY = 40 if os.environ.get("FSOC_SOAK") else 1
FIRST_MET_REMEMBERED_RECALLED = ("first", "second", "third")
drawn = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)


@pytest.fixture(autouse=True, scope="module")
def replanned_often():
    """So that a handful of events is enough to be planned anew in the middle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "FIRST_REPLAN_EVENTS", 3)
        patch.setattr(engine, "SAVING_MIN", 0.0)
        yield


def agree(data, rules):
    """Events, lines and a ticket drawn for these rules, through every engine: twice, then searched another way."""
    drawn_events = data.draw(events.events(), label="events")
    stated = [data.draw(events.logsources, label="logsource") for _ in drawn_events]
    lines = [
        data.draw(events.lines(event, each if isinstance(each, dict) else None), label="line")
        for event, each in zip(drawn_events, stated, strict=True)
    ]
    lines += data.draw(st.lists(events.broken_lines, max_size=2), label="broken lines")
    odd = data.draw(events.odd_events(), label="odd event")
    ticket = data.draw(events.tickets(), label="ticket")
    seed = data.draw(st.integers(0, 9), label="anchors")
    pairs = [*zip(drawn_events, stated, strict=True), (odd, {"category": "test"})]

    def everything(detector):
        return {
            "lines": detector.match_lines(lines),
            "events": [outcome(detector.match_event, *pair) for pair in pairs],
            "covers": [outcome(detector.covers, *pair) for pair in pairs],
            "ticket": detector.match_ticket(ticket),
        }

    expected = everything(PlainDetector(rules, MAPPING))
    for name in (UNFLATTENED, *ENGINES):
        detector = make(name, rules, MAPPING)
        for time in FIRST_MET_REMEMBERED_RECALLED:
            assert everything(detector) == expected, f"{name} differs the {time} time"
        adopt_other_anchors(detector, rules, seed)
        for time in FIRST_MET_REMEMBERED_RECALLED:
            assert everything(detector) == expected, f"{name} differs the {time} time with other anchors"


@settings(drawn, max_examples=120 * MANY)
@given(st.data())
def test_every_engine_agrees_on_rules_of_any_condition(data):
    agree(data, data.draw(rule_sets(), label="rules"))


@settings(drawn, max_examples=60 * MANY)
@given(st.data())
def test_every_engine_agrees_on_rules_as_they_are_written(data):
    agree(data, data.draw(documents.loaded_rules(), label="rules"))
