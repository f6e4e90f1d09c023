"""What a stage forgets leaves the state last: after all that was published of it."""

from __future__ import annotations

from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.worker import Lane, Place, Slice, Source

A = Source("tickets.a", 0)


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
