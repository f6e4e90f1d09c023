"""From a Faust agent to a lane and back: gather slices, have them worked, ack, commit. Looks into no record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faust.types import TP

from fsoc.feeds.record import Record
from fsoc.runtime.collector import look_at_new
from fsoc.runtime.faust.transport import Slice as Fetched
from fsoc.runtime.faust.transport import Standing
from fsoc.runtime.faust.turns import Turns
from fsoc.runtime.kafka.client import record_of
from fsoc.runtime.worker import Lane, Slice, Source

# One checkpoint is one flush and one commit, whatever it holds: with 400 institutions that send a ticket now and then,
# slices are of one record, and it is this that keeps the pace.
CHECKPOINT_SLICES_MAX = 512
CHECKPOINT_RECORDS_MAX = 4096
# What one source has in a checkpoint: no more than is worked in one sub-slice's time, nor than its share of these
# records, but this in any case.
SHARE_RECORDS_MIN = 64

ROUND_SECONDS = 0.1
"""What comes within it shares one checkpoint. A checkpoint of every source costs the same for one ticket as for twenty:
without this a worker is as busy with a thousand tickets a second as it can be. After a pause nothing waits."""

# Whether partitions assigned in this generation of the group are still ours; waits until that is known.
OursIn = Callable[[int], Awaitable[bool]]


def is_at_end(standing: Standing, done: int | None) -> bool:
    """Whether a partition is read to its end, and everything that was read of it is worked.

    done: offset after the last worked record, None when none was since the position was last set.
    """
    position, highwater, handed = standing
    if position is None or highwater is None or position < highwater:
        return False
    return handed is None or (done is not None and done >= handed)


class Conveyor:
    """One agent's side of one lane.

    done: partition → offset after the last record that is worked and durable, since its position was last set.
    done_total: how many slices were; it stands still when nothing moves.
    """

    def __init__(self, app: Any, lane: Lane, prefix: str, ours_in: OursIn) -> None:
        self.lane = lane
        self.done: dict[TP, int] = {}
        self.done_total = 0
        self._app = app
        self._prefix = prefix
        self._ours_in = ours_in
        self._turns: Turns[Any] = Turns(CHECKPOINT_RECORDS_MAX, CHECKPOINT_SLICES_MAX)
        self._some_wait = asyncio.Event()
        self._committing: asyncio.Task[bool] | None = None
        self._restoring: asyncio.Task[None] | None = None

    @property
    def held(self) -> frozenset[TP]:
        """The partitions of which enough waits: nothing more is to be fetched of them for now. For any thread."""
        return self._turns.held

    def source(self, tp: TP) -> Source:
        return Source(tp.topic.removeprefix(self._prefix), tp.partition)

    async def agent(self, stream: Any) -> None:
        """The Faust agent. Slices are acked when they are durable, not when they have been looked at."""
        async for event in stream.noack().events():
            self._put(event)

    async def run(self) -> None:
        """Carry for ever.

        Raises:
            StageFailed: nothing that is not durable was committed.
        """
        clock = asyncio.get_running_loop().time
        while True:
            events = await self._gather()
            next_at = clock() + ROUND_SECONDS
            is_behind = bool(self._turns)
            await self._carry(events)
            if not is_behind and (left := next_at - clock()) > 0:
                await asyncio.sleep(left)

    async def idle(self) -> None:
        """Tell the stages of partitions that are read to their end, and worked, so."""
        generation: int = self._app.consumer_generation_id

        async def at_end() -> list[Source]:
            standings = await self._app.consumer.standings()
            return [
                self.source(tp)
                for tp, standing in standings.items()
                if self.source(tp) in self.lane.sources and is_at_end(standing, self.done.get(tp))
            ]

        await self.lane.idle(at_end, lambda: self._ours_in(generation))

    def restore_soon(self) -> None:
        """Restore, beside everything else, what is not restored and not being restored."""
        if self._restoring is None or self._restoring.done():
            self._restoring = self._app.guard(self.lane.restore())

    def _put(self, event: Any) -> None:
        self._turns.add(event.value.tp, event, len(event.value.records))
        self._some_wait.set()

    async def _gather(self) -> list[Any]:
        """What is worked next, once something waits."""
        await self._some_wait.wait()
        fair = CHECKPOINT_RECORDS_MAX // max(1, len(self.lane.sources))
        self._turns.share = max(SHARE_RECORDS_MIN, min(self.lane.pace, fair))
        events = self._turns.take()
        if not self._turns:
            self._some_wait.clear()
        return events

    async def _carry(self, events: list[Any]) -> None:
        generation: int = self._app.consumer_generation_id
        # What was fetched before the last rebalance is fetched again by whoever owns it now.
        events = [event for event in events if event.value.generation == generation]
        if not events or not await self._ours_in(generation):
            return
        if not await self.lane.work(self._slices(events), lambda: self._ours_in(generation)):
            return
        for event in events:
            self.done[event.value.tp] = event.value.end
            event.ack()
        self.done_total += len(events)
        self._commit()
        look_at_new()

    def _slices(self, events: list[Any]) -> list[Slice]:
        """One of each source: what was fetched one after another is worked in one."""
        found: dict[TP, list[Record]] = {}
        for event in events:
            fetched: Fetched = event.value
            found.setdefault(fetched.tp, []).extend(map(record_of, fetched.records))
        return [Slice(self.source(tp), records) for tp, records in found.items()]

    def _commit(self) -> None:
        """Commit what is acked, beside the next checkpoint. While one commit is under way the next takes both."""
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._app.consumer.commit())
