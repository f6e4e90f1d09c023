"""Two institutions' feeds on a log in this process, worked by the real lanes; the command line is another client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fsoc.correlation.feeder import Feeder
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.runtime.memory_log import MemoryLog
from fsoc.tickets import sample
from fsoc.tickets.times import milliseconds
from tests import command_line
from tests.builders import VERSION, EveryTicket, NoTechniques, correlation_rule

PREFIX = "fsoc."
NOON = "2026-03-02T12:00:00Z"
NOON_MS = milliseconds(NOON)
REGISTRY = """
institutions:
  - {id: fi-001, name: First Bank, name_zh: 第一銀行, sector: bank, tier: 1, group: null, feeds: [siem, edr]}
  - {id: fi-002, name: Second Trust, name_zh: 第二信託, sector: bank, tier: 3, group: null, feeds: [siem]}
"""


def payload(ticket_id: str = "t-1", institution: str = "fi-001", at: str = NOON, **changes: Any) -> bytes:
    """A ticket that was detected, made and sent at once."""
    times = dict.fromkeys(("detected_at", "created_at", "sent_at"), at)
    fields = {**times, "occurred_from": ..., "occurred_to": ..., "institution": institution, "ticket_id": ticket_id}
    return orjson.dumps(sample.ticket(**{**fields, **changes}))


def heartbeat(last_seq: int, institution: str = "fi-001", at: str = NOON, **changes: Any) -> bytes:
    """What is said of a feed at `at`, of the moment alone unless told otherwise."""
    times = dict.fromkeys(("period_from", "period_to", "sent_at"), at)
    return orjson.dumps(sample.source_status(**{**times, "institution": institution, "last_seq": last_seq, **changes}))


def ruleset() -> RuleSet:
    """One rule: two institutions with one indicator in an hour."""
    rule = correlation_rule()
    return RuleSet(EveryTicket(), 1, {"rule": rule}, Feeder([rule]), NoTechniques(), {}, {}, VERSION, rule.retention_ms)


class _Log(MemoryLog):
    """Outlives its clients, and knows what was written to it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.written: list[Any] = []

    async def write(self, records: Any, signature: bytes | None = None) -> None:
        records = list(records)
        await super().write(records, signature)
        self.written += records

    async def close(self) -> None:
        """It stays open."""


class FeedSector:
    """The log, its topics and the lanes."""

    def __init__(self) -> None:
        self._set_up()
        asyncio.run(self.log.create(table(PREFIX, self.registry.institutions, 2, "test")))

    def _set_up(self) -> None:
        self.now_ms = NOON_MS
        self.log = _Log(lambda: self.now_ms)
        self.registry = Registry.parse(REGISTRY, "institutions.yml")

    @classmethod
    def bare(cls) -> FeedSector:
        """Without its topics, for a test that has an event loop."""
        sector = cls.__new__(cls)
        sector._set_up()
        return sector

    def pipeline(self) -> Pipeline:
        return Pipeline(ruleset(), self.registry, detections_partitions=2, ends=True)

    def send(self, *payloads: bytes, institution: str = "fi-001", at_ms: int | None = None) -> None:
        """Put these on the ticket topic, and work all there is."""

        async def put() -> None:
            for value in payloads:
                await self.log.append(f"{PREFIX}tickets.{institution}", 0, None, value, at_ms or self.now_ms)
            await self.log.flush()

        asyncio.run(put())
        self.work()

    def send_signed(self, signature: bytes, *payloads: bytes, institution: str = "fi-001") -> None:
        """The same with this signature beside each."""
        records = [(f"{PREFIX}tickets.{institution}", 0, None, value) for value in payloads]
        asyncio.run(self.log.write(records, signature))
        self.work()

    def queue(self, institution: str, value: bytes, at_ms: int) -> None:
        """Put one on the ticket topic, to be worked later."""
        asyncio.run(self.log.append(f"{PREFIX}tickets.{institution}", 0, None, value, at_ms))

    def work(self) -> None:
        async def run() -> None:
            workers = InProcess(self.pipeline(), self.log, PREFIX)
            await workers.run_to_end()
            await workers.close()

        asyncio.run(run())

    def values(self, topic: str) -> list[bytes]:
        """What every record of the topic's first partition holds."""
        return [record.value or b"" for record in self.records(topic)]

    def records(self, topic: str) -> list[Record]:
        """Every record of the topic's first partition."""

        async def read() -> list[Record]:
            return [record async for records in read_to_end(self.log, PREFIX + topic, 0) for record in records]

        return asyncio.run(read())


def command_line_on(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, sector: FeedSector
) -> Callable[..., command_line.Told]:
    """Runs `fsoc …` on the sector's log."""
    log = sector.log

    async def opened(*_: Any, **__: Any) -> MemoryLog:
        return log

    run = command_line.command_line(monkeypatch, capsys)
    monkeypatch.setattr(KafkaLog, "open", opened)
    return run
