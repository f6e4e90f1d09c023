"""A script as events at institutions, each at its time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from fsoc.baseline.assess.script import Script
from fsoc.baseline.assess.triggers import Happening

MIDNIGHT_MS: Final = 1_781_481_600_000
"""Monday, 2026-06-15, 00:00 UTC: as good as any other day, and the same each time."""


class Member(NamedTuple):
    """Who is struck. tier: of the baseline that it must have."""

    id: str
    tier: int


def happenings(script: Script, members: Sequence[Member]) -> dict[str, list[Happening]]:
    """What happens at each of so many members as the script strikes; the first is role 1."""
    found: dict[str, list[Happening]] = {}
    for role, member in enumerate(members, 1):
        begins_ms = MIDNIGHT_MS + script.starts_ms + (role - 1) * script.stagger_ms
        found[member.id] = [
            Happening(begins_ms + step.after_ms + event.after_ms, event.fields, event.logsource, step.id, step.adds)
            for step in script.steps
            if step.strikes(role)
            for event in step.events
        ]
    return found
