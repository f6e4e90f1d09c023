"""Sends what is planned when it is planned, whatever becomes of it, and follows the alerts. Judges nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.planted import RULE_ID, Stamped
from fsoc.runtime.log import BATCH_BYTES_MAX

# At most this much is sent at once: 10 tickets at 2,000 a second.
TICK_SECONDS: Final = 0.005


@dataclass(slots=True)
class Ack:
    """Of a planted ticket: the time the broker stamped it with, and when the sender was told that it is durable.

    handed_s, at_s: by the sender's monotonic clock: given to the producer; told.
    """

    trio: int
    handed_s: float
    at_s: float
    stamped_ms: int


@dataclass(slots=True)
class Sent:
    """lags_s: per ticket, how long after its time it was given to the producer.

    acks: of those that are planted. answered: how many the broker has taken or refused.
    """

    lags_s: list[float] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    answered: int = 0
    refused: int = 0

    def note(self, answer: asyncio.Future[Any], trio: int | None, handed_s: float) -> None:
        """Take the broker's answer to one ticket."""
        self.answered += 1
        if answer.cancelled() or answer.exception() is not None:
            self.refused += 1
        elif trio is not None:
            self.acks.append(Ack(trio, handed_s, time.monotonic(), answer.result().timestamp))


async def send(producer: AIOKafkaProducer, prefix: str, tickets: Sequence[Stamped], begin_s: float) -> Sent:
    """Send each at `begin_s` + its time, by the monotonic clock; return when all are answered."""
    sent = Sent()
    clock = time.monotonic
    for ticket in tickets:
        due_s = begin_s + ticket.at_seconds
        if (wait := due_s - clock()) > 0:
            # Not to the moment: one waking up for what a few milliseconds bring leaves the cores to those measured.
            await asyncio.sleep(max(wait, TICK_SECONDS))
        handed_s = clock()
        sent.lags_s.append(max(0.0, handed_s - due_s))
        answer = await producer.send(f"{prefix}tickets.{ticket.institution}", ticket.payload, partition=0)
        answer.add_done_callback(partial(sent.note, trio=ticket.trio, handed_s=handed_s))
    await producer.flush()
    await asyncio.sleep(0)  # what the last answers have called for comes after the flush
    return sent


@dataclass(frozen=True, slots=True)
class Sighting:
    """The first revision of an alert of the rule. stamped_ms: by the broker; at_s: when a consumer had it."""

    alert_id: str
    indicator: str
    stamped_ms: int
    at_s: float


class Detected(NamedTuple):
    """That an indicator stands in an institution's ticket, as on fsoc.detections. stamped_ms: the record's."""

    indicator: str
    institution: str
    stamped_ms: int


class Watcher:
    """Reads fsoc.alerts from its beginning, as a console does.

    revisions: of all rules. sightings: of the one that is measured, in the order of the log.
    """

    def __init__(self, brokers: str, prefix: str) -> None:
        self.revisions = 0
        self.sightings: list[Sighting] = []
        self._known: set[str] = set()
        self._topic = TopicPartition(f"{prefix}alerts", 0)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers, enable_auto_commit=False, max_partition_fetch_bytes=BATCH_BYTES_MAX
        )

    async def open(self) -> None:
        await self._consumer.start()
        self._consumer.assign([self._topic])
        await self._consumer.seek_to_beginning(self._topic)

    async def follow(self) -> None:
        """For ever."""
        while True:
            fetched = await self._consumer.getmany(timeout_ms=1000)
            now_s = time.monotonic()
            for record in fetched.get(self._topic, ()):
                self.revisions += 1
                if RULE_ID.encode() in (record.value or b""):
                    self._see(record, now_s)

    def _see(self, record: Any, now_s: float) -> None:
        alert = orjson.loads(record.value)
        if alert["rule_id"] == RULE_ID and alert["alert_id"] not in self._known:
            self._known.add(alert["alert_id"])
            indicator = str(alert["group"]["indicator"])
            self.sightings.append(Sighting(alert["alert_id"], indicator, record.timestamp, now_s))

    async def close(self) -> None:
        await self._consumer.stop()
