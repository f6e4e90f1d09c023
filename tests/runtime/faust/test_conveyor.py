"""From fetched slices to a lane and back: what shares a checkpoint, what waits, what is acked and committed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from faust.types import TP

from fsoc.runtime.faust import conveyor as module
from fsoc.runtime.faust.conveyor import Conveyor
from fsoc.runtime.faust.transport import Slice

A, B = TP("t.tickets.a", 0), TP("t.tickets.b", 0)


def fetched(tp, *offsets, generation=7):
    """One event of the stream: a slice, and whether it is acked."""
    records = [SimpleNamespace(offset=offset, timestamp=offset, key=None, value=b"", headers=()) for offset in offsets]
    event = SimpleNamespace(value=Slice(tp, records, generation), acked=False)
    event.ack = lambda: setattr(event, "acked", True)
    return event


class StubLane:
    """Keeps what it is given to work, as {topic: offsets} of each checkpoint; then does what the test says."""

    def __init__(self):
        self.worked = []
        self.sources = {}
        self.pace = module.CHECKPOINT_RECORDS_MAX
        self.then = lambda: None

    async def work(self, slices, ours):
        assert await ours()
        topics = [slice_.source.topic for slice_ in slices]
        assert len(set(topics)) == len(topics)
        self.worked.append({one.source.topic: [record.offset for record in one.records] for one in slices})
        self.then()
        return slices


class StubApp:
    """A member of one generation, whose commits are counted."""

    def __init__(self):
        self.consumer_generation_id = 7
        self.consumer = self
        self.commits = 0

    async def commit(self):
        self.commits += 1
        return True


class Stream:
    """What Faust gives an agent."""

    def __init__(self, events):
        self._events = events

    def noack(self):
        return self

    async def events(self):
        for event in self._events:
            yield event


@pytest.fixture
def conveyor(monkeypatch):
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.0)

    async def ours(generation):
        return generation == 7

    return Conveyor(StubApp(), StubLane(), "t.", ours)


async def carry(conveyor, *events, checkpoints):
    """Give it these events, and wait for so many checkpoints more."""
    wanted = len(conveyor.lane.worked) + checkpoints
    feeding = asyncio.create_task(conveyor.agent(Stream(events)))
    running = asyncio.create_task(conveyor.run())
    try:
        async with asyncio.timeout(5):
            while len(conveyor.lane.worked) < wanted or not feeding.done():
                await asyncio.sleep(0)
            await feeding
            await asyncio.sleep(0.01)
    finally:
        for task in (feeding, running):
            task.cancel()
        await asyncio.gather(feeding, running, return_exceptions=True)


async def test_what_was_fetched_of_a_source_one_after_another_is_worked_in_one_slice(conveyor):
    events = [fetched(A, 0, 1), fetched(B, 5), fetched(A, 2)]

    await carry(conveyor, *events, checkpoints=1)

    assert conveyor.lane.worked == [{"tickets.a": [0, 1, 2], "tickets.b": [5]}]
    assert all(event.acked for event in events)
    assert conveyor.done == {A: 3, B: 6}
    assert conveyor.done_total == 3
    assert conveyor._app.commits == 1


async def test_what_was_fetched_before_a_rebalance_is_neither_worked_nor_acked(conveyor):
    old, new = fetched(A, 0, generation=6), fetched(A, 0)

    await carry(conveyor, old, new, checkpoints=1)

    assert conveyor.lane.worked == [{"tickets.a": [0]}]
    assert (old.acked, new.acked) == (False, True)


async def test_the_collector_may_look_when_a_checkpoint_is_durable_and_not_before(conveyor, monkeypatch):
    looks = []
    monkeypatch.setattr(module, "look_at_new", lambda: looks.append(dict(conveyor.done)))

    await carry(conveyor, fetched(A, 0, 1), checkpoints=1)
    await carry(conveyor, fetched(B, 0), checkpoints=1)

    assert looks == [{A: 2}, {A: 2, B: 1}]


async def test_what_comes_within_a_round_shares_the_next_checkpoint(conveyor, monkeypatch):
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.3)
    later = [fetched(A, 1), fetched(B, 0)]

    def two_more():
        conveyor.lane.then = lambda: None
        conveyor._put(later[0])
        asyncio.get_running_loop().call_later(0.05, conveyor._put, later[1])

    conveyor.lane.then = two_more
    await carry(conveyor, fetched(A, 0), checkpoints=2)

    assert conveyor.lane.worked == [{"tickets.a": [0]}, {"tickets.a": [1], "tickets.b": [0]}]


async def test_a_flood_has_its_share_of_a_checkpoint_and_nobody_else_waits_behind_it(conveyor, monkeypatch):
    monkeypatch.setattr(module, "SHARE_RECORDS_MIN", 4)
    conveyor.lane.sources = dict.fromkeys(range(module.CHECKPOINT_RECORDS_MAX), True)
    flood = [fetched(A, *range(2 * number, 2 * number + 2)) for number in range(6)]

    await carry(conveyor, *flood, fetched(B, 0), checkpoints=3)

    shares = [{topic: len(offsets) for topic, offsets in one.items()} for one in conveyor.lane.worked]
    assert shares == [{"tickets.a": 4, "tickets.b": 1}, {"tickets.a": 4}, {"tickets.a": 4}]
    assert [offset for one in conveyor.lane.worked for offset in one["tickets.a"]] == list(range(12))
    assert conveyor.done == {A: 12, B: 1}


async def test_a_source_that_is_alone_has_a_whole_checkpoint(conveyor):
    await carry(conveyor, *[fetched(A, *range(64 * n, 64 * n + 64)) for n in range(65)], checkpoints=2)

    assert [len(one["tickets.a"]) for one in conveyor.lane.worked] == [module.CHECKPOINT_RECORDS_MAX, 64]


async def test_a_source_has_no_more_than_is_worked_in_a_sub_slices_time(conveyor):
    conveyor.lane.pace = 128

    await carry(conveyor, *[fetched(A, *range(64 * n, 64 * n + 64)) for n in range(4)], checkpoints=2)

    assert [len(one["tickets.a"]) for one in conveyor.lane.worked] == [128, 128]


async def test_who_is_behind_does_not_wait_for_the_next_round(conveyor, monkeypatch):
    """A round is for what comes; what has come is worked at once."""
    monkeypatch.setattr(module, "ROUND_SECONDS", 60.0)
    monkeypatch.setattr(module, "SHARE_RECORDS_MIN", 2)
    conveyor.lane.sources = dict.fromkeys(range(module.CHECKPOINT_RECORDS_MAX), True)

    await carry(conveyor, *[fetched(A, 2 * n, 2 * n + 1) for n in range(4)], checkpoints=4)


async def test_what_waits_in_plenty_is_held_back_until_it_has_been_worked(conveyor, monkeypatch):
    monkeypatch.setattr(module, "SHARE_RECORDS_MIN", 4)
    conveyor._turns.share = 4
    held = []
    conveyor.lane.then = lambda: held.append(conveyor.held)
    conveyor.lane.sources = dict.fromkeys(range(module.CHECKPOINT_RECORDS_MAX), True)
    for n in range(6):
        conveyor._put(fetched(A, 2 * n, 2 * n + 1))
    assert conveyor.held == {A}

    await carry(conveyor, fetched(B, 0), checkpoints=3)

    assert held == [{A}, frozenset(), frozenset()]
