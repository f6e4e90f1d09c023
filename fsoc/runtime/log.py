"""What fsoc asks of a log: partitioned, ordered, durable once flushed. Kafka and the in-process log both are one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from fsoc.errors import FsocError, Problem, RefusedToStart
from fsoc.feeds.record import Record

# A topic's full name (with prefix) and the partition's number.
Partition: TypeAlias = tuple[str, int]
# Topic, partition, key, value. An `Outgoing` of fsoc/feeds/record.py is one, once its topic has its prefix.
Written: TypeAlias = tuple[str, int, bytes | None, bytes | None]

# Key and value together: a payload of 512 KiB, quarantined whole with its reason, with room to spare. What Kafka adds
# fits between this and BATCH_BYTES_MAX.
RECORD_BYTES_MAX = 2_000_000
BATCH_BYTES_MAX = 2_097_152
SLICE_RECORDS_MAX = 500


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic must be.

    name: with prefix.
    compacted: the newest record of each key is kept, older ones may go; one without value deletes its key.
    retention_ms: a record, the newest of its key too, may go when it is older; None sets no bound.
    retention_bytes: per partition, the oldest records may go past it; None sets no bound.
    uncompressed: stored so, whatever the writer did: a small batch cannot unfold into a huge one at the reader.
    timestamps: "append" stamps each record when it is written, "create" keeps the writer's stamp.
    batch_bytes_max: the largest batch of records, a single one included, that the topic takes.
    replicas: copies in the cluster.
    """

    name: str
    partitions: int = 1
    compacted: bool = False
    retention_ms: int | None = None
    retention_bytes: int | None = None
    timestamps: Literal["append", "create"] = "create"
    batch_bytes_max: int = BATCH_BYTES_MAX
    uncompressed: bool = False
    replicas: int = 1


class UnknownTopic(RefusedToStart):
    """A topic does not exist, or has no such partition. Topics are made from the topic table, never by use."""

    @classmethod
    def missing(cls, *topics: str, user: str | None = None) -> UnknownTopic:
        """user: who asked, where the log lets it see only what it may use."""
        found = "no such topic" if user is None else f"no such topic, or none that {user} may use"
        return cls(*(Problem(topic, f"{found}; `fsoc topics apply` creates it") for topic in topics))

    @classmethod
    def no_partition(cls, topic: str, number: int, count: int) -> UnknownTopic:
        return cls(Problem(topic, f"has {count} partitions, there is no partition {number}"))


class RecordTooLarge(FsocError):  # noqa: N818 - as the others of its tree
    """The writer must bound what it writes; writing it again cannot help.

    size: in bytes; None where only the topic's own, smaller bound was exceeded.
    """

    def __init__(self, topic: str, size: int | None = None) -> None:
        found = "more than its max.message.bytes" if size is None else f"{size} bytes, limit {RECORD_BYTES_MAX}"
        super().__init__(f"{topic}: a record of {found}")


class Reader(Protocol):
    """Reads some partitions onward from given offsets. One task at a time; close it."""

    async def slices(
        self, *, records_max: int = SLICE_RECORDS_MAX, wait_ms: int = 0
    ) -> Mapping[Partition, Sequence[Record]]:
        """Take the next records, in offset order per partition, at most `records_max` in all.

        Waits up to `wait_ms` for the first; {} when there was none. A partition that had none is not named.
        Records that retention removed are skipped: the next one there is comes instead.
        """

    async def position(self, topic: str, partition: int) -> int:
        """The offset from which the next slice of this partition continues."""

    async def close(self) -> None: ...


class Log(Protocol):
    """One log, open. Offsets start at 0 in every partition. Safe to share between tasks of one event loop.

    Every method may raise `Retry` when the log does not answer; the log can be used on.
    """

    async def create(self, topics: Sequence[TopicSpec]) -> None:
        """Make the topics that do not exist; those that do are left as they are."""

    async def partitions(self, *topics: str) -> dict[str, int]:
        """How many partitions each has.

        Raises:
            UnknownTopic: some do not exist; all of those at once.
        """

    async def write(self, records: Iterable[Written], signature: bytes | None = None) -> Sequence[int | None]:
        """Append records, stamped with the present, and return once all are durable: the offset of each, in order.

        signature: goes beside each of them, in its header; None where there is none.

        An offset is None where the log has the record for certain and no longer says where. The order of a partition
        is that of `records`. Two calls at once to one partition may interleave.

        Raises:
            UnknownTopic, RecordTooLarge: nothing was written.
            Retry: some may have been written, and may be twice if the same call is made again.
        """

    async def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        """Hand over one record; it may stay in memory until `flush`. The order of a partition is that of the calls.

        value: None deletes the key of a compacted topic.
        timestamp_ms: kept where the topic stamps "create"; None is the present.

        Raises:
            UnknownTopic, RecordTooLarge: of this record.
        """

    async def flush(self) -> None:
        """Return once everything that was appended before, by whomever, is durable.

        Raises:
            Retry: nothing was forgotten: what is not known to be durable is written again by the next flush.
            RecordTooLarge: the topic takes less than RECORD_BYTES_MAX. What was not durable yet is forgotten.
        """

    async def reader(self, starts: Mapping[Partition, int]) -> Reader:
        """Read these partitions, each from its offset.

        Raises:
            UnknownTopic: one of them does not exist.
        """

    async def end_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The offset that the next record will get, per partition."""

    async def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Remember for the group the offset of the next record to work, per partition; it outlives this log."""

    async def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        """What the group has committed; None where nothing."""

    async def close(self) -> None:
        """Let go of everything. What was not flushed may be lost."""


async def read_to_end(log: Log, topic: str, partition: int, offset: int = 0) -> AsyncIterator[Sequence[Record]]:
    """Read from `offset` up to the end as it is now, in slices; what is appended meanwhile is left out.

    To restore from a compacted topic, take the records in order: the newest of every key is among them (a deleted key's
    may be missing altogether), older ones may be.
    """
    partitions = [(topic, partition)]
    end = (await log.end_offsets(partitions))[topic, partition]
    if offset >= end:
        return
    reader = await log.reader({(topic, partition): offset})
    try:
        while await reader.position(topic, partition) < end:
            for records in (await reader.slices(wait_ms=100)).values():
                if records[-1].offset < end:
                    yield records
                elif wanted := [record for record in records if record.offset < end]:
                    yield wanted
    finally:
        await reader.close()
