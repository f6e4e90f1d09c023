"""Conditions as functions: they are true of what the nodes are true of, and say what they leave out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.detection.event import Event
from fsoc.detection.fast.conditions import Facts, SeveralError, Vocabulary, compiled, evaluate, without
from fsoc.detection.program import (
    EVERYTHING,
    And,
    AtLeast,
    Is,
    Not,
    Null,
    Number,
    Or,
    Program,
    Regex,
    Text,
    Wildcards,
    unflatten,
)

CLAUSES = (
    Text(0, "a", "anywhere"),
    Text(0, "b", "start"),
    Text(0, "c", "end"),
    Text(0, "abc", "whole"),
    Text(0, "A", "anywhere", cased=True),
    Text(0, "5", "whole", number="5"),
    Text(1, "a", "anywhere"),
    Number(1, "5"),
    Number(1, "6.5"),
    Null(1),
    Regex(0, "b.$"),
    Wildcards(0, ("a", 0, "c")),
    Text(EVERYTHING, "ab", "anywhere"),
    *(Text(0, f"{letter}{letter}", "anywhere") for letter in "abcdefghijklmno"),
)
CONDITIONS = st.recursive(
    st.integers(0, len(CLAUSES) - 1).map(Is),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6).map(tuple).map(And),
        st.lists(inner, max_size=20).map(tuple).map(Or),
        st.builds(AtLeast, st.integers(0, 4), st.lists(inner, max_size=4).map(tuple)),
        inner.map(Not),
    ),
    max_leaves=24,
)
TEXTS = st.text("abcABC5.", max_size=4)
VALUES = st.one_of(TEXTS, st.sampled_from([5, 5.0, 6.5, True, None]), st.lists(TEXTS, max_size=2))


def _known(*conditions):
    return Vocabulary(Program(("x", "y"), CLAUSES, conditions, ((None, None, None),) * len(conditions)))


@settings(deadline=None)
@given(CONDITIONS, st.lists(st.dictionaries(st.sampled_from("xy"), VALUES), min_size=1, max_size=5))
def test_a_function_is_true_of_what_its_condition_is_true_of(condition, events):
    known = _known(condition)
    (node,) = unflatten(known.program)
    test = compiled(condition, known)
    for event in events:
        facts = Facts(known, event, {})
        expected = node(Event(event))
        assert evaluate(condition, Facts(known, event, {}), known.stride) is expected
        try:
            assert test(facts) is expected
        except SeveralError:
            assert any(isinstance(value, list) and len(value) > 1 for value in event.values())


@pytest.mark.parametrize("clause", range(len(CLAUSES)))
def test_every_kind_of_clause_is_what_its_matcher_says(clause):
    known = _known(Is(clause))
    (node,) = unflatten(known.program)
    values = ["", "a", "abc", "aXc", "cA", "ba", "BAB", "5", "5.0", 5, 5.0, 6.5, True, None, {"z": "ab"}, [], ["a"]]
    test = compiled(Is(clause), known)
    for event in ({}, *({name: value} for name in "xy" for value in values)):
        assert test(Facts(known, event, {})) is node(Event(event)), event


@pytest.mark.parametrize("name", ["x", "y"])
def test_what_lies_over_a_field_hides_it(name):
    facts = Facts(_known(), {"x": "one", "y": "one"}, {name: "TWO"})
    assert [facts[0], facts[1]] == ["two" if each == name else "one" for each in "xy"]


def test_deep_conditions_are_evaluated_part_by_part():
    condition = Is(0)
    for _ in range(120):
        condition = Not(Not(condition))
    known = _known(condition)
    assert compiled(condition, known)(Facts(known, {"x": "a"}, {}))


@pytest.mark.parametrize(
    ("condition", "anchor", "left"),
    [
        (Is(0), {0}, And(())),
        (Or((Is(0), Or((Is(1), Is(2))))), {0, 1, 2}, And(())),
        (Or((Is(0), Is(1), Is(2))), {0, 1}, And(())),
        (And((Is(0), Is(3))), {0}, And((Is(3),))),
        (And((And((Is(0), Is(3))), Is(4))), {0}, And((And((Is(3),)), Is(4)))),
        # One of the anchor's clauses holds; not each.
        (And((Or((And((Is(0), Is(3))), Is(1))), Is(0))), {0, 1}, None),
        (Or((And((Is(0), Is(3))), Is(1))), {0, 1}, None),
        (And((Is(0), Is(3))), set(), None),
        (Not(Is(0)), {0}, None),
        (AtLeast(2, (Is(0), Is(1))), {0}, None),
    ],
)
def test_what_the_anchor_says_is_left_out_and_nothing_else(condition, anchor, left):
    assert without(condition, frozenset(anchor)) == (condition if left is None else left)
