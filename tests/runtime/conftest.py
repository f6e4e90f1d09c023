"""A log of each kind under one name: what is proven for one is proven for the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.log import Log
from fsoc.runtime.memory_log import MemoryLog

CLOCK_MS = 1_772_409_600_000

OpenLog = Callable[[], Awaitable[Log]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def open_log(request: pytest.FixtureRequest) -> AsyncIterator[OpenLog]:
    """Opens a log; each call is another client of the same records."""
    opened: list[Log] = []
    memory = MemoryLog(clock=lambda: CLOCK_MS)
    brokers: str | None = request.getfixturevalue("kafka") if request.param == "kafka" else None

    async def open_one() -> Log:
        opened.append(memory if brokers is None else await KafkaLog.open(brokers))
        return opened[-1]

    yield open_one
    for log in opened:
        await log.close()


@pytest.fixture
async def log(open_log: OpenLog) -> Log:
    return await open_log()
