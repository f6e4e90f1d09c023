"""All lanes on one log in this process: no group, no Faust, one owner. For machines without Kafka, and for tests.

It is the worker in everything that decides results: same stages, same sub-slices, same checkpoints, offsets committed
after them. Throw it away at any moment and make another on the same log: that is a crash and a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from fsoc.pipeline import Pipeline
from fsoc.runtime.lanes import (
    DETECTIONS,
    LINKS,
    SHARING,
    TICKETS,
    campaign_lane,
    correlation_lane,
    intake_lane,
    sharing_lane,
)
from fsoc.runtime.log import Log, Partition, Reader
from fsoc.runtime.worker import Lane, Slice, Source

IDLE_MS = 250
SLICE_RECORDS_MAX = 500


class Belt:
    """One lane fed from the log, from the offsets that the group has committed."""

    def __init__(self, lane: Lane, sources: Iterable[Source], log: Log, prefix: str, group: str) -> None:
        self.lane = lane
        self._sources: dict[Partition, Source] = {
            (prefix + source.topic, source.partition): source for source in sources
        }
        self._log = log
        self._group = group
        self._reader: Reader | None = None

    async def step(self, *, wait_ms: int, records_max: int) -> bool:
        """Work and commit what comes next, or tell the stages that nothing does; return which.

        Raises:
            StageFailed, Retry: of this step nothing was committed; begin anew.
        """
        if self._reader is None:
            self._reader = await self._begin()
        fetched = await self._reader.slices(wait_ms=wait_ms, records_max=records_max)
        if not fetched:
            await self.lane.idle(self._all, _ours)
            return False
        await self.lane.work([Slice(self._sources[name], records) for name, records in fetched.items()], _ours)
        await self._log.commit(self._group, {name: records[-1].offset + 1 for name, records in fetched.items()})
        return True

    async def close(self) -> None:
        if self._reader is not None:
            await self._reader.close()

    async def _begin(self) -> Reader:
        self.lane.take(self._sources.values(), kept=False)
        await self.lane.restore()
        committed = await self._log.committed(self._group, list(self._sources))
        return await self._log.reader({name: offset or 0 for name, offset in committed.items()})

    async def _all(self) -> Iterable[Source]:
        return self._sources.values()


class InProcess:
    """The pipeline on a log that has its topics."""

    def __init__(self, pipeline: Pipeline, log: Log, prefix: str, group: str = "fsoc") -> None:
        tickets = [Source(f"{TICKETS}{institution}", 0) for institution in pipeline.registry.institutions]
        detections = [Source(DETECTIONS, partition) for partition in range(pipeline.detections_partitions)]
        self.intake = Belt(intake_lane(pipeline, log, prefix), tickets, log, prefix, group)
        self.correlate = Belt(correlation_lane(pipeline, log, prefix), detections, log, prefix, group)
        self.campaign = Belt(campaign_lane(pipeline, log, prefix), [Source(LINKS, 0)], log, prefix, group)
        self.sharing = Belt(sharing_lane(pipeline, log, prefix), [Source(SHARING, 0)], log, prefix, group)

    @property
    def _belts(self) -> tuple[Belt, Belt, Belt, Belt]:
        return self.intake, self.correlate, self.campaign, self.sharing

    async def run(self) -> None:
        """Work for ever.

        Raises:
            StageFailed, Retry: as the worker would end for.
        """
        tasks = [asyncio.ensure_future(_run(belt)) for belt in self._belts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run_to_end(self, *, records_max: int = SLICE_RECORDS_MAX) -> None:
        """Work all there is, and what comes of it, and return. records_max: per fetch."""
        moved = True
        while moved:
            moved = False
            for belt in self._belts:
                moved = await belt.step(wait_ms=0, records_max=records_max) or moved

    async def close(self) -> None:
        for belt in self._belts:
            await belt.close()


async def _run(belt: Belt) -> None:
    while True:
        await belt.step(wait_ms=IDLE_MS, records_max=SLICE_RECORDS_MAX)


async def _ours() -> bool:
    """Nobody else can have them."""
    return True
