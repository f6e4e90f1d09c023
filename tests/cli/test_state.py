"""`fsoc state` as an operator calls it: on a real cluster, and where there is none."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest

from fsoc.cli.state_shown import lines, verdict_json, verdict_lines
from fsoc.exercise import ExerciseSpec, generate
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.audit.findings import Place, Verdict
from fsoc.runtime.audit.show import InstitutionShown, PartitionShown, Report, RuleShown
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import intake_state_partition, table
from fsoc.runtime.rules import load_ruleset
from tests.command_line import command_line

EXERCISE = ExerciseSpec(institutions=8, tickets_per_institution=10, seed=2, hours=24)


@pytest.fixture
def run(monkeypatch, capsys):
    return command_line(monkeypatch, capsys)


@pytest.fixture
def worked(kafka, topic_prefix):
    """An exercise on the cluster, worked to its end: (prefix, group)."""

    async def work():
        exercise = generate(EXERCISE)
        registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
        log = await KafkaLog.open(kafka)
        await log.create(table(topic_prefix, registry.institutions, 2, "exercise"))
        for delivery in exercise.deliveries:
            topic = f"{topic_prefix}tickets.{delivery.institution}"
            await log.append(topic, 0, None, delivery.payload, delivery.at_ms)
        await log.flush()
        worker = InProcess(
            Pipeline(load_ruleset(), registry, 2, ends=True), log, topic_prefix, topic_prefix + "workers"
        )
        # A cluster answers when it does: nothing for a second, in all lanes, is the end.
        belts = (worker.intake, worker.correlate, worker.campaign)
        while any([await belt.step(wait_ms=1000, records_max=500) for belt in belts]):
            pass
        await worker.close()
        await log.close()

    asyncio.run(work())
    return ("--brokers", kafka, "--prefix", topic_prefix, "--group", topic_prefix + "workers")


@pytest.fixture
def spoil(kafka, topic_prefix):
    def write(topic, partition, key, value):
        async def write_one():
            log = await KafkaLog.open(kafka)
            await log.write([(topic_prefix + topic, partition, key, value)])
            await log.close()

        asyncio.run(write_one())

    return write


@pytest.mark.kafka
def test_both_commands_on_a_cluster_as_a_user_calls_them(run, worked, spoil, topic_prefix):
    shown = run("state", "show", *worked)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("8 institutions\n")
    assert "2 partitions of detections\n" in shown.stdout
    as_json = json.loads(run("state", "show", *worked, "fi-002", "1", "--json").stdout)
    assert [each["institution"] for each in as_json["institutions"]] == ["fi-002"]
    assert [each["partition"] for each in as_json["partitions"]] == [1]

    sound = run("state", "verify", *worked)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert sound.stdout.endswith(": sound\n")
    assert len(sound.stdout.splitlines()) == 1

    partition = intake_state_partition("fi-001")
    spoil("intake.state", partition, b"fi-001/ticket/production/x", b"garbage")
    found = run("state", "verify", *worked)
    place = f"{topic_prefix}intake.state/{partition} fi-001/ticket/production/x"
    assert found.returncode == 1
    assert found.stdout.startswith(f"{place}: unreadable: is not what intake writes")
    verdict = json.loads(run("state", "verify", *worked, "--json").stdout)
    assert (verdict["sound"], verdict["findings"][0]["code"]) == (False, "unreadable")


@pytest.mark.kafka
def test_topics_that_are_not_there_and_partitions_that_are_not_are_refused(run, worked, kafka):
    missing = run("state", "verify", "--brokers", kafka, "--prefix", "nothing-here.")
    assert missing.returncode == 2
    assert [line.split(": ")[1] for line in missing.stderr.splitlines()] == [
        "nothing-here.detections",
        "nothing-here.correlation.state",
        "nothing-here.intake.state",
        "nothing-here.alerts",
    ]
    beyond = run("state", "show", *worked, "7")
    assert (beyond.returncode, beyond.stderr) == (2, "fsoc: 7: there are 2 partitions of detections, from 0\n")


@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_is_missing_or_does_not_answer_is_one_line_and_exit_code_2(run, command):
    assert run("state", command) == (2, "", "fsoc: --brokers: is needed (or FSOC_BROKERS)\n")
    silent = run("state", command, "--brokers", "127.0.0.1:1")
    assert silent.returncode == 2
    assert len(silent.stderr.splitlines()) == 1
    assert silent.stderr.startswith('fsoc: --brokers: no Kafka answers at "127.0.0.1:1"')


@pytest.mark.parametrize("command", ["show", "verify"])
def test_help_shows_an_example(run, command):
    assert f"fsoc state {command} --" in run("state", command, "--help").stdout.partition("Example")[2]


def test_a_verdict_is_a_line_for_each_finding_and_what_is_in_flight_apart():
    verdict = Verdict()
    verdict.find("unreadable", Place("fsoc.correlation.state", 3, b'["r\x1b[2J\xff"]' + b"x" * 300), "is garbage")
    verdict.notes.append("rules differ")
    verdict.looked.in_flight_entries = 1234
    first, note, in_flight, last = verdict_lines(verdict)

    assert first.startswith('\x1b[31mfsoc.correlation.state/3 ["r\\x1b[2J\\xff"]xxx')
    assert first.endswith("x…: unreadable: is garbage\x1b[0m")
    assert note == "note: rules differ"
    assert in_flight == "in flight: 1,234 entries that detections not committed name"
    assert last.endswith("\x1b[31m1 found\x1b[0m")
    assert orjson.loads(orjson.dumps(verdict_json(verdict)))["findings"][0]["partition"] == 3


def test_a_report_is_a_table_in_which_figures_stand_under_their_names():
    institution = InstitutionShown(
        "fi-001", 1203, 7, "2026-03-02T08:00:00.000Z", False, 3_600_000,
        1204, 1100, 90, 10, 4, 800, 1000, 2, 0, 0, {"version": "2026-03-01", "digest": "0a" * 16},
    )  # fmt: skip
    held = RuleShown("rule", "三家機構 \x07", 3, 12, "removed")
    alerts = {"open": 1, "final": 2, "retracted": 0}
    partition = PartitionShown(0, 5, None, False, 12, 1, 3, alerts, 4, 0, 0, 0, 0, None, (held,))
    text = [line.replace("\x1b[0m", "") for line in lines(Report([institution], [partition], ["x/0: is garbage"]))]

    assert text[0].endswith("1 institutions")
    assert text[2].split() == [
        *"\x1b[33m fi-001 1,203 7 2026-03-02T08:00:00.000Z 1h 1,204 1,100 90 10 4 2 1,000 800".split()
    ]
    assert text[3] == "  1 institutions written with rules 2026-03-01 (0a0a0a0a0a0a)"
    assert text[6].split() == "0 5 - 3 12 1 1 2 0 4 0 0".split()
    assert "removed" in text[8]
    assert text[8].endswith("rule  三家機構 \\x07")
    assert text[9].endswith("x/0: is garbage")
