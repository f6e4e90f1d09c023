"""A gateway that answers on a real connection, on a log in this process."""

from __future__ import annotations

import asyncio
import os
import signal

from taxii2client.v21 import Server

from fsoc.runtime.gateway import server
from fsoc.runtime.gateway.credentials import digest_of, new_token
from fsoc.runtime.gateway.taxii import DISCOVERY
from fsoc.runtime.kafka.topics import table
from fsoc.settings import load
from tests.feed_sector import REGISTRY
from tests.runtime.gateway.conftest import INSTITUTIONS, PREFIX, FaultyLog


class Site:
    def __init__(self, folder):
        self.folder = folder
        self.log = FaultyLog()
        self.tokens = {name: new_token(name) for name in INSTITUTIONS}

    async def start(self):
        await self.log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
        lines = [f'- {{institution: {n}, token_sha256: "{digest_of(t.encode())}"}}' for n, t in self.tokens.items()]
        (self.folder / "credentials.yml").write_text("\n".join(["credentials:", *lines]))
        (self.folder / "institutions.yml").write_text(REGISTRY)
        options = {
            "gateway_credentials": self.folder / "credentials.yml",
            "institutions": self.folder / "institutions.yml",
            "brokers": ["nobody:1"],
            "gateway_port": 0,
            "gateway_requests_per_second": 10_000,
        }
        said = asyncio.get_running_loop().create_future()
        self.running = asyncio.ensure_future(
            server.run(load(environment={}, options=options), said.set_result, self.log)
        )
        self.url = (await said).split()[3].rstrip(",")

    def client(self, institution="fi-001"):
        return Server(f"{self.url}{DISCOVERY}", user=institution, password=self.tokens[institution])

    async def stop(self):
        os.kill(os.getpid(), signal.SIGTERM)
        await self.running
