"""From an exercise to its report, as a person would: exercise → replay → evaluate; and a sweep over it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.evaluate import command as evaluate_command
from fsoc.cli.exercise import command as exercise_command
from fsoc.cli.replay import command as replay_command
from fsoc.exercise import ExerciseSpec, generate, score

RULES = str(Path(__file__).parents[2] / "rules")
SPEC = {"institutions": 16, "seed": 5, "hours": 24, "tickets_per_institution": 25}


def call(command, *args):
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exercise")
    asked = [word for name, value in SPEC.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    call(exercise_command, *asked, "--out", str(folder))
    call(replay_command, *tickets(folder), "--rules", RULES, "--out", f"{folder}/alerts.ndjson")
    return folder


def tickets(folder):
    return ("--tickets", f"{folder}/tickets.ndjson", "--institutions", f"{folder}/institutions.yml")


def truth(folder):
    return ("--truth", f"{folder}/truth.ndjson")


def test_the_evaluation_of_an_exercise_says_what_its_score_says(played):
    result = call(evaluate_command, "--alerts", f"{played}/alerts.ndjson", *truth(played), *tickets(played), "--json")
    body = orjson.loads(result.stdout)
    alerts = [orjson.loads(line) for line in (played / "alerts.ndjson").read_bytes().splitlines()]
    scored = score(generate(ExerciseSpec(**SPEC)).truth, alerts)

    assert body["recall"]["total"] == scored.found + scored.missed > 0
    assert body["recall"]["hits"] == scored.found > 0
    assert [alarm["alert_id"] for alarm in body["false_alarms"]] == list(scored.false_alarms)
    assert body["apart"].get("retracted", 0) == scored.retracted
    assert body["apart"].get("local", 0) == scored.local
    labels = {label["name"].split()[0]: label for label in body["labels"]}
    for campaign in scored.campaigns:
        label = labels[campaign.campaign_id]
        assert tuple(label["alert_ids"]) == campaign.alert_ids
        assert (label["covered"], label["struck"]) == (campaign.covered, campaign.of)
        assert label["after_deciding_s"] is None or label["after_deciding_s"] > 0


def test_the_report_of_an_exercise_has_pictures_that_can_be_drawn(played):
    report = played / "week.md"
    call(
        evaluate_command,
        "--alerts",
        f"{played}/alerts.ndjson",
        *truth(played),
        *tickets(played),
        "--report",
        str(report),
    )
    text = report.read_text(encoding="utf-8")
    pictures = sorted(played.glob("week-*.svg"))

    assert len(pictures) == 3
    for path in pictures:
        assert f"(<{path.name}>)" in text
        assert len(list(ET.parse(path).iter())) > 10  # noqa: S314 - our own
    labels = {orjson.loads(line)["label"] for line in (played / "truth.ndjson").read_bytes().splitlines()}
    assert all(label.replace("_", "\\_") in text for label in labels)


def test_a_greater_threshold_never_finds_more(played):
    rules = ["same_indicator", "same_technique", "shared_supplier"]  # all of them would take minutes
    asked = [word for name in rules for word in ("--sweep", name)]
    result = call(evaluate_command, *tickets(played), "--rules", RULES, *truth(played), *asked, "--json")
    curves = orjson.loads(result.stdout)["curves"]

    assert len(curves) == len(rules)
    for curve in curves:
        found = [setting["recall"]["hits"] for setting in curve["settings"]]
        assert found == sorted(found, reverse=True)
        assert sum(setting["stands"] for setting in curve["settings"]) == 1
    assert any(len({setting["recall"]["hits"] for setting in curve["settings"]}) > 1 for curve in curves)
