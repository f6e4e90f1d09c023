"""Which log this process works on: the cluster it was given, a broker of its own, or none and the in-process log."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fsoc.errors import Problem
from fsoc.runtime.kafka.broker import default_data_dir, running, start, stop
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.maven import KafkaUnavailable, quiet
from fsoc.runtime.log import Log
from fsoc.runtime.memory_log import MemoryLog

REQUIRE_KAFKA = "FSOC_REQUIRE_KAFKA"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A log, open, and where other processes find it. brokers: None for the in-process log, which they cannot reach."""

    log: Log
    brokers: str | None


@asynccontextmanager
async def given_or_own(
    brokers: Sequence[str], data_dir: Path | None = None, *, say: Callable[[str], None] = quiet
) -> AsyncIterator[str]:
    """The address of the cluster given, else of a broker of our own, stopped at the end if it was we who started it.

    data_dir: of our own broker; `default_data_dir()` by default.

    Raises:
        KafkaUnavailable: none was given, and this machine cannot run one.
        RefusedToStart: ours did not start.
    """
    if brokers:
        yield ",".join(brokers)
        return
    data_dir = data_dir or default_data_dir()
    found = running(data_dir)
    starting = asyncio.ensure_future(asyncio.to_thread(start, data_dir, say=say))
    try:
        # Shielded: a thread cannot be cancelled, and what it started must be known to be stopped.
        yield (await asyncio.shield(starting)).bootstrap
    finally:
        await asyncio.wait([starting])
        if found is None and starting.exception() is None:
            await asyncio.to_thread(stop, data_dir)


@asynccontextmanager
async def broker_or_memory(
    brokers: Sequence[str],
    clock: Callable[[], int],
    *,
    data_dir: Path | None = None,
    say: Callable[[str], None] = quiet,
) -> AsyncIterator[Carrier]:
    """A log, whatever this machine has: `given_or_own` if it can be, else in this process, and one line says so.

    clock: of the in-process log: milliseconds since the epoch.
    say: told what takes long, and what was chosen when it is not Kafka.

    Raises:
        RefusedToStart: the cluster given does not answer, our broker did not start, or this machine cannot run one and
            FSOC_REQUIRE_KAFKA=1 says that it must.
    """
    async with AsyncExitStack() as opened:
        try:
            address = await opened.enter_async_context(given_or_own(brokers, data_dir, say=say))
        except KafkaUnavailable as unavailable:
            if os.environ.get(REQUIRE_KAFKA) == "1":
                must = Problem(REQUIRE_KAFKA, "is 1, so the in-process log will not do")
                raise KafkaUnavailable(*unavailable.problems, must) from unavailable
            say(f"without Kafka, in this process: {unavailable.problems[0]}")
            yield Carrier(MemoryLog(clock), None)
            return
        log = await KafkaLog.open(address)
        opened.push_async_callback(log.close)
        yield Carrier(log, address)
