"""A log in this process: for machines without Kafka, for replay and for tests. Nothing outlives the object."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from fsoc.feeds.record import Record
from fsoc.runtime.log import (
    RECORD_BYTES_MAX,
    SLICE_RECORDS_MAX,
    Partition,
    RecordTooLarge,
    TopicSpec,
    UnknownTopic,
    Written,
)

# A compacted partition is cleaned when it holds this many records more than twice its keys.
COMPACT_SLACK = 1_000
_by_offset = attrgetter("offset")


class _Partition:
    """The records of one partition, in offset order; compaction leaves gaps."""

    def __init__(self, spec: TopicSpec) -> None:
        self.spec = spec
        self.records: list[Record] = []
        self.end = 0
        self._newest: dict[bytes, Record] = {}

    def append(self, timestamp_ms: int, key: bytes | None, value: bytes | None, signature: bytes | None = None) -> None:
        record = Record(self.end, timestamp_ms, key, value, signature)
        self.records.append(record)
        self.end += 1
        if not self.spec.compacted or key is None:
            return
        if value is None:
            self._newest.pop(key, None)
        else:
            self._newest[key] = record
        if len(self.records) > 2 * len(self._newest) + COMPACT_SLACK:
            self.records = sorted(self._newest.values(), key=_by_offset)

    def slice(self, offset: int, records_max: int) -> list[Record]:
        first = bisect_left(self.records, offset, key=_by_offset)
        return self.records[first : first + records_max]


class MemoryLog:
    """A `Log` (fsoc/runtime/log.py) on lists.

    clock: milliseconds since the epoch; stamps records of topics that stamp "append", and those without a stamp.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._topics: dict[str, list[_Partition]] = {}
        self._committed: dict[tuple[str, Partition], int] = {}
        self._appended = asyncio.Event()

    async def create(self, topics: Sequence[TopicSpec]) -> None:
        for spec in topics:
            self._topics.setdefault(spec.name, [_Partition(spec) for _ in range(spec.partitions)])

    async def partitions(self, *topics: str) -> dict[str, int]:
        if missing := [topic for topic in topics if topic not in self._topics]:
            raise UnknownTopic.missing(*missing)
        return {topic: len(self._topics[topic]) for topic in topics}

    async def write(self, records: Iterable[Written], signature: bytes | None = None) -> Sequence[int | None]:
        checked = list(records)
        for record in checked:
            self._check(record)
        offsets: list[int | None] = []
        for topic, partition, key, value in checked:
            target = self._find((topic, partition))
            offsets.append(target.end)
            target.append(self._clock(), key, value, signature)
        self._appended.set()
        await self.flush()
        return offsets

    async def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        self._check((topic, partition, key, value))
        target = self._topics[topic][partition]
        if timestamp_ms is None or target.spec.timestamps == "append":
            timestamp_ms = self._clock()
        target.append(timestamp_ms, key, value)
        self._appended.set()

    async def flush(self) -> None:
        # Nothing is kept back; but let readers run, as a real flush would.
        await asyncio.sleep(0)

    async def reader(self, starts: Mapping[Partition, int]) -> MemoryReader:
        return MemoryReader({name: self._find(name) for name in starts}, starts, self._appended)

    async def end_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        return {name: self._find(name).end for name in partitions}

    async def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        for name, offset in offsets.items():
            self._find(name)
            self._committed[group, name] = offset

    async def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        return {name: self._committed.get((group, name)) for name in partitions}

    async def close(self) -> None:
        """Nothing to let go: the same object can be used on, as a cluster outlives its clients."""

    def _check(self, record: Written) -> None:
        topic, partition, key, value = record
        self._find((topic, partition))
        size = len(key or b"") + len(value or b"")
        if size > RECORD_BYTES_MAX:
            raise RecordTooLarge(topic, size)

    def _find(self, name: Partition) -> _Partition:
        topic, number = name
        partitions = self._topics.get(topic)
        if partitions is None:
            raise UnknownTopic.missing(topic)
        if not 0 <= number < len(partitions):
            raise UnknownTopic.no_partition(topic, number, len(partitions))
        return partitions[number]


class MemoryReader:
    """A `Reader` over lists. The partition read longest ago comes first, so that a busy one starves no other."""

    def __init__(
        self, partitions: dict[Partition, _Partition], starts: Mapping[Partition, int], appended: asyncio.Event
    ) -> None:
        self._partitions = partitions
        self._positions = dict(starts)
        self._appended = appended

    async def slices(
        self, *, records_max: int = SLICE_RECORDS_MAX, wait_ms: int = 0
    ) -> Mapping[Partition, Sequence[Record]]:
        await asyncio.sleep(0)
        found = self._take(records_max)
        if found or not wait_ms:
            return found
        try:
            async with asyncio.timeout(wait_ms / 1000):
                while not (found := self._take(records_max)):
                    self._appended.clear()
                    await self._appended.wait()
        except TimeoutError:
            return {}
        return found

    async def position(self, topic: str, partition: int) -> int:
        return self._positions[topic, partition]

    async def close(self) -> None:
        self._partitions.clear()

    def _take(self, records_max: int) -> dict[Partition, list[Record]]:
        found: dict[Partition, list[Record]] = {}
        for name in list(self._partitions):
            records = self._partitions[name].slice(self._positions[name], records_max)
            if not records:
                # Past the gap that compaction may have left at the end.
                self._positions[name] = max(self._positions[name], self._partitions[name].end)
                continue
            found[name] = records
            self._positions[name] = records[-1].offset + 1
            self._partitions[name] = self._partitions.pop(name)
            records_max -= len(records)
            if records_max == 0:
                break
        return found
