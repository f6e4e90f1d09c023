"""A small exercise, and a stage on an in-process log whose one worker does as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fsoc.exercise import Exercise, ExerciseSpec, PlantedCampaign, generate
from fsoc.feeds.ledger import END_MS
from fsoc.runtime.demo.picture import Picture
from fsoc.runtime.demo.stage import Production, Say, ShowStopped, StageUnavailable
from fsoc.runtime.kafka.topics import intake_state_partition, table
from fsoc.runtime.log import Log
from fsoc.runtime.memory_log import MemoryLog

PARTITIONS = 2


@pytest.fixture(scope="session")
def small() -> Exercise:
    return generate(ExerciseSpec(institutions=8, seed=4, hours=12, tickets_per_institution=3))


@pytest.fixture
def alert_on() -> Callable[..., dict[str, Any]]:
    return make_alert


def make_alert(campaign: PlantedCampaign, **more: Any) -> dict[str, Any]:
    """A whole alert, as it is on the wire."""
    institutions = sorted(campaign.institutions)
    return {
        "alert_id": f"alert-on-{campaign.id}",
        "revision": 1,
        "status": "final",
        "kind": "joint",
        "level": "critical",
        "rule_title": f"A rule on {campaign.kind}",
        "raised_at_event_time": "2026-06-21T01:02:03.000Z",
        "institutions": institutions,
        "institution_count": len(institutions),
        "ticket_ids": list(campaign.ticket_ids),
        "ticket_count": len(campaign.ticket_ids),
        "group": {"indicator": "copper-tide.example"},
        "attack": [{"tactic": "impact", "technique": "T1490"}, {"tactic": "impact", "technique": "T1486"}],
        "explanation": {
            "text": f"{len(institutions)} distinct institution within 4h; the rule asks for gte 3.",
            "share": dict.fromkeys(institutions, 2),
            "condition": {"gte": 3},
            "seen": len(institutions),
            "timespan": "4h",
        },
        **more,
    }


def make_header(received: int, *, ended: bool, **more: Any) -> bytes:
    """An institution's intake header."""
    return orjson.dumps(
        {
            "received": received,
            "used": received,
            "duplicate": 0,
            "late": 0,
            "quarantined": 0,
            "ended": ended,
            "feeds": {},
            **more,
        }
    )


@pytest.fixture
def header() -> Callable[..., bytes]:
    return make_header


@pytest.fixture
def picture(small: Exercise) -> Picture:
    return Picture.of(small, detections_partitions=PARTITIONS, carrier="a log of paper, 1 worker")


class ScriptedStage:
    """A `Stage` whose worker counts tickets and, when every institution has ended, raises the alerts of `script`.

    fails: what becomes of it: "unavailable", "dies" (once it has worked), "sleeps" (never works).
    """

    def __init__(
        self,
        script: Callable[[Exercise], list[dict[str, Any]]],
        fails: str = "",
        reason: Exception | None = None,
    ) -> None:
        self.carrier = "a log of paper, 1 worker"
        self.told: list[str] = []
        self._script = script
        self._fails = fails
        self._reason = reason
        self._worker: asyncio.Task[None] | None = None
        self._dead = False

    async def open(self, say: Say) -> None:
        self.told.append("open")
        if self._fails == "unavailable":
            raise StageUnavailable from self._reason
        say("Paper is being laid out")

    async def raise_curtain(self, production: Production) -> Log:
        self.told.append(f"raise {production.exercise.spec.seed}")
        assert production.institutions.read_text("utf-8") == production.exercise.institutions_yaml()
        log = MemoryLog(lambda: 0)
        names = [entry["id"] for entry in production.exercise.institutions]
        await log.create(table(production.topic_prefix, names, PARTITIONS, "exercise"))
        if self._fails != "sleeps":
            self._worker = asyncio.create_task(self._work(log, production))
        return log

    def check(self) -> None:
        if self._dead:
            raise ShowStopped("worker 1 ended with code 3: worker-1.log")

    async def lower_curtain(self) -> None:
        self.told.append("lower")
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    async def close(self) -> None:
        await self.lower_curtain()
        self.told.append("close")

    async def _work(self, log: MemoryLog, production: Production) -> None:
        prefix = production.topic_prefix
        names = [entry["id"] for entry in production.exercise.institutions]
        topics = {(f"{prefix}tickets.{name}", 0): 0 for name in names}
        counts = dict.fromkeys(names, 0)
        total = len(production.exercise.deliveries)
        reader = await log.reader(topics)
        while sum(counts.values()) < total:
            for (topic, _), records in (await reader.slices(wait_ms=1000)).items():
                name = topic.removeprefix(f"{prefix}tickets.")
                counts[name] += len(records)
                key = f"{name}/header".encode()
                value = make_header(counts[name], ended=b'"ended":true' in (records[-1].value or b""))
                await log.append(f"{prefix}intake.state", intake_state_partition(name), key, value)
            if self._fails == "dies":
                self._dead = True
                return
        alerts = self._script(production.exercise)
        for alert in alerts:
            await log.append(f"{prefix}alerts", 0, alert["alert_id"].encode(), orjson.dumps(alert))
        for partition in range(PARTITIONS):
            raised = len({alert["alert_id"] for alert in alerts}) if partition == 0 else 0
            value = orjson.dumps({"closed_until_ms": END_MS, "raised_total": raised})
            await log.append(f"{prefix}correlation.state", partition, b"header", value)


@pytest.fixture
def scripted_stage() -> type[ScriptedStage]:
    return ScriptedStage
