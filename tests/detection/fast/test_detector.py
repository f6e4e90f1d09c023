"""What the Python path remembers has an end, and what it finds does not depend on it."""

from __future__ import annotations

import random

import orjson
import pytest

from fsoc.detection import LogsourceMap, PlainDetector, Source
from fsoc.detection.fast import FastDetector, lane, lanes, sampling
from fsoc.detection.plan import plan
from fsoc.detection.program import flatten

MAP = LogsourceMap.parse(
    Source(
        "l.yml",
        "logsources:\n"
        "  - when: {Channel: Security}\n    logsource: {product: windows, service: security}\n"
        "    events: {4688: {category: process_creation, fields: {Image: NewProcessName}}, 1: {category: first}}\n",
    )
)
RULE = """\
title: {id}
id: {id}
logsource: {{{logsource}}}
detection:
    selection: {selection}
    condition: {condition}
"""
RULES = [
    ("ends", "category: process_creation", r"{Image|endswith: [\a.exe, .dll, '/sh', end]}", "selection"),
    ("number", "product: windows", "{Port: 1}", "selection"),
    ("text", "product: windows", "{Port: 'true'}", "selection"),
    ("flag", "product: windows", "{Flag: true}", "selection"),
    ("pattern", "product: windows", r"{Text|re: 'ab{1,3}\s\w+$'}", "selection"),
    ("cased", "product: windows", "{Text|contains|cased: Ab}", "selection"),
    ("keyword", "product: windows", "['key\"word', 'other']", "selection"),
    ("not", "product: windows", "{Text|contains: a}", "not selection"),
    ("nested", "product: windows", "{deep.name|contains: x}", "selection"),
    ("first", "category: first", "{Channel: Security}", "selection"),
    ("typed", "product: windows", "{Text: q, Count|gte: 1}", "selection"),
    ("signed", "product: windows", "{Text: q, Count|contains: '-'}", "selection"),
    ("beyond", "product: windows", r"{Text|re: '\Wey'}", "selection"),
    ("at most", "product: windows", "{Port|lte: -7}", "selection"),
    ("network", "product: windows", "{Address|cidr: 10.0.0.0/8}", "selection"),
    ("repeated", "product: windows", r"{Text|re: '(?m)^line$'}", "selection"),
    ("both", "product: windows", "{Text|contains: b, Other: null}", "selection"),
]
EVENTS = [
    {"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\A.EXE", "Image": "x"},
    {"Channel": "Security", "EventID": 4688, "Image": "/bin/sh", "Text": "the end"},
    {"Channel": "Security", "EventID": 4688, "NewProcessName": ["a", "b.dll", ["the END"]]},
    *(
        {"Channel": "Security", "Port": port, "Flag": port}
        for port in (1, True, 1.0, "1", "true", "TRUE", 0.0, -0.0, None)
    ),
    *({"Channel": "Security", "EventID": number} for number in (1, True, 1.0, "1", 2)),
    *({"Channel": "Security", "Text": "q", "Count": count} for count in (True, 1, 1.0, "1", 0.0, -0.0, 0)),
    *({"Channel": "Security", "Port": port} for port in (-7, -7.5, "-8", "7")),
    *({"Channel": "Security", "Address": address} for address in ("10.1.2.3", "::ffff:10.0.0.1", "11.0.0.1", 10)),
    *(
        {"Channel": "Security", "Text": text}
        for text in ("abb x", "abbbb x", "Ab", "\u212a", "", "b", "ab\vx", "ab ſ", "\u212aey", "a\nline")
    ),
    {"Channel": "Security", "Text": ["a", "b"]},
    {"Channel": "Security", "Text": "b", "Other": None},
    {"Channel": "Security", "Text": "b", "Other": ""},
    {"Channel": "Security", "any": 'a KEY"word'},
    {"Channel": "Security", "any": {"deep": ['\u212aey"word']}},
    {"Channel": "Security", "other": "nothing"},
    {"Channel": "Security", "deep": {"name": "x"}},
    {"Channel": "Security", "deep": [{"name": "y"}, {"name": "zx"}]},
    {"Channel": "Security", "deep.name": "x"},
    {"Channel": "else"},
]


@pytest.fixture
def rules(load):
    texts = (RULE.format(id=i, logsource=of, selection=s, condition=c) for i, of, s, c in RULES)
    loaded = load(*texts)
    assert not loaded.problems
    return loaded.rules


@pytest.fixture
def fast(rules):
    return FastDetector([rule.id for rule in rules], MAP, flatten(rules))


