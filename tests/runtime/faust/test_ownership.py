"""What a worker holds for its own: through rebalances, after a long stop, and when the registry changes. No broker."""

from __future__ import annotations

import asyncio

import pytest
from faust.types import TP

from fsoc.institutions.registry import Registry
from fsoc.runtime.faust import app as module
from fsoc.runtime.faust.app import MEMBER_SECONDS, build_app
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.worker import Source
from fsoc.settings import load

PREFIX = "t."
ENTRY = "  - {{id: {0}, name: {0}, sector: bank, tier: 1, group: null, feeds: [siem]}}\n"
A, B, C = (TP(f"t.tickets.fi-00{number}", 0) for number in (1, 2, 3))
DETECTIONS = TP("t.detections", 3)


def registry(*names):
    return Registry.parse("institutions:\n" + "".join(ENTRY.format(name) for name in names), "institutions.yml")


class Stage:
    def __init__(self, registry, name):
        assert name in registry.institutions or isinstance(name, int)

    def restored(self):
        from fsoc.feeds.record import Outputs

        return Outputs()


class Stages:
    """Stands in for the pipeline."""

    def __init__(self, *names):
        self.registry = registry(*names)

    def intake(self, institution):
        return Stage(self.registry, institution)

    def correlate(self, partition):
        return Stage(self.registry, partition)


class StubConsumer:
    member_at = 0.0


@pytest.fixture
async def app():
    log = MemoryLog(clock=lambda: 0)
    await log.create(table(PREFIX, ["fi-001", "fi-002", "fi-003"], 8, "test"))
    settings = load(environment={}, options={"brokers": "127.0.0.1:1", "environment": "test", "topic_prefix": PREFIX})
    app = build_app(settings, Stages("fi-001", "fi-002"), log)
    app._consumer = StubConsumer()
    app.consumer_generation_id = 4
    return app


def stages(app):
    return {source: held.stage for conveyor in app.conveyors for source, held in conveyor.lane._held.items()}


async def restored(app):
    while not app.is_ready:
        await asyncio.sleep(0)


async def test_tickets_and_detections_go_to_their_lanes_and_are_restored(app):
    assert not app.is_ready

    await app.before_assigned({A, DETECTIONS}, 4)
    await restored(app)

    assert set(app.intake.lane.sources) == {Source("tickets.fi-001", 0)}
    assert set(app.correlate.lane.sources) == {Source("detections", 3)}


async def test_what_is_ours_in_two_generations_running_keeps_its_stage(app):
    await app.before_assigned({A, DETECTIONS}, 4)
    await restored(app)
    before = stages(app)

    await app.before_assigned({A, B}, 5)

    after = stages(app)
    assert after[Source("tickets.fi-001", 0)] is before[Source("tickets.fi-001", 0)]
    assert set(after) == {Source("tickets.fi-001", 0), Source("tickets.fi-002", 0)}


async def test_after_a_generation_without_us_everything_is_restored_anew(app):
    await app.before_assigned({A}, 4)
    await restored(app)
    before = stages(app)

    await app.before_assigned({A}, 6)

    assert stages(app)[Source("tickets.fi-001", 0)] is not before[Source("tickets.fi-001", 0)]
    assert not app.is_ready


async def test_from_the_first_sign_of_a_rebalance_nothing_is_ours(app, monkeypatch):
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    await app.before_assigned({A}, 4)
    assert await app._ours_in(4)

    app.rebalance_started()

    assert not await app._ours_in(4)
    assert not app.is_member


async def test_slices_of_another_generation_are_not_ours(app, monkeypatch):
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    await app.before_assigned({A}, 4)

    assert not await app._ours_in(3)


async def test_after_a_long_stop_nothing_is_ours_until_the_broker_has_said_so(app, monkeypatch):
    """
    heartbeat   x accepted
    worker      ├─ stopped ─────────┤ asks: waits … accepted → ours
    """
    await app.before_assigned({A}, 4)
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    app.consumer.member_at = 100.0 - MEMBER_SECONDS
    asked = asyncio.ensure_future(app._ours_in(4))
    await asyncio.sleep(0)
    assert not asked.done()

    app.consumer.member_at = 99.0

    assert await asked is True


async def test_after_a_long_stop_nothing_is_ours_when_the_group_has_gone_on(app, monkeypatch):
    await app.before_assigned({A}, 4)
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    app.consumer.member_at = 0.0
    asked = asyncio.ensure_future(app._ours_in(4))
    await asyncio.sleep(0)
    assert not asked.done()

    app.rebalance_started()

    assert await asked is False


async def test_a_new_registry_is_used_from_the_rebalance_that_brings_its_topics(app):
    """A stage of an institution cannot be made before it is known, nor one that is gone be dropped before it is."""
    await app.before_assigned({A, B}, 4)
    old, new = app.pipeline.registry, registry("fi-001", "fi-003")
    app.want_registry(new)
    assert app.topics_wanted == ["t.tickets.fi-001", "t.tickets.fi-003"]
    assert app.pipeline.registry is old

    await app.before_assigned({A, B}, 5)
    assert app.pipeline.registry is old

    await app.before_assigned({A, C}, 6)
    assert app.pipeline.registry is new


async def test_a_registry_that_changes_no_topic_is_used_at_once(app):
    new = registry("fi-002", "fi-001")

    app.want_registry(new)

    assert app.pipeline.registry is new


async def test_every_clone_of_the_agents_channel_follows_the_topics_wanted(app):
    app.want_registry(registry("fi-001", "fi-002", "fi-003"))

    agent = next(agent for name, agent in app.agents.items() if name.endswith("intake"))
    assert list(agent.channel.clone(is_iterator=True).clone().topics) == [A.topic, B.topic, C.topic]


async def test_what_a_guarded_task_raises_is_why_the_worker_ends(app):
    async def broken():
        raise ZeroDivisionError

    app.guard(broken())

    assert isinstance(await app.failed, ZeroDivisionError)
