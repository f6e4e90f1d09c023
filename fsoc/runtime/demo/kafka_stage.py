"""The exercise on Kafka: a broker of our own unless one is given, own topics, worker processes. Stops all it starts."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsoc.errors import FsocError, Retry
from fsoc.runtime.demo.stage import Production, Say, ShowStopped, StageUnavailable
from fsoc.runtime.kafka.broker import Broker, start, stop
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.maven import KafkaUnavailable
from fsoc.runtime.kafka.security import OPEN, Security
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import Log, TopicSpec
from fsoc.settings import Settings

WORKERS = 2
STOP_SECONDS_MAX = 15.0
LINES_SHOWN = 3
ATTEMPTS = 4


@dataclass(slots=True)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    log: Path


class KafkaStage:
    """A `Stage` of worker processes.

    folder: for what is written to disk: the broker's records, the workers' logs.
    settings: brokers of a cluster, or none: a broker of our own, gone with its records at the end. What else they say
        reaches the workers by the environment, as it reached us.
    keep: leave the exercise's topics and records where they are.
    """

    def __init__(self, folder: Path, settings: Settings, *, keep: bool = False) -> None:
        self.carrier = ""
        self._folder = folder
        self._given = settings.brokers
        self._security = Security.of(settings) if settings.brokers else OPEN
        self._partitions = settings.detections_partitions
        self._keep = keep
        self._starting: asyncio.Task[Broker] | None = None
        self._brokers = ",".join(self._given)
        self._log: KafkaLog | None = None
        self._workers: list[_Worker] = []
        self._topics: list[str] = []

    async def open(self, say: Say) -> None:
        if not self._given:
            say("Kafka is starting")
            self._starting = asyncio.create_task(asyncio.to_thread(start, self._folder / "kafka", say=say))
            try:
                # Shielded: a thread cannot be cancelled, and what it started must be known to be stopped.
                self._brokers = (await asyncio.shield(self._starting)).bootstrap
            except KafkaUnavailable as reason:
                raise StageUnavailable from reason
        self._log = await KafkaLog.open(self._brokers, self._security)
        self.carrier = f"Kafka at {self._brokers}, {WORKERS} workers"

    async def raise_curtain(self, production: Production) -> Log:
        assert self._log is not None  # noqa: S101 - open() comes first
        prefix = production.topic_prefix
        institutions = [entry["id"] for entry in production.exercise.institutions]
        specs = table(prefix, institutions, self._partitions, "exercise")
        self._topics = [spec.name for spec in specs]
        await _make(self._log, specs)
        environment = {
            **{name: value for name, value in os.environ.items() if self._given or not name.startswith("FSOC_KAFKA_")},
            "FSOC_BROKERS": self._brokers,
            "FSOC_ENVIRONMENT": "exercise",
            "FSOC_TOPIC_PREFIX": prefix,
            "FSOC_INSTITUTIONS": str(production.institutions),
            "FSOC_DETECTIONS_PARTITIONS": str(self._partitions),
            "FSOC_GROUP": f"{prefix}workers",
            "FSOC_HTTP_HOST": "127.0.0.1",
            "FSOC_HTTP_PORT": "0",
        }
        for number in range(1, WORKERS + 1):
            path = self._folder / f"worker-{production.exercise.spec.seed}-{number}.log"
            with path.open("wb") as log:
                process = subprocess.Popen(  # noqa: ASYNC220 - does not wait
                    [sys.executable, "-m", "fsoc", "worker"],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the terminal ends us, and we end the workers in order
                )
            self._workers.append(_Worker(number, process, path))
        return self._log

    def check(self) -> None:
        for worker in self._workers:
            code = worker.process.poll()
            if code is not None:
                raise ShowStopped(f"worker {worker.number} ended with code {code}: {_last_lines(worker.log)}")

    async def lower_curtain(self) -> None:
        workers, self._workers = self._workers, []
        await asyncio.to_thread(_stop_all, [worker.process for worker in workers])
        topics, self._topics = self._topics, []
        if topics and self._given and not self._keep:
            await _delete(self._brokers, self._security, topics)

    async def close(self) -> None:
        await self.lower_curtain()
        if self._log is not None:
            await self._log.close()
            self._log = None
        if self._starting is not None:
            await asyncio.wait([self._starting])
            await asyncio.to_thread(stop, self._folder / "kafka")
            if not self._keep:
                shutil.rmtree(self._folder / "kafka" / "data", ignore_errors=True)


async def _make(log: Log, specs: Sequence[TopicSpec]) -> None:
    """Hundreds of topics at once keep a small broker busy for longer than a client waits for an answer."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await log.create(specs)
        except Retry:
            await asyncio.sleep(1)
    return await log.create(specs)


def _stop_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all to end, then wait for each; by force if it does not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _delete(brokers: str, security: Security, topics: Sequence[str]) -> None:
    """Leave a cluster as it was found: these topics are this exercise's and nobody else's."""
    try:
        async with connected(brokers, security, request_timeout_ms=30_000) as admin:
            await admin.delete_topics(list(topics))
    except FsocError as error:
        raise ShowStopped(
            f"the exercise's topics ({topics[0]} and {len(topics) - 1} more) were not deleted: {error}"
        ) from error


def _last_lines(log: Path) -> str:
    """Where the log is, and how it ends."""
    lines = log.read_text("utf-8", errors="replace")[-4_000:].splitlines()
    return "\n".join([str(log), *(f"  {line[:300]}" for line in lines[-LINES_SHOWN:])])
