"""One worker: production's conveyors, lanes and stages, on a Faust that is not there.

What stands in for Faust is what the conveyors ask of it: slices of a generation, acks, commits, standings.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NamedTuple

from faust.types import TP

from fsoc.pipeline import Pipeline
from fsoc.runtime.faust.conveyor import Conveyor
from fsoc.runtime.faust.transport import Slice, Standing
from fsoc.runtime.lanes import DETECTIONS, LINKS, campaign_lane, correlation_lane, intake_lane
from fsoc.runtime.log import Partition
from tests.simulation.client import Client
from tests.simulation.faults import Crash

PREFIX = "s."
GROUP = "workers"
POLL_SECONDS_MAX = 9_000
FETCH_RECORDS = (2, 10, 40, 500)
WAITING_MAX = 3


class Fetched(NamedTuple):
    """A record as the Kafka client names its parts."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Event:
    """One slice on its way through an agent."""

    def __init__(self, value: Slice, consumer: Consumer) -> None:
        self.value = value
        self._consumer = consumer

    def ack(self) -> None:
        self._consumer.ack(self.value)


class Stream:
    """What an agent reads."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Event] = asyncio.Queue()

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Event]:
        while True:
            yield await self.waiting.get()


class Consumer:
    """Positions, acks and commits of one member of the group."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.positions: dict[Partition, int] = {}
        self.committed: dict[Partition, int] = {}
        self._highwater: dict[Partition, int] = {}
        self._handed: dict[Partition, int] = {}
        self._unacked: dict[Partition, deque[Slice]] = {}
        self._acked: set[Slice] = set()

    async def seek_to_committed(self, partitions: set[TP]) -> None:
        committed = await self._worker.client.committed(GROUP, [tuple(tp) for tp in partitions])
        self.positions = {name: offset or 0 for name, offset in sorted(committed.items())}
        self.committed = dict(self.positions)
        self._handed.clear()
        self._highwater.clear()
        self._unacked.clear()
        self._acked.clear()

    async def unread(self, names: list[Partition]) -> list[Partition]:
        """Which of these have news; how far each goes is known from now on."""
        ends = await self._worker.client.log.end_offsets([name for name in names if name in self.positions])
        self._highwater.update(ends)
        return [name for name, end in ends.items() if self.positions[name] < end]

    async def fetch(self, name: Partition, records_max: int) -> Slice | None:
        worker = self._worker
        generation = worker.consumer_generation_id
        reader = await worker.client.log.reader({name: self.positions[name]})
        records = (await reader.slices(records_max=records_max)).get(name)
        if worker.consumer_generation_id != generation or name not in self.positions or not records:
            return None
        slice_ = Slice(TP(*name), [Fetched(*record[:4]) for record in records], generation)
        self.positions[name] = self._handed[name] = slice_.end
        self._unacked.setdefault(name, deque()).append(slice_)
        return slice_

    def ack(self, slice_: Slice) -> None:
        if slice_.generation == self._worker.consumer_generation_id:
            self._acked.add(slice_)

    async def commit(self) -> bool:
        offsets: dict[Partition, int] = {}
        for name, waiting in self._unacked.items():
            while waiting and waiting[0] in self._acked:
                done = waiting.popleft()
                self._acked.discard(done)
                offsets[name] = done.end
        if not offsets or self._worker.coordinator_forgot:
            return False  # the group refuses a member that it thinks is gone
        await self._worker.client.commit(GROUP, offsets)
        self.committed.update(offsets)
        return True

    async def standings(self) -> dict[TP, Standing]:
        return {
            TP(*name): Standing(position, self._highwater.get(name), self._handed.get(name))
            for name, position in self.positions.items()
        }


