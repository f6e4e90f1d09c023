"""One lane in a process of its own: tickets out of Kafka, decoded and counted, or through the whole pipeline.

    python -m benchmarks.carriage --lane ours --brokers 127.0.0.1:9092 --prefix b. --institutions 40 --tickets 50000

`bare`, `stock` and `ours` do the same work: one `orjson.loads` a ticket, and count. `pipeline` is a worker as it runs
in production. Prints one JSON line: tickets, CPU seconds of the process, wall seconds; from first ticket to last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from benchmarks.workload import institutions, registry

SECONDS_MAX = 150


class Count:
    """Counts decoded tickets; the clock starts with the first and stops at `wanted`."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self.done = asyncio.Event()
        self._cpu = self._wall = 0.0
        self.cpu_seconds = self.wall_seconds = 0.0

    def decode(self, payload: bytes) -> None:
        if not self.seen:
            self.begin()
        orjson.loads(payload)
        self.seen += 1
        if self.seen == self.wanted:
            self.end()

    def begin(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def end(self) -> None:
        self.cpu_seconds, self.wall_seconds = time.process_time() - self._cpu, time.perf_counter() - self._wall
        self.done.set()


async def bare(count: Count, brokers: str, group: str, topics: list[str]) -> None:
    """`getmany` in a loop, offsets committed every few seconds by the client, as Faust does."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=brokers, group_id=group, auto_offset_reset="earliest")
    await consumer.start()
    try:
        while not count.done.is_set():
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    count.decode(record.value)
    finally:
        await consumer.stop()


async def stock(count: Count, brokers: str, group: str, topics: list[str]) -> None:
    """A Faust agent as its manual has it: one `async for` over messages, Faust's own settings."""
    import faust

    app = faust.App(
        group,
        broker=f"kafka://{brokers}",
        store="memory://",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=f"/tmp/{group}",  # noqa: S108 - Faust wants one and writes nothing to it here
    )

    @app.agent(app.topic(*topics, value_serializer="raw"))  # type: ignore[untyped-decorator]
    async def tickets(stream: Any) -> None:
        async for payload in stream:
            count.decode(payload)

    await _run(app, count)


async def ours(count: Count, brokers: str, group: str, topics: list[str]) -> None:
    """A Faust agent on the slice transport, set up as the worker sets it up."""
    from fsoc.runtime.faust.carrier import Carrier, set_up, settings

    app = set_up(Carrier(group, **settings([brokers], spread_prefix=topics[0].rpartition(".")[0] + ".")))

    @app.agent(app.topic(*topics))  # type: ignore[untyped-decorator]
    async def tickets(stream: Any) -> None:
        async for slice_ in stream:
            for record in slice_.records:
                count.decode(record.value)

    await _run(app, count)


async def _run(app: Any, count: Count) -> None:
    starting = asyncio.ensure_future(app.start())
    done = asyncio.ensure_future(count.done.wait())
    await asyncio.wait([starting, done, asyncio.ensure_future(app._crashed.wait())], return_when="FIRST_COMPLETED")  # noqa: SLF001
    if starting.done():
        starting.result()
    await done  # the process ends after it: leaving the group in order takes Faust seconds and measures nothing


async def pipeline(count: Count, brokers: str, prefix: str, institution_count: int) -> None:
    """One worker on all topics: intake and correlation, state, receipts, detections, alerts, commits."""
    from fsoc.institutions.registry import Registry
    from fsoc.pipeline import Pipeline
    from fsoc.runtime.faust.app import build_app
    from fsoc.runtime.faust.watch import tick_idle
    from fsoc.runtime.kafka.client import KafkaLog
    from fsoc.runtime.lanes import DETECTIONS
    from fsoc.runtime.rules import load_ruleset
    from fsoc.settings import load

    options = {"brokers": brokers, "environment": "test", "topic_prefix": prefix, "group": f"{prefix}{os.getpid()}"}
    settings = load(environment={}, options=options)
    who = Registry.parse(registry(institution_count), "benchmarks/workload.py")
    log = await KafkaLog.open(brokers)
    app = build_app(settings, Pipeline(load_ruleset(), who, settings.detections_partitions), log)
    work = app.intake.lane.work

    async def counted(slices: Any, ours: Any) -> Any:
        if not count.seen:
            count.begin()
        done = await work(slices, ours)
        count.seen += sum(len(slice_.records) for slice_ in done)
        return done

    app.intake.lane.work = counted  # type: ignore[method-assign]
    detections = [(prefix + DETECTIONS, number) for number in range(settings.detections_partitions)]

    async def end_when_all_is_worked() -> None:
        while True:
            await asyncio.sleep(0.02)
            if count.seen < count.wanted:
                continue
            ends = await log.end_offsets(detections)
            if sum(app.correlate.done.values()) >= sum(ends.values()):
                count.end()
                return

    for work_on in (app.intake.run(), app.correlate.run(), tick_idle(app), app.start(), end_when_all_is_worked()):
        app.guard(work_on)
    done = asyncio.ensure_future(count.done.wait())
    ends: set[asyncio.Future[Any]] = {done, app.failed}
    await asyncio.wait(ends, return_when="FIRST_COMPLETED")
    if app.failed.done():
        raise app.failed.result()


CARRY: dict[str, Callable[[Count, str, str, list[str]], Awaitable[None]]] = {
    "bare": bare,
    "stock": stock,
    "ours": ours,
}
LANES = (*CARRY, "pipeline")


async def run(lane: str, count: Count, brokers: str, prefix: str, institution_count: int) -> None:
    if lane == "pipeline":
        await pipeline(count, brokers, prefix, institution_count)
        return
    topics = [f"{prefix}tickets.{institution}" for institution in institutions(institution_count)]
    await CARRY[lane](count, brokers, f"{prefix}{lane}-{os.getpid()}", topics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lane", choices=LANES, required=True)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--prefix", required=True, help="of the topics")
    parser.add_argument(
        "--institutions", type=int, required=True, help="a ticket topic each, as the workload names them"
    )
    parser.add_argument("--tickets", type=int, required=True, help="stop after this many; the topics must hold them")
    asked = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)

    async def measured() -> Count:
        count = Count(asked.tickets)
        await asyncio.wait_for(run(asked.lane, count, asked.brokers, asked.prefix, asked.institutions), SECONDS_MAX)
        return count

    code = 1
    try:
        count = asyncio.new_event_loop().run_until_complete(measured())
        figures = {"tickets": count.wanted, "cpu_seconds": count.cpu_seconds, "wall_seconds": count.wall_seconds}
        print(json.dumps(figures))
        code = 0
    except Exception:  # noqa: BLE001 - said in full, and the process ends
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)  # threads of Faust's are still in their polls, and nothing is left to be written


if __name__ == "__main__":
    main()
