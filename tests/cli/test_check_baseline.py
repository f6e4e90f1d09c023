"""`fsoc check baseline`: the shipped one is right; what is broken in a copy is told with its line."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.check import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped


def check(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["baseline", *map(str, arguments)])


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "baseline"
    shutil.copytree(shipped("attack_mappings/baseline"), folder)
    return folder


def test_the_shipped_baseline_has_no_problem_be_it_strictly():
    done = check("--strict")

    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("scripts: 0 problems")


def test_problems_have_file_and_line_and_the_exit_code_is_1(copy):
    file = copy / "items" / "impact.yml"
    file.write_text(file.read_text("utf-8").replace("technique: T1486", "technique: T9486"), "utf-8")
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), 1) if "id: FB-1402" in text)

    done = check(copy)

    assert done.exit_code == 1
    assert done.output.startswith(f"{file}:{line}: FB-1402: technique 'T9486' is not in ATT&CK")


def test_json_has_counts_problems_and_warnings(copy):
    file = copy / "items" / "impact.yml"
    file.write_text(file.read_text("utf-8").replace("technique: T1486", "technique: T1490"), "utf-8")

    done = check(copy, "--json")

    told = json.loads(done.output)
    assert done.exit_code == 0
    assert told["problems"] == []
    assert [warning["text"] for warning in told["warnings"]] == [
        "FB-1402: rule ransom_note_written is not tagged with T1490: its tickets join by its own"
    ]
    assert check(copy, "--strict").exit_code == 1


def test_a_folder_without_a_baseline_is_refused(tmp_path):
    with pytest.raises(RefusedToStart, match=r"baseline\.yml"):
        CliRunner().invoke(command, ["baseline", str(tmp_path)], catch_exceptions=False)
