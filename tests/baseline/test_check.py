"""Items against rules, ATT&CK and their tests."""

from __future__ import annotations

import pytest

from fsoc.baseline.check import Against, check
from fsoc.baseline.model import Baseline

SCRIPTS = {"night": {"dump": {"f837ba7e-24b5-4e86-92e0-dd0570681f3a"}, "fetch": set()}}


@pytest.fixture
def checked(read, item, loaded, detector):
    def found(**changes):
        baseline = Baseline("2026.4", "19", read(item(**changes)).items)
        assert baseline.items, "the entry could not be read"
        against = Against(loaded.rules.rules, detector, loaded.techniques, SCRIPTS, ("Process Creation",))
        return check(baseline, against)

    return found


def test_what_is_right_has_no_problem(checked):
    problems, _ = checked()

    assert problems == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"technique": "T1003.099"}, "technique 'T1003.099' is not in ATT&CK 19; its parent is known: T1003"),
        ({"technique": "T1562.001"}, "in ATT&CK 19 it is T1685"),
        ({"tactic": "impact"}, "T1003.001 is not of tactic impact, but of credential-access"),
        ({"tactic": "credentials"}, "tactic 'credentials'"),
        ({"sources": ["Process Creations"]}, 'did you mean "Process Creation"?'),
        (
            {"rules": ["lsass_memory_dump"], "test": [{"rule": "lsass_memory_dump", "event": {"a": 1}}]},
            'is no detection of ours; did you mean "lsass_memory_dumped"?',
        ),
        ({"test": [{"rule": "lsass_memory_dumped", "event": {"Image": "C:\\a.exe"}}]}, "does not match its event"),
        ({"test": [{"script": "nihgt", "step": "dump"}]}, "script 'nihgt' is unknown; known: night"),
        ({"test": [{"script": "night", "step": "dmp"}]}, "night has no step 'dmp'; it has: dump, fetch"),
        ({"test": [{"script": "night", "step": "fetch"}]}, "expects none of the item's rules"),
        ({"references": ["f837ba7e-24b5-4e86-92e0-dd0570681f3a"]}, "is a detection of ours"),
    ],
)
def test_what_is_wrong_is_told(checked, changes, told):
    problems, _ = checked(**changes)

    assert any(told in problem.text for problem in problems), problems


def test_a_step_of_a_script_is_a_test(checked):
    problems, _ = checked(test=[{"script": "night", "step": "dump"}])

    assert problems == []


def test_a_rule_about_tickets_is_nothing_that_an_institution_can_run(checked, loaded):
    about_tickets = next(rule for rule in loaded.rules.rules if rule.logsource.product == "fsoc")

    problems, _ = checked(rules=[about_tickets.id], test=[{"rule": about_tickets.id, "event": {"severity": 4}}])

    assert any("is about tickets" in problem.text for problem in problems)


def test_a_category_that_does_not_fit_the_technique_is_a_warning(checked):
    problems, warnings = checked(trigger__category="availability.ddos")

    assert problems == []
    assert any("FB-0801: trigger: availability.ddos: " in warning.text for warning in warnings)


def test_a_rule_that_is_not_tagged_with_the_technique_and_what_is_left_out_are_warnings(checked):
    problems, warnings = checked(technique="T1003.002")

    assert problems == []
    texts = [warning.text for warning in warnings]
    assert any("rule lsass_memory_dumped is not tagged with T1003.002" in text for text in texts)
    assert "no item is of tactic impact" in texts
    assert "sam_hive_saved is in no item of the baseline" in texts
