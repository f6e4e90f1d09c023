"""The worker: a Faust app with an agent for each lane, the lanes they feed, and what happens at a rebalance.

app = build_app(settings, pipeline, log)      # a factory: nothing of it exists at import
code = await run(app)                         # until it is told to stop, or must
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from time import monotonic
from typing import Any

import structlog
from faust.types import TP

from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime import metrics
from fsoc.runtime.faust.carrier import SESSION_SECONDS, Carrier, set_up
from fsoc.runtime.faust.carrier import settings as faust_settings
from fsoc.runtime.faust.conveyor import Conveyor
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.lanes import (
    DETECTIONS,
    INSTITUTION_TOPICS,
    LINKS,
    SHARING,
    TICKETS,
    campaign_lane,
    correlation_lane,
    intake_lane,
    sharing_lane,
)
from fsoc.runtime.log import Log
from fsoc.settings import Settings

_log = structlog.get_logger(__name__)

# A heartbeat older than this may have been answered to a worker that is thought dead by now.
MEMBER_SECONDS = SESSION_SECONDS * 0.75
# A rebalance waits no longer than this for a checkpoint that is being written.
SETTLE_SECONDS = 4.0


class FaustCrashed(Exception):  # noqa: N818 - says what happened
    """A service of Faust's has ended by itself: mostly, Kafka is gone. Nothing that is not durable was committed."""


