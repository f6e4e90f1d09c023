"""Which cluster this process works on: the one it was given, or a broker of its own. Knows no other kind of log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.broker import default_data_dir, running, start, stop
from fsoc.runtime.kafka.maven import quiet
from fsoc.runtime.kafka.secured import Secured
from fsoc.runtime.kafka.topics import WORKER
from fsoc.settings import Settings

# Our own is open to everyone on this machine, whatever was said of another.
_OPEN = {"kafka_protocol": "PLAINTEXT", "kafka_ca_file": None, "kafka_username": None, "kafka_password_file": None}


@asynccontextmanager
async def given_or_own(
    settings: Settings, data_dir: Path | None = None, *, say: Callable[[str], None] = quiet
) -> AsyncIterator[Settings]:
    """The settings with the cluster they name, else with a broker of our own, stopped at the end if we started it.

    data_dir: of our own broker; `default_data_dir()` by default.

    Raises:
        KafkaUnavailable: none was given, and this machine cannot run one.
        RefusedToStart: ours did not start, or it is one that asks who comes: that is for the settings to say.
    """
    if settings.brokers:
        yield settings
        return
    data_dir = data_dir or default_data_dir()
    secured = Secured(data_dir.absolute())
    if secured.exists:
        text = f"the broker of {data_dir} asks who comes; start it with `fsoc kafka start`, then give"
        raise RefusedToStart(Problem("--brokers", f"{text} --settings {secured.files(WORKER).settings}"))
    found = running(data_dir)
    starting = asyncio.ensure_future(asyncio.to_thread(start, data_dir, say=say))
    try:
        # Shielded: a thread cannot be cancelled, and what it started must be known to be stopped.
        started = await asyncio.shield(starting)
        yield settings.model_copy(update={**_OPEN, "brokers": (started.bootstrap,)})
    finally:
        await asyncio.wait([starting])
        if found is None and starting.exception() is None:
            say("Kafka is stopping; its records are kept.")
            await asyncio.to_thread(stop, data_dir)
