"""`fsoc demo` as a person or a pipe calls it: lines, exit codes, refusals, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

FSOC = [sys.executable, "-m", "fsoc", "demo"]
RULES = Path(__file__).parents[2] / "rules"
DAY = ["--days", "1", "--noise", "low"]
SMALL = ["--institutions", "8", "--duration", "0", *DAY]


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FSOC_")}
    return {**kept, "FSOC_DATA": str(tmp_path / "data")}


def run(arguments, environment):
    return subprocess.run(
        [*FSOC, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_in_a_pipe_it_prints_alerts_as_they_come_then_one_score_line_and_nothing_else(environment, tmp_path):
    done = run(["--once", "--in-process", *SMALL, "--seed", "5"], environment)
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {line["type"] for line in lines[:-1]} == {"alert"}
    assert lines[-1]["type"] == "score"
    assert lines[-1]["passes"] is True
    assert lines[-1]["missed"] == 0
    assert lines[-1]["found"] == len(lines[-1]["campaigns"]) >= 5
    assert list((tmp_path / "data" / "demo").iterdir()) == []


def test_rules_that_find_nothing_fail_the_exercise(environment):
    done = run(["--once", "--in-process", *SMALL], {**environment, "FSOC_RULES": str(RULES / "detection")})
    score = orjson.loads(done.stdout.splitlines()[-1])

    assert done.returncode == 1
    assert done.stderr == ""
    assert score["found"] == 0
    assert score["missed"] == len(score["campaigns"])


@pytest.mark.kafka
def test_on_kafka_the_newest_alerts_are_those_of_the_in_process_log(environment, kafka):
    runs = [
        run(["--once", *where, *SMALL, "--seed", "5"], environment)
        for where in (["--in-process"], ["--brokers", kafka])
    ]

    assert [done.returncode for done in runs] == [0, 0], [done.stderr for done in runs]
    in_process, on_kafka = (newest(done.stdout) for done in runs)
    assert in_process == on_kafka


def newest(text):
    """The newest revision of each alert that was not taken back, without its number."""
    alerts = {}
    for line in map(orjson.loads, text.splitlines()):
        if line["type"] == "alert":
            alerts[line["alert"]["alert_id"]] = {**line["alert"], "revision": None}
    return {name: alert for name, alert in alerts.items() if alert["status"] != "retracted"}


def test_without_kafka_it_goes_on_in_this_process_and_says_so_in_one_line(environment, tmp_path):
    nowhere = {**environment, "PATH": str(tmp_path), "JAVA_HOME": "", "FSOC_CACHE": str(tmp_path / "cache")}
    done = run(["--once", *SMALL], nowhere)

    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "Java" in line
    assert line.endswith("Going on without it, in this process.")


def test_where_kafka_is_required_its_absence_is_a_refusal(environment, tmp_path):
    nowhere = {**environment, "PATH": str(tmp_path), "JAVA_HOME": "", "FSOC_CACHE": str(tmp_path / "cache")}
    done = run(["--once", *SMALL], {**nowhere, "FSOC_REQUIRE_KAFKA": "1"})

    assert done.returncode == 2
    assert done.stdout == ""
    assert "Java" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--institutions", "3", "--seed", "-1"], ["--institutions: found 3, allowed 8 to 1000", "--seed: found -1"]),
        (["--in-process", "--brokers", "127.0.0.1:9092"], ["--in-process: cannot be used with --brokers"]),
        (["--brokers", "nonsense"], ["--brokers", "expected host:port"]),
        (["--brokers", "127.0.0.1:1"], ["--brokers", "127.0.0.1:1"]),
        (["--duration", "-1"], ["--duration"]),
        (["--institutions", "3", "--days", "46"], ["--institutions: found 3", "--days: found 46, allowed 1 to 45"]),
        (["--days", "0"], ["--days: found 0, allowed 1 to 45"]),
        (["--noise", "loud"], ["--noise", "'low', 'medium', 'high'"]),
    ],
)
def test_what_cannot_be_is_refused_with_the_options_name_and_leaves_nothing(environment, tmp_path, arguments, says):
    done = run(["--once", *arguments], environment)

    assert done.returncode == 2
    assert all(part in done.stderr for part in says)
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "data").glob("demo/*"))


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--once"], 130)])
def test_ctrl_c_ends_it_in_order(environment, tmp_path, arguments, code):
    playing = subprocess.Popen(
        [*FSOC, *arguments, "--in-process", "--institutions", "8", "--duration", "15", *DAY],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert playing.stdout is not None
        orjson.loads(playing.stdout.readline())  # it plays: the first alert has come
        playing.send_signal(signal.SIGINT)
        _, errors = playing.communicate(timeout=60)
    finally:
        playing.kill()

    assert playing.returncode == code
    assert "Traceback" not in errors
    assert list((tmp_path / "data" / "demo").iterdir()) == []


def test_a_reader_that_has_seen_enough_ends_it_in_order(environment, tmp_path):
    playing = subprocess.Popen(
        [*FSOC, "--in-process", "--institutions", "8", "--duration", "15", *DAY],
        env={**environment, "PYTHONIOENCODING": "ascii"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert playing.stdout is not None
        assert orjson.loads(playing.stdout.readline())["alert"]["rule_title_zh"]  # UTF-8, whatever the locale says
        playing.stdout.close()
        assert playing.wait(timeout=60) == 141
    finally:
        playing.kill()

    assert playing.stderr is not None
    assert playing.stderr.read() == b""
    assert list((tmp_path / "data" / "demo").iterdir()) == []


def test_its_help_has_examples_and_exit_codes():
    done = subprocess.run([*FSOC, "--help"], capture_output=True, text=True, check=True)

    assert "fsoc demo --once --seed 3" in done.stdout
    assert "Exit codes" in done.stdout
