"""Whole exercises for all tests that only read them, and what a reader of their records would know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsoc.attack import Techniques
from fsoc.exercise import Exercise, ExerciseSpec, PlantedCampaign, generate
from fsoc.exercise.spec import HOUR_MS, START_MS
from fsoc.tickets.times import milliseconds


@dataclass
class Seen:
    """One ticket as the sector's SOC knows it in the end. at_ms: event time; body: its first revision."""

    body: dict[str, Any]
    at_ms: int
    arrived_ms: int
    taken_back: bool = False

    @property
    def institution(self) -> str:
        return self.body["institution"]

    @property
    def late(self) -> bool:
        """Perhaps refused: an hour is allowed, and clocks are up to ninety seconds wrong."""
        return self.arrived_ms - self.at_ms > HOUR_MS - 90_000

    @property
    def rule(self) -> tuple[str, str]:
        """Baseline rule and asset type."""
        return self.body["trigger"].get("rule_id", "manual"), self.body["assets"][0]["type"]

    def values(self, *roles: str) -> set[str]:
        return {item["value"] for item in self.body.get("observables", []) if item["role"] in roles}


@dataclass
class Reading:
    """An exercise as it is read."""

    exercise: Exercise
    tickets: dict[str, Seen] = field(default_factory=dict)
    statuses: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, exercise: Exercise) -> Reading:
        reading = cls(exercise)
        for at_ms, _, payload in exercise.deliveries:
            body = orjson.loads(payload)
            if body["kind"] == "source_status":
                reading.statuses[body["institution"], body["feed"]].append((at_ms, body))
            elif body["kind"] == "ticket":
                reading._take(body, at_ms)
        return reading

    def _take(self, body: dict[str, Any], arrived_ms: int) -> None:
        seen = self.tickets.get(body["ticket_id"])
        event_ms = milliseconds(body.get("occurred_from", body["detected_at"]))
        if seen is None:
            seen = self.tickets[body["ticket_id"]] = Seen(body, event_ms, arrived_ms)
        elif body["revision"] == 1 and event_ms < seen.at_ms:  # mended: it had been written eight hours ahead
            seen.body, seen.at_ms, seen.arrived_ms = body, event_ms, arrived_ms
        if body["action"] == "retract" or body.get("verdict") == "false_positive":
            seen.taken_back = True

    @cached_property
    def independent(self) -> dict[str, str]:
        """What counts once, by institution."""
        return {entry["id"]: entry["group"] or entry["id"] for entry in self.exercise.institutions}

    @cached_property
    def planted(self) -> set[str]:
        exercise = self.exercise
        return {ticket for campaign in exercise.truth + exercise.decoys for ticket in campaign.ticket_ids}

    @cached_property
    def harmless(self) -> list[Seen]:
        """What belongs to no campaign and no decoy, by event time."""
        return sorted(
            (seen for ticket, seen in self.tickets.items() if ticket not in self.planted), key=lambda seen: seen.at_ms
        )

    def left_of(self, campaign: PlantedCampaign, thread: Callable[[Seen], bool]) -> list[Seen]:
        """What can be used of a campaign and holds its thread, by event time."""
        found = [self.tickets[ticket] for ticket in campaign.ticket_ids]
        return sorted(
            (seen for seen in found if not seen.late and not seen.taken_back and thread(seen)),
            key=lambda seen: seen.at_ms,
        )

    def settled_after_ms(self, seen: list[Seen], institutions: int = 3) -> int | None:
        """The shortest time within which so many independent institutions are; None: never."""
        shortest: int | None = None
        for index, first in enumerate(seen):
            met: set[str] = set()
            for one in seen[index:]:
                met.add(self.independent[one.institution])
                if len(met) == institutions:
                    lasts = one.at_ms - first.at_ms
                    shortest = lasts if shortest is None else min(shortest, lasts)
                    break
        return shortest

    def first_ever(self, seen: list[Seen], after_ms: int = 0) -> dict[tuple[str, str], list[Seen]]:
        """By rule, the tickets with which it was new to an institution; only those after_ms from the beginning."""
        met: set[tuple[str, tuple[str, str]]] = set()
        found: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        for one in sorted(seen, key=lambda one: one.at_ms):
            if (one.institution, one.rule) not in met:
                met.add((one.institution, one.rule))
                if one.at_ms - START_MS > after_ms:
                    found[one.rule].append(one)
        return found


# A reading is a hundred megabytes: the fixtures that go through many are of module scope, so that each is made once.
@lru_cache(maxsize=6)
def _read(spec: ExerciseSpec) -> Reading:
    return Reading.of(generate(spec))


@pytest.fixture(scope="session")
def read() -> Callable[[ExerciseSpec], Reading]:
    """An exercise of a spec, read; the newest are kept."""
    return _read


@pytest.fixture(scope="session")
def techniques() -> Techniques:
    folder = Path(__file__).parents[2] / "attack_mappings"
    return Techniques.parse((path.name, path.read_text("utf-8")) for path in folder.glob("*.tsv"))


@pytest.fixture(scope="session")
def reading() -> Reading:
    """The default exercise."""
    return _read(ExerciseSpec(seed=7))


@pytest.fixture(scope="session")
def exercise(reading: Reading) -> Exercise:
    return reading.exercise


@pytest.fixture(scope="session")
def bodies(exercise: Exercise) -> list[dict[str, Any]]:
    return [orjson.loads(delivery.payload) for delivery in exercise.deliveries]


@pytest.fixture(scope="session")
def tickets(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [body for body in bodies if body["kind"] == "ticket"]


@pytest.fixture
def alert() -> Callable[..., dict[str, Any]]:
    """An alert as score() reads it."""

    def build(name: str, institutions: list[str], ticket_ids: list[str], **more: Any) -> dict[str, Any]:
        return {
            "alert_id": name,
            "status": "final",
            "kind": "joint",
            "institutions": institutions,
            "ticket_ids": ticket_ids,
            "raised_at_event_time": "2026-03-02T01:00:00.000Z",
            **more,
        }

    return build
