"""`fsoc kafka` and `fsoc topics` as people and scripts meet them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fsoc.cli.main import main

INSTITUTION = "{{id: {id}, name: N, sector: bank, tier: 1, group: null, feeds: [siem]}}"


class Told(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run the command line in this process: a process of its own takes a second to import."""
    for variable in os.environ:
        if variable.startswith("FSOC_"):
            monkeypatch.delenv(variable)

    def run_one(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["fsoc", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        assert code is None or isinstance(code, int)
        captured = capsys.readouterr()
        return Told(code or 0, captured.out, captured.err)

    return run_one


@pytest.fixture
def institutions(tmp_path: Path) -> str:
    path = tmp_path / "institutions.yml"
    path.write_text(f"institutions:\n  - {INSTITUTION.format(id='fi-001')}\n  - {INSTITUTION.format(id='fi-002')}\n")
    return str(path)


@pytest.mark.kafka
def test_topics_are_planned_applied_and_checked(run, kafka: str, topic_prefix: str, institutions: str):
    prefix = f"{topic_prefix.removesuffix('.')}-cli."
    options = ("--brokers", kafka, "--institutions", institutions, "--topic-prefix", prefix)

    missing = run("topics", "check", *options)
    assert (missing.returncode, missing.stdout.splitlines()[-1]) == (
        1,
        "19 topics: 19 missing, 0 different; 60 access rules missing; 2 quotas different.",
    )
    plan = run("topics", "plan", *options, "--json")
    assert plan.returncode == 0
    assert {"name": f"{prefix}detections", "partitions": 8} in json.loads(plan.stdout)["create"]

    applied = run("topics", "apply", *options)
    assert (applied.returncode, applied.stderr) == (0, "")
    assert f"+ {prefix}tickets.fi-001  1 partition\n" in applied.stdout
    assert applied.stdout.endswith("19 topics: 19 created, 0 altered; 60 access rules added; 2 quotas set.\n")
    checked = run("topics", "check", *options, "--json")
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["create"] == []

    narrower = run("topics", "check", *options, "--detections-partitions", "4")
    assert narrower.returncode == 2
    assert f"fsoc: {prefix}detections: has 8 partitions, expected 4; run with --detections-part" in narrower.stderr
    refused = run("topics", "apply", *options, "--detections-partitions", "4")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_what_is_missing_is_told_at_once_with_the_option_s_name(run):
    told = run("topics", "check")

    assert told.returncode == 2
    assert told.stderr.splitlines() == [
        "fsoc: --brokers: is needed (or FSOC_BROKERS)",
        "fsoc: --institutions: is needed (or FSOC_INSTITUTIONS)",
    ]


def test_a_cluster_that_does_not_answer_is_one_line_and_no_traceback(run, institutions: str):
    told = run("topics", "plan", "--brokers", "127.0.0.1:1", "--institutions", institutions)

    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
    assert told.stderr.startswith('fsoc: --brokers: no Kafka answers at "127.0.0.1:1"')


def test_a_broken_registry_is_told_by_line(run, tmp_path: Path):
    path = tmp_path / "institutions.yml"
    path.write_text("institutions:\n  - {id: FI_001, name: N, sector: bank, tier: 9, feeds: [siem]}\n")
    told = run("topics", "plan", "--brokers", "127.0.0.1:1", "--institutions", str(path))

    assert told.returncode == 2
    assert f"{path}:2: id:" in told.stderr
    assert f"{path}:2: tier:" in told.stderr


@pytest.mark.kafka
def test_a_broker_is_started_looked_at_and_stopped(run, kafka: str, tmp_path: Path):
    """Started afresh, over data that no broker could start with."""
    old = tmp_path / "own" / "data" / "meta.properties"
    old.parent.mkdir(parents=True)
    old.write_text("version=1\nnode.id=7\ncluster.id=x\n")
    directory = ("--data-dir", str(tmp_path / "own"))
    none = run("kafka", "status", *directory, "--json")
    assert (none.returncode, json.loads(none.stdout)["running"]) == (1, False)

    try:
        started = run("kafka", "start", *directory, "--fresh", "--json")
        facts = json.loads(started.stdout)
        assert (started.returncode, facts["running"]) == (0, True)
        status = run("kafka", "status", *directory)
        assert (status.returncode, facts["brokers"] in status.stdout, str(facts["pid"]) in status.stdout) == (
            0,
            True,
            True,
        )
        assert Path(facts["log"]).exists()
    finally:
        stopped = run("kafka", "stop", *directory)
    assert stopped.stdout.startswith("Kafka stopped (pid")
    assert run("kafka", "stop", *directory).stdout.startswith("No broker runs on")


def test_without_java_the_exit_code_is_2_and_the_line_says_what_to_install(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    told = run("kafka", "start", "--data-dir", str(tmp_path))

    assert told.returncode == 2
    assert told.stderr.startswith("fsoc: java: not found; install")
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("kafka", "start"), ("kafka", "stop"), ("kafka", "status"), ("topics", "apply")])
def test_help_shows_an_example(run, command: tuple[str, str]):
    assert f"fsoc {' '.join(command)}" in run(*command, "--help").stdout.partition("Example")[2]
