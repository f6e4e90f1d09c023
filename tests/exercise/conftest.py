"""One whole exercise for all tests that only read it, and its deliveries decoded by institution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fsoc.exercise import Exercise, ExerciseSpec, generate


@pytest.fixture(scope="session")
def exercise() -> Exercise:
    return generate(ExerciseSpec(seed=7))


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
