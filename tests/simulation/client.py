"""One worker's way to the log. Here the worker dies, freezes or gets no answer: within a write, too.

What is durable of a write that was cut short is, in each partition, its first records: how many, the partitions do not
agree upon. So it is with Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fsoc.errors import Retry
from fsoc.feeds.record import Record
from fsoc.runtime.log import Partition, Reader, TopicSpec, Written
from fsoc.runtime.memory_log import MemoryLog
from tests.simulation.faults import Crash, Faults

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

FROZEN_SECONDS_MAX = 2_700
FORGIVEN_SECONDS_MAX = 500
"""Less than the group's session: whoever is frozen for no longer is still a member."""


class Client:
    """A `Log` (fsoc/runtime/log.py), as one worker sees it. alerts_made: as in `Run`."""

    def __init__(self, log: MemoryLog, faults: Faults, alerts_made: list[dict[Partition, int]] | None = None) -> None:
        self.log = log
        self.alerts_made = alerts_made if alerts_made is not None else []
        self.faults = faults
        self.worker: Worker | None = None  # who dies with it

    async def write(self, records: Iterable[Written]) -> None:
        records = list(records)
        if self.faults.zombies:
            await self._alive()
        self._if_dead()
        step = "state" if records[0][0].endswith(".state") else "publish"
        before = "crash before state" if step == "state" else "crash between state and publish"
        fault = self.faults.strikes(before, f"crash within {step}", "write not answered", "frozen within a write")
        if fault == before:
            self._die()
        if fault is None:
            await self._append(records)
            await self.log.flush()
            return
        first, rest = self._cut(records)
        await self._append(first)
        if fault == "write not answered":
            raise Retry("no answer")
        if fault != "frozen within a write":
            self._die()
        if self.faults.zombies:
            self._freeze()
            await self._alive()
            self.faults.counts["zombie"] += self._owner.coordinator_forgot
        else:
            await asyncio.sleep(self.faults.lot.randrange(FORGIVEN_SECONDS_MAX))
            self._if_dead()
        await self._append(rest)

    async def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        await self._alive()
        fault = self.faults.strikes("crash before commit", "crash after commit")
        if fault == "crash before commit":
            self._die()
        await self.log.commit(group, offsets)
        if fault is not None:
            self._die()

    async def reader(self, starts: Mapping[Partition, int]) -> Reader:
        await self._alive()
        return _Reader(self, await self.log.reader(starts))

    async def end_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        await self._alive()
        return await self.log.end_offsets(partitions)

    async def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        await self._alive()
        return await self.log.committed(group, partitions)

    async def partitions(self, *topics: str) -> dict[str, int]:
        return await self.log.partitions(*topics)

    async def create(self, topics: Sequence[TopicSpec]) -> None:
        await self.log.create(topics)

    async def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        await self.log.append(topic, partition, key, value, timestamp_ms)

    async def flush(self) -> None:
        await self.log.flush()

    async def close(self) -> None:
        """The log outlives its clients."""

    async def _alive(self) -> None:
        """Go on only while the process lives, and not while it is frozen."""
        worker = self._owner
        if not worker.dead and self.faults.strikes("frozen", weight=0.2):
            self._freeze()
        while not worker.dead and worker.frozen_until > asyncio.get_running_loop().time():
            await asyncio.sleep(worker.frozen_until - asyncio.get_running_loop().time())
        self._if_dead()

    def _if_dead(self) -> None:
        if self._owner.dead:
            raise Crash

    async def _append(self, records: Iterable[Written]) -> None:
        """Each partition in its order; others write in between."""
        by_partition: dict[Partition, list[Written]] = {}
        for record in records:
            by_partition.setdefault(record[:2], []).append(record)
        names = list(by_partition)
        self.faults.lot.shuffle(names)
        for name in names:
            for record in by_partition[name]:
                await self.log.append(*record)
            if name[0].endswith(".alerts"):
                self.alerts_made.extend([dict(self._owner.consumer.committed)] * len(by_partition[name]))
            await asyncio.sleep(0)

    def _cut(self, records: Sequence[Written]) -> tuple[list[Written], list[Written]]:
        kept: dict[Partition, int] = {}
        for record in records:
            kept[record[:2]] = kept.get(record[:2], 0) + 1
        kept = {name: self.faults.lot.randint(0, count) for name, count in kept.items()}
        first: list[Written] = []
        rest: list[Written] = []
        for record in records:
            kept[record[:2]] -= 1
            (first if kept[record[:2]] >= 0 else rest).append(record)
        return first, rest

    def _freeze(self) -> None:
        seconds = self.faults.lot.choice((1.0, 5.0, float(self.faults.lot.randrange(60, FROZEN_SECONDS_MAX))))
        self._owner.frozen_until = asyncio.get_running_loop().time() + seconds

    def _die(self) -> None:
        self._owner.die()
        raise Crash

    @property
    def _owner(self) -> Worker:
        assert self.worker is not None
        return self.worker


class _Reader:
    """Reads as the log's own reader does, when it is answered."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def slices(self, *, records_max: int = 500, wait_ms: int = 0) -> Mapping[Partition, Sequence[Record]]:
        await self._client._alive()
        faults = self._client.faults
        fault = faults.strikes("crash while restoring", "read not answered")
        if fault == "crash while restoring":
            self._client._die()
        if fault is not None:
            raise Retry("no answer")
        # Never all at once: a restore can end between any two of its slices.
        return await self._reader.slices(records_max=faults.lot.choice((2, 20, records_max)), wait_ms=wait_ms)

    async def position(self, topic: str, partition: int) -> int:
        return await self._reader.position(topic, partition)

    async def close(self) -> None:
        await self._reader.close()
