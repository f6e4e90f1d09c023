"""Reading correlation rules: what is understood, and that nothing else passes in silence."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import msgspec
import pytest

from fsoc.correlation.conditions import Condition
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import CorrelationRule, timespan_ms

LINK = {"link": True, "independent": True}
DETECTIONS = [SimpleNamespace(id="detection", name="by_name"), SimpleNamespace(id="other", name=None)]


def test_a_rule_may_name_its_detections_by_id_or_name(document):
    rules, problems = parse([document(rules=["by_name", "other"])], DETECTIONS)

    assert not problems
    assert rules[0].rules == ("detection", "other")


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
        ({"type": "near"}, 'type "near"'),
        ({"rules": ["by_name", "detection"]}, 'names "detection" twice'),
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
        ({"generate": "yes"}, 'generate is "yes"'),
        ({"condition": {"gte": 2.5, "field": "institution"}}, "whole number"),
        ({"condition": {"gte": 2, "field": "institution", "percentile": 5}}, "takes no condition.percentile"),
        ({"type": "temporal", "condition": {"gte": 1, "field": "x"}}, "temporal takes no condition.field"),
        ({"type": "temporal", "condition": {"gte": 3}}, "never holds: between 1 and 1 rules"),
        ({"type": "temporal_ordered", "condition": {"lt": 1}}, "never holds"),
        ({"type": "temporal", "condition": "detection and not other"}, "no part of Sigma 2.1"),
        ({"type": "value_sum", "condition": {"gte": 1}}, "value_sum needs condition.field"),
        ({"type": "value_sum", "condition": {"gte": 1, "field": ["a", "b"]}}, "one condition.field, not 2"),
        ({"type": "value_avg", "condition": {"gte": "1", "field": "a"}}, "expected a number"),
        ({"type": "value_avg", "condition": {"gte": float("inf"), "field": "a"}}, "expected a number"),
        ({"type": "value_percentile", "condition": {"gte": 1, "field": "a"}}, 'percentile: "None"'),
        ({"type": "value_percentile", "condition": {"gte": 1, "field": "a", "percentile": 101}}, "from 0 to 100"),
        ({"group-by": ["observable:ipv5"]}, 'group-by: "observable:ipv5" — expected observable: and one of ipv4, ipv6'),
        ({"condition": {"gte": 2, "field": "observable:"}}, 'condition.field: "observable:"'),
        ({"aliases": {"who": {"other": "observable:x"}}}, 'aliases.who: "observable:x"'),
        ({"fsoc": {"non_negative": 1}}, "fsoc.non_negative"),
        ({"aliases": {"who": {"nobody": "User"}}}, '"nobody"'),
        ({"aliases": {"who": "User"}}, "aliases.who"),
        ({"fsoc": {"independant": True}}, "fsoc.independant is unknown"),
        ({"fsoc": {"independent": "yes"}}, "fsoc.independent"),
        ({"fsoc": {"scope": "galaxy"}}, 'fsoc.scope is "galaxy" — expected one of sector, institution, feed, rule'),
        ({"fsoc": {"scope": ["rule"]}}, "fsoc.scope is \"['rule']\" — expected one of sector"),
        ({"fsoc": {"scope": "institution"}}, "fsoc.scope: institution needs institution in group-by"),
        ({"fsoc": {"scope": "rule"}}, "fsoc.scope: rule needs trigger.rule_id in group-by"),
        ({"fsoc": {"scope": "rule"}, "group-by": ["institution"]}, "needs trigger.rule_id in group-by"),
        (
            {"fsoc": {**LINK, "scope": "rule"}, "group-by": ["trigger.rule_id"]},
            "fsoc.link: true raises no alert that could be of fsoc.scope: rule",
        ),
        ({"fsoc": {"link": "yes", "independent": True}}, 'fsoc.link is "yes"'),
        ({"fsoc": {"link": True}}, "fsoc.link: true needs value_count of institution, and fsoc.independent"),
        ({"fsoc": LINK, "condition": {"gte": 2, "field": "User"}}, "needs value_count of institution"),
        ({"fsoc": LINK, "type": "event_count", "condition": {"gte": 2}}, "needs value_count of institution"),
        ({"fsoc": LINK, "group-by": []}, "needs a group-by other than institution"),
        ({"fsoc": LINK, "group-by": ["institution"]}, "needs a group-by other than institution"),
        ({"fsoc": LINK, "condition": {"gte": 1, "field": "institution"}}, "that two institutions or more meet"),
        ({"fsoc": LINK, "condition": {"gte": 2, "lt": 9, "field": "institution"}}, "two institutions or more"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_place_and_reason(document, change, says):
    rules, problems = parse([document(**change)], DETECTIONS)

    assert rules == ()
    assert all(problem.where == "rule.yml:1" for problem in problems)
    assert any(says in problem.text for problem in problems), problems


@pytest.mark.parametrize(
    ("scope", "group_by"),
    [
        ("sector", ["indicator"]),
        ("institution", ["institution"]),
        ("feed", ["institution", "feed"]),
        ("rule", ["trigger.rule_id"]),
        ("rule", ["assets.type", "trigger.rule_id"]),
    ],
)
def test_a_scope_is_read_where_the_group_by_has_what_it_is_about(rule, scope, group_by):
    asked = rule(**{"group-by": group_by}, fsoc={"scope": scope})

    assert asked.scope == scope
    assert rule().scope == "sector"
    assert msgspec.json.decode(msgspec.json.encode(asked), type=CorrelationRule) == asked


@pytest.mark.parametrize("bounds", [{"gte": 2}, {"gt": 1}])
def test_a_link_is_read_and_a_rule_that_names_it_does_not_silence_it(document, bounds):
    link = document(fsoc=LINK, condition={**bounds, "field": "institution"})
    outer = document(rules=["rule-1"])
    outer.data["id"] = "outer"

    rules, problems = parse([link, outer], DETECTIONS)

    assert not problems
    assert [(rule.id, rule.link, rule.silent) for rule in rules] == [("rule-1", True, False), ("outer", False, False)]


def test_a_temporal_rule_without_a_condition_asks_for_all_its_rules(rule):
    both = rule(type="temporal_ordered", rules=["one", "two"], condition=None)

    assert (both.rules, str(both.condition)) == (("one", "two"), "gte 2")


def test_bounds_and_percentiles_are_what_their_text_says(rule):
    tail = rule(type="value_percentile", condition={"gte": 0.1, "percentile": 99.9, "field": "n"})

    assert tail.condition.bounds == (("gte", 0.1),)
    assert tail.condition.holds(Fraction(1, 10))  # which is less than the float
    assert tail.percentile == 99.9


def test_a_sum_is_raised_at_once_only_where_numbers_below_zero_do_not_count(rule):
    asked = {"type": "value_sum", "condition": {"gte": 10, "field": "n"}}

    assert not rule(**asked).rising
    assert rule(**asked, fsoc={"non_negative": True}).rising


def test_a_rule_without_an_id_is_called_by_its_name_or_else_its_title(document):
    nameless = document()
    del nameless.data["id"]
    named = document()
    named.data.update(id=None, name="three_see_one")

    assert [rule.id for rule in parse([nameless, named], DETECTIONS)[0]] == ["Three see one", "three_see_one"]


def test_a_bad_rule_is_refused_alone_and_all_its_errors_are_named(document):
    bad = document(timespan="5x", type="near", condition={"gte": 3})
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
    assert "2 rules are called" in problems[0].text
