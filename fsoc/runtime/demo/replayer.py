"""Puts an exercise's deliveries on the log, in order, faster than they happened. Reads nothing back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fsoc.errors import Retry
from fsoc.exercise import Delivery
from fsoc.runtime.demo.picture import Picture
from fsoc.runtime.log import Log

TICK_SECONDS = 0.05
RECORDS_PER_TICK_MAX = 2_000


async def replay(
    log: Log, topic_prefix: str, deliveries: Sequence[Delivery], picture: Picture, *, seconds: float
) -> None:
    """Send everything in about `seconds`, at an even pace; 0 is as fast as the log takes it.

    Records are stamped with the exercise's own time of arrival.
    """
    clock = asyncio.get_running_loop().time
    began, sent, total = clock(), 0, len(deliveries)
    while sent < total:
        due = total if seconds <= 0 else min(total, 1 + int(total * (clock() - began) / seconds))
        some = deliveries[sent : min(due, sent + RECORDS_PER_TICK_MAX)]
        for at_ms, institution, payload in some:
            await log.append(f"{topic_prefix}tickets.{institution}", 0, None, payload, at_ms)
        await _flush(log)
        for at_ms, institution, _ in some:
            picture.take_sent(institution, at_ms)
        sent += len(some)
        await asyncio.sleep(TICK_SECONDS if seconds > 0 else 0)


async def _flush(log: Log) -> None:
    """Try until it is durable. Whoever watches for a standstill ends a log that never answers."""
    while True:
        try:
            await log.flush()
        except Retry:
            await asyncio.sleep(TICK_SECONDS)
        else:
            return
