"""When a partition is read to its end, how much waits, and when a worker gives itself up."""

from __future__ import annotations

import asyncio

import pytest
from faust.types import TP

from fsoc.runtime.faust import watch
from fsoc.runtime.faust.conveyor import is_at_end
from fsoc.runtime.faust.transport import Standing
from fsoc.runtime.worker import Source

A, B = TP("t.tickets.a", 0), TP("t.tickets.b", 0)


@pytest.mark.parametrize(
    ("standing", "done", "at_end"),
    [
        (Standing(position=5, highwater=5, handed=5), 5, True),
        (Standing(position=0, highwater=0, handed=None), None, True),
        (Standing(position=7, highwater=7, handed=5), 5, True),  # a transaction's mark took the last offsets
        (Standing(position=5, highwater=9, handed=5), 5, False),  # behind
        (Standing(position=5, highwater=5, handed=5), 3, False),  # fetched, and not all worked
        (Standing(position=5, highwater=5, handed=5), None, False),  # fetched, and none worked
        (Standing(position=5, highwater=None, handed=None), None, False),  # not asked the broker yet
        (Standing(position=None, highwater=5, handed=None), None, False),
    ],
)
def test_a_partition_is_at_its_end_when_all_is_read_and_all_that_was_read_is_worked(standing, done, at_end):
    assert is_at_end(standing, done) is at_end


class StubLane:
    def __init__(self, restored=True):
        self.name = "test"
        self.sources = {Source("tickets.a", 0): restored, Source("tickets.b", 0): restored}


class StubConveyor:
    """A lane's side as the watch sees it."""

    def __init__(self, done=None):
        self.lane = StubLane()
        self.done = done or {}
        self.done_total = 0

    def source(self, tp):
        return Source(tp.topic.removeprefix("t."), tp.partition)


class StubApp:
    """A worker whose consumer stands where the test says, each time it is asked."""

    def __init__(self, conveyor, standings):
        self.conveyors = (conveyor,)
        self.is_member = True
        self.consumer = self
        self._standings = iter(standings)

    async def standings(self):
        try:
            return next(self._standings)
        except StopIteration:
            raise asyncio.CancelledError from None  # the test is over


@pytest.fixture
def minutes(monkeypatch):
    """Every tick is a minute long, and none is waited for."""
    now = 0.0

    async def sleep(_):
        nonlocal now
        now += 60.0

    monkeypatch.setattr(watch.asyncio, "sleep", sleep)
    monkeypatch.setattr(watch, "monotonic", lambda: now)


BEHIND = {A: Standing(position=5, highwater=9, handed=5), B: Standing(position=2, highwater=2, handed=None)}


async def watched(app):
    with pytest.raises((watch.Stuck, asyncio.CancelledError)) as ended:
        await watch.watch_progress(app)
    return ended.type


async def test_a_worker_that_works_nothing_while_records_wait_gives_itself_up(minutes):
    app = StubApp(StubConveyor(done={A: 5}), [BEHIND] * 9)

    assert await watched(app) is watch.Stuck


async def test_a_worker_that_is_behind_but_works_stays(minutes):
    conveyor = StubConveyor(done={A: 5})

    def standings():
        for _ in range(9):
            conveyor.done_total += 1
            yield BEHIND

    assert await watched(StubApp(conveyor, standings())) is asyncio.CancelledError


async def test_a_worker_that_has_nothing_to_do_stays(minutes):
    app = StubApp(StubConveyor(done={A: 9}), [BEHIND] * 9)

    assert await watched(app) is asyncio.CancelledError


async def test_a_worker_that_still_restores_stays(minutes):
    conveyor = StubConveyor()
    conveyor.lane = StubLane(restored=False)

    assert await watched(StubApp(conveyor, [BEHIND] * 9)) is asyncio.CancelledError


async def test_a_worker_whose_group_does_not_come_to_rest_gives_itself_up(minutes):
    app = StubApp(StubConveyor(), [])
    app.is_member = False

    assert await watched(app) is watch.Stuck


@pytest.mark.parametrize(
    ("standing", "done", "waiting"),
    [
        (Standing(position=5, highwater=9, handed=5), 5, 4),
        (Standing(position=9, highwater=9, handed=9), 5, 4),  # fetched, waits for its turn
        (Standing(position=3, highwater=9, handed=None), None, 6),  # nothing fetched since the start
        (Standing(position=9, highwater=9, handed=9), None, 1),  # fetched, where it began is not known
        (Standing(position=3, highwater=None, handed=None), None, 0),
    ],
)
def test_what_waits_is_counted_from_what_is_worked_not_from_what_is_fetched(standing, done, waiting):
    conveyor = StubConveyor(done={} if done is None else {A: done})

    assert watch._waiting(conveyor, {A: standing}) == waiting
