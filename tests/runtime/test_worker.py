"""The lane: restore before work, sub-slices, one checkpoint in the right order, nothing for what is not ours."""

from __future__ import annotations

import asyncio
import gc
import json

import pytest

from fsoc.errors import Retry
from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.runtime import worker
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.worker import SUBSLICE_SECONDS, Lane, Place, Slice, Source, StageFailed

A, B = Source("tickets.a", 0), Source("tickets.b", 0)


class Counting:
    """Counts the records of one source, each offset once; its whole state is one header."""

    def __init__(self, name, journal):
        self.name = name
        self.journal = journal
        self.offset, self.count, self.taken = -1, 0, 0
        self.poison = None

    def restore(self, key, value):
        self.taken += 1
        if value is not None:
            self.offset, self.count = json.loads(value)

    def restored(self):
        self.journal.append(("restored", self.name, self.count))
        return Outputs()

    def work(self, records):
        self.journal.append(("work", self.name, len(records)))
        for record in records:
            if record.value == b"poison":
                raise ZeroDivisionError
            if record.offset > self.offset:
                self.offset, self.count = record.offset, self.count + 1
        header = (f"{self.name}/header".encode(), json.dumps([self.offset, self.count]).encode())
        return Outputs([header], [Outgoing("out", 0, self.name.encode(), b"%d" % self.count)])

    def idle(self):
        self.journal.append(("idle", self.name))
        return Outputs(published=[Outgoing("out", 0, self.name.encode(), b"idle")])


class JournalLog(MemoryLog):
    """Notes what is appended and flushed. silent: how many writes are not answered."""

    def __init__(self, journal):
        super().__init__(clock=lambda: 0)
        self.journal = journal
        self.silent = 0

    async def write(self, records):
        records = list(records)
        self.journal += [("append", record[0]) for record in records]
        if self.silent:
            self.silent -= 1
            raise Retry("no answer")
        await super().write(records)
        self.journal.append(("flush",))


@pytest.fixture
def journal():
    return []


@pytest.fixture
async def log(journal):
    log = JournalLog(journal)
    await log.create([TopicSpec("t.state", 2, compacted=True), TopicSpec("t.out")])
    return log


@pytest.fixture
def new_lane(log, journal):
    """A worker that has just started on the same log."""

    def make(clock=lambda: 0.0, place=lambda source: Place("state", 1, f"{source.topic[8:]}/".encode())):
        return Lane("test", lambda source: Counting(source.topic[8:], journal), place, log, "t.", clock)

    return make


async def ours():
    return True


def records(start, stop):
    return [Record(offset, 0, None, b"{}") for offset in range(start, stop)]


async def published(log):
    reader = await log.reader({("t.out", 0): 0})
    return [(record.key, record.value) for record in (await reader.slices()).get(("t.out", 0), [])]


async def test_state_is_flushed_before_anything_is_published_and_all_before_the_slice_is_handed_back(new_lane, journal):
    lane = new_lane()
    lane.take([A], kept=False)
    slices = [Slice(A, records(0, 3))]

    assert await lane.work(slices, ours) == slices

    journal.append(("handed back",))
    assert journal == [
        ("restored", "a", 0),
        ("work", "a", 3),
        ("append", "t.state"),
        ("flush",),
        ("append", "t.out"),
        ("flush",),
        ("handed back",),
    ]


async def test_slices_of_several_sources_share_one_checkpoint(new_lane, journal):
    lane = new_lane()
    lane.take([A, B], kept=False)

    await lane.work([Slice(A, records(0, 3)), Slice(B, records(0, 2)), Slice(A, records(3, 4))], ours)

    assert journal.count(("flush",)) == 2
    assert journal.count(("append", "t.state")) == 3


async def test_a_restarted_worker_restores_before_it_works(new_lane, log, journal):
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)
    journal.clear()

    restarted = new_lane()
    restarted.take([A], kept=False)
    await restarted.work([Slice(A, records(1, 5))], ours)

    assert journal[0] == ("restored", "a", 3)
    assert (await published(log))[-1] == (b"a", b"5")
    assert restarted.headers == {A: b"[4, 5]"}


