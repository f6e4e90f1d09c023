"""Fields by every name they can have: their own, a path through objects and lists, and the names others give them."""

from __future__ import annotations

import itertools

import orjson
import pytest

from fsoc.detection import PlainDetector, matchers, nodes
from fsoc.detection.logsource import Logsource
from tests.detection.differential.engines import ENGINES, make, outcome
from tests.detection.differential.rules import MAPPING, rule_of

# Each says in its value where it stands.
MEMBERS = [
    {"A": "A"},
    {"B": ["B", "b"]},
    {"a.b": "literal"},
    {"C D": "C D"},
    {"Image": "Image"},
    {"NewProcessName": ["NewProcessName"]},
    {"a": {"b": "nested", "b.c": "half", "c": [1, {"d": "deep"}]}},
    {"a": [{"b": "first"}, {"b": {"c": "second"}}, [{"b": "third"}], "x"]},
    {"b": {"c": "other"}},
]
TEXTS = [
    "A",
    "B",
    "b",
    "literal",
    "C D",
    "Image",
    "NewProcessName",
    "nested",
    "half",
    "deep",
    "first",
    "second",
    "third",
]
FIELDS = ["A", "B", "a.b", "a.b.c", "a.c.d", "a", "b.c", "b", "Image", "C D", "NewProcessName"]
STATED = [None, {"category": "test"}, {"product": "windows", "service": "security"}, {"product": "linux"}]


def rules():
    items = [nodes.Item(field, (matchers.Text(text.casefold(), "whole"),)) for field in FIELDS for text in TEXTS]
    items += [
        nodes.Item(field, (matcher,)) for field in FIELDS for matcher in (matchers.Null(), matchers.Exists(wanted=True))
    ]
    items += [nodes.Item(None, (matchers.Text(text.casefold(), "anywhere"),)) for text in TEXTS]
    logsources = [Logsource(category="test"), Logsource("windows", "process_creation"), Logsource("linux", "test")]
    pairs = itertools.product(logsources, items)
    return [rule_of(index, item, logsource) for index, (logsource, item) in enumerate(pairs)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_field_is_found_by_each_of_its_names_and_hidden_by_no_other(engine):
    made = rules()
    plain, detector = PlainDetector(made, MAPPING), make(engine, made, MAPPING)
    events = []
    for count in (0, 1, 2, 3):
        for chosen in itertools.combinations(MEMBERS, count):
            whole = {name: value for member in chosen for name, value in member.items()}
            events += [
                whole,
                {**whole, "Channel": "Security", "EventID": 4688},
                {**whole, "EventID": 1, "Channel": "Security"},
            ]
    cases = [(event, stated) for number, event in enumerate(events) for stated in (None, STATED[1 + number % 3])]
    lines = [orjson.dumps({**event, "logsource": stated}) for event, stated in cases]
    expected = plain.match_lines(lines)

    assert len(expected.matched) > len(lines) / 2
    for _ in range(2):
        assert detector.match_lines(lines) == expected
    found = [detector.match_event(event, stated) for event, stated in cases]
    assert [(place, ids) for place, ids in enumerate(found) if ids] == expected.matched


@pytest.mark.parametrize("engine", ENGINES)
def test_a_route_remembered_for_one_event_is_not_taken_for_another(engine):
    """What decides a route may be equal and of another type, or written otherwise."""
    made = rules()
    plain, detector = PlainDetector(made, MAPPING), make(engine, made, MAPPING)
    alike = [
        1,
        True,
        1.0,
        "1",
        5,
        5.0,
        "5",
        "05",
        4688,
        4688.0,
        "4688",
        4688.5,
        [4688],
        [1, 4688],
        None,
        "a",
        "A",
        "",
        {},
    ]
    logsources = [None, {}, *STATED[1:], {"category": "TEST"}, {"product": None, "category": "test"}, {"category": ""}]
    logsources += [
        Logsource(category="test"),
        Logsource(category="TEST"),
        {"category": 1},
        {"product": "fsoc"},
        {"x": 1},
    ]
    events = [{"Channel": "Security", "EventID": value, "NewProcessName": "Image"} for value in alike]
    events += [{name: value, "C D": "literal"} for name in ("A", "B", "category", "product") for value in alike]
    for _ in range(3):
        for event, stated in itertools.product(events, logsources):
            asked = (event, stated)
            assert outcome(detector.match_event, *asked) == outcome(plain.match_event, *asked), asked
            assert outcome(detector.covers, *asked) == outcome(plain.covers, *asked), asked
