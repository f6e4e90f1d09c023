"""`/livez`, `/readyz` and `/metrics` of a worker. Read only, no password: keep the port inside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fsoc.errors import Problem, RefusedToStart


class HealthServer:
    """Listens from `start` to `stop`.

    alive: whether the process is worth keeping. ready: whether it works, or would if there were something to do.
    """

    def __init__(self, registry: CollectorRegistry, alive: Callable[[], bool], ready: Callable[[], bool]) -> None:
        self._registry = registry
        app = web.Application()
        app.router.add_get("/livez", _asking(alive, "alive", "ending"))
        app.router.add_get("/readyz", _asking(ready, "ready", "not ready"))
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which is a free one where 0 was asked for.

        Raises:
            RefusedToStart: it cannot be listened on.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise RefusedToStart(
                Problem("--port", f"cannot listen on {host}:{port}: {reason}; 0 is any free")
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _asking(question: Callable[[], bool], yes: str, no: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        good = question()
        return web.Response(text=f"{yes if good else no}\n", status=200 if good else 503)

    return answer
