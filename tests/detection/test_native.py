"""The native engine: what it shares with Python is equal to Python's, and what it finds is what the plain one finds."""

from __future__ import annotations

import gc
import ipaddress
import operator
import os
import random
import weakref
from pathlib import Path

import orjson
import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules
from fsoc.detection.event import number_of
from fsoc.detection.logsource import Logsource
from fsoc.detection.plan import Rates, plan
from fsoc.detection.program import flatten
from fsoc.runtime.content import LOGSOURCES, collector_paused, read_source, read_sources, shipped

if os.environ.get("FSOC_REQUIRE_NATIVE") != "1":
    pytest.importorskip("fsoc_native", reason="the native engine is not built: make install builds it with cargo")

import fsoc_native

from fsoc.detection.native import NativeDetector

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_corpus = pytest.mark.skipif(not DATA.is_dir(), reason=f"the SigmaHQ rules and their events are not at {DATA}")

GOING = "title: A rule\nid: rule\nlogsource: {category: test}\ndetection: {one: {a: x}, condition: one}\n"
wholes = st.integers() | st.integers(-(10**45), 10**45) | st.sampled_from([2**53, 2**63, 2**64, 2**127, -(2**127)])
floats = st.floats() | wholes.map(float)


@given(st.floats())
@example(1e16)
@example(1e-5)
@example(9999999999999998.0)
@example(-0.0)
@example(5e-324)
def test_a_float_is_written_as_python_writes_it(number):
    assert fsoc_native.repr_of_float(number) == repr(number)


@given(wholes | floats, wholes | floats)
@example(2**53 + 1, float(2**53))
@example(10**40, 1e40)
@example(2**127, 2.0**127)
@example(float("nan"), 1)
def test_numbers_are_ordered_as_python_orders_them(mine, its):
    expected = next(
        (sign for sign, is_so in ((-1, operator.lt), (0, operator.eq), (1, operator.gt)) if is_so(mine, its)), None
    )
    assert fsoc_native.compare(repr(mine), repr(its)) == expected


@given(st.from_regex(r"[+-]?[0-9]{1,41}(\.[0-9]{1,41})?([eE][+-]?[0-9]{1,4})?\n?", fullmatch=True) | st.text())
@example("1e999")
@example("٣")
@example("0x1")
def test_a_text_is_a_number_where_it_is_one_to_python(text):
    expected = number_of(text)
    assert fsoc_native.number_of(text) == (None if expected is None else repr(expected))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values), st.data())
def test_no_line_is_accepted_that_orjson_refuses(event, data):
    line = bytearray(orjson.dumps(event))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(line)))
        kept = data.draw(st.integers(0, 2))
        line[place : place + kept] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    line = bytes(line)
    try:
        is_event = isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        is_event = False
    assert is_event or not fsoc_native.accepts(line)


PIECES = [
    *(
        b'"',
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\x0b",
    ),
    *(
        b"0",
        b"-",
        b"01",
        b"1.",
        b".5",
        b"1e",
        b"1e400",
        b"-0",
        b"nul",
        b"true",
        b"\x00",
        b"\x1f",
        b"\x7f",
        b"\xff",
        b"\xc3",
    ),
]


@pytest.mark.parametrize(
    "text", ["{}", ' {"a": [1, {"b": null}]}\r\n', '{"a": "\\ud83d\\ude00\\n", "b": -0, "c": 1E5}']
)
def test_lines_of_every_kind_of_value_are_read_here(text):
    assert fsoc_native.accepts(text.encode())


SIMPLE = st.sampled_from(
    [
        *"abkKsS01 .-_\\",
        r"\d",
        r"\s",
        r"\W",
        r"\b",
        r"\B",
        "^",
        "$",
        "[a-c]",
        "[^a]",
        r"[\w-]",
        "[[:alpha:]]",
        r"\x41",
        r"\.",
    ]
)
PATTERNS = st.recursive(
    SIMPLE,
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds("({}|{})".format, inner, inner)
        | st.builds("(?{}:{})".format, st.sampled_from(["i", "s", "m", "U", "i-s"]), inner)
        | st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "{,2}", "{2,}"]))
    ),
    max_leaves=8,
)
OPTIONS = re2.Options()
OPTIONS.log_errors = False


@given(PATTERNS | st.text("ab[]()^&-~\\{}1,?<>", max_size=12), st.text("abkKsS01 .-_\\\n\t\x0b\x00ſK", max_size=12))
@example("[[a]", "[")
@example(r"\<a", "<a")
@example("a{,2}", "a{,2}")
@example("[a&&b]", "&")
@example(r"\s", "\x0b")
@example("(?i)k", "K")
def test_a_pattern_that_is_run_here_means_what_it_means_to_re2(pattern, text):
    try:
        compiled = re2.compile(pattern, OPTIONS)
    except re2.error:
        return
    held = fsoc_native.pattern_holds(pattern, text.encode())
    assert held is None or held is (compiled.search(text.encode()) is not None)


ADDRESSES = st.ip_addresses().map(str) | st.from_regex(r"[0-9a-f:.]{0,20}", fullmatch=True) | st.text(max_size=20)
NETWORKS = ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32", "fe80::/10", "::/0", "::ffff:0:0/96", "::1/128"]


@given(ADDRESSES, st.sampled_from(NETWORKS))
@example("::ffff:10.0.0.1", "10.0.0.0/8")
@example("010.0.0.1", "10.0.0.0/8")
@example("10.0.0.1 ", "10.0.0.0/8")
def test_an_address_lies_in_a_network_as_python_sees_it(text, network):
    if "%" in text:
        return
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        assert fsoc_native.in_network(text.encode(), network) is None
        return
    mapped = getattr(address, "ipv4_mapped", None)
    expected = any(each in ipaddress.ip_network(network) for each in (address, mapped) if each is not None)
    assert fsoc_native.in_network(text.encode(), network) is expected


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


def test_novel_values_cost_no_memory_beyond_the_bounds(native):
    detector = native("sel:\n    a|contains: evil\ncondition: sel", memo_entries_max=100, memo_bytes_max=20_000)
    for place in range(3_000):
        for _ in range(3):
            assert detector.match_event({"a": f"evil {place} {'x' * (place % 50)}"}, STATED) == ["rule-0"]
    counters = detector.counters()
    assert counters["memo_entries"] <= 2 * 100
    assert counters["memo_bytes"] <= 2 * 20_000 + 2 * 100 * 100


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


@given(st.binary(max_size=60) | st.text('{}[]",:\\ua0 1e-.', max_size=40).map(str.encode))
def test_no_line_makes_it_fall(line):
    fsoc_native.accepts(line)
    fsoc_native.accepts(b'{"a":' + line + b"}")


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
    assert detector._asked == frozenset()


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
