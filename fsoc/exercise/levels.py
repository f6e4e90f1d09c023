"""How much noise there is at each level, in numbers. What it looks like is in the files that read them."""

from __future__ import annotations

from dataclasses import dataclass

from fsoc.exercise.spec import ExerciseSpec, Noise

DAYS_PER_FORTNIGHT = 14


@dataclass(frozen=True, slots=True)
class Level:
    """Numbers are of a fortnight, shares of all tickets concerned.

    scanners: machines that knock at everybody's door within hours.
    pushes: baseline versions whose new rule fires as institutions adopt it; defects: those whose rule fires at once.
    deployments: nights on which software is rolled out everywhere.
    trainings: decoys; every other one is a red team's, the rest are trainings by mail.
    noisy: institutions that write ten times as much. inflators: that claim a thousand times the volume.
    outbursts: of one everyday rule within an hour, for every institution.
    rare: baseline rules that an institution meets once or twice, some of them late.
    hubs: share of tickets that name what everybody uses; hostile: share of those that call it infrastructure.
    silent, dropped: sick feeds for every fifty institutions.
    overrated: of what everybody sees together, how many tickets are held for medium; most: at most so many of one kind.
    forgotten: share of a campaign's tickets that lack something, where they may.
    """

    scanners: int
    pushes: int
    defects: int
    deployments: int
    trainings: int
    noisy: int
    inflators: int
    outbursts: float
    rare: int
    hubs: float
    hostile: float
    silent: int
    dropped: int
    overrated: float
    overrated_most: int
    forgotten: float


LEVELS = {
    Noise.LOW: Level(2, 1, 0, 0, 1, 0, 0, 0.3, 6, 0.04, 0.0, 1, 1, 0.0, 0, 0.08),
    Noise.MEDIUM: Level(4, 1, 1, 1, 2, 1, 1, 0.8, 12, 0.10, 0.4, 1, 1, 0.30, 2, 0.20),
    Noise.HIGH: Level(8, 2, 2, 2, 4, 2, 2, 2.0, 20, 0.20, 0.7, 2, 2, 0.06, 1_000, 0.40),
}


def times(spec: ExerciseSpec, per_fortnight: int) -> int:
    """How often that is in an exercise of this length; in one that has a past at least once."""
    count = round(per_fortnight * spec.hours / (24 * DAYS_PER_FORTNIGHT))
    return max(1, count) if per_fortnight and spec.has_past else count
