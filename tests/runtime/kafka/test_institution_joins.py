"""The whole walk on a broker that asks who comes, with the commands that people give and the kit they are handed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
import yaml

from fsoc.cli.main import main
from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka.broker import Broker
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.secured import ADMIN
from fsoc.runtime.kafka.topics import CONSOLE, WORKER
from fsoc.settings import load
from fsoc.tickets.sample import ticket

pytestmark = pytest.mark.kafka

T = TypeVar("T")
NEW = ("--sector", "bank", "--tier", "1", "--feed", "siem")


class Place:
    """A registry, settings of the three users, and the command line, as on an operator's machine."""

    def __init__(self, secure: Broker, folder: Path, capsys: pytest.CaptureFixture[str], patch: Any) -> None:
        self.prefix = f"j{uuid.uuid4().hex[:8]}."
        self.folder = folder
        self.institutions = folder / "institutions.yml"
        self._capsys, self._patch = capsys, patch
        for user in (ADMIN, WORKER, CONSOLE):
            known = secure.secured.files(user)
            given = yaml.safe_load(known.settings.read_text())
            given |= {
                "kafka_password_file": str(known.password),
                "topic_prefix": self.prefix,
                "group": f"{self.prefix}workers",
                "detections_partitions": 2,
                "institutions": str(self.institutions),
                "registry_reload_seconds": 1,
                "rules": [str(Path("rules/detection/fsoc").absolute())],
            }
            self.settings(user).write_text(yaml.safe_dump(given))

    def settings(self, user: str) -> Path:
        return self.folder / f"{user}.yml"

    def kit(self, user: str) -> Path:
        return self.folder / f"kit-{user}" / f"{user}.yml"

    def run(self, *arguments: str, user: str = ADMIN) -> tuple[int, str, str]:
        """One command, in this process; exit code, stdout, stderr."""
        return self.run_plain(*arguments, "--settings", str(self.settings(user)))

    def run_plain(self, *arguments: str) -> tuple[int, str, str]:
        """One command that takes no settings."""
        self._patch.setattr(sys, "argv", ["fsoc", *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        told = self._capsys.readouterr()
        return code or 0, told.out, told.err

    def open_steps(self, institution: str) -> tuple[int, list[str]]:
        code, out, err = self.run("institution", "show", institution, "--json")
        assert err == ""
        return code, [step["id"] for step in json.loads(out)["checklist"] if step["state"] != "done"]

    def enters(self, user: str) -> bool:
        async def try_it(_: KafkaLog) -> None:
            """To be let in is all."""

        try:
            asyncio.run(self._with(user, try_it))
        except RefusedToStart as refused:
            if "invalid credentials" in str(refused):
                return False
            raise
        return True

    def send(self, user: str, institution: str, *lines: bytes) -> None:
        async def write(log: KafkaLog) -> None:
            await log.write([(f"{self.prefix}tickets.{institution}", 0, None, line) for line in lines])

        asyncio.run(self._with(user, write))

    def receipts(self, user: str, institution: str, count: int) -> list[tuple[str, list[str]]]:
        """Outcome and codes of the newest `count`, once there are so many in all that the topic was sent."""

        async def read(log: KafkaLog) -> list[tuple[str, list[str]]]:
            found: list[Any] = []
            reader = await log.reader({(f"{self.prefix}receipts.{institution}", 0): 0})
            async with asyncio.timeout(90):
                while len(found) < count:
                    for records in (await reader.slices(wait_ms=200)).values():
                        found += [receipt for record in records for receipt in orjson.loads(record.value or b"[]")]
            await reader.close()
            return [(one["outcome"], [fault["code"] for fault in one["faults"]]) for one in found]

        return asyncio.run(self._with(user, read))

    async def _with(self, user: str, work: Callable[[KafkaLog], Awaitable[T]]) -> T:
        """Do it as a member, by the settings file of its kit."""
        log = await KafkaLog.of(load(self.kit(user), environment={}))
        try:
            return await work(log)
        finally:
            await log.close()


@pytest.fixture
def place(
    secure_kafka: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Place:
    for variable in os.environ:
        if variable.startswith("FSOC_") and variable != "FSOC_RULES_CACHE":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("FSOC_RULES_CACHE", os.environ["FSOC_RULES_CACHE"])
    place = Place(secure_kafka, tmp_path, capsys, monkeypatch)
    monkeypatch.setattr("fsoc.cli.institution.kit_folder", lambda given, name: given or place.folder / f"kit-{name}")
    return place


@pytest.fixture
def worker(place: Place) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fsoc", "worker", "--settings", str(place.settings(WORKER))]
        with (place.folder / "worker.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        return started[0]

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def test_an_institution_joins_sends_is_served_changes_its_password_and_leaves(place: Place, worker: Any):
    """co-1 is there; co-10 joins while the worker runs, sends what its kit has, and every step ticks itself."""
    first = place.run("institution", "add", "co-1", "--name", "One", *NEW, "--apply")
    assert "co-1: 16 topics, 48 access rules, 1 quotas made; password new." in first[1], "what all share, too"
    assert place.run("topics", "check")[0] == 0
    running = worker()
    code, out, err = place.run(
        *("institution", "add", "co-10", "--name", "Ten", "--name-zh", "第十", *NEW, "--delegate", "msp-1", "--apply")
    )
    assert (code, err) == (0, "")
    assert "co-10: 3 topics, 15 access rules, 2 quotas made; password new." in out
    assert place.open_steps("co-10") == (1, ["received", "ticket", "heartbeat", "receipt"])

    first = (place.kit("co-10").parent / "first-tickets.ndjson").read_bytes().splitlines()
    place.send("co-10", "co-10", *first)
    assert place.receipts("co-10", "co-10", 3) == [("accepted", [])] * 3
    assert place.open_steps("co-10") == (0, [])
    assert place.open_steps("co-1") == (1, ["received", "ticket", "heartbeat", "receipt"])

    # On its behalf: who is registered is, by a password of its own; who is not is told so.
    assert place.run("institution", "rotate", "msp-1", "--apply")[0] == 0
    place.send("msp-1", "co-10", *(place.kit("msp-1").parent / "first-tickets.ndjson").read_bytes().splitlines())
    forged = ticket(institution="co-10", submitted_by="msp-2", environment="production")
    place.send("co-10", "co-10", orjson.dumps(forged))
    told = place.receipts("msp-1", "co-10", 7)
    assert told[3:] == [*[("accepted", [])] * 3, ("quarantined", ["identity.delegation"])]
    with pytest.raises(RefusedToStart, match=r"tickets\.co-1: no such topic, or none that msp-1 may use"):
        place.send("msp-1", "co-1", b"{}")

    # Another password: the one before opens nothing any more.
    old = place.kit("co-10").parent / "co-10.password"
    before = old.read_bytes()
    assert place.run("institution", "rotate", "co-10", "--apply")[0] == 0
    after = old.read_bytes()
    assert after != before
    assert place.enters("co-10")
    old.write_bytes(before)
    assert not place.enters("co-10")
    old.write_bytes(after)

    _suspended_and_back(place)
    assert running.poll() is None, (place.folder / "worker.log").read_text()
    said = (place.folder / "worker.log").read_text()
    assert "registry_refused" not in said, "topics were there before the registry told of them"
    passwords = [path.read_text().strip() for path in place.folder.glob("kit-*/*.password")]
    assert not [password for password in passwords if password in said]


def _suspended_and_back(place: Place) -> None:
    """Connections that are open are stopped as well; what the registry says besides stays as it was."""
    text = place.institutions.read_text()

    async def write_while_suspended(log: KafkaLog) -> None:
        topic = f"{place.prefix}tickets.co-10"
        await log.write([(topic, 0, None, b"{}")])
        code, out, _ = await asyncio.to_thread(place.run, "institution", "suspend", "co-10", "--apply")
        assert code == 0
        assert "co-10: 11 access rules taken back, and its password." in out
        with pytest.raises(RefusedToStart, match="does not allow this user to"):
            await log.write([(topic, 0, None, b"{}")])

    asyncio.run(place._with("co-10", write_while_suspended))
    assert place.institutions.read_text() == text.replace("[msp-1]}", "[msp-1], suspended: true}")
    assert not place.enters("co-10")
    with pytest.raises(RefusedToStart, match="none that msp-1 may use"):
        place.send("msp-1", "co-10", b"{}")
    assert place.open_steps("co-10") == (1, ["registered", "credential"])
    assert place.run("topics", "check")[0] == 0, "what is suspended is as it should be"
    refused = place.run("institution", "rotate", "co-10", "--apply")
    assert (refused[0], '"co-10" is suspended' in refused[2]) == (2, True)

    assert place.run("institution", "suspend", "co-10", "--lift", "--apply")[0] == 0
    assert place.institutions.read_text() == text.replace("[msp-1]}", "[msp-1], suspended: false}")
    assert place.enters("co-10")
    assert place.open_steps("co-10") == (0, [])


def test_analysts_and_operators_reach_what_is_theirs(place: Place, secure_kafka: Broker):
    assert place.run("institution", "add", "co-1", "--name", "One", *NEW, "--apply")[0] == 0

    assert place.run("alerts", "export", "--format", "ndjson", user=CONSOLE)[0] == 1, "there is none, and it could look"
    assert place.run("campaigns", "list", user=CONSOLE)[::2] == (0, "")
    assert place.run("state", "show")[::2] == (0, "")
    code, _, told = place.run("topics", "check", user=CONSOLE)
    assert (code, "Traceback" in told) == (2, False)
    told = place.run_plain("kafka", "status", "--data-dir", str(secure_kafka.data_dir))
    assert (told[0], f"--settings {secure_kafka.secured.files(WORKER).settings}" in told[1]) == (0, True)


def test_what_cannot_be_done_is_told_and_nothing_is_half_done(place: Place):
    """As somebody who may not: the registry stays as it was."""
    code, _, told = place.run("institution", "add", "co-1", "--name", "One", *NEW, "--apply", user=CONSOLE)

    assert (code, "Traceback" in told) == (2, False)
    assert told.startswith("fsoc: access rules: could not be read: ")
    assert not place.institutions.exists()
