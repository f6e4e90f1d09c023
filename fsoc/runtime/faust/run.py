"""One worker from start to end: connect, check the topics, serve, work, stop in order. Says why when it must end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any

import structlog

from fsoc.errors import FsocError
from fsoc.pipeline import Pipeline
from fsoc.runtime import metrics
from fsoc.runtime.collector import Collector
from fsoc.runtime.faust.app import FaustCrashed, WorkerApp, build_app
from fsoc.runtime.faust.membership import follow_registry, follow_subscription
from fsoc.runtime.faust.watch import Stuck, tick_collector, tick_idle, watch_progress
from fsoc.runtime.health import HealthServer
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import refuse_unusable, table
from fsoc.runtime.lanes import institution_of
from fsoc.runtime.reload import Reloader, hangup_is_for_rules
from fsoc.settings import Settings

_log = structlog.get_logger(__name__)

# How long a thread may keep the interpreter from another that wants it. The consumer's thread and the working one want
# it in turn, several times for all that is fetched and written, and waited CPython's 5 ms each time.
SWITCH_SECONDS = 0.0005
# Leaving the group in order lets others go on at once; a worker that cannot is given up, and costs a session timeout.
STOP_SECONDS_MAX = 15.0


async def run(
    settings: Settings, pipeline: Pipeline, say: Callable[[str], None], reloader: Reloader | None = None
) -> int:
    """Work until SIGTERM or SIGINT; return the exit code: 0 when told to stop, 1 when a restart is called for.

    say: told, once, where the worker answers. reloader: of the pipeline's rules; at SIGHUP it looks at once.

    Raises:
        RefusedToStart: no Kafka answers, topics are missing or differ, or the port is taken.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    log = await KafkaLog.of(settings)
    try:
        known = pipeline.registry.institutions
        specs = table(settings.topic_prefix, known, settings.detections_partitions, settings.environment)
        await refuse_unusable(log, specs)
        return await _serve(build_app(settings, pipeline, log), say, reloader)
    finally:
        await log.close()


async def _serve(app: WorkerApp, say: Callable[[str], None], reloader: Reloader | None) -> int:
    collector = metrics.StateCollector(
        lambda: {institution_of(source): header for source, header in app.intake.lane.headers.items()},
        lambda: {str(source.partition): header for source, header in app.correlate.lane.headers.items()},
        lambda: {source.topic: header for source, header in app.campaign.lane.headers.items()},
        lambda: {source.topic: header for source, header in app.sharing.lane.headers.items()},
    )
    metrics.REGISTRY.register(collector)
    server = HealthServer(metrics.REGISTRY, alive=lambda: not app.failed.done(), ready=lambda: app.is_ready)
    try:
        port = await server.start(app.settings.http_host, app.settings.http_port)
        say(f"http://{app.settings.http_host}:{port}")
        garbage = Collector()
        with garbage.paced():
            return await _work(app, reloader, garbage)
    finally:
        await server.stop()
        metrics.REGISTRY.unregister(collector)


async def _work(app: WorkerApp, reloader: Reloader | None, garbage: Collector) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told.set)
    for conveyor in app.conveyors:
        app.guard(conveyor.run())
    for watching in (
        tick_idle(app),
        tick_collector(garbage),
        watch_progress(app),
        follow_subscription(app),
        app.crashes(),
    ):
        app.guard(watching)
    if app.settings.institutions is not None:
        app.guard(follow_registry(app, app.settings.institutions))
    if reloader is not None:
        if hangup_is_for_rules():
            loop.add_signal_handler(signal.SIGHUP, reloader.hurry)
        app.guard(reloader.follow(app.settings.rules_reload_seconds, garbage.want_all))
    app.guard(app.start())
    stop = asyncio.ensure_future(told.wait())
    ends: set[asyncio.Future[Any]] = {stop, app.failed}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.remove_signal_handler(sign)
    code = 0
    if app.failed.done():
        code = 1
        _say_why(app.failed.result())
    stop.cancel()
    await _stop(app)
    return code


def _say_why(error: BaseException) -> None:
    if isinstance(error, (FsocError, FaustCrashed, Stuck)):
        _log.error("worker_ends", why=str(error), do="nothing was lost; start it again once the cause is gone")
        return
    _log.error(
        "worker_ends",
        why=f"{type(error).__name__}: {error}",
        do="nothing after the last commit was lost; start it again, and report this",
        exc_info=error,
    )


async def _stop(app: WorkerApp) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await app.leave()
    except TimeoutError:
        _log.warning("worker_left_without_order", seconds=STOP_SECONDS_MAX)
    except Exception as error:  # noqa: BLE001 - it ends anyway, and what is not committed is worked again
        _log.warning("worker_left_without_order", why=repr(error))
