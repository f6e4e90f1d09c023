"""On a real Kafka: signed by `fsoc send`, by a gateway and straight; verified by intake, and again after a restart."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from time import monotonic, sleep

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.send import command
from fsoc.client.signing import Signer, make_key
from fsoc.institutions.edit import with_signing
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import Signing, key_of_jwk
from fsoc.runtime.gateway.credentials import digest_of, new_token
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.tickets import sample
from tests.feed_sector import REGISTRY
from tests.test_intake_signed import kept, pipeline, told

pytestmark = pytest.mark.kafka

COUNT = 70  # more than two signatures cover
WAIT_SECONDS = 100


class GatewayProcess:
    """`fsoc gateway` on a port of its own, in a folder that has its files."""

    def __init__(self, folder, brokers, prefix):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._log = folder / "gateway.log"
        files = ["--institutions", "institutions.yml", "--credentials", "credentials.yml"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fsoc", "gateway", *files, "--port", self.url.rpartition(":")[2]],
                cwd=folder,
                env={**os.environ, "FSOC_BROKERS": brokers, "FSOC_TOPIC_PREFIX": prefix},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self):
        """Until it answers: 401 is an answer."""
        until = monotonic() + WAIT_SECONDS
        while monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/v1/receipts", timeout=10)  # noqa: S310 - our own
            except urllib.error.HTTPError:
                return
            except OSError:
                sleep(0.05)
        pytest.fail(self._log.read_text()[-3000:])

    def stop(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def gateway(tmp_path, kafka, topic_prefix):
    """A gateway whose institution fi-001 must sign, and has a key."""
    token = new_token("fi-001")
    public = key_of_jwk(make_key(tmp_path / "signing.jwk"), "key")
    registry = with_signing(REGISTRY, "institutions.yml", "fi-001", Signing(0, (public,)))
    credential = f'credentials: [{{institution: fi-001, token_sha256: "{digest_of(token.encode())}"}}]'
    for name, text in (("token", token), ("credentials.yml", credential), ("institutions.yml", registry)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = GatewayProcess(tmp_path, kafka, topic_prefix)
    yield found
    found.stop()


def send(folder, numbers, *to):
    """What `fsoc send` says of these tickets, an entry a line."""
    lines = [orjson.dumps(sample.ticket(ticket_id=f"t-{number}", seq=number)) for number in numbers]
    (folder / "tickets.ndjson").write_bytes(b"\n".join(lines))
    arguments = [str(folder / "tickets.ndjson"), *to, "--spool", str(folder / f"spool-{numbers[0]}"), "--json"]
    done = CliRunner().invoke(command, arguments)
    return done.exit_code, [orjson.loads(line) for line in done.stdout.splitlines()]


async def test_what_is_signed_is_used_and_what_is_not_or_was_changed_is_quarantined(
    gateway, log, kafka, topic_prefix, tmp_path
):
    await log.create(table(topic_prefix, ["fi-001", "fi-002"], 2))
    await asyncio.to_thread(gateway.wait)
    sign = ("--sign-with", str(tmp_path / "signing.jwk"))
    https = ("--to", gateway.url, "--token-file", str(tmp_path / "token"))
    straight = ("--brokers", kafka, "--topic-prefix", topic_prefix, "--institution", "fi-001")

    by_gateway = await asyncio.to_thread(send, tmp_path, range(1, COUNT + 1), *https, *sign)
    by_kafka = await asyncio.to_thread(send, tmp_path, range(COUNT + 1, 2 * COUNT + 1), *straight, *sign)
    unsigned = await asyncio.to_thread(send, tmp_path, [2 * COUNT + 1], *https)
    topic = f"{topic_prefix}tickets.fi-001"
    signer = Signer.from_file(tmp_path / "signing.jwk")
    honest = orjson.dumps(sample.ticket(ticket_id="t-999", seq=999))
    signature = signer.sign([honest]).encode()
    await log.write([(topic, 0, None, honest.replace(b"t-999", b"t-998"))], signature)

    assert (by_gateway[0], by_kafka[0], unsigned[0]) == (0, 0, 1)
    assert [entry["offset"] for entry in (by_gateway[1][:-1] + by_kafka[1][:-1])] == list(range(2 * COUNT))
    assert unsigned[1][0]["faults"][0]["code"] == "signature.missing"
    records = [one async for several in read_to_end(log, topic, 0) for one in several]
    registry = (tmp_path / "institutions.yml").read_text(encoding="utf-8")
    assert Registry.parse(registry, "w").institutions["fi-001"].signing.is_required(records[0].timestamp_ms)
    intake = pipeline(registry).intake("fi-001")
    outputs = intake.work(records)
    expected = [("accepted", [])] * 2 * COUNT + [
        ("quarantined", ["signature.missing"]),
        ("quarantined", ["signature.not-covered"]),
    ]
    assert told(outputs) == expected
    assert [one.signature for one in kept(outputs)] == [None, signature]
    again = pipeline(registry).intake("fi-001")
    for key, value in outputs.state:
        again.restore(key, value)
    again.restored()
    assert told(again.work(records)) == expected
