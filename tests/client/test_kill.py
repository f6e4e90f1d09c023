"""On a real Kafka: gateway and sender killed with -9 while 2,000 tickets go through spool and gateway."""

from __future__ import annotations

import asyncio
import json
import os
import signal
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
from fsoc.feeds.record import Record
from fsoc.runtime.gateway.credentials import digest_of, new_token
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.tickets import sample
from tests.feed_sector import REGISTRY, FeedSector

pytestmark = pytest.mark.kafka

TICKETS = 2_000
WAIT_SECONDS = 100
AT = {"detected_at": "2026-03-02T12:00:00Z", "occurred_from": ..., "occurred_to": ...}
DESCRIPTION = "x" * 7_000  # so that they are some fifteen batches


class Processes:
    """`fsoc gateway` on one port and `fsoc send` into one spool, as people start them, and start them again."""

    def __init__(self, folder, brokers, prefix):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "FSOC_BROKERS": brokers,
            "FSOC_TOPIC_PREFIX": prefix,
            "FSOC_GATEWAY_BYTES_PER_SECOND": str(2**29),
        }
        self.gateway = self.sender = None

    def start_gateway(self):
        files = ["--institutions", "institutions.yml", "--credentials", "credentials.yml"]
        self.gateway = self._start("gateway", *files, "--port", str(self.port), log="gateway.log")

    def answers(self):
        """Whether the gateway is there; 401 is an answer."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/receipts", timeout=10)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def start_sender(self, *file):
        to = ["--to", f"http://127.0.0.1:{self.port}", "--token-file", "token", "--spool", "spool", "--json"]
        self.sender = self._start("send", *file, *to, log="sent.ndjson")

    def acknowledged(self):
        """Entries that the sender has told; the last line may be cut where it was killed."""
        lines = (self.folder / "sent.ndjson").read_bytes().split(b"\n")[:-1]
        return [entry for entry in map(json.loads, lines) if "outcome" in entry]

    def wait_for(self, what):
        until = monotonic() + WAIT_SECONDS
        while not what():
            assert monotonic() < until, (self.folder / "gateway.log").read_text()[-3000:]
            sleep(0.02)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    def _start(self, *arguments, log):
        with (self.folder / log).open("ab") as out, (self.folder / f"{log}.errors").open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "fsoc", *arguments],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )


@pytest.fixture
def processes(tmp_path, kafka, topic_prefix):
    token = new_token("fi-001")
    credential = f'credentials: [{{institution: fi-001, token_sha256: "{digest_of(token.encode())}"}}]'
    tickets = (
        orjson.dumps(sample.ticket(ticket_id=f"t-{number}", seq=number, description=DESCRIPTION, **AT))
        for number in range(TICKETS)
    )
    for name, text in (("token", token), ("credentials.yml", credential), ("institutions.yml", REGISTRY)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "tickets.ndjson").write_bytes(b"\n".join(tickets))
    found = Processes(tmp_path, kafka, topic_prefix)
    yield found
    for process in (found.gateway, found.sender):
        if process is not None and process.poll() is None:
            found.kill(process)


def storm(processes):
    """Kill three gateways and one sender on the way; return the exit code of the last sender."""
    processes.start_gateway()
    processes.wait_for(processes.answers)
    processes.start_sender("tickets.ndjson")
    for count in (1, 700, 1_300):
        processes.wait_for(lambda count=count: len(processes.acknowledged()) >= count)
        processes.kill(processes.gateway)
        if count == 700:
            processes.kill(processes.sender)
            processes.start_sender()
        processes.start_gateway()
    return processes.sender.wait(WAIT_SECONDS)


async def test_every_acknowledged_ticket_is_in_the_log_and_none_is_used_twice(processes, log, topic_prefix):
    await log.create(table(topic_prefix, ["fi-001"], 2))
    sector = await asyncio.to_thread(FeedSector)

    code = await asyncio.to_thread(storm, processes)

    assert code == 0, (processes.folder / "sent.ndjson.errors").read_text()
    topic = f"{topic_prefix}tickets.fi-001"
    records = [record async for several in read_to_end(log, topic, 0) for record in several]
    named = {record.offset: orjson.loads(record.value)["ticket_id"] for record in records}
    acknowledged = processes.acknowledged()
    assert {entry["ticket_id"] for entry in acknowledged} == {f"t-{number}" for number in range(TICKETS)}
    assert all(named[entry["offset"]] == entry["ticket_id"] for entry in acknowledged)
    intake = sector.pipeline().intake("fi-001")
    intake.work([Record(one.offset, sector.now_ms, one.key, one.value) for one in records])
    counts = intake.ledger.counts
    assert (counts.used, counts.late, counts.quarantined) == (TICKETS, 0, 0)
    assert counts.received == len(records) == TICKETS + counts.duplicate
    assert counts.duplicate == 0  # the keys are in the log: what was there was not written again


async def test_a_file_is_sent_straight_to_kafka_and_checked_as_intake_will(log, kafka, topic_prefix, tmp_path):
    await log.create(table(topic_prefix, ["fi-001"], 2))
    lines = [orjson.dumps(sample.ticket(ticket_id="t-1")), orjson.dumps(sample.ticket(institution="fi-002"))]
    (tmp_path / "tickets.ndjson").write_bytes(b"\n".join(lines))
    to = ["--brokers", kafka, "--topic-prefix", topic_prefix, "--spool", str(tmp_path / "spool"), "--json"]

    told = await asyncio.to_thread(
        CliRunner().invoke, command, [str(tmp_path / "tickets.ndjson"), "--institution", "fi-001", *to]
    )
    nowhere = await asyncio.to_thread(CliRunner().invoke, command, ["--institution", "fi-009", *to])

    entries = [json.loads(line) for line in told.stdout.splitlines()]
    assert (told.exit_code, nowhere.exit_code) == (1, 0)
    assert [(entry["outcome"], entry["offset"]) for entry in entries[:2]] == [("taken", 0), ("quarantined", 1)]
    assert entries[1]["faults"][0]["code"] == "identity.mismatch"
    assert entries[2] == {"taken": 1, "refused": 1, "waiting": 0}
    topic = f"{topic_prefix}tickets.fi-001"
    assert [one.value async for several in read_to_end(log, topic, 0) for one in several] == lines
