"""The native engine finds what the plain one finds, whatever it remembers and is searched by."""

from __future__ import annotations

import gc
import os
import random
import weakref
from pathlib import Path

import orjson
import pytest

from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules
from fsoc.detection.logsource import Logsource
from fsoc.detection.plan import Rates, plan
from fsoc.detection.program import flatten
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped

if os.environ.get("FSOC_REQUIRE_NATIVE") != "1":
    pytest.importorskip("fsoc_native", reason="the native engine is not built: make install builds it with cargo")


from fsoc.detection.native import NativeDetector

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_corpus = pytest.mark.skipif(not DATA.is_dir(), reason=f"the SigmaHQ rules and their events are not at {DATA}")

GOING = "title: A rule\nid: rule\nlogsource: {category: test}\ndetection: {one: {a: x}, condition: one}\n"


@pytest.fixture
def native(load, rule):
    """The engine around one detection section, for events of category test."""

    def native(*detections, **bounds):
        head = "title: {0}\nid: {0}\nlogsource:\n    category: test\n"
        loaded = load(*(rule(each, head.format(f"rule-{place}")) for place, each in enumerate(detections)))
        assert not loaded.problems, [str(problem) for problem in loaded.problems]
        return NativeDetector([each.id for each in loaded.rules], LogsourceMap(), flatten(loaded.rules), **bounds)

    return native


STATED = {"category": "test"}


def test_letter_case_is_folded_as_python_folds_it(native):
    """Every character that has case at once: the rule has them folded by Python, the event as they are."""
    changing = "".join(chr(code) for code in range(0x110000) if chr(code).casefold() != chr(code))
    detector = native(f"sel:\n    a: '{changing}'\ncondition: sel")
    (clause,) = detector._program.clauses
    assert clause.text == changing.casefold()
    assert detector.match_event({"a": changing}, STATED) == ["rule-0"]
    assert detector.match_lines([orjson.dumps({"a": changing, "logsource": STATED})]).matched == [(0, ["rule-0"])]


@pytest.mark.parametrize(
    "value", [True, 1, 1.0, "1", "true", "1.0", None, [], [1], {"b": 1}, 10**30, 1e30, "İ", "\ud800"]
)
def test_a_value_is_not_taken_for_one_that_looks_alike(native, value):
    """All are seen, several times, by one engine: what is remembered of one must not answer for another."""
    detections = [
        f"sel:\n    a: {text}\ncondition: sel" for text in ("1", "'1'", "true", "1.0", "null", "[]", "'true'", "1e30")
    ]
    detector = native(*detections)
    for _ in range(4):
        for each in (True, 1, 1.0, "1", "true", "1.0", value):
            assert detector.match_event({"a": each}, STATED) == detector._plain_event(
                {"a": each}, Logsource(category="test")
            )


KEYWORDS = """\
keywords:
    - 'x\\y'
    - 'a/b'
    - 'sa"id'
    - ünder
condition: keywords"""


@pytest.mark.parametrize(
    "line",
    [
        r'{"a": "x\\Y"}',
        r'{"a": "x\\\\y"}',
        r'{"a": "\u0078\\y"}',
        r'{"a": "A\/b"}',
        r'{"a": "a/b"}',
        r'{"a": "sa\"id"}',
        '{"a": "ÜNDER"}',
        r'{"a": "\u00dcNDER"}',
        '{"a": 1.70e1}',
        '{"a": {"b": [{"c": "a/b"}]}}',
        '{"a/b": 1}',
        r'{"b": "A\/b", "b": 1, "c": "a/b", "c": 2}',
        '{"a": "x", "b": "y"}',
        '{"logsource2": {"x": "a/b"}}',
    ],
)
def test_keywords_are_found_however_json_writes_them(native, line):
    detector = native(KEYWORDS, "keywords:\n    - 17.0\ncondition: keywords") if "1.7" in line else native(KEYWORDS)
    expected = detector._plain_event(orjson.loads(line), Logsource(category="test"))
    for said in ("", ', "x": "a/b"'):
        stated = f'{line[:-1]}, "logsource": {{"category": "test"{said}}}}}'
        assert detector.match_lines([stated.encode()]).matched == ([(0, expected)] if expected else [])
    assert detector.match_event(orjson.loads(line), STATED) == expected


def test_novel_values_cost_no_memory_beyond_the_bounds(native):
    detector = native("sel:\n    a|contains: evil\ncondition: sel", memo_entries_max=100, memo_bytes_max=20_000)
    for place in range(3_000):
        for _ in range(3):
            assert detector.match_event({"a": f"evil {place} {'x' * (place % 50)}"}, STATED) == ["rule-0"]
    counters = detector.counters()
    assert counters["memo_entries"] <= 2 * 100
    assert counters["memo_bytes"] <= 2 * 20_000 + 2 * 100 * 100