class Worker:
    """Joins a group, works what it is given, and dies when told to."""

    def __init__(self, name: str, pipeline: Pipeline, client: Client) -> None:
        self.name = name
        self.client = client
        self.pipeline = pipeline
        client.worker = self
        self.consumer = Consumer(self)
        self.consumer_generation_id = -1
        self.dead = False
        self.frozen_until = 0.0
        self.coordinator_forgot = False
        self.revoking = False
        self.failure: BaseException | None = None
        self._seconds = 0.0
        self.intake = Conveyor(self, intake_lane(pipeline, client, PREFIX, self._worked), PREFIX, self._ours_in)
        self.correlate = Conveyor(self, correlation_lane(pipeline, client, PREFIX, self._worked), PREFIX, self._ours_in)
        self.campaign = Conveyor(self, campaign_lane(pipeline, client, PREFIX, self._worked), PREFIX, self._ours_in)
        self.shared = {PREFIX + DETECTIONS: self.correlate, PREFIX + LINKS: self.campaign}
        self.streams = {self.intake: Stream(), self.correlate: Stream(), self.campaign: Stream()}
        self._joined = False
        self._tasks: dict[asyncio.Task[None], None] = {}  # in an order that is the same in every process
        for conveyor, stream in self.streams.items():
            self.guard(conveyor.agent(stream))
            self.guard(conveyor.run())
        self.guard(self._fetch())
        self.guard(self._tick())

    def guard(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await work
            except Crash:
                self.die()
            except Exception as error:  # noqa: BLE001 - a defect, which the simulation reports
                self.failure = error
                self.die()

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        task.add_done_callback(lambda _: work.close())  # one that was cancelled before it began
        return task

    def die(self) -> None:
        self.dead = True
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()

    def _worked(self) -> float:
        """A stopwatch that a stage takes any time by: so sub-slices are of any length, and the same in each replay."""
        self._seconds += self.client.faults.lot.choice((0.0, 0.001, 0.01, 0.5))
        return self._seconds

    @property
    def is_frozen(self) -> bool:
        return self.frozen_until > asyncio.get_running_loop().time()

    async def before_revoked(self) -> None:
        try:
            async with asyncio.timeout(4.0):
                for conveyor in self.streams:
                    await conveyor.lane.settle()
        except TimeoutError:
            pass

    async def before_assigned(self, assigned: set[TP], generation: int) -> bool:
        """As in fsoc/runtime/faust/app.py; return whether stages were kept."""
        kept = self._joined and generation == self.consumer_generation_id + 1
        self.consumer_generation_id, self._joined = generation, True
        for conveyor in self.streams:
            mine = {tp for tp in assigned if self.shared.get(tp.topic, self.intake) is conveyor}
            conveyor.done.clear()
            conveyor.lane.take((conveyor.source(tp) for tp in mine), kept=kept)
            conveyor.restore_soon()
        await self.consumer.seek_to_committed(assigned)
        self.revoking = False
        return kept

    async def _ours_in(self, generation: int) -> bool:
        """As production: after a long stop, only once it is known that the group has not gone on without us."""
        while not self.revoking and self.consumer_generation_id == generation and not self.dead:
            if not self.coordinator_forgot and not self.is_frozen:
                return True
            await asyncio.sleep(1.0)
        return False

    async def _fetch(self) -> None:
        lot = self.client.faults.lot
        while True:
            await asyncio.sleep(lot.randrange(60, POLL_SECONDS_MAX))
            if self.revoking or self.is_frozen or self.coordinator_forgot:
                continue
            for conveyor, stream in self.streams.items():
                names = [(PREFIX + source.topic, source.partition) for source in conveyor.lane.sources]
                lot.shuffle(names)
                while (unread := await self.consumer.unread(names)) and lot.random() < 0.95:
                    for name in unread:
                        if name in self.consumer.positions and stream.waiting.qsize() <= WAITING_MAX:
                            slice_ = await self.consumer.fetch(name, lot.choice(FETCH_RECORDS))
                            if slice_ is not None:
                                stream.waiting.put_nowait(Event(slice_, self.consumer))
                    await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.client.faults.lot.randrange(60, POLL_SECONDS_MAX))
            if not self.revoking and not self.is_frozen and not self.coordinator_forgot:
                for conveyor in self.streams:
                    await conveyor.idle()
