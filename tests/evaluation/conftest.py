"""Alerts, truth and tickets in few words: institutions `a`, `b`, …, tickets `a1`, `a2`, …, whole minutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsoc.evaluation.records import Alert, Sent, TruthLine
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import Truth

MINUTE_MS = 60_000
START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """alert("x", "a1 b1 b2", raised=5): what `a1` begins with is its institution."""

    def build(name: str, named: str = "a1 b1", raised: int = 0, first: int = 0, **more: Any) -> Alert:
        by: dict[str, list[str]] = {}
        for ticket in named.split():
            by.setdefault(ticket[0], []).append(ticket)
        given: dict[str, Any] = {
            "id": name,
            "revision": 1,
            "status": "final",
            "kind": "joint",
            "rule_id": "rule",
            "rule_title": "Rule",
            "rule_title_zh": "規則",
            "campaign_id": None,
            "continues": None,
            "first_ms": START_MS + first * MINUTE_MS,
            "last_ms": START_MS + raised * MINUTE_MS,
            "raised_ms": START_MS + raised * MINUTE_MS,
            "institutions": frozenset(by),
            "tickets": {institution: tuple(ids) for institution, ids in by.items()},
        }
        return Alert(**given | more)

    return build


@pytest.fixture
def truth() -> Callable[..., Truth]:
    """truth(kit="a1 b1", flood="c1 d1")."""

    def build(**labels: str) -> Truth:
        return Truth.of(
            TruthLine(ticket, label, None) for label, tickets in labels.items() for ticket in tickets.split()
        )

    return build


@pytest.fixture
def tickets() -> Callable[..., Tickets]:
    """tickets("a1@0 b1@5+3 c1!9"): b1 happened in minute 5 and came 3 minutes later; c1 is intel of minute 9."""

    def build(text: str) -> Tickets:
        return Tickets.of((_sent(word) for word in text.split()), lambda _: 60 * MINUTE_MS)

    return build


def _sent(word: str) -> Sent:
    name, _, times = word.replace("!", "@").partition("@")
    happened, _, later = times.partition("+")
    at_ms = START_MS + int(happened) * MINUTE_MS
    return Sent((name[0], name), 1, None, at_ms, at_ms + int(later or 0) * MINUTE_MS, "!" in word)