MAP = """\
logsources:
  - when: {Channel: One, made|exists: true}
    logsource: {product: test, category: test}
  - when: {Channel|startswith: [tw, TH]}
    logsource: {product: test, category: test}
    fields: {a: b}
"""


def test_texts_that_decide_alike_are_asked_about_once(load, rule):
    """Novel texts of a field that decides cost no more than others, and none is taken for another."""
    loaded = load(rule("sel:\n    a: 1\ncondition: sel"))
    mapping = LogsourceMap.parse(Source("logsources.yml", MAP))
    detector = NativeDetector([each.id for each in loaded.rules], mapping, flatten(loaded.rules))
    plain = PlainDetector(loaded.rules, mapping)
    channels = ["one", "ONE", "tw", "TWO", "th", "oNe ", "", 1, None, *(f"novel {place}" for place in range(200))]
    events = [
        {"Channel": channel, **made, "a": a, "b": b}
        for channel in channels
        for made in ({}, {"made": None}, {"made": "novel"})
        for a, b in ((1, 2), (2, 1))
    ]
    for event in events:
        assert detector.match_event(event) == plain.match_event(event)
    found = dict(detector.match_lines([orjson.dumps(event) for event in events]).matched)
    assert [found.get(place, []) for place in range(len(events))] == list(map(plain.match_event, events))
    assert detector.counters()["routes_asked"] < 40


def test_a_line_it_is_not_sure_of_is_told_as_the_plain_one_tells_it(native):
    detector = native("sel:\n    a: 1\ncondition: sel")
    lines = [
        b'{"a": 1, "logsource": {"category": "test"}}',
        b"nonsense",
        b'{"a": 1e999}',
        b"   ",
        b'{"a": 1, "logsource": 5}',
        b'{"\\u0061": 1, "logsource": {"category": "TEST"}}',
        b'{"a": 1, "logsource": {"category": 5}}',
        b"[1]",
        b'{"a": 2, "a": 1, "logsource": {"product": "none", "category": "test"}, "logsource": {"category": "test"}}',
        b'{"a": 1}',
    ]
    found = detector.match_lines(lines)
    expected = super(NativeDetector, detector).match_lines(lines)
    assert found == expected
    assert [place for place, _ in found.matched] == [0, 5, 8]
    assert found.untried == 1


@pytest.fixture(scope="module")
def corpus():
    with collector_paused():
        loaded = load_rules(read_sources([DATA / "sigmahq-rules"]))
    mapping = LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES))
    lines = (DATA / "regression" / "events.ndjson").read_bytes().splitlines()
    plain = PlainDetector(loaded.rules, mapping)
    expected = [plain.match_event(orjson.loads(line)) for line in lines]
    program = flatten(loaded.rules)
    return NativeDetector([rule.id for rule in loaded.rules], mapping, program), program, lines, expected


def test_a_number_is_not_taken_for_a_text_that_looks_alike(native):
    """1.0 is 1, "1.0" is not: in a field that is searched for parts of texts, so that its values are remembered."""
    detector = native("sel:\n    a: '1'\ncondition: sel", "sel:\n    a|contains: zz\ncondition: sel")
    for _ in range(4):
        assert detector.match_event({"a": 1.0}, STATED) == ["rule-0"]
        assert detector.match_event({"a": "1.0"}, STATED) == []
        lines = [b'{"a": 1.0, "logsource": {"category": "test"}}', b'{"a": "1.0", "logsource": {"category": "test"}}']
        assert detector.match_lines(lines).matched == [(0, ["rule-0"])]


def test_a_second_view_is_not_taken_for_the_first(load, rule):
    """In the second view a is b, and what was found of a must not stay: neither what held nor what did not."""
    text = "logsources:\n  - {when: {Channel: two}, logsource: {category: test}, fields: {a: b}}\n"
    detections = [
        "sel:\n    a: x\ncondition: sel",
        "sel:\n    c: y\nflt:\n    a: x\ncondition: sel and not flt",
        "sel:\n    c: y\nflt:\n    a: null\ncondition: sel and not flt",
        "sel:\n    c: y\nflt:\n    d|fieldref: a\ncondition: sel and flt",
        "sel1:\n    a: x\nsel2:\n    c: y\nsel3:\n    d: x\ncondition: 2 of sel*",
        "sel1:\n    a: x\nsel2:\n    c: y\nsel3:\n    d: x\ncondition: all of sel*",
    ]
    head = "title: {0}\nid: {0}\nlogsource:\n    category: test\n"
    loaded = load(*(rule(each, head.format(f"rule-{place}")) for place, each in enumerate(detections)))
    mapping = LogsourceMap.parse(Source("logsources.yml", text))
    detector = NativeDetector([each.id for each in loaded.rules], mapping, flatten(loaded.rules))
    plain = PlainDetector(loaded.rules, mapping)
    values = ({}, {"a": "x"}, {"a": "z"}, {"a": None}), ({}, {"b": "x"}, {"b": "z"}, {"b": None})
    others = ({"c": "y"}, {"c": "y", "d": "x"}, {"d": "z"}, {"c": ["y", "x"], "d": "z"})
    events = [
        {"Channel": channel, **a, **b, **other}
        for channel in ("one", "two")
        for a in values[0]
        for b in values[1]
        for other in others
    ]
    expected = [plain.match_event(event, STATED) for event in events]
    assert len({tuple(each) for each in expected}) > 8
    for event, wanted in zip(events, expected, strict=True):
        new = NativeDetector([each.id for each in loaded.rules], mapping, flatten(loaded.rules))
        assert new.match_event(event, STATED) == wanted
    for _ in range(3):
        assert [detector.match_event(event, STATED) for event in events] == expected


