"""`fsoc check`: every problem in its place, the count, the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.check import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped
from fsoc.tickets.sample import ticket

GOOD = """\
title: Good
id: good
tags: [attack.t1490, attack.impact, attack.ds0029, attack.g0016]
logsource: {category: test}
detection:
    selection: {a: 1}
    condition: selection
"""
BAD = """\
title: Bad
id: bad
logsource: {}
detection:
    selection: {'a|foo': 1}
    condition: selection and
"""
CORRELATION = """\
title: Many
id: many
correlation:
    type: event_count
    rules: [good]
    group-by: [institution]
    timespan: 1h
    condition: {gte: 3}
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "correlation.yml").write_text(CORRELATION)
    return tmp_path


def test_good_rules_are_counted(folder):
    result = run("rules", folder)
    assert (result.stdout, result.exit_code) == ("1 rule, 0 filters, 1 correlation: 0 problems\n", 0)


def test_the_rules_that_are_shipped_are_good():
    result = run("rules", shipped("rules"))
    assert result.exit_code == 0, result.stdout


def test_every_problem_of_every_file_is_told_in_the_order_of_the_lines(folder):
    (folder / "bad.yml").write_text(BAD)
    (folder / "correlation.yml").write_text(CORRELATION.replace("1h", "1x").replace("[good]", "[nowhere]"))
    (folder / "logsources.yml").write_text("logsources:\n  - x\n")
    (folder / "tag.yml").write_text(GOOD.replace("good", "tag").replace("t1490", "t9999"))
    result = run("rules", folder)
    lines = result.stdout.splitlines()
    assert [line.removeprefix(f"{folder}/").split(":")[:2] for line in lines[:-1]] == [
        *(["bad.yml", line] for line in ("3", "5", "6")),
        *(["correlation.yml", line] for line in ("5", "7")),
        ["logsources.yml", "2"],
        ["tag.yml", "1"],
    ]
    assert "'attack.t9999' is not in ATT&CK" in lines[-2]
    assert lines[-1] == "2 rules, 0 filters, 0 correlations: 7 problems"
    assert result.exit_code == 1


def test_json_says_the_same(folder):
    (folder / "bad.yml").write_text(BAD)
    result = run("rules", folder, "--json")
    told = json.loads(result.stdout)
    assert {name: told[name] for name in ("rules", "filters", "correlations")} == {
        "rules": 1,
        "filters": 0,
        "correlations": 1,
    }
    assert [problem["where"] for problem in told["problems"]] == [f"{folder}/bad.yml:{line}" for line in (3, 5, 6)]
    assert result.exit_code == 1


def test_placeholders_and_a_pipeline_make_rules_good(tmp_path):
    (rule := tmp_path / "r.yml").write_text(GOOD.replace("{a: 1}", "{'a|expand': '%x%%y%'}"))
    (values := tmp_path / "v.yaml").write_text("x: [1]\n")
    (pipeline := tmp_path / "p.yaml").write_text("vars: {y: [2]}\ntransformations: [{type: value_placeholders}]\n")
    assert run("rules", rule).exit_code == 1
    assert run("rules", rule, "--placeholders", values).exit_code == 1
    assert run("rules", rule, "--placeholders", values, "--pipeline", pipeline).exit_code == 0


@pytest.mark.parametrize("what", ["rules", "tickets", "mappings"])
def test_a_path_that_is_not_there_is_refused(what, tmp_path):
    with pytest.raises(RefusedToStart) as refusal:
        run(what, tmp_path / "one", tmp_path / "two")
    assert [problem.text for problem in refusal.value.problems] == ["no such file or folder"] * 2


def test_the_mappings_that_are_shipped_are_good():
    result = run("mappings", shipped("attack_mappings"))
    assert (result.exit_code, result.stdout.partition(":")[2]) == (0, " 0 problems\n")


def test_a_bad_row_of_a_mapping_is_told_with_its_line(tmp_path):
    [table] = list(shipped("attack_mappings").glob("enterprise-19*.tsv"))
    (bad := tmp_path / "bad.tsv").write_text(table.read_text("utf-8") + "nonsense\n", "utf-8")
    result = run("mappings", bad)
    line = len(table.read_text("utf-8").splitlines()) + 1
    assert result.stdout.startswith(f"{bad}:{line}: ")
    assert result.exit_code == 1


def test_tickets_are_told_by_file_and_line(tmp_path):
    lines = [json.dumps(ticket()), "", json.dumps(ticket(severity=9, title=5)), "{", json.dumps(ticket(seq=2))]
    (file := tmp_path / "t.ndjson").write_text("\n".join(lines))
    result = run("tickets", file)
    *told, count = result.stdout.splitlines()
    places = sorted(line.split(": ")[0] + line.split(": ")[1].rpartition(" at ")[2] for line in told)
    assert places == [f"{file}:3/severity", f"{file}:3/title", f"{file}:4/"]
    assert count == "4 tickets: 3 problems"
    assert result.exit_code == 1


def test_good_tickets_are_counted(tmp_path):
    (one := tmp_path / "t.json").write_text(json.dumps(ticket(), indent=2))
    result = run("tickets", one)
    assert (result.stdout, result.exit_code) == ("1 ticket: 0 problems\n", 0)
