"""Which cluster this process works on: the one it was given, or a broker of its own. Knows no other kind of log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fsoc.runtime.kafka.broker import default_data_dir, running, start, stop
from fsoc.runtime.kafka.maven import quiet


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
            say("Kafka is stopping; its records are kept.")
            await asyncio.to_thread(stop, data_dir)
