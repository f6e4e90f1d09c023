"""The exercise without Kafka: the log and the pipeline in this process, with the workers' stages and checkpoints."""

from __future__ import annotations

import asyncio
import time

from fsoc.correlation.ruleset import RuleSet
from fsoc.pipeline import Pipeline
from fsoc.runtime.demo.stage import Production, Say, ShowStopped
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import Log
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.rules import load_registry, load_ruleset
from fsoc.settings import Settings


class InProcessStage:
    """A `Stage` on an in-process log. settings: for the rules."""

    def __init__(self, settings: Settings) -> None:
        self.carrier = "in this process, without Kafka"
        self._settings = settings
        self._rules: RuleSet | None = None
        self._pipeline: InProcess | None = None
        self._working: asyncio.Task[None] | None = None

    async def open(self, say: Say) -> None:
        say("rules are being compiled")
        self._rules = await asyncio.to_thread(load_ruleset, self._settings.rules, self._settings.logsources)

    async def raise_curtain(self, production: Production) -> Log:
        assert self._rules is not None  # noqa: S101 - open() comes first
        prefix, partitions = production.topic_prefix, self._settings.detections_partitions
        registry = load_registry(production.institutions)
        log = MemoryLog(lambda: time.time_ns() // 1_000_000)
        await log.create(table(prefix, registry.institutions, partitions, "exercise"))
        self._pipeline = InProcess(Pipeline(self._rules, registry, partitions, ends=True), log, prefix)
        self._working = asyncio.create_task(self._pipeline.run())
        return log

    def check(self) -> None:
        working = self._working
        if working is not None and working.done() and (error := working.exception()) is not None:
            raise ShowStopped(f"the pipeline ended: {error!r}") from error

    async def lower_curtain(self) -> None:
        working, self._working = self._working, None
        pipeline, self._pipeline = self._pipeline, None
        if working is not None:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if pipeline is not None:
            await pipeline.close()

    async def close(self) -> None:
        await self.lower_curtain()
