"""Nobody works, or is asked, before its state is restored; also where its stage changes meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.runtime import worker
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.worker import Lane, Place, Slice, Source

A, B = Source("tickets.a", 0), Source("tickets.b", 0)


class Stage:
    """Its state is how many records it has worked; it notes what is asked of it."""

    def __init__(self, source, journal):
        self._key, self._journal, self._worked = f"{source.topic[8:]}/header".encode(), journal, 0

    def restore(self, _key, value):
        self._worked = int(value)

    def restored(self):
        self._journal.append(("restored", self._worked))
        return Outputs()

    def work(self, records):
        self._journal.append(("work", len(records)))
        self._worked += len(records)
        return Outputs([(self._key, b"%d" % self._worked)])

    def idle(self):
        self._journal.append(("idle",))
        return Outputs(published=[Outgoing("out", 0, None, b"idle")])


@pytest.fixture
def journal():
    return []


@pytest.fixture
async def log():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("t.state", compacted=True), TopicSpec("t.out")])
    return log


@pytest.fixture
def new_lane(log, journal):
    """A worker that has just started on the same log."""

    def make():
        place = Place("state", 0)
        return Lane("test", lambda source: Stage(source, journal), lambda _: place, log, "t.", lambda: 0.0)

    return make


async def ours():
    return True


def records(start, stop):
    return [Record(offset, 0, None, b"{}") for offset in range(start, stop)]


async def test_a_slice_that_waits_for_its_turn_is_not_worked_by_a_stage_that_was_forgotten_meanwhile(new_lane, journal):
    """The slice before it runs ahead of the state and is given up: the stage is another then, and not restored."""
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.restore()
    answers = iter([True, True, False])

    async def until_revoked():
        return next(answers)

    given_up = asyncio.ensure_future(lane.work([Slice(A, records(0, 200))], until_revoked))
    waiting = asyncio.ensure_future(lane.work([Slice(A, records(200, 203))], ours))

    assert (await given_up, await waiting) == ([], [])
    assert journal == [("restored", 0), ("work", 64)]
    assert lane.sources == {A: False}


async def test_a_source_that_is_taken_anew_while_it_is_restored_is_restored_again(new_lane, journal, monkeypatch):
    """It was lost and came back within one restore: others may have worked it between."""
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)
    journal.clear()
    real, restarted = worker.read_all, new_lane()
    restarted.take([A], kept=False)

    async def read_all(log, partitions):
        async for found in real(log, partitions):
            yield found
        restarted.take([A], kept=False)

    monkeypatch.setattr(worker, "read_all", read_all)
    await restarted.restore()
    assert (journal, restarted.sources) == ([], {A: False})

    monkeypatch.setattr(worker, "read_all", real)
    await restarted.restore()
    assert (journal, restarted.sources) == ([("restored", 3)], {A: True})


async def test_a_source_that_is_not_restored_or_not_ours_is_not_told_that_it_is_at_its_end(new_lane, log, journal):
    lane = new_lane()
    lane.take([A], kept=False)

    async def at_end():
        return [A, B]

    await lane.idle(at_end, ours)

    assert journal == []
    assert await log.end_offsets([("t.out", 0)]) == {("t.out", 0): 0}


async def test_a_stage_whose_last_word_may_not_be_written_is_restored_before_it_is_asked_again(new_lane, log):
    """It would not say again what it believes to have said."""
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.restore()

    async def at_end():
        return [A]

    async def revoked():
        return False

    await lane.idle(at_end, revoked)

    assert lane.sources == {A: False}
    assert await log.end_offsets([("t.out", 0)]) == {("t.out", 0): 0}
