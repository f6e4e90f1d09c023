"""One load on workers and a broker that run already, or are started: sent, followed, counted. `latency.py` shows it."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer

from benchmarks import planted, receipts, timing, told, workers
from benchmarks.open_loop import Detected, Sent, Watcher, send
from benchmarks.workers import WorkerProcess
from fsoc.exercise import load
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import DETECTIONS_PARTITIONS, table
from fsoc.runtime.lanes import DETECTIONS
from fsoc.runtime.log import read_to_end

WARM_UP_SECONDS: Final = 10.0
# After the last ticket: for alerts that are still on their way.
DRAIN_SECONDS_MAX: Final = 60.0
# An exercise sends so many messages of a ticket, at least.
MESSAGES_PER_TICKET: Final = 1.3


@dataclass(frozen=True, slots=True)
class Load:
    """rate: tickets a second. seconds: those measured; the warm-up comes before them.

    flood: how many times its mean rate the flooding institution sends, on top of the rate; 0: nobody floods. It is the
        last institution, and the trios are of others.
    """

    rate: float
    seconds: float
    institutions: int
    workers: int
    flood: float = 0.0

    @property
    def all_seconds(self) -> float:
        return WARM_UP_SECONDS + self.seconds

    @property
    def flooding(self) -> str:
        return f"fi-{self.institutions:03d}"


@dataclass(slots=True)
class _Cost:
    """CPU time so far. broker: None where the cluster is not ours."""

    workers: list[float]
    broker: float | None
    sender: float
    machine: float

    @classmethod
    def now(cls, running: Sequence[WorkerProcess], broker_pid: int | None) -> _Cost:
        return cls(
            [workers.cpu_seconds(worker.process.pid) for worker in running],
            None if broker_pid is None else workers.cpu_seconds(broker_pid),
            time.process_time(),
            workers.cpu_seconds_of_all(),
        )

    def until(self, end: _Cost) -> dict[str, Any]:
        mine = [b - a for a, b in zip(self.workers, end.workers, strict=True)]
        broker_s = None if self.broker is None or end.broker is None else end.broker - self.broker
        sender = end.sender - self.sender
        others = end.machine - self.machine - sum(mine) - (broker_s or 0.0) - sender
        return {
            "workers": [round(one, 2) for one in mine],
            "broker": None if broker_s is None else round(broker_s, 2),
            "sender": round(sender, 2),
            "others": round(max(0.0, others), 2),
        }


def prepare(asked: Load) -> tuple[str, list[planted.Trio], list[planted.Planned]]:
    """The institutions file, what is planted and all that is sent."""
    count = round(asked.rate * asked.all_seconds)
    exercise = load(institutions=asked.institutions, tickets=max(20, int(count / MESSAGES_PER_TICKET)))
    calm = [one for one in planted.independent(exercise.institutions) if one != asked.flooding]
    trios = planted.trios(asked.all_seconds, calm)
    messages = [(delivery.institution, delivery.payload) for delivery in exercise.deliveries]
    flow = planted.tickets_of(messages, planted.flow_count(asked.rate, asked.all_seconds, trios))
    planned = planted.plan(flow, trios, asked.all_seconds)
    if asked.flood:
        its_own = [body for institution, body in planted.tickets_of(messages, count) if institution == asked.flooding]
        bodies = planted.flood(its_own, round(count / asked.institutions * asked.flood))
        planned += planted.plan_flood(asked.flooding, bodies, asked.all_seconds)
        planned.sort(key=lambda one: one.at_seconds)
    return exercise.institutions_yaml(), trios, planned


def serialised(planned: Sequence[planted.Planned]) -> tuple[float, list[planted.Stamped]]:
    """Everything in bytes, and the monotonic time at which to begin, which is the one that the tickets tell."""
    lead_s = 2.0 + len(planned) * 0.00005
    while True:
        begin_s, begin_ms = time.monotonic() + lead_s, (time.time() + lead_s) * 1000
        tickets = list(planted.stamped(planned, begin_ms))
        if time.monotonic() < begin_s - 0.5:
            return begin_s, tickets
        lead_s *= 2


async def run(asked: Load, brokers: str, broker_pid: int | None, folder: Path) -> dict[str, Any]:
    """One load, from topics of its own to figures."""
    registry, trios, planned = prepare(asked)
    prefix = f"latency-{time.time_ns() // 1_000_000}."
    (folder / "institutions.yml").write_text(registry, encoding="utf-8")
    log = await KafkaLog.open(brokers)
    watcher = Watcher(brokers, prefix)
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=0)
    running: list[WorkerProcess] = []
    following: asyncio.Task[None] | None = None
    try:
        institutions = [f"fi-{number:03d}" for number in range(1, asked.institutions + 1)]
        await log.create(table(prefix, institutions, environment="production"))  # the broker's own stamps
        settings = {
            "brokers": brokers,
            "topic_prefix": prefix,
            "institutions": folder / "institutions.yml",
            "group": f"{prefix}workers",
        }
        owned_total = asked.institutions + DETECTIONS_PARTITIONS + 2  # those of links and of sharing
        running = await asyncio.to_thread(workers.start, asked.workers, settings, folder, owned_total)
        await watcher.open()
        await producer.start()
        begin_s, tickets = await asyncio.to_thread(serialised, planned)
        del planned
        gc.collect()
        # Else a hundred thousand tickets are looked at again and again while they are sent, half a second each time.
        gc.freeze()
        gc.disable()
        following = asyncio.create_task(watcher.follow())
        return await _measure(asked, trios, tickets, begin_s, prefix, producer, log, watcher, running, broker_pid)
    finally:
        gc.enable()
        gc.unfreeze()
        if following is not None:
            following.cancel()
        await producer.stop()
        await watcher.close()
        await log.close()
        await asyncio.to_thread(workers.stop, running)


async def _measure(
    asked: Load,
    trios: Sequence[planted.Trio],
    tickets: Sequence[planted.Stamped],
    begin_s: float,
    prefix: str,
    producer: AIOKafkaProducer,
    log: KafkaLog,
    watcher: Watcher,
    running: Sequence[WorkerProcess],
    broker_pid: int | None,
) -> dict[str, Any]:
    load_before = os.getloadavg()[0]
    sending = asyncio.create_task(send(producer, prefix, tickets, begin_s))
    await asyncio.sleep(max(0.0, begin_s + WARM_UP_SECONDS - time.monotonic()))
    worked_before, cost, from_s = (
        await asyncio.to_thread(_worked, running),
        _Cost.now(running, broker_pid),
        time.monotonic(),
    )
    sent = await sending
    sent_s = time.monotonic()
    worked_at_end, until_s = await asyncio.to_thread(_worked, running), time.monotonic()
    spent = cost.until(_Cost.now(running, broker_pid))
    load_at_end = os.getloadavg()[0]
    drained_s = await _drain(trios, sent, watcher, running, len(tickets))
    detected = await _detected(log, prefix)
    from_ms = (time.time() - time.monotonic() + begin_s + WARM_UP_SECONDS) * 1000
    calm = [name for name in sorted({ticket.institution for ticket in tickets}) if name != asked.flooding]
    received = await receipts.of_institutions(log, prefix, calm, from_ms)
    raised = {one.alert_id: one.stamped_ms for one in watcher.sightings if one.stamped_ms >= from_ms}
    everybody = [f"fi-{number:03d}" for number in range(1, asked.institutions + 1)]
    feedback = await told.of_alerts(log, prefix, everybody, raised)
    matched = timing.match(trios, sent.acks, watcher.sightings, detected, from_seconds=WARM_UP_SECONDS)
    lag = timing.ranks(one * 1000 for one, ticket in zip(sent.lags_s, tickets, strict=True) if _counts(ticket))
    broker_ms = timing.ranks(one.broker_ms for one in matched.latencies)
    figures: dict[str, Any] = {
        "rate": asked.rate,
        "seconds": asked.seconds,
        "warm_up_seconds": WARM_UP_SECONDS,
        "institutions": asked.institutions,
        "workers": asked.workers,
        "flood": asked.flood,
        "tickets": len(tickets),
        "refused": sent.refused + len(tickets) - sent.answered,
        "sent_per_second": round(sum(map(_counts, tickets)) / (sent_s - begin_s - WARM_UP_SECONDS), 1),
        "worked_per_second": round((worked_at_end - worked_before) / (until_s - from_s), 1),
        "backlog_at_end": len(tickets) - sent.refused - worked_at_end,
        "drained_after_seconds": drained_s,
        "planted": len(matched.latencies) + len(matched.missed) + len(matched.unsent),
        "raised": len(matched.latencies),
        "missed": len(matched.missed),
        "extra": matched.extra,
        "alert_revisions": watcher.revisions,
        "latency_ms": broker_ms,
        "intake_ms": timing.ranks(one.intake_ms for one in matched.latencies if one.intake_ms is not None),
        "correlate_ms": timing.ranks(one.correlate_ms for one in matched.latencies if one.correlate_ms is not None),
        "feedback_ms": timing.ranks(feedback.waits_ms),
        "told_in_time": told.in_time(feedback),
        "feedback": {"records": len(feedback.waits_ms), "alerts": len(raised), "untold": feedback.missing},
        "consumer_latency_ms": timing.ranks(one.consumer_ms for one in matched.latencies),
        "receipt_ms": timing.ranks(received.waits_ms),
        "calm": received.told | {"without_receipt": received.missing},
        "sender_lag_ms": lag,
        "ack_ms": timing.ranks((ack.at_s - ack.handed_s) * 1000 for ack in sent.acks),
        "cpu_seconds": spent,
        "payload_bytes_mean": round(sum(len(ticket.payload) for ticket in tickets) / len(tickets)),
        "conservation": {
            name: int(sum(worker.figure(f"fsoc_{name}_tickets") for worker in running))
            for name in ("received", "used", "duplicate", "late", "quarantined")
        },
        "load_average": [round(load_before, 1), round(load_at_end, 1)],
    }
    return figures | timing.verdict(figures, lag, broker_ms)


def _counts(ticket: planted.Stamped) -> bool:
    return ticket.at_seconds >= WARM_UP_SECONDS


def _worked(running: Sequence[WorkerProcess]) -> int:
    """Tickets that are worked and durable."""
    return int(sum(worker.figure("fsoc_records_total", lane="intake") for worker in running))


async def _detected(log: KafkaLog, prefix: str) -> list[Detected]:
    """Every entry of the rule that is measured, afterwards, so that reading them takes nothing from anybody."""
    found = []
    for partition in range(DETECTIONS_PARTITIONS):
        async for records in read_to_end(log, prefix + DETECTIONS, partition):
            for record in records:
                if record.key is not None and planted.INDICATOR_END.encode() in record.key:
                    rule, _, group, institution, *_ = orjson.loads(record.key)
                    if rule == planted.RULE_ID:
                        (indicator,) = orjson.loads(group)
                        found.append(Detected(indicator, institution, record.timestamp_ms))
    return found


async def _drain(
    trios: Sequence[planted.Trio],
    sent: Sent,
    watcher: Watcher,
    running: Sequence[WorkerProcess],
    tickets: int,
) -> float | None:
    """Wait until all tickets are worked and every trio has its alert; None: neither within DRAIN_SECONDS_MAX."""
    began_s = time.monotonic()
    while (waited_s := time.monotonic() - began_s) < DRAIN_SECONDS_MAX:
        for worker in running:
            worker.check()
        missed = timing.match(trios, sent.acks, watcher.sightings).missed
        if not missed and await asyncio.to_thread(_worked, running) >= tickets - sent.refused:
            return round(waited_s, 1)
        await asyncio.sleep(0.2)
    return None
