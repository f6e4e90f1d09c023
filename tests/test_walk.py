"""An institution joins by what README.md prints and nothing else: its blocks are run, and what they print is read."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import monotonic, sleep

import pytest

from fsoc.runtime.kafka import broker
from fsoc.runtime.kafka.maven import cache_root
from tests.manuals import CHINESE, ENGLISH, ROOT, block, blocks, part

pytestmark = pytest.mark.kafka

WALK = part((ROOT / ENGLISH).read_text(encoding="utf-8"), "An institution joins")
WAIT_SECONDS = 100
TICKETS = 10


class Reader:
    """Who copies one block after another into terminals, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FSOC_")}
        self._environment = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_DATA_HOME": str(folder / "home"),  # the spool
            "FSOC_CACHE": str(cache_root()),
            "FSOC_RULES_CACHE": os.environ["FSOC_RULES_CACHE"],
            "FSOC_GATEWAY_PORT": str(self._port),
        }
        self._services: list[subprocess.Popen[bytes]] = []

    def run(self, begins: str) -> str:
        """Run the block that begins so; what it printed on stdout."""
        done = self._run(begins)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_until(self, begins: str, pattern: str) -> str:
        """Run it again until it prints this: workers are still at work."""
        deadline = monotonic() + WAIT_SECONDS
        while True:
            done = self._run(begins)
            if done.returncode == 0 and re.search(pattern, done.stdout, flags=re.MULTILINE):
                return done.stdout
            assert monotonic() < deadline, done.stdout + done.stderr + self.said()

    def keep_running(self, begins: str, ready: str) -> None:
        """Run it in a terminal of its own, until it says that it is ready."""
        log = self.folder / f"terminal-{len(self._services)}.log"
        with log.open("wb") as out:
            self._services.append(
                subprocess.Popen(
                    self._shell(begins),
                    cwd=self.folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        deadline = monotonic() + WAIT_SECONDS
        while ready not in log.read_text(encoding="utf-8"):
            assert self._services[-1].poll() is None, self.said()
            assert monotonic() < deadline, self.said()
            sleep(0.1)

    def said(self) -> str:
        """What the terminals show, their ends."""
        return "\n".join(log.read_text(encoding="utf-8")[-3000:] for log in sorted(self.folder.glob("terminal-*")))

    def leave(self) -> list[int]:
        """Ctrl-C in every terminal; exit codes. Then the broker."""
        for service in self._services:
            if service.poll() is None:
                os.killpg(service.pid, signal.SIGINT)
        codes = [service.wait(60) for service in self._services]
        broker.stop(self.folder / "joint-soc")
        return codes

    def _run(self, begins: str) -> subprocess.CompletedProcess[str]:
        command = self._shell(begins)
        return subprocess.run(
            command, check=False, cwd=self.folder, env=self._environment, capture_output=True, encoding="utf-8"
        )

    def _shell(self, begins: str) -> list[str]:
        """-e as a person would: who sees an error does not go on."""
        text = block(WALK, begins).replace("https://127.0.0.1:8443", f"https://127.0.0.1:{self._port}")
        return ["bash", "-o", "pipefail", "-euc", text]


@pytest.fixture
def reader(kafka_jars: Path, tmp_path: Path):
    reader = Reader(tmp_path)
    yield reader
    reader.leave()


def test_an_institution_joins_and_sends_ten_tickets_by_every_way_in(reader: Reader):
    said = reader.run("fsoc kafka start")
    assert "fi-005: Registered." in said
    reader.keep_running("fsoc up", ready="Kafka at ")
    reader.keep_running("fsoc gateway", ready="fsoc gateway at https://")

    assert reader.run("fsoc sample fi-005 --heartbeat").startswith(f"{TICKETS + 1} arrived, 0 refused, 0 wait")
    answer = json.loads(reader.run("fsoc sample fi-005 > tickets.ndjson"))
    assert (answer["received"], answer["taken"], answer["quarantined"]) == (TICKETS, TICKETS, 0)
    assert reader.run("fsoc sample fi-005 | fsoc send").startswith(f"{TICKETS} arrived, 0 refused, 0 wait")
    entries = reader.run("fsoc sample fi-005 > batch.ndjson").splitlines()
    assert [re.sub(r"\d+", "N", entry) for entry in entries] == ["taken N []"] * TICKETS
    assert reader.run("at=").startswith(f"{TICKETS} arrived, 0 refused, 0 wait")

    told = reader.run_until("fsoc receipts", pattern=f"^{5 * TICKETS + 1} accepted$")
    offsets, ways = tickets(told)
    assert offsets == list(range(5 * TICKETS + 1))
    sent = Counter(name.rpartition("-")[0] for name in ways)
    assert sorted(sent.values()) == [TICKETS] * 5
    assert len(set(ways)) == 5 * TICKETS
    by_file = {json.loads(line)["ticket_id"] for line in (reader.folder / "tickets.ndjson").read_bytes().splitlines()}
    assert by_file <= set(ways)
    assert tickets(reader.run("curl --cacert kit-fi-005/ca.pem -H")) == (offsets, ways)

    looked = reader.run_until("fsoc feeds", pattern="^1 of 1 feeds are well")
    (row,) = (line.split() for line in looked.splitlines() if line.split()[:2] == ["fi-005", "siem"])
    assert str(5 * TICKETS) in row
    assert row.count("0.00") == 3, "nothing rejected, doubled or late"
    steps = [line for line in looked.splitlines() if " · " in line]
    assert [step.split()[0] for step in steps] == ["✓"] * 9
    assert f"first valid ticket ({5 * TICKETS + 1} messages used)" in looked
    # The workers end by Ctrl-C in order; a shell that it ended says 130.
    assert set(reader.leave()) <= {0, 130}


def tickets(told: str) -> tuple[list[int], list[str]]:
    """Offsets of all that was accepted, and the tickets among them, of a table of receipts."""
    rows = [line.split() for line in told.splitlines() if line.startswith("accepted")]
    return [int(row[1]) for row in rows], [row[5] for row in rows if row[5] != "-"]


def test_both_readmes_have_one_walk():
    chinese = part((ROOT / CHINESE).read_text(encoding="utf-8"), "一家機構加入")

    assert blocks(chinese) == blocks(WALK)
