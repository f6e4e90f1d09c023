"""Keeps worker processes running on a broker, ours or a given one. Works nothing itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from time import monotonic

from fsoc.institutions.registry import Registry
from fsoc.runtime.kafka.admin import broker_count
from fsoc.runtime.kafka.choice import given_or_own
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.kafka.topics import refuse_unusable, table
from fsoc.runtime.lanes import TICKETS
from fsoc.runtime.reload import hangup_is_for_rules
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings

# After a worker ended; doubled each time, and begun anew by one that lived long.
RESTART_SECONDS = 1.0
RESTART_SECONDS_MAX = 30.0
LONG_LIFE_SECONDS = 60.0
STOP_SECONDS_MAX = 20.0

REFUSED = 2

WORKER = (sys.executable, "-m", "fsoc", "worker")

Say = Callable[[str], None]


async def up(settings: Settings, workers: int, say: Say) -> int:
    """Run until SIGINT or SIGTERM; return the exit code: 0, or a worker's where it refused to start.

    Raises:
        RefusedToStart: settings, institutions, Java, Maven, brokers or topics are not usable.
    """
    assert settings.institutions is not None  # noqa: S101 - the caller has seen to it
    registry = load_registry(settings.institutions)
    # As `fsoc kafka` has it, so that its status and stop find this broker.
    data_dir = settings.data / "kafka" if settings.data else None
    async with given_or_own(settings, data_dir, say=say) as settled:
        await _make_topics(settled, registry)
        say(_how_to_send(settled, registry))
        return await _keep(workers, _environment(settled), say)


async def _make_topics(settings: Settings, registry: Registry) -> None:
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        replicas = min(3, await broker_count(admin))
    wanted = table(
        settings.topic_prefix,
        registry.institutions,
        settings.detections_partitions,
        settings.environment,
        replicas=replicas,
    )
    log = await KafkaLog.of(settings)
    try:
        await log.create(wanted)
        await refuse_unusable(log, wanted)
    finally:
        await log.close()


def _how_to_send(settings: Settings, registry: Registry) -> str:
    institution = next(iter(registry.institutions))
    prefix, brokers = settings.topic_prefix, ",".join(settings.brokers)
    if settings.kafka_protocol == "PLAINTEXT":
        sending = f"kcat -P -b {brokers} -t {prefix}{TICKETS}{institution} ticket.json"
        receipts, analyst = f"kcat -C -b {brokers} -t {prefix}receipts.{institution}", f"--brokers {brokers}"
    else:
        # Each has files that say who it is; an institution's are in its kit.
        own, analyst = f"--settings kit-{institution}/{institution}.yml", "--settings FILE"
        sending, receipts = f"fsoc send ticket.json {own}", f"fsoc receipts {own}"
    return "\n".join(
        [
            f"Kafka at {brokers}, institutions: {len(registry.institutions)}. For example:",
            f"  send a ticket    {sending}",
            f"  its receipt      {receipts}",
            f"  joint alerts     fsoc alerts watch {analyst} --topic-prefix {prefix}",
            "What a ticket is: fsoc schema ticket. Ctrl-C stops everything.",
        ]
    )


def _environment(settings: Settings) -> dict[str, str]:
    """All settings, for the workers; a file and options are not read twice."""
    given: dict[str, object] = {
        "brokers": ",".join(settings.brokers),
        "kafka_protocol": settings.kafka_protocol,
        "kafka_ca_file": settings.kafka_ca_file and settings.kafka_ca_file.absolute(),
        "kafka_username": settings.kafka_username,
        "kafka_password_file": settings.kafka_password_file and settings.kafka_password_file.absolute(),
        "environment": settings.environment,
        "exercise_id": settings.exercise_id,
        "topic_prefix": settings.topic_prefix,
        "institutions": settings.institutions and settings.institutions.absolute(),
        "rules": ",".join(str(path.absolute()) for path in settings.rules),
        "logsources": settings.logsources and settings.logsources.absolute(),
        "placeholders": settings.placeholders and settings.placeholders.absolute(),
        "pipeline": settings.pipeline and settings.pipeline.absolute(),
        "engine": settings.engine,
        "alert_key_file": settings.alert_key_file and settings.alert_key_file.absolute(),
        "feedback_hold": settings.feedback_hold,
        "feedback_k": settings.feedback_k,
        "feedback_at_risk": settings.feedback_at_risk,
        "detections_partitions": settings.detections_partitions,
        "group": settings.group,
        "http_host": settings.http_host,
        "http_port": 0,
        "allowed_lateness": settings.allowed_lateness_ms // 1000,
        "registry_reload_seconds": settings.registry_reload_seconds,
        "rules_reload_seconds": settings.rules_reload_seconds,
        "rules_cache": settings.rules_cache and settings.rules_cache.absolute(),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FSOC_")}
    return kept | {f"FSOC_{name.upper()}": str(value) for name, value in given.items() if value not in (None, "")}


async def _keep(workers: int, environment: Mapping[str, str], say: Say) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, told.set)
    running: set[asyncio.subprocess.Process] = set()
    if hangup_is_for_rules():
        loop.add_signal_handler(signal.SIGHUP, _look_at_rules, running)
    keepers = [asyncio.ensure_future(_keep_one(number + 1, environment, say, running)) for number in range(workers)]
    stop_told = asyncio.ensure_future(told.wait())
    try:
        done, _ = await asyncio.wait([*keepers, stop_told], return_when=asyncio.FIRST_COMPLETED)
        refused = [keeper for keeper in keepers if keeper in done]
        return refused[0].result() if refused else 0
    finally:
        for task in (*keepers, stop_told):
            task.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(sign)


def _look_at_rules(running: Iterable[asyncio.subprocess.Process]) -> None:
    """Pass SIGHUP on: workers look at once for rules that were changed."""
    for process in running:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGHUP)


async def _keep_one(
    number: int, environment: Mapping[str, str], say: Say, running: set[asyncio.subprocess.Process]
) -> int:
    """Run a worker again and again; return only when it refuses to start. Cancelled, it stops the worker in order.

    running: holds the worker's process while it runs.
    """
    pause = RESTART_SECONDS
    while True:
        began = monotonic()
        process = await asyncio.create_subprocess_exec(
            *WORKER,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal ends us, and we end the workers in order
        )
        running.add(process)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _stop(process)
            raise
        finally:
            running.discard(process)
        if code == REFUSED:
            return code
        pause = RESTART_SECONDS if monotonic() - began > LONG_LIFE_SECONDS else min(2 * pause, RESTART_SECONDS_MAX)
        say(f"Worker {number} ended with code {code}; started again in {pause:.0f} s. Nothing is lost.")
        await asyncio.sleep(pause)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
