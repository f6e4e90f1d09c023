"""`/livez`, `/readyz` and `/metrics` answer what the worker says of itself."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge

from fsoc.errors import RefusedToStart
from fsoc.runtime.health import HealthServer


@pytest.fixture
async def server():
    """A server whose answers are set by the test; told is (status, text) of a path."""
    registry, says = CollectorRegistry(), {"alive": True, "ready": False}
    Gauge("fsoc_example", "An example.", registry=registry).set(3)
    server = HealthServer(registry, alive=lambda: says["alive"], ready=lambda: says["ready"])
    port = await server.start("127.0.0.1", 0)

    async def told(path):
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    yield says, told
    await server.stop()


async def test_each_question_is_asked_when_it_is_answered(server):
    says, told = server

    assert await told("/livez") == (200, "alive\n")
    assert await told("/readyz") == (503, "not ready\n")
    says.update(alive=False, ready=True)
    assert await told("/livez") == (503, "ending\n")
    assert await told("/readyz") == (200, "ready\n")


async def test_metrics_are_in_prometheus_own_words(server):
    _, told = server

    status, text = await told("/metrics")

    assert status == 200
    assert "# HELP fsoc_example An example." in text
    assert "fsoc_example 3.0" in text


async def test_a_port_that_is_taken_is_refused_with_its_number():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = HealthServer(CollectorRegistry(), alive=bool, ready=bool)

        with pytest.raises(RefusedToStart, match=rf"--port: cannot listen on 127.0.0.1:{port}"):
            await server.start("127.0.0.1", port)

        await server.stop()
