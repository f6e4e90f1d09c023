"""Correlations that name correlations: which chains there may be, and what a match feeds outwards."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest

from fsoc.correlation import chains
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.reader import parse

DETECTIONS = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
DAY = 86_400_000


@pytest.fixture
def read(document):
    """Rules by id and problems of documents given as id → changes of the correlation."""

    def build(**correlations):
        documents = []
        for name, changes in correlations.items():
            one = document(**{"type": "event_count", "condition": {"gte": 2}, **changes})
            one.data["id"] = name
            documents.append(one)
        rules, problems = parse(documents, DETECTIONS)
        return {rule.id: rule for rule in rules}, [problem.text for problem in problems]

    return build


def test_a_chain_may_be_four_deep_and_no_deeper(read):
    named = {"a": ["detection"], "b": ["a"], "c": ["b", "detection"], "d": ["c", "a"], "e": ["d"], "f": ["e"]}
    rules, problems = read(**{name: {"rules": inner} for name, inner in named.items()})

    assert {name: rule.depth for name, rule in rules.items()} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert [text.partition(":")[2].strip() for text in problems[:1]] == ["a chain of 5 correlations, limit 4"]
    assert 'names "e", a correlation that is refused' in problems[1]


def test_a_chain_that_leads_back_to_itself_is_refused_and_what_hangs_on_it_too(read):
    named = {"a": ["b"], "b": ["c", "detection"], "c": ["a"], "d": ["d"], "e": ["a"], "f": ["detection"]}
    rules, problems = read(**{name: {"rules": inner} for name, inner in named.items()})

    assert list(rules) == ["f"]
    assert "leads back to itself: a → b → c → a" in problems[0]
    assert "leads back to itself: d → d" in problems[3]
    assert 'names "a", a correlation that is refused' in problems[4]


def test_a_correlation_may_be_named_by_its_name(read, document):
    inner, outer = document(), document(type="event_count", rules=["spree"], condition={"gte": 2})
    inner.data["name"], outer.data["id"] = "spree", "outer"
    rules, problems = parse([outer, inner], DETECTIONS)

    assert not problems
    assert {rule.id: rule.rules for rule in rules} == {"outer": ("rule-1",), "rule-1": ("detection",)}


def test_numbers_are_not_taken_from_a_correlation(read):
    summed = {"type": "value_sum", "rules": ["a"], "condition": {"gte": 2, "field": "n"}}
    rules, problems = read(a={}, b=summed)

    assert list(rules) == ["a"]
    assert problems == ['value_sum reckons with a field of detections, and "a" is a correlation: it has no numbers']


@pytest.mark.parametrize(("generate", "silent"), [(False, True), (True, False)])
def test_a_correlation_that_is_named_raises_no_alert_of_its_own_unless_it_is_asked_to(read, generate, silent):
    rules, _ = read(a={}, b={"rules": ["a"], "generate": generate}, c={"rules": ["a"]})

    assert (rules["a"].silent, rules["b"].silent) == (silent, False)


def test_an_entry_is_kept_until_nothing_outside_can_need_it(read):
    rules, _ = read(a={"timespan": "1h"}, b={"timespan": "30d", "rules": ["a"]})

    assert rules["b"].retention_ms == 90 * DAY
    assert rules["a"].retention_ms == 90 * DAY + 2 * 3_600_000


def test_an_entry_is_kept_for_whoever_outside_needs_it_longest_however_far_out(read):
    """The innermost outlasts the one that names it, which outlasts the one that names that for 30 days."""
    rules, _ = read(
        a={"timespan": "1h"},
        b={"timespan": "1h", "rules": ["a"]},
        c={"timespan": "30d", "rules": ["b"]},
        d={"rules": ["a"]},
    )

    hour = 3_600_000
    assert [rules[name].retention_ms for name in "cba"] == [90 * DAY, 90 * DAY + 2 * hour, 90 * DAY + 4 * hour]


def feeds(rules, body, matches=(("detection", -1),)):
    full = {"environment": "production", "severity": 3, **body}
    return Feeder(rules.values()).feeds(matches, TicketFields(full, "fi-001"), "holding", 0)


def shown(onward):
    return {(one.rule, *orjson.loads(one.group)): (list(one.values), shown(one.onward)) for one in onward}


def observables(*values):
    return {"observables": [{"type": "domain", "value": value, "role": "attacker"} for value in values]}


def test_a_match_has_its_groups_values_and_its_tickets_other_fields(read):
    """Two indicators: the inner group of one says nothing of the other."""
    rules, _ = read(
        a={"group-by": ["indicator"]},
        b={"rules": ["a"], "group-by": ["indicator", "category"]},
        c={
            "type": "value_count",
            "rules": ["b"],
            "group-by": ["category"],
            "condition": {"gte": 2, "field": "indicator"},
        },
    )
    found, cut = feeds(rules, {**observables("x", "y"), "category": "q"})

    assert [(feed.rule, feed.group) for feed in found] == [("a", '["x"]'), ("a", '["y"]')]
    assert shown(found[0].onward) == {("b", "x", "q"): ([], {("c", "q"): ([("x",)], {})})}
    assert shown(found[1].onward) == {("b", "y", "q"): ([], {("c", "q"): ([("y",)], {})})}
    assert cut == 0


def test_who_asks_for_other_rules_is_told_at_the_match_and_who_counts_at_the_ticket(read):
    both = {"rules": ["a", "other"], "group-by": [], "condition": None}
    rules, _ = read(
        a={"group-by": []},
        b={"rules": ["a"], "group-by": []},
        c={"type": "temporal", **both},
        d={"type": "temporal_ordered", **both},
        e={"type": "value_count", "rules": ["a"], "group-by": [], "condition": {"gte": 2, "field": "institution"}},
    )
    (feed, *_), _ = feeds(rules, {})

    assert {one.rule: one.at_match for one in feed.onward} == {"b": False, "c": True, "d": True, "e": False}


def test_aliases_are_of_the_rule_that_is_named(read):
    rules, problems = read(
        a={"group-by": ["user"], "aliases": {"user": {"detection": "TargetUserName"}}},
        b={"rules": ["a", "other"], "group-by": ["who"], "aliases": {"who": {"a": "user", "other": "User"}}},
    )
    evidence = [{"fields": {"TargetUserName": "eve"}}, {"fields": {"User": "eve"}}]
    found, _ = feeds(rules, {"evidence": evidence}, [("detection", 0), ("other", 1)])

    assert not problems
    assert [(feed.rule, feed.group, feed.rules) for feed in found] == [
        ("a", '["eve"]', ("detection",)),
        ("b", '["eve"]', ("other",)),
    ]
    assert shown(found[0].onward) == {("b", "eve"): ([], {})}


def test_what_no_correlation_on_the_way_groups_by_is_called_as_each_calls_it(read):
    rules, problems = read(
        a={"group-by": [], "aliases": {"user": {"detection": "TargetUserName"}}},
        b={"rules": ["a"], "group-by": [], "aliases": {"who": {"a": "user"}}},
        c={"rules": ["b"], "group-by": ["person"], "aliases": {"person": {"b": "who"}}},
    )
    (feed,), _ = feeds(rules, {"evidence": [{"fields": {"TargetUserName": "eve"}}]}, [("detection", 0)])

    assert not problems
    assert shown(feed.onward) == {("b",): ([], {("c", "eve"): ([], {})})}


def test_who_counts_once_counts_once_outside_too(read, document):
    inner = document(type="event_count", condition={"gte": 2})
    outer = document(rules=["rule-1"], condition={"gte": 2, "field": "institution"}, fsoc={"independent": True})
    outer.data["id"] = "outer"
    rules, _ = parse([inner, outer], DETECTIONS)
    found, _ = feeds({rule.id: rule for rule in rules}, observables("x"))

    assert shown(found[0].onward) == {("outer", "x"): ([("holding",)], {})}


def test_a_match_without_what_the_outer_rule_groups_or_counts_by_feeds_it_nothing(read):
    rules, _ = read(
        a={"group-by": []},
        b={"rules": ["a"], "group-by": ["category"]},
        c={"type": "value_count", "rules": ["a"], "group-by": [], "condition": {"gte": 2, "field": "User"}},
    )

    assert [feed.onward for feed in feeds(rules, {})[0]] == [()]


def test_groups_and_values_of_all_depths_together_are_bounded(read, monkeypatch):
    monkeypatch.setattr(chains, "GROUPS_MAX", 4)
    rules, _ = read(a={"group-by": []}, b={"rules": ["a"]}, c={"rules": ["b"]})
    (feed,), cut = feeds(rules, observables(*"uvwxyz"))

    assert shown(feed.onward) == {("b", name): ([], {("c", name): ([], {})}) for name in "uv"}
    assert cut == 4
