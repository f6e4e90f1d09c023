"""Scripts read: repetitions, roles, and each error with its line."""

from __future__ import annotations

import copy

import pytest
import yaml

from fsoc.baseline.assess.check import check_scripts
from fsoc.baseline.assess.read import read_script
from fsoc.errors import RefusedToStart

STEP = {
    "id": "one",
    "title": "t",
    "title_zh": "甲",
    "after": "5m",
    "events": [{"fields": {"a": 1}, "repeat": 3, "every": "10s"}],
    "expect": {
        "rule": "sam_hive_saved",
        "item": "FB-0802",
        "ticket_within": "10m",
        "joint": {"rule": "ransomware_wave", "within": "4h"},
    },
}
SCRIPT = {
    "id": "night",
    "title": "t",
    "title_zh": "甲",
    "description": "d",
    "institutions": 2,
    "stagger": "1h",
    "starts": "14:30",
    "steps": [STEP],
}


def entry(**changes):
    body = copy.deepcopy(SCRIPT)
    for path, value in changes.items():
        *way, last = path.split("__")
        inner = body
        for name in way:
            inner = inner[int(name) if name.isdigit() else name]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False)


def test_a_script_is_read_whole():
    script = read_script(entry(steps__0__at=[2]), "night.yml")

    (step,) = script.steps
    assert script.starts_ms == (14 * 60 + 30) * 60_000
    assert [event.after_ms for event in step.events] == [0, 10_000, 20_000]
    assert step.joined.within_ms == 4 * 3_600_000
    assert (step.strikes(1), step.strikes(2)) == (False, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title_zh": ...}, "title_zh: is missing"),
        ({"institutions": 0}, "institutions: expected a number from 1 to 12"),
        ({"starts": "25:00"}, "starts: expected a time in UTC"),
        ({"starts": 870}, "starts: expected a time in UTC"),
        ({"stagger": "soon"}, "stagger: 'soon' is no duration"),
        ({"steps": []}, "steps: expected a list"),
        ({"steps__0__id": "One"}, "id: found 'One'"),
        ({"steps__0__events": []}, "events: expected a list"),
        ({"steps__0__events": [{"fields": {}}]}, "expected an event"),
        ({"steps__0__events__0__repeat": 0}, "repeat: expected a number"),
        ({"steps__0__events__0__repeat": 999}, "999 with repetitions, limit 200"),
        ({"steps__0__events__0__logsource": "windows"}, "logsource: expected"),
        ({"steps__0__expect": ...}, "expect: expected"),
        ({"steps__0__expect__rule": ...}, "rule: expected the name or id"),
        ({"steps__0__expect__item": 7}, "item: expected the id"),
        ({"steps__0__expect__ticket_within": ...}, "ticket_within:"),
        ({"steps__0__expect__joint": {"rule": "x"}}, "joint: expected"),
        ({"steps__0__at": [3]}, "at: expected a list of numbers from 1 to 2"),
        ({"steps__0__adds": {"observable": []}}, 'did you mean "observables"?'),
        ({"author": "me"}, '"author" is unknown'),
    ],
)
def test_what_is_wrong_is_told_with_its_line(changes, told):
    with pytest.raises(RefusedToStart) as refused:
        read_script(entry(**changes), "night.yml")

    assert told in str(refused.value)
    assert all(problem.where.startswith("night.yml:") for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps__0__expect__rule": "sam_hive"}, 'is no detection of ours; did you mean "sam_hive_saved"?'),
        ({"steps__0__expect__item": "FB-9999"}, "item 'FB-9999' is not in the baseline"),
        ({"steps__0__expect__item": "FB-0801"}, "item FB-0801 does not have the rule sam_hive_saved"),
        ({"steps__0__expect__joint__rule": "ransomware"}, "'ransomware' raises no joint alert"),
    ],
)
def test_what_a_script_expects_must_be_there(changes, told, loaded):
    names = {rule.name: rule.id for rule in loaded.rules.rules if rule.name}

    problems = list(
        check_scripts([read_script(entry(**changes), "n.yml")], loaded.baseline, names, {"ransomware_wave"})
    )

    assert [told in problem.text for problem in problems] == [True]


def test_a_script_is_there_once(loaded):
    script = read_script(entry(), "n.yml")
    names = {rule.name: rule.id for rule in loaded.rules.rules if rule.name}

    problems = list(check_scripts([script, script], loaded.baseline, names, {"ransomware_wave"}))

    assert [problem.text for problem in problems] == ["script night is already in n.yml"]
