"""Which institutions a worker asks for: follows the registry's file, so that a new one needs no restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from fsoc.errors import RefusedToStart
from fsoc.runtime import metrics
from fsoc.runtime.rules import load_registry

if TYPE_CHECKING:
    from pathlib import Path

    from fsoc.institutions.registry import Registry
    from fsoc.runtime.faust.app import WorkerApp

_log = structlog.get_logger(__name__)

RESUBSCRIBE_CHECK_SECONDS = 10.0


async def follow_registry(app: WorkerApp, path: Path) -> None:
    """Read the file again every so often; a bad one is reported whole, and the one before stays in use."""
    complained = ""
    while True:
        await asyncio.sleep(app.settings.registry_reload_seconds)
        try:
            registry = load_registry(path, app.settings.allowed_lateness_ms)
            if registry.digest == app.registry_wanted.digest:
                problem = ""
            else:
                await _check_topics(app, registry)
                app.want_registry(registry)
                problem = ""
        except RefusedToStart as refused:
            problem = str(refused)
        metrics.REGISTRY_REFUSED.set(bool(problem))
        if problem and problem != complained:
            _log.error("registry_refused", problems=problem.splitlines(), do="mend the file; the one before is in use")
        complained = problem


async def follow_subscription(app: WorkerApp) -> None:
    """Ask again where a change of the topics wanted was lost: Faust drops one that comes while it rebalances."""
    while True:
        await asyncio.sleep(RESUBSCRIBE_CHECK_SECONDS)
        if app.is_member and app.consumer.subscribed != app.topics_asked_for:
            app.ask_for_topics()


async def _check_topics(app: WorkerApp, registry: Registry) -> None:
    """Raises: RefusedToStart: an institution's topics are not there yet; `fsoc topics apply` makes them."""
    new = registry.institutions.keys() - app.registry_wanted.institutions.keys()
    for institution in sorted(new):
        await app.check_topics(institution)
