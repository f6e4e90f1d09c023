"""Workers killed, added and stopped at random moments, as a seed says, while tickets flow; how long each kill is felt.

    tickets    ▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁   a steady flow, and a burst before each kill
    workers    ───────── ✗ kill -9   ├ again
               ──────────────────────────┤ told to stop
                                   ├ added ────────────
    recovery             |<───────>|                     from the kill until all partitions are owned and restored

A kill hits in the middle when tickets that were sent before it, to institutions of the killed worker, were not yet in
the state: those are what it had in hand, or had not even fetched.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from dataclasses import asdict, dataclass
from math import ceil
from time import monotonic, time
from typing import Any, Literal

from orjson import loads

# How long after a burst a kill comes, at most: about what working a burst takes.
STRIKE_SECONDS_MAX = 0.25
# A blow that does not wait until the last one is got over comes so soon after it, at most.
TURMOIL_SECONDS_MAX = 5.0
# As many blows of a hundred do not wait.
TURMOIL_PERCENT = 30
WORKERS_MIN, WORKERS_MAX = 2, 4
LOOK_SECONDS = 0.2
RECOVERY_SECONDS_MAX = 300

_log = logging.getLogger(__name__)

Kind = Literal["kill", "join", "leave"]


@dataclass
class Kill:
    """One kill -9.

    waiting: tickets sent to institutions of the killed worker, and not in the state when it was dead.
    first_seconds: until the first checkpoint of a partition that it owned. None: not yet.
    all_seconds: until every partition was owned and restored again.
    """

    at_ms: float
    owned: frozenset[str]
    waiting: int
    first_seconds: float | None = None
    all_seconds: float | None = None


class Sender:
    """Sends deliveries in their order: so many a second, and more when asked.

    reserve: how many the flow leaves for bursts; where workers are slow, it stands still until there is one.
    sent: institution → how many are in its log.
    """

    def __init__(self, field: Any, deliveries: list[Any], rate: float, reserve: int) -> None:
        self.rate = rate
        self.sent: Counter[str] = Counter()
        self._reserve = reserve
        self._field = field
        self._deliveries = deliveries
        self._at = 0
        self._turn = asyncio.Lock()

    @property
    def left(self) -> int:
        return len(self._deliveries) - self._at

    @property
    def flowing(self) -> int:
        """How many are left that no burst needs."""
        return max(0, self.left - self._reserve)

    async def burst(self, count: int) -> None:
        self._reserve -= count
        await self._send(count)

    async def rest(self) -> None:
        await self._send(self.left)

    async def flow(self) -> None:
        owed, last = 0.0, monotonic()
        while self.left:
            await asyncio.sleep(0.05)
            now = monotonic()
            owed, last = owed + (now - last) * self.rate, now
            if owed >= 1:
                await self._send(min(int(owed), self.flowing))
                owed %= 1

    async def _send(self, count: int) -> None:
        async with self._turn:
            part = self._deliveries[self._at : self._at + count]
            await self._field.send(part)
            self._at += len(part)
            self.sent.update(delivery.institution for delivery in part)


class Storm:
    """Blows on the workers of a field, and what they did.

    burst: tickets sent at once before each kill.
    kills: those that hit in the middle; the others are struck again.
    """

    def __init__(self, field: Any, sender: Sender, seed: int, burst: int) -> None:
        self.kills: list[Kill] = []
        self.missed = self.joins = self.leaves = 0
        self._field = field
        self._sender = sender
        self._random = random.Random(seed)
        self._burst = burst
        self._looked_at = 0.0
        self._dead_since_ms: float | None = None
        self._received: Counter[str] = Counter()
        field.on_header = self._note_checkpoint

    async def at_rest(self) -> None:
        """Return when every partition is owned and restored, and every worker has some."""
        await self._field.until(self._is_at_rest, seconds=RECOVERY_SECONDS_MAX)

    async def blow(self, kind: Kind) -> None:
        if self._random.random() * 100 < TURMOIL_PERCENT:
            until = monotonic() + self._random.uniform(0, TURMOIL_SECONDS_MAX)
            await self._field.until(lambda: monotonic() > until)
        else:
            await self.at_rest()
        _log.info("%s, with %d workers", kind, len(self._field.living))
        await getattr(self, f"_{kind}")()

    def plan(self, kills: int, joins: int) -> list[Kind]:
        """So many kills, joins and as many leaves, in an order that keeps the number of workers within bounds."""
        left: Counter[Kind] = Counter(kill=kills, join=joins, leave=joins)
        workers, planned = len(self._field.living), []
        while left.total():
            allowed = left - Counter(
                join=left["join"] * (workers >= WORKERS_MAX), leave=left["leave"] * (workers <= WORKERS_MIN)
            )
            kind = self._random.choices(list(allowed), list(allowed.values()))[0]
            workers += (kind == "join") - (kind == "leave")
            left[kind] -= 1
            planned.append(kind)
        return planned

    async def _kill(self) -> None:
        victim = await self._one_at_work()
        assert self._sender.left, "too many kills found nothing in hand: nothing is left to send"
        await self._sender.burst(self._burst)
        await asyncio.sleep(self._random.uniform(0, STRIKE_SECONDS_MAX))
        owned, sent = victim.sources(), Counter(self._sender.sent)
        victim.kill()
        at_ms = self._dead_since_ms = time() * 1000
        self._field.start_worker()
        await self._field.read_to_end()
        waiting = sum(count - self._received[name] for name, count in sent.items() if name in owned)
        self._dead_since_ms = None
        self._received = self._field.received()
        _log.info("kill %d: %d partitions, %d tickets in hand", len(self.kills) + 1, len(owned), waiting)
        if waiting > 0:
            self.kills.append(Kill(at_ms, owned, waiting))
        else:
            self.missed += 1
            await self.blow("kill")

    async def _join(self) -> None:
        self._field.start_worker()
        self.joins += 1

    async def _leave(self) -> None:
        leaving = await self._one_at_work()
        leaving.process.terminate()
        await self._field.until(lambda: leaving.process.poll() is not None, seconds=RECOVERY_SECONDS_MAX)
        assert leaving.process.returncode == 0, leaving.log[-3000:]
        self.leaves += 1

    async def _one_at_work(self) -> Any:
        """One that owns something; one that is still starting is nobody whom others miss."""
        owning: list[Any] = []

        def found() -> bool:
            owning[:] = [worker for worker in self._field.living if worker.sources()]
            return bool(owning)

        await self._field.until(found, seconds=RECOVERY_SECONDS_MAX)
        return self._random.choice(owning)

    def _is_at_rest(self) -> bool:
        if monotonic() < self._looked_at + LOOK_SECONDS:
            return False
        self._looked_at = monotonic()
        owned = [worker.figure("fsoc_owned_partitions") for worker in self._field.living if worker.is_ready()]
        if sum(owned) != self._field.owned_total:
            return False
        for kill in self.kills:
            if kill.all_seconds is None:
                kill.all_seconds = time() - kill.at_ms / 1000
                _log.info("all restored after %.1f s", kill.all_seconds)
        return len(owned) == len(self._field.living) and all(owned)

    def _note_checkpoint(self, source: str, header: bytes, stamp_ms: int) -> None:
        # What others have worked of a dead worker's before we have read as far was in its hands all the same.
        if "/" not in source and (self._dead_since_ms is None or stamp_ms <= self._dead_since_ms):
            self._received[source] = loads(header)["received"]
        for kill in self.kills:
            if kill.first_seconds is None and source in kill.owned and stamp_ms > kill.at_ms:
                kill.first_seconds = (stamp_ms - kill.at_ms) / 1000

    def report(self) -> dict[str, Any]:
        """What became of it, in figures."""
        return {
            "kills": len(self.kills),
            "kills_that_found_nothing_in_hand": self.missed,
            "joins": self.joins,
            "leaves": self.leaves,
            "tickets_in_hand": _summary([kill.waiting for kill in self.kills]),
            "first_checkpoint_seconds": _summary([kill.first_seconds for kill in self.kills]),
            "all_restored_seconds": _summary([kill.all_seconds for kill in self.kills]),
            "each": [{**asdict(kill), "owned": len(kill.owned)} for kill in self.kills],
        }


def _summary(values: list[Any]) -> dict[str, float]:
    """The ranks are nearest ones: every figure is one that was measured."""
    ranked = sorted(values)
    return {
        "least": ranked[0],
        "median": ranked[ceil(len(ranked) * 0.5) - 1],
        "p99": ranked[ceil(len(ranked) * 0.99) - 1],
        "most": ranked[-1],
    }
