"""The baseline that fsoc ships, and what it is asked."""

from __future__ import annotations

import pytest

from fsoc.baseline.check import Against, check
from fsoc.baseline.model import THEMES

LSASS = "f837ba7e-24b5-4e86-92e0-dd0570681f3a"


def test_the_shipped_baseline_has_no_problem_and_no_warning(loaded, detector):
    problems, warnings = check(loaded.baseline, Against(loaded.rules.rules, detector, loaded.techniques))

    assert list(loaded.problems) == []
    assert [problem for problem in problems if "test: script" not in problem.text] == []
    assert warnings == []


def test_there_are_sixty_items_and_more_over_every_tactic_and_theme(loaded):
    items = loaded.baseline.items.values()

    assert len(items) >= 60
    assert {item.tactic for item in items} == set(loaded.techniques.tactic_order())
    assert {theme for item in items for theme in item.themes} == set(THEMES)


def test_higher_tiers_must_see_all_that_lower_ones_must(loaded):
    by_tier = [{item.id for item in loaded.baseline.of_tier(tier)} for tier in (1, 2, 3)]

    assert by_tier[0] >= by_tier[1] >= by_tier[2]
    assert by_tier[2]


@pytest.mark.parametrize("rule_id", ["FB-0801", LSASS])
def test_a_ticket_names_an_item_by_its_id_or_by_a_detections(loaded, rule_id):
    named = loaded.baseline.named_by({"kind": "baseline", "rule_id": rule_id})

    assert [item.id for item in named] == ["FB-0801"]


@pytest.mark.parametrize("trigger", [{"kind": "local", "rule_id": "FB-0801"}, {"kind": "baseline"}, {}])
def test_other_triggers_name_none(loaded, trigger):
    assert loaded.baseline.named_by(trigger) == ()
