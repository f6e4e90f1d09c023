"""Where an everyday finding plays, and what may be drawn for it. Holds no finding (`noise.py`, `upkeep.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from fsoc.exercise.fresh import Fresh
from fsoc.exercise.sector import Member


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a finding plays: one institution, and what may be drawn for it. suppliers: those it has a contract with."""

    rng: Random
    fresh: Fresh
    member: Member
    suppliers: Sequence[str]

    def host(self, kind: str = "WS") -> str:
        return f"{self.member.hosts}-{kind}-{self.rng.randrange(1, 900):04d}"

    def user(self) -> str:
        return f"{self.member.hosts}\\u{self.rng.randrange(10_000, 99_999)}"

    def baseline(self, number: int) -> tuple[Literal["baseline"], str]:
        return "baseline", f"MB-{number:03d}"
