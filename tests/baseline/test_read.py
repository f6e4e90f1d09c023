"""Reading the baseline: what an item must say, and each error with its line."""

from __future__ import annotations

import pytest

from fsoc.baseline.read import read_baseline, read_items
from fsoc.errors import RefusedToStart
from tests.baseline.conftest import RULE


def test_an_item_is_read_whole_and_its_rules_are_known_by_id(read, item):
    reading = read(item())

    assert reading.problems == []
    (found,) = reading.items
    assert found.rules == (RULE,)
    assert found.trigger.within_ms == 600_000
    assert found.samples[0].rule == RULE
    assert found.where == "items.yml:2"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title_zh": ...}, "title_zh: is missing"),
        ({"why_zh": "in English"}, "why_zh: expected Traditional Chinese"),
        ({"tiers": ...}, "tiers: expected a list of 1, 2, 3"),
        ({"tiers": [3, 1]}, "tiers: expected"),
        ({"tiers": [True]}, "tiers: expected"),
        ({"test": ...}, "test: expected a list"),
        ({"test": [{"rule": "lsass_memory_dumped"}]}, "test: expected {rule: …, event: {…}}"),
        ({"id": "FB-1"}, "expected FB- and four digits"),
        ({"themes": ["swfit"]}, 'did you mean "swift"?'),
        ({"references": ["abc"]}, "is no id of a Sigma rule"),
        ({"rules": ["lsass_memory_dumped", "other"]}, "rule other: no test shows that it works"),
        ({"rules": []}, "rules: expected a list, and something in it"),
        ({"trigger__count": 0}, "count: found '0', expected a number from 1"),
        ({"trigger__within": "10 minutes"}, "within: '10 minutes' is no duration"),
        ({"trigger__within": "31d"}, "within: longer than 30d"),
        ({"trigger__severity": 6}, "severity: found '6'"),
        ({"trigger__category": "intrusions.system"}, "did you mean"),
        ({"trigger__asset": "laptop"}, "asset:"),
        ({"trigger__carries": ["evidense"]}, 'did you mean "evidence"?'),
        ({"trigger__per": 7}, "per: found '7'"),
        ({"owner": "me"}, '"owner" is unknown'),
    ],
)
def test_what_is_wrong_with_an_item_is_told_with_its_line(read, item, changes, told):
    reading = read(item(**changes))

    assert reading.items == []
    assert any(told in problem.text for problem in reading.problems), reading.problems
    assert all(problem.where.startswith("items.yml:") for problem in reading.problems)


def test_all_that_is_wrong_is_told_at_once(read, item):
    reading = read(item(title_zh=..., tiers=[9]), item(id="FB-0802"))

    assert len(reading.problems) == 2
    assert [found.id for found in reading.items] == ["FB-0802"]


def test_an_id_is_used_once(read, item):
    reading = read(item(), item())

    assert "FB-0801 is already at items.yml:2" in reading.problems[0].text


def test_what_is_no_yaml_is_told_and_the_other_files_are_read():
    reading = read_items([("a.yml", "items: ["), ("b.yml", "items: 3")], {})

    assert [problem.where.split(":")[0] for problem in reading.problems] == ["a.yml", "b.yml"]


@pytest.mark.parametrize("text", ["version: 2026.4", 'version: "4"\nattack_version: "19"', 'version: "2026.4"', "{}"])
def test_a_header_that_cannot_be_used_is_refused(text):
    with pytest.raises(RefusedToStart):
        read_baseline(("baseline.yml", text), [], {})
