"""What a stage forgets leaves the state last, after all that was published; what a lane lets go of leaves memory."""

from __future__ import annotations

import weakref

import pytest

from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.worker import Lane, Place, Slice, Source

A, B = Source("tickets.a", 0), Source("tickets.b", 0)


class Forgetting:
    """Keeps each record's value as a key; a record `-x` forgets x."""

    def restored(self):
        return Outputs()

    def work(self, records):
        outputs = Outputs(published=[Outgoing("out", 0, None, b"said")])
        for record in records:
            if record.value.startswith(b"-"):
                outputs.forgotten.append(record.value.removeprefix(b"-"))
            else:
                outputs.state.append((record.value, b"kept"))
        return outputs


class JournalLog(MemoryLog):
    """Notes to which topics each write goes."""

    def __init__(self):
        super().__init__(clock=lambda: 0)
        self.journal = []

    async def write(self, records):
        records = list(records)
        self.journal.append({topic for topic, *_ in records})
        await super().write(records)


async def ours():
    return True


async def test_what_is_forgotten_is_deleted_last_and_only_if_it_is_not_kept_anew():
    log = JournalLog()
    await log.create([TopicSpec("t.state", compacted=True), TopicSpec("t.out")])
    lane = Lane("test", lambda _: Forgetting(), lambda _: Place("state", 0), log, "t.", lambda: 0.0)
    lane.take([A], kept=False)
    values = [b"x", b"y", b"-x", b"-y", b"y"]
    await lane.work([Slice(A, [Record(number, 0, None, value)]) for number, value in enumerate(values)], ours)

    assert log.journal == [{"t.state"}, {"t.out"}, {"t.state"}]
    (records,) = (await (await log.reader({("t.state", 0): 0})).slices()).values()
    assert [(record.key, record.value) for record in records][-1] == (b"x", None)
    assert [record.key for record in records if record.value is None] == [b"x"]


class Circular(Forgetting):
    """Refers to itself, as what an error has passed through may."""

    def __init__(self):
        self.itself = self


@pytest.mark.usefixtures("freezing")
async def test_stages_let_go_of_in_a_rebalance_leave_memory_though_all_was_frozen():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("t.state", compacted=True)])
    stages = []

    def made(_):
        stage = Circular()
        stages.append(weakref.ref(stage))
        return stage

    lane = Lane("test", made, lambda _: Place("state", 0, b""), log, "t.", lambda: 0.0)
    for kept, sources in ((False, [A]), (True, [B]), (False, [B]), (False, [B])):
        lane.take(sources, kept=kept)
        await lane.restore()

    assert [stage() is None for stage in stages] == [True, True, True, False]
