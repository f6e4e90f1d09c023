"""Durable writing to a cluster: many records in few batches, each call answered for itself. Reads nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from fsoc.runtime.log import BATCH_BYTES_MAX, Partition

BATCH_BYTES = 262_144
# An idempotent producer retries for ever; whoever cannot write must know, and let another take over.
WRITE_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 5

# Topic, partition, key, value, timestamp in ms or None for the present.
Stamped = tuple[str, int, bytes | None, bytes | None, int | None]


class Writer:
    """One idempotent producer at a time; after a failure the next write gets a new one."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
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
                    bootstrap_servers=self._brokers,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES,
                    max_request_size=BATCH_BYTES_MAX,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def write(self, records: Iterable[Stamped]) -> None:
        """Return once all records are durable, in order per partition.

        Raises:
            KafkaError, TimeoutError: any of them may be written or not.
        """
        producer = None
        try:
            async with asyncio.timeout(WRITE_SECONDS_MAX):
                producer = await self.start()
                await _write(producer, records)
        except (KafkaError, TimeoutError):
            # Its sequence numbers may have a gap that the cluster refuses for ever.
            if producer is not None and producer is self._producer:
                self._producer = None
                await _abandon(producer)
            raise

    async def stop(self) -> None:
        if self._producer is not None:
            await _abandon(self._producer)


async def _write(producer: Any, records: Iterable[Stamped]) -> None:
    """Fill batches and wait for them.

    Whole batches, not `send` per record: a future and a task switch per record cost ten times the record itself.
    """
    filling: dict[Partition, Any] = {}
    landing: list[asyncio.Future[Any]] = []
    for topic, partition, key, value, timestamp_ms in records:
        batch = filling.get((topic, partition))
        if batch is None:
            batch = filling[topic, partition] = producer.create_batch()
        if batch.append(key=key, value=value, timestamp=timestamp_ms) is None:
            landing.append(await producer.send_batch(batch, topic, partition=partition))
            batch = filling[topic, partition] = producer.create_batch()
            # The first record of a batch always fits.
            batch.append(key=key, value=value, timestamp=timestamp_ms)
    for (topic, partition), batch in filling.items():
        batch.close()
        landing.append(await producer.send_batch(batch, topic, partition=partition))
    failures = [one for one in await asyncio.gather(*landing, return_exceptions=True) if isinstance(one, BaseException)]
    if failures:
        raise failures[0]


async def _abandon(producer: Any) -> None:
    """Stop a producer whether or not its cluster answers; what still waits in it fails."""
    # A private member: without it `stop` waits for ever for a cluster that is gone.
    producer._message_accumulator.fail_all(KafkaError("the producer was stopped"))  # noqa: SLF001
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(producer.stop(), _STOP_SECONDS_MAX)