def test_what_rules_came_to_is_not_taken_for_what_they_come_to(native):
    """Rules proposed together, again and again, on events that differ in one field: its text, null, missing, a list."""
    head = "sel:\n    a|contains: x\n"
    detector = native(
        *(f"{head}flt:\n    b: {value}\ncondition: sel and not flt" for value in ("y", "null", "'*z'", "5", "[]")),
        f"{head}flt:\n    b|exists: true\ncondition: sel and flt",
        f"{head}flt:\n    b|re: '^[yz]'\ncondition: sel and flt",
        f"{head}flt:\n    b|fieldref: c\ncondition: sel and flt",
        f"{head}key:\n    - secret\ncondition: sel and not key",
    )
    values = [
        "y",
        "z",
        "Z",
        None,
        [],
        [None],
        ["q", "y"],
        ["q", None],
        {"y": "y"},
        {"y": "secret"},
        5,
        5.0,
        "5",
        True,
        "",
    ]
    events = [{"a": "x", "b": value, "c": "y"} for value in values]
    events += [{"a": "x"}, {"a": "x", "c": "secret"}, {"a": ["x", "secret"]}, {"a": ["x", "x"]}]
    expected = [detector._plain_event(event, Logsource(category="test")) for event in events]
    assert len({tuple(each) for each in expected}) > 8
    lines = [orjson.dumps(event | {"logsource": STATED}) for event in events]
    draw = random.Random(1)
    for _ in range(50):
        places = draw.sample(range(len(events)), len(events))
        assert [detector.match_event(events[place], STATED) for place in places] == [
            expected[place] for place in places
        ]
        found = dict(detector.match_lines([lines[place] for place in places]).matched)
        assert [found.get(at, []) for at in range(len(places))] == [expected[place] for place in places]
    assert detector.counters()["verdict_hits"] > 100


@needs_corpus
def test_real_events_match_the_rules_that_the_plain_one_finds(corpus):
    detector, _, lines, expected = corpus
    for _ in range(3):
        found = dict(detector.match_lines(lines).matched)
        assert [found.get(place, []) for place in range(len(lines))] == expected
        assert [detector.match_event(orjson.loads(line)) for line in lines] == expected


@needs_corpus
def test_no_plan_changes_a_match(corpus):
    detector, program, lines, expected = corpus
    draw = random.Random(7)
    for _ in range(3):
        tried = [1_000] * len(program.clauses)
        detector.adopt(detector.prepare(plan(program, Rates(tried, [draw.randrange(1_000) for _ in tried]))))
        for _ in range(3):
            found = dict(detector.match_lines(lines).matched)
            assert [found.get(place, []) for place in range(len(lines))] == expected


@needs_corpus
def test_no_pattern_of_the_corpus_needs_python_on_plain_text(corpus):
    detector, *_ = corpus
    assert detector._rules.asked() == []


@needs_corpus
def test_rates_count_what_was_tried_and_what_held(corpus):
    detector, program, lines, _ = corpus
    for _ in range(10):
        detector.match_lines(lines)
    tried, hits = detector.rates()
    assert len(tried) == len(hits) == len(program.clauses)
    assert any(hits)
    assert all(held <= seen for held, seen in zip(hits, tried, strict=True))


def test_an_engine_that_nobody_uses_any_more_goes():
    loaded = load_rules([Source("a.yml", GOING)])
    engine = NativeDetector(["rule"], LogsourceMap(), flatten(loaded.rules))
    assert engine.match_event({"a": "x"}, {"category": "test"}) == ["rule"]
    engine.match_lines([b'{"a": "x", "logsource": {"category": "test"}}'])
    reference = weakref.ref(engine)

    del engine
    gc.collect()

    assert reference() is None
