"""A gateway on a log in this process, asked without a socket: any bytes may be sent, as a stranger would."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import pytest

from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.app import Gateway, build
from fsoc.runtime.gateway.credentials import Credentials, digest_of, new_token
from fsoc.runtime.gateway.limits import Limits
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.runtime.memory_log import MemoryLog
from fsoc.tickets import sample
from tests.feed_sector import REGISTRY

PREFIX = "fsoc."
NDJSON = "application/x-ndjson"
INSTITUTIONS = ("fi-001", "fi-002")
TODAY = dt.date(2026, 3, 2)
CERTIFICATE = b"as if in DER form"


class Told(NamedTuple):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem; of one of TAXII, which has its own form."""
        if self.headers["content-type"] == "application/taxii+json;version=2.1":
            return self.json["error_code"].removeprefix("urn:fsoc:problem:")
        assert self.headers["content-type"] == "application/problem+json"
        return self.json["type"].removeprefix("urn:fsoc:problem:")


class FaultyLog(MemoryLog):
    """Raises at the next write what it is given, after as many records as it is told."""

    def __init__(self) -> None:
        super().__init__(lambda: 1_772_409_600_000)
        self.fault: Exception | None = None
        self.written_first = 0
        self.writes = 0
        self.gate: asyncio.Event | None = None

    async def write(self, records, signature=None):
        self.writes += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is None:
            return await super().write(records, signature)
        fault, self.fault = self.fault, None
        await super().write(list(records)[: self.written_first], signature)
        raise fault


class House:
    """A gateway with all around it. tokens: by institution."""

    def __init__(self, log: FaultyLog, *, bytes_per_second: int = 2**24, requests_per_second: int = 10_000) -> None:
        self.log = log
        self.now = 0.0
        self.day = TODAY
        self.hour = dt.time(tzinfo=dt.UTC)  # the time that the log stamps with
        self.tokens = {institution: new_token(institution) for institution in INSTITUTIONS}
        self.registry = Registry.parse(REGISTRY, "institutions.yml")
        self.limits = (bytes_per_second, requests_per_second)
        self.restart()

    def restart(self) -> None:
        """Another process on the same log."""
        entries = [f"- {{institution: {one}, token_sha256: {digest_of(t.encode())}}}" for one, t in self.tokens.items()]
        entries.append(f"- {{institution: fi-002, certificate_sha256: {digest_of(CERTIFICATE)}}}")
        credentials = Credentials.parse("credentials:\n" + "\n".join(entries), "credentials.yml")
        self.gateway = Gateway(
            self.log,
            PREFIX,
            credentials,
            self.registry,
            Limits(*self.limits),
            lambda: self.now,
            lambda: dt.datetime.combine(self.day, self.hour),
        )
        self.app = build(self.gateway)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | list[bytes] = b"",
        headers: Mapping[str, str] | list[tuple[bytes, bytes]] = (),
        *,
        query: bytes = b"",
        certificate: bytes | None = None,
        ends: bool = True,
    ) -> Told:
        """body: in as many chunks. ends: whether the last of them ever comes."""
        chunks = [body] if isinstance(body, bytes) else list(body)
        raw = (
            list(headers)
            if not isinstance(headers, Mapping)
            else [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        )
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(errors="replace"),
            "root_path": "",
            "query_string": query,
            "headers": raw,
            "client": ("198.51.100.7", 40_000),
            "server": ("gateway.example", 8443),
            "state": {"peer_certificate": certificate},
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if chunks:
                return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks) or not ends}
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Told(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))

    async def post(self, *tickets: bytes, institution: str = "fi-001", key: str | None = None, **headers: str) -> Told:
        """Send these, a line each."""
        given = {"content-type": NDJSON, "authorization": f"Bearer {self.tokens[institution]}"}
        if key is not None:
            given["idempotency-key"] = key
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", "/v1/tickets", b"\n".join(tickets), given)

    async def receipts(self, query: str = "", institution: str = "fi-001") -> Told:
        given = {"authorization": f"Bearer {self.tokens[institution]}"}
        return await self.ask("GET", "/v1/receipts", headers=given, query=query.encode())

    async def on_log(self, institution: str = "fi-001") -> list[bytes]:
        """What the institution's ticket topic has."""
        topic = f"{PREFIX}tickets.{institution}"
        return [one.value async for records in read_to_end(self.log, topic, 0) for one in records]


def ticket(number: int, institution: str = "fi-001", **changes: Any) -> bytes:
    return orjson.dumps(sample.ticket(institution=institution, ticket_id=f"t-{number}", seq=number, **changes))


@pytest.fixture
async def house() -> House:
    log = FaultyLog()
    await log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
    return House(log)
