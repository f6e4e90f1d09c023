"""A connection for a person's question to a cluster: opened, used, closed; failures are told once and readably."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from fsoc.errors import FsocError, Problem, RefusedToStart, Retry
from fsoc.runtime.kafka.security import OPEN, Security

_FORBIDDEN = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
_REASON_MAX = 300


@asynccontextmanager
async def connected(brokers: str, security: Security = OPEN, *, request_timeout_ms: int = 60_000) -> AsyncIterator[Any]:
    """An aiokafka admin client of the cluster `host:port[,host:port…]`.

    Raises:
        RefusedToStart: nothing answers there, or it does not know us, or we may not do what was tried.
        Retry: it stopped answering.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=request_timeout_ms, **security.client())
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
    heard = _LastReason()
    logger.addHandler(heard)
    logger.propagate = False
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:
        # What aiokafka raises is that it could not connect; why not, such as a wrong password, it only logs.
        reason = heard.reason or str(error)
        raise RefusedToStart(Problem("--brokers", f'no Kafka answers at "{brokers}": {reason}')) from error
    finally:
        logger.removeHandler(heard)
        logger.propagate = True


class _LastReason(logging.Handler):
    """Keeps the last complaint of a connection, and passes none on."""

    reason: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and record.args:
            self.reason = str(record.getMessage())[:_REASON_MAX]


def unanswered(brokers: str, error: BaseException) -> FsocError:
    """What to raise when a cluster that answered before does not now, or does not let us do something."""
    # One who may write nothing at all is not let begin, which aiokafka tells by a name in a text.
    may_write_nothing = ClusterAuthorizationFailedError.__name__ in str(error)
    if isinstance(error, _FORBIDDEN) or may_write_nothing:
        what = "write" if may_write_nothing else ", ".join(map(str, error.args)) or type(error).__name__
        return RefusedToStart(Problem("--brokers", f"Kafka at {brokers} does not allow this user to: {what}"))
    return Retry(f"Kafka at {brokers}: {type(error).__name__} {error}".rstrip())
