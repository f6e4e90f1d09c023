"""Values that are alike and do not mean the same: what an engine remembers of one it must not tell of another."""

from __future__ import annotations

import itertools
import random

import orjson
import pytest

from fsoc.detection import LogsourceMap, PlainDetector, matchers, nodes
from fsoc.detection.logsource import Logsource
from tests.detection.differential.engines import ENGINES, make
from tests.detection.differential.rules import rule_of

VALUES = [
    *(1, 1.0, True, "1", "1.0", "true", "True", 0, 0.0, -0.0, False, "0", "-0.0", "false", 5, 5.0, "5", "5.0", "05"),
    *(1000.0, 1e3, "1000.0", "1e3", 10**16, 1e16, "1e16", "1e+16", 1_772_409_600, "1772409600", 1_772_409_600.0),
    *(
        None,
        "null",
        "None",
        "",
        [],
        [None],
        [[]],
        {},
        {"b": 1},
        ["1", 1],
        ["x", "1"],
        [0, "A", None],
        ["b", [5, "k"]],
        "[]",
        "{}",
    ),
    *(
        "\\",
        "\\\\",
        "\\\\\\\\",
        "A",
        "a",
        "\\u0041",
        "\n",
        "\\n",
        "/",
        "\\/",
        '"',
        '\\"',
        "é",
        "\\u00e9",
        "É",
        "e\u0301",
    ),
    *(
        "STRASSE",
        "Straße",
        "\u212aelvin",
        "kelvin",
        "a/b\\c/d",
        "ss",
        "ß",
        "SS",
        "k",
        "\u212a",
        "s",
        "ſ",
        "i",
        "İ",
        "ı",
        "i\u0307",
        "\x0b",
        " ",
        "a\x0bb",
        "a b",
    ),
    *("10.0.0.1", "::ffff:10.0.0.1", "2026-03-02T00:00:00Z", 2**63, 2**64 - 1, float(2**64), "18446744073709551616"),
]
"""Each as an event's value of the one field, alone; JSON text can bring them all."""

ANCHOR = "a text so long that it is rare"
STATED = {"category": "test"}


def rules():
    """Every kind of matcher made of every value, so that whatever tells two values apart, a rule does."""
    texts = [value for value in VALUES if isinstance(value, str)]
    numbers = [value for value in VALUES if isinstance(value, int | float) and not isinstance(value, bool)]
    made = [matchers.Text(text, place, cased=True) for text in texts for place in ("whole", "start", "end")]
    made += [matchers.Text(text.casefold(), place) for text in texts for place in ("whole", "start", "anywhere")]
    made += [matchers.Text(str(number), "whole", number=number) for number in numbers]
    made += [matchers.Number(number) for number in numbers]
    made += [matchers.Bool(True), matchers.Bool(False), matchers.Null(), matchers.Exists(wanted=True)]
    made += [matchers.Compare("gte", number) for number in numbers]
    made += [matchers.TimeIs("day", 2), matchers.Compare("lt", 2000, "year"), matchers.TimeIs("year", 1970)]
    made += [
        matchers.Regex(pattern) for pattern in (r"^\s$", r"a\sb", "^[^k]$", "(?i)^k$", r"^\\", "^$", r"\.0$", r"\d{4}")
    ]
    made += [matchers.Wildcards(parts, cased) for parts in ((1,), (1, 1), ("1", 0, "0")) for cased in (True, False)]
    alone = [nodes.Item(field, (matcher,)) for matcher in dict.fromkeys(made) for field in ("A", "B")]
    # The rare text is the anchor, so that what stands beside it is tried and not searched.
    anchor = nodes.Item("Anchor", (matchers.Text(ANCHOR, "whole"),))
    alone += [nodes.Item(None, (matchers.Text(text.casefold(), "anywhere"),)) for text in texts]
    items = [*alone, *(nodes.And((anchor, item)) for item in alone)]
    of_test = [rule_of(index, item, Logsource(category="test")) for index, item in enumerate(items)]
    # Of another logsource, so that the same value of the same field leads to other rules.
    return [
        *of_test,
        *(rule_of(index + len(items), item, Logsource(category="other")) for index, item in enumerate(items[::3])),
    ]