@pytest.mark.usefixtures("freezing")
async def test_what_is_restored_is_not_looked_through_for_garbage_while_it_grows_nor_ever_again(new_lane, monkeypatch):
    seen = []
    monkeypatch.setattr(
        Counting, "restored", lambda _: seen.append((gc.isenabled(), gc.get_freeze_count())) or Outputs()
    )
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.restore()

    assert gc.isenabled()
    assert not seen[0][0]
    assert gc.get_freeze_count() > seen[0][1]


async def test_sources_that_share_a_state_partition_each_get_their_own(new_lane, journal):
    lane = new_lane()
    lane.take([A, B], kept=False)
    await lane.work([Slice(A, records(0, 3)), Slice(B, records(0, 7))], ours)

    restarted = new_lane()
    restarted.take([B], kept=False)
    await restarted.restore()

    assert journal[-1] == ("restored", "b", 7)
    assert restarted.headers == {B: b"[6, 7]"}


async def test_a_source_that_has_a_state_partition_alone_gets_all_of_it(new_lane, journal):
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)

    alone = new_lane(place=lambda _: Place("state", 1))
    alone.take([A], kept=False)
    await alone.restore()

    assert journal[-1] == ("restored", "a", 3)


async def test_what_is_lost_in_the_middle_is_neither_written_nor_handed_back(new_lane, log, journal):
    """Each record costs more than a sub-slice may: the second sub-slice would be the first that is not ours.

    records   |1|2|3|4|
    ours       ^ yes
                 ^ no → dropped whole
    """
    lane = new_lane(clock=iter(range(1000)).__next__)
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 1))], ours)
    journal.clear()
    answers = iter([True, True, False])

    async def until_revoked():
        return next(answers)

    assert await lane.work([Slice(A, records(1, 5))], until_revoked) == []

    assert journal == [("work", "a", 1)]
    assert await published(log) == [(b"a", b"1")]


async def test_a_stage_that_ran_ahead_of_its_state_is_restored_before_it_works_again(new_lane, journal):
    lane = new_lane()
    lane.take([A], kept=False)
    answers = iter([True, True, False])

    async def until_written():
        return next(answers)

    assert await lane.work([Slice(A, records(0, 3))], until_written) == []
    assert lane.sources == {A: False}
    journal.clear()

    await lane.work([Slice(A, records(0, 2))], ours)

    assert journal[0] == ("restored", "a", 0)
    assert lane.headers == {A: b"[1, 2]"}


async def test_a_log_that_does_not_answer_is_asked_again_while_the_partitions_are_ours(
    new_lane, log, journal, monkeypatch
):
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0)
    lane, log.silent = new_lane(), 2
    lane.take([A], kept=False)
    slices = [Slice(A, records(0, 3))]

    assert await lane.work(slices, ours) == slices

    assert [entry for entry in journal if entry[0] in {"append", "flush"}] == [
        ("append", "t.state"),
        ("append", "t.state"),
        ("append", "t.state"),
        ("flush",),
        ("append", "t.out"),
        ("flush",),
    ]


async def test_a_log_that_does_not_answer_is_given_up_when_the_partitions_are_gone(new_lane, log, monkeypatch):
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0)
    lane, log.silent = new_lane(), 1000
    lane.take([A], kept=False)
    answers = iter([True, True, True, True, False])

    async def until_revoked():
        return next(answers)

    assert await lane.work([Slice(A, records(0, 3))], until_revoked) == []
    assert lane.sources == {A: False}
    assert log.silent == 998


