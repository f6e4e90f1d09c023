"""Reading correlation rules: what is understood, and that nothing else passes in silence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fsoc.correlation.rules import Condition, parse, timespan_ms

DETECTIONS = [SimpleNamespace(id="detection", name="by_name"), SimpleNamespace(id="other", name=None)]


def test_a_rule_may_name_its_detections_by_id_or_name(document):
    rules, problems = parse([document(rules=["by_name", "other"])], DETECTIONS)

    assert not problems
    assert rules[0].rules == {"detection", "other"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90_000), ("15m", 900_000), ("4h", 14_400_000), ("3d", 259_200_000), ("1w", 604_800_000)],
)
def test_timespans(text, expected):
    assert timespan_ms(text) == expected


@pytest.mark.parametrize("text", ["5x", "h", "", "0s", "-4h", "4 h", None, "1.5h", "32d", "1y"])
def test_a_timespan_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="timespan"):
        timespan_ms(text)


@pytest.mark.parametrize(
    ("bounds", "holding"),
    [
        ({"gt": 2}, [3, 4, 5]),
        ({"gte": 3}, [3, 4, 5]),
        ({"lt": 2}, [0, 1]),
        ({"lte": 2}, [0, 1, 2]),
        ({"eq": 2}, [2]),
        ({"neq": 2}, [0, 1, 3, 4, 5]),
        ({"gt": 1, "lte": 3}, [2, 3]),
    ],
)
def test_conditions(bounds, holding):
    condition = Condition(tuple(bounds.items()))

    assert [n for n in range(6) if condition.holds(n)] == holding


@pytest.mark.parametrize(
    ("bounds", "rising"),
    [({"gte": 3}, True), ({"gt": 3}, True), ({"eq": 3}, False), ({"gte": 3, "lte": 5}, False), ({"neq": 1}, False)],
)
def test_only_lower_bounds_can_be_raised_at_once(bounds, rising):
    assert Condition(tuple(bounds.items())).rising is rising


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "temporal"}, 'type "temporal"'),
        ({"rules": ["nobody"]}, '"nobody"'),
        ({"rules": []}, "rules is missing"),
        ({"timespan": "5x"}, 'timespan "5x"'),
        ({"condition": {"field": "institution"}}, "no operator"),
        ({"condition": {"gte": 3}}, "needs condition.field"),
        ({"condition": {"gte": "3", "field": "institution"}}, "whole number"),
        ({"condition": {"gte": True, "field": "institution"}}, "whole number"),
        ({"condition": {"atleast": 3, "field": "institution"}}, '"atleast"'),
        ({"condition": None}, "condition is missing"),
        ({"type": "event_count"}, "takes no condition.field"),
        ({"group-by": [1]}, "group-by"),
        ({"window": "1h"}, "correlation.window is unknown"),
        ({"generate": True}, "generate"),
        ({"aliases": {"who": {"nobody": "User"}}}, '"nobody"'),
        ({"aliases": {"who": "User"}}, "aliases.who"),
        ({"fsoc": {"independant": True}}, "fsoc.independant is unknown"),
        ({"fsoc": {"independent": "yes"}}, "fsoc.independent"),
        ({"fsoc": {"scope": "galaxy"}}, "fsoc.scope"),
        ({"fsoc": {"scope": "institution"}}, "needs institution in group-by"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_place_and_reason(document, change, says):
    rules, problems = parse([document(**change)], DETECTIONS)

    assert rules == ()
    assert all(problem.where == "rule.yml:1" for problem in problems)
    assert any(says in problem.text for problem in problems), problems


def test_a_bad_rule_is_refused_alone_and_all_its_errors_are_named(document):
    bad = document(timespan="5x", type="temporal", condition={"gte": 3})
    good = document()
    rules, problems = parse([bad, good], DETECTIONS)

    assert [rule.id for rule in rules] == ["rule-1"]
    assert len(problems) == 2


def test_an_id_used_twice_is_refused(document):
    rules, problems = parse([document(), document()], DETECTIONS)

    assert len(rules) == 1
    assert "used twice" in problems[0].text


def test_a_name_that_two_detections_share_names_neither(document):
    twins = [SimpleNamespace(id="a", name="twin"), SimpleNamespace(id="b", name="twin")]
    rules, problems = parse([document(rules=["twin"])], twins)

    assert rules == ()
    assert "2 detections" in problems[0].text
