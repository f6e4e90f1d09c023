"""Anchors: where a rule holds one of its anchor's clauses does; which is chosen follows what was seen."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection import matchers, nodes
from fsoc.detection.event import Event
from fsoc.detection.logsource import Logsource
from fsoc.detection.plan import Rates, plan, replan
from fsoc.detection.program import flatten, matcher_of
from tests.detection.differential.engines import drawn_anchors
from tests.detection.differential.events import flat
from tests.detection.differential.rules import rule_of, rule_sets


def of(*conditions):
    return flatten([rule_of(index, each, Logsource(category="test")) for index, each in enumerate(conditions)])


def text(value, place="anywhere", field="A"):
    return nodes.Item(field, (matchers.Text(value, place),))


RARE, COMMON = text("a long text that is rare"), text("a")


def anchor(condition, rates=None):
    """The anchor of one rule, as the texts of its clauses."""
    program = of(condition)
    (chosen,) = plan(program, rates)
    return None if chosen is None else [getattr(program.clauses[each], "text", "") for each in chosen]


def test_of_what_must_all_hold_the_rarest_is_the_anchor():
    assert anchor(nodes.And((COMMON, RARE, text("bb")))) == ["a long text that is rare"]


def test_of_what_any_may_hold_each_is_in_the_anchor():
    assert anchor(nodes.Or((COMMON, text("b")))) == ["a", "b"]


def test_of_at_least_two_of_three_any_two_are_an_anchor():
    """One of three alone may be the one that does not hold."""
    assert anchor(nodes.AtLeast(2, (COMMON, text("bbb"), text("cccc")))) == ["bbb", "cccc"]


def test_of_at_least_all_one_is_an_anchor():
    assert anchor(nodes.AtLeast(3, (COMMON, text("bbb"), text("cccc")))) == ["cccc"]


def test_more_than_there_are_never_hold():
    assert anchor(nodes.AtLeast(3, (COMMON, RARE))) == []


def test_at_least_none_always_holds():
    assert anchor(nodes.AtLeast(0, (COMMON, RARE))) is None


def test_what_is_not_so_is_no_anchor():
    assert anchor(nodes.Not(RARE)) is None
    assert anchor(nodes.And((nodes.Not(RARE), COMMON))) == ["a"]


@pytest.mark.parametrize(
    "matcher",
    [matchers.Null(), matchers.Exists(wanted=True), matchers.Exists(wanted=False), matchers.SameAs("B", "whole")],
)
def test_what_no_single_value_decides_is_no_anchor(matcher):
    item = nodes.Item("A", (matcher,))

    assert anchor(item) is None
    assert anchor(nodes.Or((item, RARE))) is None
    assert anchor(nodes.And((item, COMMON))) == ["a"]


def test_and_of_nothing_always_holds_and_or_of_nothing_never():
    assert anchor(nodes.And(())) is None
    assert anchor(nodes.Or(())) == []


def test_what_was_seen_outweighs_what_was_supposed():
    """The long text turns out to be in every event."""
    both = nodes.And((RARE, COMMON))

    assert anchor(both, Rates(tried=[10_000, 10_000], hits=[10_000, 3])) == ["a"]
    assert anchor(both, Rates(tried=[1, 1], hits=[1, 0])) == ["a long text that is rare"]


def test_what_is_seen_to_hold_often_is_replaced_and_the_saving_told():
    """The first rule's anchor is in nine of ten events; the second's is rare, and stays though a rarer one is there."""
    program = of(nodes.And((RARE, COMMON)), nodes.And((text("b"), text("a much longer text"))))
    rates = Rates(tried=[10_000] * 4, hits=[9_000, 10, 50, 50])

    anchors, saved = replan(program, plan(program), rates)
    assert anchors == plan(program, rates)
    assert saved == pytest.approx(0.9, abs=0.02)


def test_a_rule_hardly_ever_tried_keeps_its_anchor():
    program = of(nodes.And((RARE, COMMON)))
    rates = Rates(tried=[100_000] * 2, hits=[500, 0])

    assert plan(program, rates) != plan(program)
    assert replan(program, plan(program), rates) == (plan(program), 0.0)


def test_replacing_goes_from_the_anchors_in_use():
    program = of(nodes.And((RARE, COMMON)))
    rates = Rates(tried=[10_000] * 2, hits=[9_000, 10])
    anchors, _ = replan(program, plan(program), rates)

    assert replan(program, anchors, rates) == (anchors, 0.0)
    assert replan(program, (None,), rates) == ((None,), 0.0)


def test_a_plan_is_the_same_every_time():
    program = of(nodes.AtLeast(1, (text("ab"), text("ba"), text("bb"))), nodes.And((text("cd"), text("dc"))))

    assert plan(program) == plan(program)


@given(rule_sets(), st.lists(flat(), min_size=1, max_size=3), st.integers(0, 99))
def test_where_a_rule_holds_one_clause_of_any_anchor_does(rules, events, seed):
    program = flatten(rules)
    items = [
        nodes.Item(None if each.field < 0 else program.fields[each.field], (matcher_of(program, each),))
        for each in program.clauses
    ]
    for anchors in (plan(program), drawn_anchors(program, random.Random(seed))):
        for rule, chosen in zip(rules, anchors, strict=True):
            for event in map(Event, events):
                if chosen is not None and rule.condition(event):
                    assert any(items[clause](event) for clause in chosen)
