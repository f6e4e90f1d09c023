"""Durable writing to a cluster: many records in few batches, each call answered for itself. Reads nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import count as count_from
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from fsoc.feeds.record import SIGNATURE
from fsoc.runtime.log import BATCH_BYTES_MAX, Partition, RecordTooLarge

BATCH_BYTES = 262_144
# An idempotent producer retries for ever; whoever cannot write must know, and let another take over.
WRITE_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 2

# Topic, partition, key, value, timestamp in ms or None for the present.
Stamped = tuple[str, int, bytes | None, bytes | None, int | None]
Headers = list[tuple[str, bytes]]


class Writer:
    """One idempotent producer at a time; one that was refused something is replaced.

    reach: arguments of aiokafka's clients that say where the cluster is and who comes.
    """

    def __init__(self, reach: Mapping[str, Any]) -> None:
        self._reach = reach
        self._producer: Any = None
        self._starting = asyncio.Lock()

    async def start(self) -> Any:
        """The producer, connected.

        Raises:
            KafkaError: the cluster does not answer.
        """
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._reach,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES,
                    max_request_size=BATCH_BYTES_MAX,
                )
                try:
                    await producer.start()
                except BaseException:
                    await _close(producer)
                    raise
                self._producer = producer
            return self._producer

    async def write(self, records: Iterable[Stamped], signature: bytes | None = None) -> list[int | None]:
        """Return the records' offsets once all are durable, in order per partition.

        signature: in the header of each; None where there is none.

        None: the cluster has it already, from a try whose answer was lost, and no longer says where.

        Raises:
            RecordTooLarge: the topic takes less than this writer.
            KafkaError: the cluster refused some; any of them may be written or not.
            TimeoutError: the cluster does not answer. The producer goes on trying, in order, without doubling anything;
                a replacement could be overtaken by it, and then an older state would come after a newer.
        """
        async with asyncio.timeout(WRITE_SECONDS_MAX):
            producer = await self.start()
            written = await _write(producer, records, [] if signature is None else [(SIGNATURE, signature)])
        if not isinstance(written, Exception):
            return written
        if producer is self._producer:
            # Its sequence numbers have a gap now, which the cluster refuses for ever.
            self._producer = None
            await _close(producer)
        raise written

    async def stop(self) -> None:
        """Let go; what still waits is lost."""
        if self._producer is not None:
            await _close(self._producer)


class _Batch:
    """One that is being filled. places: where its records stand among all that are written."""

    def __init__(self, producer: Any, headers: Headers) -> None:
        self._headers = headers
        self.builder = producer.create_batch()
        self.places: list[int] = []

    def takes(self, place: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None) -> bool:
        """Whether there was room. The first record of a batch always fits."""
        builder = self.builder
        taken = builder.append(key=key, value=value, timestamp=timestamp_ms, headers=self._headers) is not None
        if taken:
            self.places.append(place)
        return taken


async def _write(producer: Any, records: Iterable[Stamped], headers: Headers) -> list[int | None] | Exception:
    """Fill batches, hand them over, wait for all; the offset of each record, or the first refusal.

    Whole batches, not `send` per record: a future and a task switch per record cost ten times the record itself.
    """
    filling: dict[Partition, _Batch] = {}
    landing: list[tuple[str, _Batch, asyncio.Future[Any]]] = []
    count = 0
    for topic, partition, key, value, timestamp_ms in records:
        batch = filling.get((topic, partition))
        if batch is None:
            batch = filling[topic, partition] = _Batch(producer, headers)
        if not batch.takes(count, key, value, timestamp_ms):
            landing.append((topic, batch, await producer.send_batch(batch.builder, topic, partition=partition)))
            batch = filling[topic, partition] = _Batch(producer, headers)
            batch.takes(count, key, value, timestamp_ms)
        count += 1
    for (topic, partition), batch in filling.items():
        batch.builder.close()
        landing.append((topic, batch, await producer.send_batch(batch.builder, topic, partition=partition)))
    answers = await asyncio.gather(*(future for *_, future in landing), return_exceptions=True)
    return _landed(count, [(topic, batch) for topic, batch, _ in landing], answers)


def _landed(count: int, batches: Iterable[tuple[str, _Batch]], answers: Iterable[Any]) -> list[int | None] | Exception:
    offsets: list[int | None] = [None] * count
    for (topic, batch), answer in zip(batches, answers, strict=True):
        if isinstance(answer, MessageSizeTooLargeError | RecordListTooLargeError):
            return RecordTooLarge(topic)
        if isinstance(answer, Exception):
            return answer
        if answer.offset >= 0:  # else the cluster said that it has it, and no more
            for place, offset in zip(batch.places, count_from(answer.offset), strict=False):
                offsets[place] = offset
    return offsets


async def _close(producer: Any) -> None:
    """Stop a producer whether or not its cluster answers."""
    try:
        await asyncio.wait_for(producer.stop(), _STOP_SECONDS_MAX)
    except (TimeoutError, KafkaError):
        # Left to itself it would try for ever. Private members: aiokafka has no other way to give up.
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(producer._sender.close(), _STOP_SECONDS_MAX)  # noqa: SLF001
        await producer.client.close()
