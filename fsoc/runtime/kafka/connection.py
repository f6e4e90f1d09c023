"""A connection for a person's question to a cluster: opened, used, closed; failures are told once and readably."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from fsoc.errors import Problem, RefusedToStart, Retry


@asynccontextmanager
async def connected(brokers: str) -> AsyncIterator[Any]:
    """An aiokafka admin client of the cluster `host:port[,host:port…]`.

    Raises:
        RefusedToStart: nothing answers there.
        Retry: it stopped answering.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=60_000)
    try:
        with refusing_unanswered(brokers):
            await admin.start()
        try:
            yield admin
        except (KafkaError, TimeoutError) as error:
            raise unanswered(brokers, error) from error
    finally:
        await admin.close()


@contextmanager
def refusing_unanswered(brokers: str) -> Iterator[None]:
    """While a connection is tried: refuse to start when nothing answers, and tell it once, not at every try."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:
        raise RefusedToStart(Problem("--brokers", f'no Kafka answers at "{brokers}": {error}')) from error
    finally:
        logger.setLevel(before)


def unanswered(brokers: str, error: BaseException) -> Retry:
    """What to raise when a cluster that answered before does not now."""
    return Retry(f"Kafka at {brokers}: {type(error).__name__} {error}".rstrip())
