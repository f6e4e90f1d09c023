"""`fsoc assess`: formats, the floor, the last run; and sabotage by the command line's own means."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.assess import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped

SCRIPT = shipped("attack_mappings/baseline") / "scripts" / "ransomware-night.yml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(scope="module")
def last(tmp_path_factory):
    file = tmp_path_factory.mktemp("last") / "last.json"
    assert run(SCRIPT, "--json", "--out", file).exit_code == 0
    return file


def test_the_shipped_scripts_pass_and_are_told_in_a_line_each():
    done = run("--as", "fi-007")

    assert done.exit_code == 0, done.output
    assert "ransomware-night" in done.output
    assert "fi-007: 100.0 % of baseline" in done.output
    assert done.output.rstrip().endswith("passes 通過")


def test_json_has_scores_by_everything_and_each_step(last):
    told = json.loads(last.read_text())

    assert told["total"] == 1.0
    assert told["by_institution"] == {"fi-001": 1.0, "fi-001-x2": 1.0, "fi-001-x3": 1.0}
    assert told["by_technique"]["T1490"] == 1.0
    assert told["by_step"]["ransomware-night/recovery"] == 1.0
    assert told["stages"]["joined"] == {"reached": 9, "asked": 9}
    step = next(step for step in told["steps"] if step["step"] == "recovery" and step["institution"] == "fi-001-x3")
    assert step["joined"]["after_seconds"] == 0  # the third institution makes it three


def test_markdown_is_in_two_languages():
    done = run(SCRIPT, "--format", "markdown")

    assert "By technique 依技術" in done.output
    assert "Missed 未達成項目\n\nNothing. 無。" in done.output


def test_rules_that_are_gone_lower_exactly_their_steps_and_the_floor_is_met_no_more(last, tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(shipped("rules") / "detection", rules)
    (rules / "windows" / "ransomware_shadow_copies_deleted.yml").unlink()
    (rules / "windows" / "lsass_memory_dumped.yml").unlink()

    done = run(SCRIPT, "--rules", rules, "--against", last, "--json")

    told = json.loads(done.output)
    assert done.exit_code == 1
    assert not told["passes"]
    assert told["against"]["worse"] == {
        "ransomware-night/credentials": [1.0, 0.0],
        "ransomware-night/recovery": [1.0, 0.0],
    }
    assert run(SCRIPT, "--rules", rules, "--floor", 0.7).exit_code == 0


def test_fields_called_otherwise_lower_exactly_the_steps_that_look_at_them(last, tmp_path):
    """The institution's mapping calls the written file otherwise than its events do."""
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(
        "name: broken\npriority: 10\ntransformations:\n- id: a\n  type: field_name_mapping\n"
        "  mapping: {TargetFilename: file_path}\n"
    )

    done = run(SCRIPT, "--pipeline", mapping, "--against", last)

    assert "↓ ransomware-night/note: 100.0 % → 0.0 %" in done.output
    assert done.output.count("↓") == 1
    assert "✗ ransomware-night/note at fi-001 (T1486): not detected 未偵測: 0 of 1 events" in done.output


def test_a_trigger_that_was_raised_lowers_exactly_its_steps(last, tmp_path):
    folder = tmp_path / "baseline"
    shutil.copytree(shipped("attack_mappings/baseline"), folder)
    file = folder / "items" / "discovery.yml"
    text = file.read_text("utf-8")
    begins = text.index("id: FB-0902")
    file.write_text(text[:begins] + text[begins:].replace("count: 1", "count: 9", 1), "utf-8")

    told = json.loads(run(SCRIPT, "--baseline", folder, "--against", last, "--json").output)

    assert told["against"]["worse"] == {"ransomware-night/directory": [1.0, 0.5]}


def test_recorded_events_need_what_is_expected_of_them(tmp_path):
    events = tmp_path / "events.ndjson"
    events.write_text('{"a": 1}\n')

    done = CliRunner().invoke(command, [str(events)])

    assert done.exit_code == 2
    assert "--expect says what must find them" in done.output


def test_what_is_no_assessment_is_no_last_one(tmp_path):
    (tmp_path / "other.json").write_text('{"total": 1}')

    with pytest.raises(RefusedToStart, match=r"is no fsoc\.assessment/1"):
        run(SCRIPT, "--against", tmp_path / "other.json")


def test_the_registry_gives_the_tier_and_the_others(tmp_path):
    registry = tmp_path / "institutions.yml"
    registry.write_text(
        "institutions:\n"
        + "".join(f"- {{id: bank-{n}, name: a, sector: bank, tier: {n}, feeds: [siem]}}\n" for n in (1, 2, 3))
    )

    told = json.loads(run(SCRIPT, "--as", "bank-3", "--institutions", registry, "--json").output)

    assert set(told["by_institution"]) == {"bank-1", "bank-2", "bank-3"}
    assert {step["item"] for step in told["steps"] if step["institution"] == "bank-3"} >= {"FB-0801", "FB-1402"}
