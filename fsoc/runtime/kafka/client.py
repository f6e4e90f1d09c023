"""The log on a Kafka cluster, by aiokafka. Speaks records, not tickets; membership of groups is Faust's business."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from fsoc.feeds.record import Record, signature_of
from fsoc.runtime.kafka import lenient
from fsoc.runtime.kafka.admin import create_topics, topic_partitions
from fsoc.runtime.kafka.connection import refusing_unanswered, unanswered
from fsoc.runtime.kafka.security import OPEN, Security
from fsoc.runtime.kafka.writer import Stamped, Writer
from fsoc.runtime.log import (
    BATCH_BYTES_MAX,
    RECORD_BYTES_MAX,
    SLICE_RECORDS_MAX,
    Partition,
    RecordTooLarge,
    TopicSpec,
    UnknownTopic,
    Written,
)
from fsoc.settings import Settings

# Appended records are written when there are this many bytes of them, flush or not.
APPENDED_BYTES_MAX = 4 * 1024 * 1024
_STOP_SECONDS_MAX = 5

lenient.install()


class KafkaLog:
    """A `Log` (fsoc/runtime/log.py) on a cluster. Open it with `await KafkaLog.open(brokers)`."""

    def __init__(self, brokers: str, security: Security = OPEN) -> None:
        self._brokers = brokers
        # Of every client that is made here.
        self._reach = {"bootstrap_servers": brokers, **security.client()}
        self._writer = Writer(self._reach)
        self._admin = AIOKafkaAdminClient(request_timeout_ms=30_000, **self._reach)
        # Knows where partitions end; reads nothing.
        self._asker = AIOKafkaConsumer(enable_auto_commit=False, **self._reach)
        self._committers: dict[str, Any] = {}
        self._committing = asyncio.Lock()
        self._known: dict[str, int] = {}
        self._appended: list[Stamped] = []
        self._appended_bytes = 0
        self._flushing = asyncio.Lock()

    @classmethod
    async def of(cls, settings: Settings) -> KafkaLog:
        """Connect to the cluster that the settings name, as they say."""
        return await cls.open(",".join(settings.brokers), Security.of(settings))

    @classmethod
    async def open(cls, brokers: str, security: Security = OPEN) -> KafkaLog:
        """Connect to a cluster: `host:port[,host:port…]`. To write is begun with the first write: not everyone may.

        Raises:
            RefusedToStart: it does not answer, or does not know us, or a file that `security` names cannot be used.
        """
        log = cls(brokers, security)
        try:
            with refusing_unanswered(brokers):
                await log._admin.start()
                await log._asker.start()
        except BaseException:
            await log.close()
            raise
        return log

    async def create(self, topics: Sequence[TopicSpec]) -> None:
        with self._answers():
            existing = await topic_partitions(self._admin)
            missing = [spec for spec in topics if spec.name not in existing]
            await create_topics(self._admin, missing)
            # A topic is known a moment before its partitions can be written: ask each until it answers.
            await self._asker.end_offsets(
                [TopicPartition(spec.name, number) for spec in missing for number in range(spec.partitions)]
            )
            self._known = await topic_partitions(self._admin)

    async def partitions(self, *topics: str) -> dict[str, int]:
        if not all(topic in self._known for topic in topics):
            with self._answers():
                self._known = await topic_partitions(self._admin)
        if missing := [topic for topic in topics if topic not in self._known]:
            raise UnknownTopic.missing(*missing, user=self._reach.get("sasl_plain_username"))
        return {topic: self._known[topic] for topic in topics}

    async def write(self, records: Iterable[Written], signature: bytes | None = None) -> Sequence[int | None]:
        stamped: list[Stamped] = []
        for record in records:
            await self._check_record(*record)
            stamped.append((*record, None))
        if not stamped:
            return []
        with self._answers():
            return await self._writer.write(stamped, signature)

    async def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        self._appended_bytes += await self._check_record(topic, partition, key, value)
        self._appended.append((topic, partition, key, value, timestamp_ms))
        if self._appended_bytes > APPENDED_BYTES_MAX:
            await self.flush()

    async def flush(self) -> None:
        # One at a time: who comes second waits for what the first has in hand, then writes the rest.
        async with self._flushing:
            taken, self._appended, self._appended_bytes = self._appended, [], 0
            if not taken:
                return
            try:
                with self._answers():
                    await self._writer.write(taken)
            except RecordTooLarge:
                raise
            except BaseException:
                self._appended = taken + self._appended
                raise

    async def reader(self, starts: Mapping[Partition, int]) -> KafkaReader:
        for name in starts:
            await self._check(name)
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            # Where retention has passed our offset: the first record there is.
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=BATCH_BYTES_MAX,
            **self._reach,
        )
        try:
            with self._answers():
                await consumer.start()
                consumer.assign([TopicPartition(*name) for name in starts])
                for name, offset in starts.items():
                    consumer.seek(TopicPartition(*name), offset)
        except BaseException:
            await consumer.stop()
            raise
        return KafkaReader(self._brokers, consumer)

    async def end_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        for name in partitions:
            await self._check(name)
        with self._answers():
            found = await self._asker.end_offsets([TopicPartition(*name) for name in partitions])
        return {(name.topic, name.partition): offset for name, offset in found.items()}

    async def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        for name in offsets:
            await self._check(name)
        with self._answers():
            async with self._committing:
                committer = await self._committer(group)
                wanted = {TopicPartition(*name) for name in offsets}
                if not wanted <= committer.assignment():
                    wanted |= committer.assignment()
                    committer.assign(wanted)
                    committer.pause(*wanted)
                await committer.commit({TopicPartition(*name): offset for name, offset in offsets.items()})

    async def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        with self._answers():
            async with self._committing:
                committer = await self._committer(group)
            found = await asyncio.gather(*(committer.committed(TopicPartition(*name)) for name in partitions))
        return dict(zip(partitions, found, strict=True))

    async def close(self) -> None:
        await self._writer.stop()
        for client in (self._asker, *self._committers.values()):
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(client.stop(), _STOP_SECONDS_MAX)
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(self._admin.close(), _STOP_SECONDS_MAX)

    async def _check_record(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> int:
        """The record's size."""
        count = self._known.get(topic)
        if count is None or not 0 <= partition < count:
            await self._check((topic, partition))
        size = len(key or b"") + len(value or b"")
        if size > RECORD_BYTES_MAX:
            raise RecordTooLarge(topic, size)
        return size

    async def _check(self, name: Partition) -> None:
        topic, number = name
        count = self._known.get(topic) or (await self.partitions(topic))[topic]
        if not 0 <= number < count:
            raise UnknownTopic.no_partition(topic, number, count)

    async def _committer(self, group: str) -> Any:
        """A consumer that never consumes: aiokafka commits only what is assigned."""
        committer = self._committers.get(group)
        if committer is None:
            committer = AIOKafkaConsumer(
                group_id=group, enable_auto_commit=False, auto_offset_reset="earliest", **self._reach
            )
            await committer.start()
            self._committers[group] = committer
        return committer

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, OSError, TimeoutError) as error:
            raise unanswered(self._brokers, error) from error


def record_of(fetched: Any) -> Record:
    """What aiokafka fetched, as the core sees it."""
    # Most have no header, and are not to pay for those that have.
    signature = signature_of(fetched.headers) if fetched.headers else None
    return Record(fetched.offset, fetched.timestamp, fetched.key, fetched.value, signature)


class KafkaReader:
    """A `Reader` on one consumer that is in no group."""

    def __init__(self, brokers: str, consumer: Any) -> None:
        self._brokers = brokers
        self._consumer = consumer

    async def slices(
        self, *, records_max: int = SLICE_RECORDS_MAX, wait_ms: int = 0
    ) -> Mapping[Partition, Sequence[Record]]:
        try:
            fetched = await self._consumer.getmany(timeout_ms=wait_ms, max_records=records_max)
        except KafkaError as error:
            raise unanswered(self._brokers, error) from error
        return {(name.topic, name.partition): list(map(record_of, records)) for name, records in fetched.items()}

    async def position(self, topic: str, partition: int) -> int:
        return int(await self._consumer.position(TopicPartition(topic, partition)))

    async def close(self) -> None:
        await self._consumer.stop()