class WorkerApp(Carrier):
    """One worker of the group.

    topics_wanted: the ticket topics it asks for, shared with the agent's channel: change it in place.
    failed: why the worker must end, once it must.
    """

    def __init__(self, settings: Settings, pipeline: Pipeline, log: Log) -> None:
        prefix: str = settings.topic_prefix
        reach = faust_settings(settings.brokers, Security.of(settings), spread_prefix=prefix + TICKETS)
        super().__init__(settings.group, **reach)
        set_up(self)
        self.settings = settings
        self.pipeline = pipeline
        self.log_store = log
        self.prefix = prefix
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        processing = metrics.PROCESSING if settings.environment == "production" else None
        intake = intake_lane(pipeline, log, prefix, processing=processing)
        self.intake = Conveyor(self, intake, prefix, self._ours_in)
        self.correlate = Conveyor(self, correlation_lane(pipeline, log, prefix), prefix, self._ours_in)
        self.campaign = Conveyor(self, campaign_lane(pipeline, log, prefix), prefix, self._ours_in)
        self.sharing = Conveyor(self, sharing_lane(pipeline, log, prefix), prefix, self._ours_in)
        self.registry_wanted: Registry = pipeline.registry
        self.topics_wanted = self._topics_of(pipeline.registry)
        tickets = self.topic(*self.topics_wanted)
        tickets.topics = self.topics_wanted  # and so of every clone that Faust makes of it
        self.agent(tickets, name="intake", concurrency=1)(self.intake.agent)
        self.agent(self.topic(prefix + DETECTIONS), name="correlate", concurrency=1)(self.correlate.agent)
        self.agent(self.topic(prefix + LINKS), name="campaign", concurrency=1)(self.campaign.agent)
        self.agent(self.topic(prefix + SHARING), name="sharing", concurrency=1)(self.sharing.agent)
        self._revoking = False
        self._generation: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def conveyors(self) -> tuple[Conveyor, Conveyor, Conveyor, Conveyor]:
        return self.intake, self.correlate, self.campaign, self.sharing

    @property
    def _shared(self) -> dict[str, Conveyor]:
        """Of the topics that are not one institution's: whose they are."""
        topics = {DETECTIONS: self.correlate, LINKS: self.campaign, SHARING: self.sharing}
        return {self.prefix + name: conveyor for name, conveyor in topics.items()}

    @property
    def is_member(self) -> bool:
        """It is in the group, and the group is at rest."""
        return self._generation is not None and not self._revoking

    @property
    def is_ready(self) -> bool:
        """It is in the group, and all it owns is restored."""
        return self.is_member and all(all(conveyor.lane.sources.values()) for conveyor in self.conveyors)

    @property
    def topics_asked_for(self) -> frozenset[str]:
        return frozenset([*self.topics_wanted, *self._shared])

    def want_registry(self, registry: Registry) -> None:
        """Work these institutions from the next rebalance on, which this brings about where topics come or go."""
        self.registry_wanted = registry
        topics = self._topics_of(registry)
        if topics == self.topics_wanted:
            self.pipeline.registry = registry
            return
        _log.info("registry_changed", institutions=len(topics), before=len(self.topics_wanted))
        self.topics_wanted[:] = topics
        self.ask_for_topics()

    def ask_for_topics(self) -> None:
        self.topics._flag_changes()  # noqa: SLF001 - its way to say that a channel's topics are others

    async def check_topics(self, institution: str) -> None:
        """Raises: UnknownTopic: one of the institution's topics does not exist."""
        for kind in INSTITUTION_TOPICS:
            await self.log_store.partitions(f"{self.prefix}{kind}{institution}")

    def _topics_of(self, registry: Registry) -> list[str]:
        return sorted(f"{self.prefix}{TICKETS}{name}" for name in registry.institutions)

    def guard(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside everything else; what it raises ends the worker."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - every way to fail ends the worker, and is said there
                self.fail(error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    async def crashes(self) -> None:
        """Raise what ended one of Faust's services, once one has."""
        await self._crashed.wait()
        raise FaustCrashed(repr(self.crash_reason)) from self.crash_reason

    async def leave(self) -> None:
        """Finish what is being written, commit it, leave the group."""
        self._revoking = True
        if self._generation is not None and not self.failed.done():
            await self.before_revoked()
            await self.consumer.commit()
        for task in self._tasks:
            task.cancel()
        await self.stop()

    def rebalance_started(self) -> None:
        self._revoking = True

    def held_back(self) -> frozenset[TP]:
        return frozenset().union(*(conveyor.held for conveyor in self.conveyors))

    async def before_revoked(self) -> None:
        """What is being written is written to its end, so that the next owner finds it; the rest stops at once."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                for conveyor in self.conveyors:
                    await conveyor.lane.settle()
        except TimeoutError:
            _log.warning("rebalance_did_not_wait", seconds=SETTLE_SECONDS, why="a checkpoint is still being written")

    async def before_assigned(self, assigned: set[TP], generation: int) -> None:
        # A generation left out was one without us, and others may have worked what we had.
        kept = self._generation is not None and generation == self._generation + 1
        self._generation = generation
        if {tp.topic for tp in assigned} <= self._known_to(self.registry_wanted):
            self.pipeline.registry = self.registry_wanted
        for conveyor in self.conveyors:
            mine = {tp for tp in assigned if self._shared.get(tp.topic, self.intake) is conveyor}
            conveyor.done.clear()
            conveyor.lane.take((conveyor.source(tp) for tp in mine), kept=kept)
            conveyor.restore_soon()
        self._revoking = False
        metrics.REBALANCES.inc()
        _log.info(
            "partitions_assigned",
            generation=generation,
            tickets=len(self.intake.lane.sources),
            detections=len(self.correlate.lane.sources),
            links=len(self.campaign.lane.sources),
            sharing=len(self.sharing.lane.sources),
            stages_kept=kept,
        )

    def _known_to(self, registry: Registry) -> frozenset[str]:
        return frozenset([*self._topics_of(registry), *self._shared])

    async def _ours_in(self, generation: int) -> bool:
        """Whether we are still the member we were; after a long stop, only once the broker has said so."""
        while not self._revoking and self.consumer_generation_id == generation:
            since: float = monotonic() - self.consumer.member_at
            if since < MEMBER_SECONDS:
                return True
            await asyncio.sleep(0.05)
        return False


def build_app(settings: Settings, pipeline: Pipeline, log: Log) -> WorkerApp:
    """Make a worker of `settings.group`. Call it in the event loop that will run it."""
    return WorkerApp(settings, pipeline, log)
