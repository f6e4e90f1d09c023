"""Several documents in a file: `action: global`, `reset`, `repeat`."""

from __future__ import annotations

import pytest

from fsoc.detection import LogsourceMap, PlainDetector

GLOBAL = """\
action: global
title: Shared
level: high
logsource:
    category: test
detection:
    condition: selection
---
"""


def match(loaded, event):
    return PlainDetector(loaded.rules, LogsourceMap()).match_event(event, {"category": "test"})


def part(rule_id: str, selection: str) -> str:
    return f"id: {rule_id}\ntitle: t-{rule_id}\ndetection:\n    selection: {selection}\n---\n"


def test_a_global_document_is_merged_into_those_after_it(load):
    loaded = load(GLOBAL + part("one", "{a: 1}") + part("two", "{a: 2}"))
    assert [(rule.id, rule.title, rule.level) for rule in loaded.rules] == [
        ("one", "Shared", "high"),
        ("two", "Shared", "high"),
    ]
    assert match(loaded, {"a": 2}) == ["two"]


def test_several_globals_add_up(load):
    loaded = load(GLOBAL + "action: global\nlevel: low\n---\n" + part("one", "{a: 1}"))
    assert [rule.level for rule in loaded.rules] == ["low"]


def test_reset_forgets_the_globals(load):
    loaded = load(GLOBAL + part("one", "{a: 1}") + "action: reset\n---\n" + part("two", "{a: 2}"))
    assert [rule.id for rule in loaded.rules] == ["one"]
    reasons = [problem.text for problem in loaded.problems]
    assert "logsource is missing — expected a mapping with product, category or service" in reasons


def test_a_global_ends_with_its_file(load):
    loaded = load(GLOBAL + part("one", "{a: 1}"), part("two", "{a: 2}"))
    assert [rule.id for rule in loaded.rules] == ["one"]


def test_repeat_is_the_rule_before_it_with_changes(load):
    repeated = "action: repeat\nid: two\ntitle: Other\ndetection:\n    selection:\n        a: 2\n"
    loaded = load(GLOBAL + part("one", "{a: 1, b: 1}") + repeated)
    assert [rule.id for rule in loaded.rules] == ["one", "two"]
    assert match(loaded, {"a": 2, "b": 1}) == ["two"]
    assert match(loaded, {"a": 2}) == []


def test_a_repeat_without_an_id_of_its_own_is_a_variant_of_the_same_rule(load):
    loaded = load(GLOBAL + part("one", "{a: 1}") + "action: repeat\ndetection:\n    selection:\n        a: 2\n")
    assert not loaded.problems
    assert match(loaded, {"a": 1}) == match(loaded, {"a": 2}) == ["one"]


def test_variants_that_both_match_are_one_match(load):
    loaded = load(GLOBAL + part("one", "{a: 1}") + "action: repeat\ndetection:\n    selection:\n        a: '*'\n")
    assert match(loaded, {"a": 1}) == ["one"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("action: repeat\n", "a.yml:1: repeat has no rule before it in this file"),
        ("title: t\naction: again\n", 'a.yml:2: action "again" — expected global, reset or repeat'),
    ],
)
def test_an_action_that_cannot_be_carried_out_is_a_problem(text, reason, load):
    assert [str(problem) for problem in load(text).problems] == [reason]


def test_correlations_and_filters_take_nothing_from_globals(load):
    correlation = "title: c\nid: c\ncorrelation: {type: event_count}\n"
    loaded = load(GLOBAL + correlation)
    [document] = loaded.correlations
    assert dict(document.data) == {"title": "c", "id": "c", "correlation": {"type": "event_count"}}
    assert (document.path, document.line) == ("a.yml", 9)
