"""An attack script: what happens at how many institutions, and what must come of each step. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlayedEvent:
    """after_ms: since its step began. logsource: as a sender states it, or None where the event says it itself."""

    after_ms: int
    fields: Mapping[str, Any]
    logsource: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """By which joint-alert rule (its name), and within how long of the step's first event."""

    rule: str
    within_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the attacker does, at each institution or at some.

    after_ms: since the script began at that institution. roles: at which, 1 the one that is assessed; () is all.
    rule: id or name of the detection that must find it. item: whose trigger must make it a ticket; None: none must be.
    ticket_ms: within how long of its first event the ticket must be opened.
    adds: what the analyst knows and writes into the ticket: observables, suppliers, volume, impact.
    at_least: so many of the events must be found.
    """

    id: str
    title: str
    title_zh: str
    after_ms: int
    events: tuple[PlayedEvent, ...]
    rule: str
    item: str | None
    ticket_ms: int = 0
    joined: Joined | None = None
    roles: tuple[int, ...] = ()
    adds: Mapping[str, Any] = field(default_factory=dict)
    at_least: int = 1

    def strikes(self, role: int) -> bool:
        return not self.roles or role in self.roles


@dataclass(frozen=True, slots=True)
class Script:
    """institutions: how many are struck. stagger_ms: how much later each is than the one before.

    starts_ms: since midnight, UTC: what strikes at night strikes at night. where: its file.
    """

    id: str
    title: str
    title_zh: str
    description: str
    institutions: int
    stagger_ms: int
    starts_ms: int
    steps: tuple[Step, ...]
    where: str