async def test_a_restore_that_is_not_answered_begins_anew(new_lane, log, journal, monkeypatch):
    """The stage has taken a part of its state already: a new one is made, so that nothing is taken twice."""
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0)
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)
    real, calls = worker.read_all, []

    async def read_all(log, partitions):
        calls.append(partitions)
        async for found in real(log, partitions):
            yield found
            if len(calls) == 1:
                raise Retry("no answer")

    monkeypatch.setattr(worker, "read_all", read_all)
    restarted = new_lane()
    restarted.take([A], kept=False)
    journal.clear()

    await restarted.restore()

    assert len(calls) == 2
    assert journal == [("restored", "a", 3)]
    assert restarted._held[A].stage.taken == 1


async def test_a_stage_that_raises_ends_the_work_and_nothing_of_the_checkpoint_is_written(new_lane, log):
    lane = new_lane()
    lane.take([A, B], kept=False)

    with pytest.raises(StageFailed, match=r"tickets.b/0 at offsets 5-6"):
        await lane.work([Slice(A, records(0, 3)), Slice(B, [*records(5, 6), Record(6, 0, None, b"poison")])], ours)

    assert await published(log) == []
    assert (await log.end_offsets([("t.state", 1)])) == {("t.state", 1): 0}


async def test_sources_kept_through_a_rebalance_keep_their_stage_and_new_ones_are_restored(new_lane, journal):
    lane = new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)
    journal.clear()

    lane.take([A, B], kept=True)
    await lane.restore()

    assert journal == [("restored", "b", 0)]


async def test_sources_that_another_may_have_worked_meanwhile_are_restored_anew(new_lane, journal):
    lane, other = new_lane(), new_lane()
    lane.take([A], kept=False)
    await lane.work([Slice(A, records(0, 3))], ours)
    other.take([A], kept=False)
    await other.work([Slice(A, records(3, 9))], ours)

    lane.take([A], kept=False)
    await lane.restore()

    assert journal[-1] == ("restored", "a", 9)


async def test_a_source_that_is_ours_no_more_is_forgotten_with_its_figures(new_lane):
    lane = new_lane()
    lane.take([A, B], kept=False)
    await lane.work([Slice(A, records(0, 3)), Slice(B, records(0, 3))], ours)

    lane.take([B], kept=True)

    assert set(lane.sources) == set(lane.headers) == {B}
    assert await lane.work([Slice(A, records(3, 4))], ours) == []


async def test_only_sources_at_their_end_are_told_so(new_lane, log, journal):
    lane = new_lane()
    lane.take([A, B], kept=False)
    await lane.restore()

    async def at_end():
        return [B]

    await lane.idle(at_end, ours)

    assert ("idle", "b") in journal
    assert ("idle", "a") not in journal
    assert await published(log) == [(b"b", b"idle")]


async def test_who_is_at_its_end_is_asked_only_while_nothing_is_worked(new_lane, journal):
    """The idle tick comes in the middle of a slice: it waits, and then asks."""
    lane = new_lane(clock=iter(range(1000)).__next__)
    lane.take([A], kept=False)
    await lane.restore()
    working = asyncio.ensure_future(lane.work([Slice(A, records(0, 200))], ours))
    await asyncio.sleep(0)

    async def at_end():
        journal.append(("asked",))
        return [A]

    await lane.idle(at_end, ours)

    assert journal.index(("asked",)) > max(i for i, entry in enumerate(journal) if entry == ("append", "t.state"))
    assert await working


async def test_sub_slices_shrink_until_they_take_no_longer_than_they_may(new_lane, journal):
    """Every record costs a fifth of what a sub-slice may take; the clock moves only in the stage."""
    now = 0.0
    lane = new_lane(clock=lambda: now)
    stage = Counting("a", journal)
    plain = stage.work

    def slow(part):
        nonlocal now
        now += len(part) * SUBSLICE_SECONDS / 5
        return plain(part)

    stage.work = slow
    lane._stage_of = lambda _: stage
    lane.take([A], kept=False)

    await lane.work([Slice(A, records(0, 400))], ours)

    lengths = [entry[2] for entry in journal if entry[0] == "work"]
    assert sum(lengths) == 400
    assert lengths[0] > 5
    assert all(4 <= length <= 5 for length in lengths[1:-1])
