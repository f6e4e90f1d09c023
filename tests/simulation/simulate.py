"""One seed, one sector, one run: members send, workers work and fail, and in the end everything is looked at."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

from faust.types import TP
from structlog.testing import capture_logs

from fsoc.correlation.entries import Version
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Institution, Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import Partition
from fsoc.runtime.memory_log import MemoryLog
from tests.simulation import analysts, members, rules
from tests.simulation.client import Client
from tests.simulation.faults import Faults
from tests.simulation.group import Group
from tests.simulation.loop import Loop
from tests.simulation.members import BASE_MS, DAY, Member, Message
from tests.simulation.worker import GROUP, PREFIX, Worker

HOUR_SECONDS = 3_600
FAREWELL_MS = 70 * DAY
"""After everything else. Every alert and campaign is final, and everything has expired, once the farewells are worked.
"""
WHOLE = ("alerts", "correlation.state", "links", "campaigns", "campaign.state")
"""Topics of which every record is looked at in the end, so that none may be compacted away."""
SETTLE_ROUNDS_MAX = 200


class Stuck(AssertionError):  # noqa: N818
    """With nothing going wrong any more, the sector does not come to rest."""


class Hit(NamedTuple):
    rule_id: str
    evidence: int


class Stub:
    """Stands in for Sigma."""

    def match_ticket(self, body: dict[str, Any]) -> list[Hit]:
        return [Hit(*found) for found in members.matches(body)]


class NoTechniques:
    def resolve(self, technique: str) -> None:
        return None

    def tactic(self, text: str) -> None:
        return None

    def pair(self, tactic: str, technique: str) -> tuple[str, str]:
        return tactic, technique


@dataclass
class Sector:
    """What is simulated: who sends what, by which rules, on how many partitions."""

    members: list[Member]
    traffic: list[Message]
    rules: list[CorrelationRule]
    partitions: int
    workers: int = 1

    @property
    def holdings(self) -> dict[str, str]:
        return {member.name: member.holding for member in self.members if member.holding}

    def registry(self) -> Registry:
        return Registry(
            {
                one.name: Institution(
                    one.name, one.name, one.name, "bank", 1, one.holding, ("siem", "edr"), one.lateness_ms
                )
                for one in self.members
            }
        )

    def pipeline(self) -> Pipeline:
        ruleset = RuleSet(
            detector=Stub(),
            detections=len(rules.DETECTIONS),
            correlations={rule.id: rule for rule in self.rules},
            feeder=Feeder(self.rules, rules.LISTS),
            techniques=NoTechniques(),
            pairs={},
            tactics={},
            version=Version("2026-03-02", "0a"),
            retention_ms=max(rule.retention_ms for rule in self.rules),
        )
        return Pipeline(ruleset, self.registry(), self.partitions)


@dataclass
class Run:
    """What a run has left: every record of every topic, and how often what went wrong.

    alerts_made: of each record on the alerts topic: what its worker had committed of its partitions then.
    """

    sector: Sector
    topics: dict[str, list[list[Record]]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    logged: Counter[str] = field(default_factory=Counter)
    alerts_made: list[dict[Partition, int]] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, topic: str) -> list[list[Record]]:
        return self.topics[PREFIX + topic]


def draw(seed: int) -> Sector:
    """The sector of a seed: mostly small, so that many can be looked at."""
    lot = Random(f"{seed}/sector")
    size = lot.choices(("small", "middle", "large"), (89, 10, 1))[0]
    count, tickets = {"small": (lot.randint(2, 5), 5), "middle": (lot.randint(4, 8), 10), "large": (12, 25)}[size]
    horizon_ms = lot.choice((DAY // 2, DAY // 2, 2 * DAY, 4 * DAY))
    drawn = members.draw_members(lot, count, tickets, horizon_ms)
    campaigns = members.draw_campaigns(lot, horizon_ms)
    traffic = [message for one in drawn for message in members.traffic(lot, one, campaigns, horizon_ms)]
    traffic.sort(key=attrgetter("arrives_ms"))
    return Sector(drawn, traffic, rules.draw_rules(lot), lot.choice((1, 2, 3, 5, 8)), lot.randint(1, 3))


def simulate(seed: int, *, zombies: bool = False) -> Run:
    lot = Random(f"{seed}/faults")
    faults = Faults(lot, share=lot.choice((0.0, 0.005, 0.02, 0.05)), most=lot.choice((3, 10, 30)), zombies=zombies)
    return run(draw(seed), faults)


def run(sector: Sector, faults: Faults) -> Run:
    """Run a sector to its end, through these faults."""
    loop = Loop(faults.lot)
    loop.set_exception_handler(_passed_over)
    with closing(loop), capture_logs() as logged:
        done = loop.run_until_complete(_run(sector, faults))
    done.logged = Counter(line["event"] for line in logged)
    return done


def _passed_over(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """What a task of a dead worker ended with, nobody asks."""


async def _run(sector: Sector, faults: Faults) -> Run:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    # The first message may lie before the epoch's own midnight: campaigns spread around it.
    start_ms = min([message.arrives_ms for message in sector.traffic] + [BASE_MS]) - 60_000

    def now_ms() -> int:
        return start_ms + int(loop.time() * 1000)

    log = MemoryLog(now_ms)
    names = [member.name for member in sector.members]
    specs = [
        replace(spec, compacted=spec.compacted and spec.name.removeprefix(PREFIX) not in WHOLE)
        for spec in table(PREFIX, names, sector.partitions, "production")
    ]
    await log.create(specs)
    partitions = {TP(f"{PREFIX}tickets.{name}", 0) for name in names}
    partitions |= {TP(f"{PREFIX}detections", number) for number in range(sector.partitions)}
    partitions.add(TP(f"{PREFIX}links", 0))

    workers: list[Worker] = []
    alerts_made: list[dict[Partition, int]] = []

    def new_worker(name: str) -> Worker:
        workers.append(Worker(name, sector.pipeline(), Client(log, faults, alerts_made)))
        return workers[-1]

    group = Group(partitions, new_worker, faults.lot, faults, sector.workers)
    running = asyncio.create_task(group.run())

    async def send(traffic: list[Message]) -> None:
        for message in traffic:
            await asyncio.sleep(max(0.0, (message.arrives_ms - now_ms()) / 1000))
            await log.append(f"{PREFIX}tickets.{message.institution}", 0, None, message.payload)

    deciding = asyncio.create_task(analysts.decide(log, faults.lot))
    await send(sector.traffic)
    await _rest(log, partitions, workers)
    await deciding
    await _rest(log, partitions, workers)
    faults.on = False
    await _rest(log, partitions, workers)
    loop.leap(FAREWELL_MS / 1000)
    at = now_ms()
    await send([members.farewell(member, at + place) for place, member in enumerate(sector.members)])
    await _rest(log, partitions, workers)
    running.cancel()
    await asyncio.sleep(0)
    for worker in workers:
        worker.die()
    await asyncio.sleep(0)
    topics = {spec.name: [list(part.records) for part in log._topics[spec.name]] for spec in specs}
    return Run(sector, topics, faults.counts, alerts_made=alerts_made, seconds=loop.time())


async def _rest(log: MemoryLog, partitions: set[TP], workers: list[Worker]) -> None:
    """Wait until everything is worked and committed, and nothing more comes of it."""
    names = [tuple(name) for name in sorted(partitions)]
    before: object = None
    for _ in range(SETTLE_ROUNDS_MAX):
        await asyncio.sleep(2 * HOUR_SECONDS)
        for worker in workers:
            if worker.failure is not None:
                raise worker.failure
        ends = await log.end_offsets(names)
        committed = await log.committed(GROUP, names)
        everything = sum(part.end for parts in log._topics.values() for part in parts)
        done = all(committed[name] == end for name, end in ends.items() if end)
        if done and before == everything:
            return
        before = everything if done else None
    raise Stuck(f"after {SETTLE_ROUNDS_MAX} rounds, committed of end: {[(committed[n], ends[n]) for n in names]}")
