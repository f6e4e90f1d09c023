"""Precision and recall over exercises: what is left out with the pasts, and what the counts come to."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.precision import seeds, summed_up, without_pasts
from fsoc.runtime.rules import load_ruleset


def test_without_pasts_the_rules_ask_for_none_and_are_otherwise_the_same():
    rules = load_ruleset()
    bare = without_pasts(rules)

    asked = {name for name, rule in rules.correlations.items() if rule.past and rule.past.counts_when != "drop"}
    assert len(asked) >= 5
    assert {name for name, rule in bare.correlations.items() if rule.past} == {
        name for name, rule in rules.correlations.items() if rule.past
    } - asked
    for name in asked:
        rule, before = bare.correlations[name], rules.correlations[name]
        assert (rule.rules, rule.condition, rule.timespan_ms) == (before.telling, before.condition, before.timespan_ms)


def one(found, missed, true, false):
    apart = SimpleNamespace(found=("a",), missed=(), false_alarms=())
    return SimpleNamespace(
        found=found,
        missed=missed,
        on_campaigns=true,
        false_alarms=("x",) * false,
        passes=not missed + false,
        feeds=apart,
        rules=apart,
    )


def test_seeds_are_added_up_before_they_are_divided():
    figures = summed_up([one(3, 1, 10, 0), one(4, 0, 5, 5)])

    assert (figures["recall"], figures["precision"]) == (7 / 8, 15 / 20)
    assert (figures["joint_alerts"], figures["false_alarms"], figures["seeds_passed"]) == (20, 5, 0)
    assert summed_up([])["precision"] is None


@pytest.mark.parametrize(("text", "meant"), [("3", [3]), ("201-203", [201, 202, 203])])
def test_seeds_are_written_as_one_or_as_from_to(text, meant):
    assert seeds(text) == meant
