"""One worker in this process on a real Kafka, with stages that only count: hand-over, new institutions, defects."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass

import pytest

from fsoc.errors import RefusedToStart
from fsoc.feeds.record import Outgoing, Outputs
from fsoc.institutions.registry import Registry
from fsoc.runtime.faust.run import run
from fsoc.settings import load

pytestmark = pytest.mark.kafka

ENTRY = "  - {{id: {0}, name: {0}, sector: bank, tier: 1, group: null, feeds: [siem]}}\n"


class Counting:
    """Counts the records of one partition, each offset once, and passes a note on for each call."""

    def __init__(self, pipeline, name):
        self.pipeline, self.name = pipeline, name
        self.offset, self.count = -1, 0

    def restore(self, key, value):
        if key == self._key and value is not None:
            self.offset, self.count = json.loads(value)

    def restored(self):
        self.pipeline.restored[self.name] = self.count
        return Outputs()

    def work(self, records):
        for record in records:
            if record.value == self.pipeline.poison:
                raise ZeroDivisionError
            if record.offset > self.offset:
                self.offset, self.count = record.offset, self.count + 1
        state = [(self._key, json.dumps([self.offset, self.count]).encode())]
        return Outputs(state, [] if self.name == "" else [Outgoing("detections", 0, None, b"{}")])

    def idle(self):
        self.pipeline.idled.add(self.name)
        return Outputs()

    @property
    def _key(self):
        return f"{self.name}/header".encode() if self.name else b"header"


@dataclass
class CountingPipeline:
    """Stands in for the pipeline: same makers of stages, no rules."""

    registry: Registry
    poison: bytes = b"none"

    def __post_init__(self):
        self.restored, self.idled = {}, set()

    def intake(self, institution):
        assert institution in self.registry.institutions
        return Counting(self, institution)

    def correlate(self, partition):
        return Counting(self, "")

    def campaigns(self):
        return Counting(self, "")

    def sharing(self):
        return Counting(self, "")


def registry(*institutions):
    return "institutions:\n" + "".join(ENTRY.format(name) for name in institutions)


@pytest.fixture
async def started(field):
    """Starts a worker in this process on two institutions; told where it answers, its pipeline and its end."""

    running = []

    def start(poison=b"none", **options):
        if not field.institutions.exists():
            field.institutions.write_text(registry("fi-001", "fi-002"), encoding="utf-8")
        settings = load(
            environment={name: value for name, value in field._environment.items() if name.startswith("FSOC_")},
            options=options,
        )
        pipeline = CountingPipeline(Registry.parse(field.institutions.read_text(), "institutions.yml"), poison)
        said = []
        running.append(asyncio.ensure_future(run(settings, pipeline, said.append)))
        return pipeline, said, running[-1]

    yield start
    if not running[-1].done():  # else Faust's threads would keep the whole session
        await told_to_stop(running[-1])


@dataclass
class Sent:
    institution: str
    payload: bytes = b"{}"
    at_ms: int = 0


def counts(field):
    """Institution → records counted, as its newest header says."""
    return {
        key.decode().removesuffix("/header"): json.loads(value)[1]
        for (_, key), value in field.newest["intake.state"].items()
    }


def told_to_stop(working):
    signal.raise_signal(signal.SIGTERM)
    return asyncio.wait_for(working, timeout=30)


async def test_an_institution_added_under_load_is_worked_without_a_restart_and_nothing_is_lost(field, started):
    await field.create_topics(["fi-001", "fi-002", "fi-003"])
    await field.send([Sent("fi-001")] * 500)
    pipeline, _, working = started()
    await field.until(lambda: counts(field) == {"fi-001": 500})

    field.institutions.write_text(registry("fi-001", "fi-002", "fi-003"), encoding="utf-8")
    for _ in range(20):
        await field.send([Sent("fi-001")] * 25 + [Sent("fi-002")] * 10 + [Sent("fi-003")] * 10)
        await field.until(lambda: True)
    await field.until(lambda: counts(field) == {"fi-001": 1000, "fi-002": 200, "fi-003": 200})

    assert await told_to_stop(working) == 0
    assert pipeline.idled >= {""}


async def test_a_bad_registry_changes_nothing_and_is_shown(field, started, capfd):
    from fsoc.runtime import metrics

    await field.create_topics(["fi-001", "fi-002"])
    _, _, working = started()
    field.institutions.write_text("institutions: [{id: NO}]", encoding="utf-8")

    await field.until(lambda: metrics.REGISTRY.get_sample_value("fsoc_registry_refused") == 1)
    await field.send([Sent("fi-001")] * 3)
    await field.until(lambda: counts(field) == {"fi-001": 3})

    field.institutions.write_text(registry("fi-001", "fi-002"), encoding="utf-8")
    await field.until(lambda: metrics.REGISTRY.get_sample_value("fsoc_registry_refused") == 0)
    assert await told_to_stop(working) == 0


async def test_a_stage_that_raises_ends_the_worker_and_the_next_one_works_the_same_records(field, started):
    await field.create_topics(["fi-001", "fi-002"])
    await field.send([Sent("fi-001"), Sent("fi-001", b"poison")])
    group, topic = f"{field.prefix}workers", f"{field.prefix}tickets.fi-001"

    _, _, working = started(poison=b"poison")
    assert await asyncio.wait_for(working, timeout=45) == 1
    assert await field.log.committed(group, [(topic, 0)]) == {(topic, 0): None}
    await field.until(lambda: True)
    assert counts(field) == {}

    _, _, working = started()
    await field.until(lambda: counts(field) == {"fi-001": 2})
    assert await told_to_stop(working) == 0
    assert await field.log.committed(group, [(topic, 0)]) == {(topic, 0): 2}


async def test_a_worker_that_was_told_to_stop_has_committed_what_it_worked(field, started):
    await field.create_topics(["fi-001", "fi-002"])
    await field.send([Sent("fi-001")] * 100)
    _, _, working = started()
    await field.until(lambda: counts(field) == {"fi-001": 100})
    assert await told_to_stop(working) == 0
    group, topic = f"{field.prefix}workers", f"{field.prefix}tickets.fi-001"
    assert await field.log.committed(group, [(topic, 0)]) == {(topic, 0): 100}

    pipeline, said, working = started()
    await field.until(lambda: pipeline.restored.get("fi-001") == 100)
    assert said[0].startswith("http://127.0.0.1:")
    assert await told_to_stop(working) == 0


async def test_missing_topics_are_all_named_before_any_work(field, started):
    await field.create_topics(["fi-001"])
    _, _, working = started()

    with pytest.raises(RefusedToStart) as refused:
        await working

    assert {problem.where for problem in refused.value.problems} == {
        f"{field.prefix}{kind}.fi-002" for kind in ("tickets", "receipts", "feedback")
    }
