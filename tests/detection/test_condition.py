"""Every condition form of the Sigma specification 2.1.0, and agreement with pySigma's own parser."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
)
from sigma.rule import SigmaDetections

from fsoc.detection.compile import compile_detection
from fsoc.detection.condition import DEPTH_MAX, BadConditionError, parse
from fsoc.detection.event import Event

NAMES = ("sel_a", "sel_b", "filter", "_hidden")
SECTION = {name: {name: 1} for name in NAMES}
EVENTS = [dict(zip(NAMES, bits, strict=True)) for bits in itertools.product((0, 1), repeat=len(NAMES))]

# condition → the same in Python
FORMS = {
    "sel_a": "sel_a",
    "not sel_a": "not sel_a",
    "not not sel_a": "sel_a",
    "sel_a and sel_b": "sel_a and sel_b",
    "sel_a or sel_b": "sel_a or sel_b",
    "sel_a or sel_b and filter": "sel_a or (sel_b and filter)",
    "sel_a and sel_b or filter": "(sel_a and sel_b) or filter",
    "not sel_a and sel_b": "(not sel_a) and sel_b",
    "not sel_a or sel_b": "(not sel_a) or sel_b",
    "not (sel_a or sel_b)": "not (sel_a or sel_b)",
    "sel_a and (sel_b or filter)": "sel_a and (sel_b or filter)",
    "sel_a and not sel_b and not filter": "sel_a and not sel_b and not filter",
    "((sel_a))": "sel_a",
    "(sel_a)and(not(sel_b))": "sel_a and not sel_b",
    "sel_a AND NOT sel_b OR filter": "(sel_a and not sel_b) or filter",
    "  sel_a\n  and   sel_b\n": "sel_a and sel_b",
    "1 of sel_*": "sel_a or sel_b",
    "any of sel_*": "sel_a or sel_b",
    "all of sel_*": "sel_a and sel_b",
    "not 1 of sel_*": "not (sel_a or sel_b)",
    "not all of sel_*": "not (sel_a and sel_b)",
    "1 of *_a": "sel_a",
    "1 of s*_*": "sel_a or sel_b",
    "1 of filter": "filter",
    "all of sel_* and not 1 of filter*": "sel_a and sel_b and not filter",
    "1 of them": "sel_a or sel_b or filter",
    "any of them": "sel_a or sel_b or filter",
    "all of them": "sel_a and sel_b and filter",
    "1 of *": "sel_a or sel_b or filter",
    "1 of _*": "_hidden",
    "_hidden": "_hidden",
    "2 of them": "sel_a + sel_b + filter >= 2",
    "3 of them": "sel_a + sel_b + filter >= 3",
    "not 2 of them": "sel_a + sel_b + filter < 2",
    "2 of sel_* or filter": "(sel_a and sel_b) or filter",
}


@pytest.mark.parametrize(("condition", "meaning"), FORMS.items(), ids=list(FORMS))
def test_a_condition_means_what_it_says(condition, meaning):
    node = parse(condition, _nodes(SECTION))
    assert [node(Event(event)) for event in EVENTS] == [bool(eval(meaning, {}, event)) for event in EVENTS]  # noqa: S307


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("", "the end where a search identifier was expected"),
        ("sel_a and", "the end where a search identifier was expected"),
        ("and sel_a", '"and" where a search identifier was expected'),
        ("sel_a sel_b", '"sel_b" where "and", "or" or the end was expected'),
        ("(sel_a", 'the end where ")" was expected'),
        ("sel_a)", '")" where "and", "or" or the end was expected'),
        ("nowhere", '"nowhere" is not defined; defined: sel_a, sel_b, filter, _hidden'),
        ("notsel_a", '"notsel_a" is not defined'),
        ("sel_*", '"sel_*" where a search identifier was expected'),
        ("1 of other_*", 'no "other_*" is defined'),
        ("sel_a and not 1 of other_*", 'no "other_*" is defined'),
        ("1 of", 'the end where "them" or a pattern of search identifiers was expected'),
        ("5 of them", '"5 of them" — expected 1, any, all or a number up to 3'),
        ("0 of them", '"0 of them" — expected 1, any, all'),
        ("some of them", '"some of them" — expected 1, any, all'),
        ("sel_a | count() > 5", "aggregations after | are no longer part of Sigma; write a correlation"),
        ("| count() > 5", "aggregations after | are no longer part of Sigma"),
        ("sel_a and | count()", "aggregations after | are no longer part of Sigma"),
        ("(" * (DEPTH_MAX + 1) + "sel_a" + ")" * (DEPTH_MAX + 1), "nested deeper than 50"),
        ("not " * (DEPTH_MAX + 1) + "sel_a", "nested deeper than 50"),
    ],
)
def test_a_condition_that_is_none_says_what_was_expected(condition, reason):
    with pytest.raises(BadConditionError) as refusal:
        parse(condition, _nodes(SECTION))
    assert reason in str(refusal.value)


def test_names_may_hold_hyphens_and_begin_like_words_of_the_grammar():
    nodes = _nodes({"not-ready": {"a": 1}, "android": {"b": 1}, "order": {"c": 1}})
    node = parse("not-ready and android or order and 1 of not-*", nodes)
    assert [node(Event(event)) for event in ({"a": 1, "b": 1}, {"c": 1}, {"a": 1, "c": 1})] == [True, False, True]


def test_what_a_pipeline_dropped_drops_out_of_the_condition():
    nodes = _nodes({"kept": {"a": 1}}) | {"gone": None}
    for condition in ("kept and gone", "kept or gone", "kept and not gone", "1 of *", "all of them"):
        assert parse(condition, nodes)(Event({"a": 1})) is True
        assert parse(condition, nodes)(Event({"a": 0})) is False
    assert parse("not gone", nodes) is None


def test_conditions_in_a_list_are_alternatives(matches):
    detection = "a:\n    x: 1\nb:\n    y: 1\ncondition:\n    - a\n    - b and not a"
    assert matches(detection, {"x": 1})
    assert matches(detection, {"y": 1})
    assert not matches(detection, {"x": 0, "y": 0})


def test_every_condition_of_a_list_must_be_one(refusals):
    found = refusals("a:\n    x: 1\ncondition:\n    - a\n    - b\n    - 'a and'")
    assert len(found) == 2


@pytest.mark.parametrize("condition", ["", "null", "5", "[]", "{a: b}", "[5]"])
def test_a_condition_is_text(condition, refusals):
    [problem] = refusals(f"a:\n    x: 1\ncondition: {condition}")
    assert problem == "a.yml:8: condition is missing — expected text, or a list of texts"


def _nodes(section: dict[str, Any]) -> dict[str, Any]:
    from sigma.rule import SigmaDetection

    return {name: compile_detection(SigmaDetection.from_definition(item)) for name, item in section.items()}


_ATOMS = st.sampled_from([*NAMES, "1 of sel_*", "all of sel_*", "1 of them", "all of them", "any of f*"])
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
    ),
    max_leaves=6,
)


@given(_CONDITIONS)
def test_conditions_mean_what_they_mean_to_pysigma(condition):
    """Both parse the text; pySigma's tree is evaluated by the few lines below."""
    ours = parse(condition, _nodes(SECTION))
    theirs = SigmaDetections.from_dict({**SECTION, "condition": condition}).parsed_condition[0].parsed
    assert [ours(Event(event)) for event in EVENTS] == [_holds(theirs, event) for event in EVENTS]


def _holds(node: Any, event: dict[str, int]) -> bool:
    match node:
        case ConditionFieldEqualsValueExpression():
            return event[node.field] == node.value.number
        case ConditionNOT():
            return not _holds(node.args[0], event)
        case ConditionAND():
            return all(_holds(part, event) for part in node.args)
        case ConditionOR():
            return any(_holds(part, event) for part in node.args)
    raise AssertionError(node)
