"""Blows on a site while tickets are on their way to it, as a seed says; what each of them struck.

    fi-001    fsoc send, by HTTPS       a part, a part, …        ┐ a spool each; killed too, and run again
    fi-002    fsoc send, to Kafka       a part, a part, …        ┘
    fi-003    fsoc.client, by HTTPS     a batch after another, each under its key until it is acknowledged
    blows              ✗ worker    ✗ gateway    ✗ broker    ✗ sender …

A blow struck work in hand when what was there before it was not done when it was over:

    gateway   a request that was waiting for its answer got none
    broker    a request that was waiting for its answer still was when the broker was dead
    worker    tickets that had been acknowledged to their sender were not in its state
    sender    lines were in the spool, and a batch of them was being sent
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal, get_args

import orjson

from fsoc.client import Gateway, Spool, Unavailable
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import intake_state_partition
from fsoc.runtime.log import read_to_end
from tests.client.site import LOOK_SHARPLY_SECONDS, PREFIX, Site

# A ticket that was acknowledged, and its offset; None: it is not known where.
Entry = tuple[str, int | None]
Kind = Literal["gateway", "worker", "broker", "sender"]
# A request that waited for a broker to come back says nothing of how long others take.
STRIKE_SECONDS_MAX = 1.0
AGAIN_SECONDS = 0.2
TRIES_MAX = 5
BATCH_LINES = 50
WORKER_BATCHES = 3


class Granted:
    """So many turns, given by one thread and taken by another."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def give(self, count: int) -> None:
        if count > 0:
            self._turns.release(count)

    def take(self) -> None:
        self._turns.acquire()


class Spooled(threading.Thread):
    """`fsoc send` of one part after another into one spool, run again until it says that all arrived.

    left: parts that have not. A part of which nothing waits after a run that did not end well is sent anew: whoever
    ran it cannot know whether it was added, and intake calls what was there a duplicate.
    """

    def __init__(self, site: Site, institution: str, parts: Sequence[Path], to: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.turns = Granted()
        self.folder = site.folder / f"spool-{institution}"
        self.process: subprocess.Popen[bytes] | None = None
        self.left = len(parts)
        self._site, self._parts = site, parts
        self._out = f"{institution}.ndjson"
        self._to = (*to, "--spool", str(self.folder), "--json")

    def run(self) -> None:
        for part in self._parts:
            self.turns.take()
            what = [str(part)]
            while True:
                self.process = self._site.start("send", *what, *self._to, out=self._out)
                if self.process.wait() == 0:
                    break
                sleep(AGAIN_SECONDS)
                what = [] if self.waiting() else [str(part)]
            self.left -= 1

    def is_sending(self) -> bool:
        """Whether it has a batch of which it does not know that it arrived."""
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self.folder / "spool.db")) as spool:
            return spool.execute("SELECT COUNT(*) FROM sending").fetchone() != (0,)
        return False

    def waiting(self) -> int:
        with Spool(self.folder, None) as spool:
            return spool.standing().lines

    def acknowledged(self) -> list[Entry]:
        """Ticket and offset of each entry that was told; a line may be cut where it was killed."""
        entries: list[Any] = []
        for line in (self._site.folder / self._out).read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return [(entry["ticket_id"], entry["offset"]) for entry in entries if "outcome" in entry]


class Batches(threading.Thread):
    """The client in this process.

    attempt: the number of the request that waits for its answer; None: none does. seconds: what the last answer took.
    """

    def __init__(self, gateway: Gateway, batches: Sequence[Sequence[bytes]]) -> None:
        super().__init__(daemon=True)
        self.turns = Granted()
        self.attempt: int | None = None
        self.unanswered: set[int] = set()
        self.arrived: list[Entry] = []
        self.seconds = 0.05
        self.left = len(batches)
        self._gateway, self._batches = gateway, batches

    def run(self) -> None:
        attempt = 0
        for number, lines in enumerate(self._batches):
            self.turns.take()
            while True:
                attempt += 1
                began = monotonic()
                self.attempt = attempt
                try:
                    entries = self._gateway.send(lines, key=f"batch-{number}")
                except Unavailable:
                    self.unanswered.add(attempt)
                    self.attempt = None
                    sleep(AGAIN_SECONDS)
                else:
                    self.seconds = monotonic() - began
                    self.arrived += [(entry["ticket_id"], entry["offset"]) for entry in entries]
                    self.attempt = None
                    break
            self.left -= 1

    def acknowledged(self) -> list[Entry]:
        return list(self.arrived)


