"""Which version of the monitoring baseline is in force where and when. Makes no ticket (`together.py` does)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from fsoc.exercise.levels import LEVELS, times
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import DAY_MS, HOUR_MS, START_MS, ExerciseSpec

ADOPTION_MS = 24 * HOUR_MS
AT_ONCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Push:
    """One published version. rank: which of the new rules it brings.

    at_once: the content reaches everybody within seconds; else each institution adopts it within ADOPTION_MS.
    """

    version: str
    published_ms: int
    at_once: bool
    rank: int
    adopted_ms: dict[str, int]


class Rollout:
    """The pushes of an exercise, in order of time, and what each institution has adopted of them."""

    def __init__(self, members: Sequence[Member], pushes: Sequence[Push]) -> None:
        self.pushes = tuple(pushes)
        self._first = {member.id: member.baseline_version for member in members}
        self._times = {name: [push.adopted_ms[name] for push in pushes] for name in self._first}

    def version(self, institution: str, at_ms: int) -> str:
        """The version in force at the institution at that (true) time."""
        adopted = bisect_right(self._times[institution], at_ms)
        return self.pushes[adopted - 1].version if adopted else self._first[institution]


def plan_rollout(rng: Random, members: Sequence[Member], spec: ExerciseSpec) -> Rollout:
    """Versions are published days apart, after the third day, and only in exercises that have a past."""
    if not spec.has_past:
        return Rollout(members, ())
    level = LEVELS[spec.noise]
    kinds = [False] * times(spec, level.pushes) + [True] * times(spec, level.defects)
    rng.shuffle(kinds)
    days = (spec.hours // 24 - 4) * DAY_MS
    pushes: list[Push] = []
    for rank, at_once in enumerate(kinds):
        # Each has a part of the time to itself, and the day on which it is adopted lies within that part.
        room = days // len(kinds)
        published = START_MS + 3 * DAY_MS + rank * room + rng.randrange(max(1, room - ADOPTION_MS))
        adopted = {
            member.id: published + (rng.randrange(AT_ONCE_MS // 3) if at_once else rng.randrange(HOUR_MS, ADOPTION_MS))
            for member in members
        }
        if pushes:  # in a short exercise the next one is out before the last one is everywhere
            adopted = {name: max(at_ms, pushes[-1].adopted_ms[name] + 1) for name, at_ms in adopted.items()}
        pushes.append(Push(f"2026.{rank + 2}", published, at_once, rank, adopted))
    return Rollout(members, pushes)
