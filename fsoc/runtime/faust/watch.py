"""What a worker does by the clock: idle ticks, lag, memory, and ending itself when nothing moves. Works no records."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from fsoc.runtime import metrics
from fsoc.runtime.faust.transport import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faust.types import TP

    from fsoc.runtime.collector import Collector
    from fsoc.runtime.faust.app import WorkerApp
    from fsoc.runtime.faust.conveyor import Conveyor

_log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
# No partition moves for so long although records wait, or the group does not come to rest: a restart is the better try.
STUCK_SECONDS = 90.0
# The consumer's thread answers within this, or it does not answer.
ANSWER_SECONDS = 10.0


class Stuck(Exception):  # noqa: N818 - says what happened
    """Records wait and nothing is worked, or the consumer does not answer. Nothing is lost; the next worker goes on."""


async def tick_idle(app: WorkerApp) -> None:
    """About once a second tell the stages whose logs are read to the end; restore what fell behind its state."""
    while True:
        if app.is_member:
            for conveyor in app.conveyors:
                if all(conveyor.lane.sources.values()):
                    await conveyor.idle()
                else:
                    conveyor.restore_soon()
        await asyncio.sleep(TICK_SECONDS)


async def tick_collector(collector: Collector) -> None:
    """About once a second have it look at what is old, where that is due, and say what that was good for."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        if look := collector.look():
            _log.info("collector_looked", found=look.found, seconds=round(look.seconds, 3))


async def watch_progress(app: WorkerApp) -> None:
    """Show how far behind each lane is.

    Raises:
        Stuck: as said there.
    """
    moved_at = {conveyor: monotonic() for conveyor in app.conveyors}
    seen_total = dict.fromkeys(app.conveyors, -1)
    while True:
        await asyncio.sleep(TICK_SECONDS)
        standings = await _standings(app)
        for conveyor in app.conveyors:
            waiting = None if standings is None else _waiting(conveyor, standings)
            if waiting is not None:
                metrics.LAG.labels(conveyor.lane.name).set(waiting)
            restoring = not all(conveyor.lane.sources.values())
            if waiting == 0 or conveyor.done_total != seen_total[conveyor] or (restoring and app.is_member):
                moved_at[conveyor], seen_total[conveyor] = monotonic(), conveyor.done_total
            elif monotonic() - moved_at[conveyor] > STUCK_SECONDS:
                state = f"{waiting} records wait" if waiting is not None else "the group is not at rest"
                raise Stuck(f"{conveyor.lane.name}: {state}, and nothing was worked for {STUCK_SECONDS:.0f} s")


async def _standings(app: WorkerApp) -> Mapping[TP, Standing] | None:
    """How far everything is read; None where that cannot be known now."""
    if not app.is_member:
        return None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found: Mapping[TP, Standing] = await app.consumer.standings()
            return found
    except TimeoutError:
        return None


def _waiting(conveyor: Conveyor, standings: Mapping[TP, Standing]) -> int:
    """Records of this lane's partitions that are not worked yet, as of the last fetches."""
    waiting = 0
    for tp, standing in standings.items():
        if conveyor.source(tp) not in conveyor.lane.sources or standing.highwater is None:
            continue
        done = conveyor.done.get(tp)
        if done is None:
            done = standing.position if standing.handed is None else None
        if done is not None:
            waiting += max(0, standing.highwater - done)
        elif standing.handed is not None:
            waiting += max(1, standing.highwater - standing.handed)
    return waiting
