"""The whole pipeline on one log in this process: crashes at every point change nothing, batching changes nothing."""

from __future__ import annotations

import os
from hashlib import sha256
from itertools import count

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.runtime.rules import load_ruleset
from fsoc.sharing.chain import Head, verified
from tests.crashing import Crash, CrashingLog

PREFIX = "m."
FEW = 100


@pytest.fixture(scope="module")
def exercise():
    return generate(ExerciseSpec(institutions=8, tickets_per_institution=12, seed=3, hours=24, heartbeat_minutes=240))


@pytest.fixture(scope="module")
def new_pipeline(exercise):
    rules, text = load_ruleset(), exercise.institutions_yaml()
    return lambda: Pipeline(rules, Registry.parse(text, "institutions.yml"), 4, ends=True)


@pytest.fixture
def new_log(exercise):
    async def make():
        log = CrashingLog()
        institutions = [entry["id"] for entry in exercise.institutions]
        await log.create(table(PREFIX, institutions, 4, "exercise"))
        for delivery in exercise.deliveries:
            await log.append(f"{PREFIX}tickets.{delivery.institution}", 0, None, delivery.payload, delivery.at_ms)
        return log

    return make


async def newest(log, topic):
    partitions = (await log.partitions(PREFIX + topic))[PREFIX + topic]
    reader = await log.reader({(PREFIX + topic, number): 0 for number in range(partitions)})
    found = {}
    while fetched := await reader.slices():
        for records in fetched.values():
            found.update((record.key, record.value) for record in records)
    return found


async def outcome(log):
    """What two runs must agree on: alerts but for their revision, and the counts of every institution."""
    alerts = {key: orjson.loads(value) for key, value in (await newest(log, "alerts")).items()}
    state = await newest(log, "intake.state")
    headers = {key: orjson.loads(value) for key, value in state.items() if key.endswith(b"/header")}
    return (
        {key: {**alert, "revision": 0} for key, alert in alerts.items() if alert["status"] != "retracted"},
        {
            key: [header[name] for name in ("offset", "received", "used", "duplicate", "late", "quarantined")]
            for key, header in headers.items()
        },
    )


async def audited(log, institutions):
    """The audit is whole; and what each institution was told is what stands there, no more and no less."""
    lines = [record.value async for records in read_to_end(log, f"{PREFIX}audit", 0) for record in records]
    head = orjson.loads((await newest(log, "sharing.state"))[b"header"])
    chain = verified(lines, Head(head["seq"], head["hash"]))
    written = {
        (name, one["alert_id"], own["revision"]): own["sha256"]
        for line in lines
        for one in [orjson.loads(line)]
        for name, own in one.get("told", {}).items()
    }
    told = {}
    for name in institutions:
        async for records in read_to_end(log, f"{PREFIX}feedback.{name}", 0):
            for record in records:
                revision = orjson.loads(record.value)["revision"]
                told[name, record.key.decode(), revision] = sha256(record.value).hexdigest()
    return chain.faults == [] and chain.head.seq == head["seq"] > 0 and told == written


@pytest.fixture
async def undisturbed(new_log, new_pipeline):
    log = await new_log()
    await InProcess(new_pipeline(), log, PREFIX).run_to_end(records_max=FEW)
    return await outcome(log)


async def test_every_institution_is_accounted_for_and_alerts_are_raised(undisturbed, exercise):
    alerts, counts = undisturbed

    assert alerts
    assert len(counts) == 8
    assert sum(received for _, received, *_ in counts.values()) == len(exercise.deliveries)
    assert all(received == sum(parts) for _, received, *parts in counts.values())


@pytest.mark.parametrize("records_max", [1_000_000, 40, 7])
async def test_how_records_are_batched_changes_nothing(new_log, new_pipeline, undisturbed, records_max):
    log = await new_log()

    await InProcess(new_pipeline(), log, PREFIX).run_to_end(records_max=records_max)

    assert await outcome(log) == undisturbed


async def test_a_crash_in_any_write_or_before_any_commit_changes_nothing(
    new_log, new_pipeline, undisturbed, monkeypatch, exercise
):
    """The process dies in its n-th step, for every fifth n; a new worker on the log goes on from what is committed.

    A checkpoint has three steps or four, so that every kind of them is met in turn. `make soak` takes every n.
    """
    # By records alone: on a slow machine sub-slices would be short, and steps many.
    monkeypatch.setattr("fsoc.runtime.worker.SUBSLICE_SECONDS", 60.0)
    names = [entry["id"] for entry in exercise.institutions]
    for step in count(1, 1 if os.environ.get("FSOC_SOAK") else 5):
        log = await new_log()
        log.crash_in = step
        try:
            await InProcess(new_pipeline(), log, PREFIX).run_to_end(records_max=FEW)
        except Crash:
            await InProcess(new_pipeline(), log, PREFIX).run_to_end(records_max=FEW)
            assert await outcome(log) == undisturbed, f"crashed in step {step}"
            assert await audited(log, names), f"crashed in step {step}"
        else:
            break
    assert step > 10


async def test_a_second_worker_on_a_finished_log_only_says_again_what_is_known(new_log, new_pipeline, undisturbed):
    log = await new_log()
    await InProcess(new_pipeline(), log, PREFIX).run_to_end()

    again = InProcess(new_pipeline(), log, PREFIX)
    await again.run_to_end()

    assert await outcome(log) == undisturbed
    assert len(again.intake.lane.headers) == 8
