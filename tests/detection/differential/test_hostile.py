"""Patterns and texts made to hurt: every engine comes back, with what the oracle finds. See benchmarks/hostile.py."""

from __future__ import annotations

import pytest
import re2

from benchmarks.hostile import LENGTH, hostile_rules, hostile_trials
from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules, matchers
from tests.detection.differential.engines import ENGINES, make

STATED = {"category": "test"}


@pytest.fixture(scope="module")
def hostile():
    """(rules, events of 8 KiB, what the plain evaluator finds in each). An engine that backtracks would not return."""
    rules = hostile_rules()
    events = [{trial.field: trial.text} for trial in hostile_trials()]
    plain = PlainDetector(rules, LogsourceMap())
    return rules, events, [plain.match_event(event, STATED) for event in events]


def test_the_texts_are_as_long_as_said_and_some_are_found(hostile):
    _, events, expected = hostile

    assert {len(event["f"]) for event in events} == {LENGTH}
    assert any(expected)
    assert not all(expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hostile_text_is_judged_as_the_oracle_judges_it(engine, hostile):
    rules, events, expected = hostile
    detector = make(engine, rules, LogsourceMap())

    assert [detector.match_event(event, STATED) for event in events] == expected


def test_every_pattern_runs_on_re2_and_asks_for_no_groups():
    pattern = matchers.Regex("(a)(b)").compiled

    assert isinstance(pattern, type(re2.compile("a")))
    assert pattern.options.never_capture


def test_a_large_pattern_may_remember_more_of_its_states():
    """With RE2's own bound this one takes hundreds of times as long on 8 KiB of a."""
    assert matchers.Regex("(a{1,30}){1,30}b").compiled.options.max_mem == matchers.LARGE_PATTERN_BYTES
    assert matchers.Regex("(a{1,3}){1,3}b").compiled.options.max_mem < matchers.LARGE_PATTERN_BYTES


@pytest.mark.parametrize("item", ["f|re: '(.{1,100}){1,10}z'", "f: '*" + "?" * 900 + "z'"])
def test_a_pattern_too_large_to_be_quick_is_refused_with_its_size(item):
    text = f"title: t\nlogsource: {{category: test}}\ndetection:\n  s:\n    {item}\n  condition: s\n"
    loaded = load_rules([Source("a.yml", text)])

    assert not loaded.rules
    (problem,) = map(str, loaded.problems)
    assert problem.startswith("a.yml:5: ")
    assert f"instructions, {matchers.INSTRUCTIONS_MAX} are allowed" in problem