@dataclass(frozen=True)
class Blow:
    """One that was tried. in_hand: what the kill -9 struck, in requests, tickets or lines; 0: nothing, or too late."""

    kind: Kind
    in_hand: int


class Storm:
    """So many blows of each kind in an order that the seed says; one that strikes nothing is tried again."""

    def __init__(self, site: Site, spools: Sequence[Spooled], client: Batches, institution: str, seed: int) -> None:
        self.blows: list[Blow] = []
        self._site, self._spools, self._client, self._institution = site, spools, client, institution
        self._random = random.Random(seed)

    @property
    def struck(self) -> Counter[Kind]:
        """Blows that struck work in hand."""
        return Counter(blow.kind for blow in self.blows if blow.in_hand)

    def rage(self, blows: Counter[Kind]) -> None:
        order = [kind for kind in get_args(Kind) for _ in range(blows[kind])]
        self._random.shuffle(order)
        share = self._client.left // (2 * len(order))
        for kind in order:
            for spool in self._spools:
                spool.turns.give(1)
            self._client.turns.give(share)
            for _ in range(TRIES_MAX):
                blow = Blow(kind, getattr(self, f"_{kind}")())
                self.blows.append(blow)
                if blow.in_hand:
                    break
        for sender in (*self._spools, self._client):
            sender.turns.give(sender.left)

    def _soon(self, what: Callable[[], object]) -> None:
        self._site.until(what, look_seconds=LOOK_SHARPLY_SECONDS)

    def _one_more_is_acknowledged(self) -> None:
        before = len(self._client.arrived)
        self._client.turns.give(1)
        self._soon(lambda: len(self._client.arrived) > before or self._client.left == 0)

    def _request(self) -> int | None:
        """Wait for a request, and then for any moment of what one takes; its number, if it still waits.

        One of two is not the first that a gateway is asked after its start: that one takes several times as long.
        """
        self._site.until(self._site.gateway_answers)
        if self._random.random() < 0.5:
            self._one_more_is_acknowledged()
        self._client.turns.give(1)
        self._soon(lambda: self._client.attempt is not None or self._client.left == 0)
        sleep(self._random.uniform(0, min(self._client.seconds, STRIKE_SECONDS_MAX)))
        return self._client.attempt

    def _gateway(self) -> int:
        request = self._request()
        if request is None or self._site.gateway is None:
            return 0
        self._site.kill(self._site.gateway)
        self._site.until(lambda: self._client.attempt != request)
        return int(request in self._client.unanswered)

    def _broker(self) -> int:
        request = self._request()
        if request is None:
            return 0
        self._site.kill_broker()
        in_hand = self._client.attempt == request
        self._site.start_broker()
        return int(in_hand)

    def _worker(self) -> int:
        site, client, institution = self._site, self._client, self._institution
        victim = site.wait_for_owner(institution)
        # One batch is in the state about when its sender is told; behind several it is not.
        client.turns.give(WORKER_BATCHES)
        self._one_more_is_acknowledged()
        if victim.process.poll() is not None:
            return 0
        # A broker that came back may have said that it has a line, and not where.
        acknowledged = 1 + max(offset for _, offset in client.arrived if offset is not None)
        victim.kill()
        return max(0, acknowledged - asyncio.run(received(site, institution)))

    def _sender(self) -> int:
        spool = self._random.choice(self._spools)
        left = spool.left
        spool.turns.give(1)
        self._soon(lambda: spool.is_sending() or spool.left < left or left == 0)
        process = spool.process
        if process is None or process.poll() is not None or not spool.is_sending():
            return 0
        self._site.kill(process)
        return spool.waiting()


async def received(site: Site, institution: str) -> int:
    """How many messages of it the workers' state knows of."""
    log = await KafkaLog.open(site.bootstrap)
    try:
        return int((await header(log, institution))["received"])
    finally:
        await log.close()


async def header(log: KafkaLog, institution: str) -> dict[str, Any]:
    """What the workers' state says of it."""
    newest: dict[str, Any] = {"received": 0}
    async for records in read_to_end(log, f"{PREFIX}intake.state", intake_state_partition(institution)):
        for record in records:
            if record.key == f"{institution}/header".encode() and record.value is not None:
                newest = orjson.loads(record.value)
    return newest