def test_events_of_every_form_match_as_they_do_when_every_rule_is_tried(rules, fast):
    plain = PlainDetector(rules, MAP)
    expected = [plain.match_event(event) for event in EVENTS]
    assert {rule_id for ids in expected for rule_id in ids} == {rule_id for rule_id, *_ in RULES}
    for _ in range(6):  # found, remembered, compiled
        assert [fast.match_event(event) for event in EVENTS] == expected
    lines = [orjson.dumps(event) for event in EVENTS]
    assert fast.match_lines(lines) == plain.match_lines(lines)
    bodies = [{"evidence": [{"fields": event, "logsource": None} for event in EVENTS]}]
    assert [fast.match_ticket(body) for body in bodies] == [plain.match_ticket(body) for body in bodies]


def test_rules_of_one_id_are_told_of_once(rules):
    made = FastDetector(["same" for _ in rules], MAP, flatten(rules))
    event = {"Channel": "Security", "Text": "abb x", "Other": None, "Port": 1}
    for _ in range(3):
        assert made.match_event(event) == ["same"]


def test_no_anchors_change_what_matches(rules, fast):
    program = flatten(rules)
    draw = random.Random(4)
    expected = [PlainDetector(rules, MAP).match_event(event) for event in EVENTS]
    for _ in range(20):
        anchors = [None if draw.random() < 0.5 else anchor for anchor in plan(program, fast.rates())]
        fast.adopt(fast.prepare(anchors))
        for _ in range(2):
            assert [fast.match_event(event) for event in EVENTS] == expected


def test_a_field_whose_anchors_stay_is_not_searched_anew(rules, fast):
    again = fast.prepare(plan(flatten(rules)))
    for field in range(len(flatten(rules).fields)):
        assert again.search(field) is fast._searches.search(field)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"5", b'{"logsource": 5}', b'{"logsource": {"product": 5}}', b" \n", b'"a"']
)
def test_lines_that_are_no_events_are_told_as_every_engine_tells_them(rules, fast, line):
    assert fast.match_lines([line]) == PlainDetector(rules, MAP).match_lines([line])


def test_events_all_different_take_room_with_an_end(fast, monkeypatch):
    monkeypatch.setattr(lanes, "SHAPES_MAX", 8)
    monkeypatch.setattr(lanes, "LANES_MAX", 16)
    monkeypatch.setattr(lanes, "ROUTES_MAX", 4)
    monkeypatch.setattr(lanes, "LANES_BYTES_MAX", 10_000)
    monkeypatch.setattr(lane, "TRIALS_MAX", 4)
    monkeypatch.setattr(lane, "VERDICTS_MAX", 4)
    monkeypatch.setattr(sampling, "VALUES_KEPT_MAX", 4)
    for number in range(600):
        event = {"Channel": "Security", "EventID": number, f"field {number % 50}": "b", "Text": f"ab {number}"}
        stated = {"product": "windows", "category": ["process_creation", None][number % 2], "service": f"s{number}"}
        fast.match_event(event, stated if number % 3 else None)
        known = fast._lanes
        assert len(known._shapes) <= 8
        assert len(known._routes) <= 4
        assert sum(len(shape.by_decision) + len(shape.by_route) for shape in known._shapes.values()) <= 17
        for shape in known._shapes.values():
            for each in shape.by_route.values():
                assert len(each._trials) <= 4
                assert all(len(trial._verdicts) <= 4 for trial in each._trials.values() if trial)


def test_names_without_end_make_no_shape(fast):
    fast.match_event({"x" * 10_000: 1})
    fast.match_event({str(number): 1 for number in range(300)})
    assert len(fast._lanes._shapes) == 0


def test_rates_count_the_events_that_had_the_field(fast, rules):
    fast._until_sample = 0
    for _ in range(3):
        fast._until_sample = 0
        fast.match_event({"Channel": "Security", "Port": 1, "Text": "ab x"})
    program = flatten(rules)
    rates = fast.rates()
    seen = {
        program.fields[clause.field]: (tried, hits)
        for clause, tried, hits in zip(program.clauses, rates.tried, rates.hits, strict=True)
        if tried
    }
    assert seen["Port"][0] == 3
    assert rates.hits[next(i for i, c in enumerate(program.clauses) if c.__class__.__name__ == "Number")] == 3
    assert "Image" not in seen
    assert all(hits <= tried for tried, hits in zip(rates.tried, rates.hits, strict=True))