def of_json(value):
    return orjson.loads(orjson.dumps(value))


@pytest.mark.parametrize("engine", ENGINES)
def test_one_value_is_never_taken_for_another(engine):
    """Every pair of values, one after the other, as objects and as text, until both are remembered."""
    made = rules()
    plain, detector = (PlainDetector(made, LogsourceMap()), make(engine, made, LogsourceMap()))
    events = [
        {field: value, **beside} for value in VALUES for field in ("A", "B") for beside in ({}, {"Anchor": ANCHOR})
    ]
    events.append({})
    lines = {
        (number, category): orjson.dumps({**event, "logsource": {"category": category}})
        for number, event in enumerate(events)
        for category in ("test", "other")
    }
    # As a sender may write the same: every character of a text escaped.
    escaped = {
        key: b'{"%s":"%s","logsource":{"category":"%s"}}'
        % (field.encode(), "".join(f"\\u{ord(char):04x}" for char in value).encode(), key[1].encode())
        for key in lines
        for field, value in events[key[0]].items()
        if field != "Anchor" and isinstance(value, str) and value.isascii() and "Anchor" not in events[key[0]]
    }
    expected = {
        (number, category): plain.match_event(of_json(event), {"category": category})
        for number, event in enumerate(events)
        for category in ("test", "other")
    }
    keys = [*lines] * 4
    random.Random(7).shuffle(keys)
    for number, category in keys:
        found = detector.match_event(of_json(events[number]), {"category": category})
        assert found == expected[number, category], (events[number], category)
    for source in (lines, escaped, lines):
        asked = [key for key in keys if key in source]
        found = dict(detector.match_lines([source[key] for key in asked]).matched)
        for place, key in enumerate(asked):
            assert found.get(place, []) == expected[key], source[key]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_callers_values_are_not_taken_for_those_of_json(engine):
    """Tuples are lists; numbers may be of any size, or none."""
    made = rules()[::3]
    plain, detector = (PlainDetector(made, LogsourceMap()), make(engine, made, LogsourceMap()))
    odd = [
        (),
        ("1",),
        (1,),
        (True,),
        (1.0,),
        (1, "1"),
        (None,),
        ("",),
        10**30,
        -(10**30),
        2**64,
        float("inf"),
        float("nan"),
        [(1,), [()]],
    ]
    for first, second in itertools.product([*odd, 1, "1", [], None], repeat=2):
        for event in (
            {"A": first, "Anchor": ANCHOR},
            {"A": second, "Anchor": ANCHOR},
            {"A": first, "B": second},
            {"A": second},
            {"A": {"x": first}, "a": {"b": second}},
        ):
            assert detector.match_event(event, STATED) == plain.match_event(event, STATED), event


@pytest.mark.parametrize("engine", ENGINES)
def test_two_fields_are_the_same_where_the_oracle_says_so(engine):
    places = ("whole", "start", "end", "anywhere")
    items = [nodes.Item("A", (matchers.SameAs("B", place, cased),)) for place in places for cased in (True, False)]
    made = [rule_of(index, item, Logsource(category="test")) for index, item in enumerate(items)]
    plain, detector = PlainDetector(made, LogsourceMap()), make(engine, made, LogsourceMap())
    pairs = [{"A": first, "B": second, "logsource": STATED} for first, second in itertools.product(VALUES, repeat=2)]
    lines = list(map(orjson.dumps, pairs))

    assert detector.match_lines(lines) == plain.match_lines(lines)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tuple_is_a_list_and_no_value_of_its_own(engine):
    """No JSON text brings one; a caller may."""
    made = rules()
    plain, detector = (PlainDetector(made, LogsourceMap()), make(engine, made, LogsourceMap()))
    for value in (("",), ("1", 1), ("A", None), (), (("a",), "5")) * 2:
        assert detector.match_event({"A": value}, STATED) == plain.match_event({"A": value}, STATED), value
