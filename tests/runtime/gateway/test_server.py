"""The process: TLS and whose certificate it is, by uvicorn's own connections; files that change; an orderly end."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import json
import os
import signal
import socket
import ssl

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from fsoc.cli.gateway import command
from fsoc.errors import RefusedToStart, Retry
from fsoc.runtime.gateway import certificates, server
from fsoc.runtime.gateway.credentials import digest_of, new_token
from fsoc.runtime.kafka.certificates import authority, broker
from fsoc.runtime.kafka.topics import table
from fsoc.settings import load
from tests.feed_sector import REGISTRY
from tests.runtime.gateway.conftest import INSTITUTIONS, NDJSON, PREFIX, FaultyLog, ticket

NOW = dt.datetime.now(dt.UTC)


class Running:
    """A gateway with TLS in this event loop, on free ports."""

    def __init__(self, folder, log, pairs):
        self.folder = folder
        self.log = log
        self.ca, self.server, self.client = pairs
        self.token = new_token("fi-001")
        self.write("ca.pem", self.ca.certificate)
        self.write("server.pem", self.server.certificate)
        self.write("server.key", self.server.key)
        self.write("client.pem", self.client.certificate + self.client.key)
        certificate = x509.load_pem_x509_certificate(self.client.certificate)
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        self.write_credentials(self.token)
        self.said = asyncio.get_running_loop().create_future()

    def write(self, name, data):
        (self.folder / name).write_bytes(data)

    def write_credentials(self, *tokens):
        lines = [f'- {{institution: fi-001, token_sha256: "{digest_of(token.encode())}"}}' for token in tokens]
        lines.append(f'- {{institution: fi-002, certificate_sha256: "{self.fingerprint}"}}')
        self.write("credentials.yml", "\n".join(["credentials:", *lines]).encode())

    async def start(self, *, wait=True):
        names = {
            "credentials": "credentials.yml",
            "certificate": "server.pem",
            "key": "server.key",
            "client_ca": "ca.pem",
        }
        options = {f"gateway_{name}": self.folder / file for name, file in names.items()}
        self.write("institutions.yml", REGISTRY.encode())
        options |= {"institutions": self.folder / "institutions.yml", "brokers": ["nobody:1"]}
        options |= {"gateway_port": 0, "registry_reload_seconds": 1}
        self.settings = load(environment={}, options=options)
        self.running = asyncio.ensure_future(server.run(self.settings, self.said.set_result, self.log))
        await asyncio.wait([self.running, self.said], return_when=asyncio.FIRST_COMPLETED)
        if not wait:
            return await self.running
        told = self.said.result().split()
        self.port = int(told[3].rstrip(",").rpartition(":")[2])
        self.health = int(told[-1].removesuffix("/metrics").rpartition(":")[2])
        return self

    async def ask(self, method="POST", path="/v1/tickets", *, token=None, certificate=False):
        def asked():
            context = ssl.create_default_context(cafile=self.folder / "ca.pem")
            if certificate:
                context.load_cert_chain(self.folder / "client.pem")
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
            headers = {"Content-Type": NDJSON} | ({"Authorization": f"Bearer {token}"} if token else {})
            connection.request(method, path, ticket(1), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        return await asyncio.to_thread(asked)

    async def inside(self, path):
        def asked():
            connection = http.client.HTTPConnection("127.0.0.1", self.health, timeout=30)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        return await asyncio.to_thread(asked)

    async def end(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return await self.running


@pytest.fixture(scope="module")
def pairs():
    ca = authority(NOW)
    return ca, broker(ca, NOW), broker(ca, NOW)


@pytest.fixture
async def gateway(tmp_path, pairs):
    log = FaultyLog()
    await log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
    running = Running(tmp_path, log, pairs)
    yield await running.start()
    if not running.running.done():
        await running.end()


async def test_a_token_or_a_certificate_says_who_it_is_over_tls_and_metrics_are_elsewhere(gateway):
    status, by_token = await gateway.ask(token=gateway.token)
    _, by_certificate = await gateway.ask(certificate=True)

    assert (status, by_token["institution"], by_certificate["institution"]) == (202, "fi-001", "fi-002")
    assert (await gateway.ask(token=gateway.token, certificate=True))[1]["type"].endswith("two-identities")
    assert (await gateway.ask())[0] == 401
    assert (await gateway.ask("GET", "/metrics"))[0] == 404
    assert (await gateway.inside("/livez"))[0] == (await gateway.inside("/readyz"))[0] == 200
    metrics = (await gateway.inside("/metrics"))[1]
    assert 'fsoc_gateway_tickets_total{institution="fi-001",outcome="taken"}' in metrics
    assert 'fsoc_gateway_requests_total{code="no-credential"}' in metrics


async def test_credentials_are_taken_up_while_it_runs_and_bad_ones_leave_those_before_in_use(gateway):
    async def until(token, status):
        while (await gateway.ask(token=token))[0] != status:
            await asyncio.sleep(0.1)

    other = new_token("fi-001")
    gateway.write_credentials(other)
    await until(other, 202)
    assert (await gateway.ask(token=gateway.token))[0] == 401
    gateway.write("credentials.yml", b"credentials: [}")
    while "fsoc_gateway_credentials_refused 1.0" not in (await gateway.inside("/metrics"))[1]:
        await asyncio.sleep(0.1)
    assert (await gateway.ask(token=other))[0] == 202


async def test_it_is_not_ready_while_kafka_does_not_answer_and_names_topics_that_are_missing(gateway, tmp_path):
    files = server._Files(gateway.settings)
    log = Unanswering()
    house = server.Gateway(log, PREFIX, files.credentials, files.registry, None, lambda: 0.0, dt.datetime.now)
    watch = server._Watch(house, files, 1)

    await watch.look()
    assert not watch.answers
    log.answers = True
    await watch.look()
    assert watch.answers
    assert watch._missing == {"fsoc.tickets.fi-001", "fsoc.tickets.fi-002"}
    await log.create(table(PREFIX, ["fi-001"], 2, "test"))
    await watch.look()
    assert watch._missing == {"fsoc.tickets.fi-002"}


class Unanswering(FaultyLog):
    answers = False

    async def partitions(self, *topics):
        if not self.answers:
            raise Retry("no answer")
        return await super().partitions(*topics)


async def test_told_to_stop_it_answers_what_it_has_taken_and_ends_with_0(gateway):
    gateway.log.gate = asyncio.Event()
    asked = asyncio.ensure_future(gateway.ask(token=gateway.token))
    while not gateway.log.writes:
        await asyncio.sleep(0.01)

    ending = asyncio.ensure_future(gateway.end())
    await asyncio.sleep(0)
    gateway.log.gate.set()

    assert (await asked)[0] == 202
    assert await ending == 0
    assert (await gateway.log.end_offsets([("fsoc.tickets.fi-001", 0)]))["fsoc.tickets.fi-001", 0] == 1
    with pytest.raises(OSError, match="refused"):
        await gateway.ask(token=gateway.token)


async def test_a_connection_on_which_headers_do_not_come_is_let_go(gateway, monkeypatch):
    monkeypatch.setattr(certificates, "HEADERS_SECONDS_MAX", 0.2)

    def stalled():
        context = ssl.create_default_context(cafile=gateway.folder / "ca.pem")
        plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(b"POST /v1/tickets HTTP/1.1\r\n")
            try:
                return secure.recv(1)
            except ConnectionResetError:
                return b""

    assert await asyncio.to_thread(stalled) == b""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "--credentials: is needed (or FSOC_GATEWAY_CREDENTIALS)"),
        (
            {"gateway_credentials": "c.yml", "gateway_host": "192.0.2.7"},
            "--certificate: and --key are needed: plain HTTP",
        ),
        ({"gateway_credentials": "c.yml", "gateway_host": "localhost"}, "--certificate: and --key are needed"),
        ({"gateway_credentials": "c.yml", "gateway_key": "k"}, "--certificate: and --key are given together"),
        ({"gateway_credentials": "c.yml", "gateway_client_ca": "k"}, "--client-ca: is of no use"),
    ],
)
def test_what_is_missing_or_would_show_tokens_is_refused(options, said):
    with pytest.raises(RefusedToStart) as refused:
        server.check(load(environment={}, options={"brokers": ["k:1"], "institutions": "i.yml", **options}))
    assert str(refused.value).startswith(said)


async def test_a_certificate_without_its_key_is_refused(tmp_path, pairs):
    running = Running(tmp_path, FaultyLog(), pairs)
    running.write("server.key", pairs[2].key)

    with pytest.raises(RefusedToStart, match="holds no matching certificate and key"):
        await running.start(wait=False)


def test_a_token_is_shown_once_and_its_entry_is_one_of_a_credentials_file():
    options = ["--not-after", "2027-06-30", "--name", 'the "new" one']
    told = CliRunner().invoke(command, ["token", "fi-001", *options])
    entry, token = told.stdout, told.stderr.strip()

    known = server.Credentials.parse(f"credentials:\n{entry}", "credentials.yml")
    assert token not in entry
    assert known.identify(token, None, dt.date(2027, 6, 30)) == "fi-001"
    assert isinstance(CliRunner().invoke(command, ["token", "FI 1"]).exception, RefusedToStart)
