"""What all campaigns share: choosing victims, spreading them over time, and how a struck institution reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import Finding
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, CampaignKind, ExerciseSpec


@dataclass(frozen=True, slots=True)
class Stage:
    """What a campaign may use: the sector, its day, and a source of new values."""

    rng: Random
    fresh: Fresh
    members: Sequence[Member]
    spec: ExerciseSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign: what it is and the tickets it leaves behind."""

    kind: CampaignKind
    title: str
    drafts: list[Draft]


@dataclass(frozen=True, slots=True)
class Strike:
    """One institution is struck. spare: the campaign is one without it."""

    member: Member
    at_ms: int
    spare: bool


def strikes(stage: Stage, *, fewest: int, most: int, shortest_ms: int, longest_ms: int) -> list[Strike]:
    """Who is struck and when, in order of time.

    The first `fewest` are independent of each other. First and last lie between shortest and longest apart, well within
    the day.
    """
    members = _victims(stage, fewest, most)
    times = _moments(stage, len(members), shortest_ms, longest_ms)
    return [
        Strike(member, at_ms, spare=rank >= fewest)
        for rank, (member, at_ms) in enumerate(zip(members, times, strict=True))
    ]


def report(
    stage: Stage, strike: Strike, finding: Finding, *, later_ms: int = 0, notice_ms_max: int = 12 * MINUTE_MS
) -> Draft:
    """One ticket of one victim. A spare victim may forget to send it for hours, or take it back.

    later_ms: after the victim was first struck. notice_ms_max: how long it takes to notice, at most.
    """
    rng, occurred_ms = stage.rng, strike.at_ms + later_ms
    detected_ms = occurred_ms + rng.randrange(5_000, notice_ms_max)
    opened_ms = rng.randrange(MINUTE_MS, 20 * MINUTE_MS)
    care, fate = Care.PROMPT, rng.random()
    if strike.spare and fate < 0.06:
        care, opened_ms = Care.LATE, rng.randrange(120, 300) * MINUTE_MS
    steps = [Step(opened_ms, "open", "new")]
    if strike.spare and 0.06 <= fate < 0.12:
        steps.append(Step(opened_ms + rng.randrange(10, 60) * MINUTE_MS, "retract", "archived"))
    elif fate > 0.6:
        after_ms = opened_ms + rng.randrange(10, 50) * MINUTE_MS
        steps.append(Step(after_ms, "update", "in_progress", severity_more=rng.choice((0, 1))))
        if fate > 0.8:
            steps.append(Step(after_ms + rng.randrange(60, 240) * MINUTE_MS, "close", "resolved", "true_positive"))
    return Draft(
        member=strike.member,
        feed=rng.choice(strike.member.feeds),
        finding=finding,
        occurred_ms=occurred_ms,
        detected_ms=detected_ms,
        steps=tuple(steps),
        care=care,
    )


def _victims(stage: Stage, fewest: int, most: int) -> list[Member]:
    """Between fewest and most institutions; the first `fewest` are independent of each other."""
    wanted = stage.rng.randint(fewest, most)
    order = stage.rng.sample(list(stage.members), len(stage.members))
    first: dict[str, Member] = {}
    for member in order:
        if len(first) < fewest:
            first.setdefault(member.independent, member)
    chosen = list(first.values())
    rest = [member for member in order if member not in chosen]
    return (chosen + rest)[:wanted]


def _moments(stage: Stage, count: int, shortest_ms: int, longest_ms: int) -> list[int]:
    """`count` ascending times, well within the day; first and last lie between shortest and longest apart."""
    day_ms = stage.spec.hours * HOUR_MS
    longest_ms = min(longest_ms, day_ms - 4 * HOUR_MS)
    spread_ms = stage.rng.randint(min(shortest_ms, longest_ms), longest_ms)
    start_ms = START_MS + stage.rng.randint(HOUR_MS, day_ms - spread_ms - 2 * HOUR_MS)
    between = sorted(stage.rng.randint(0, spread_ms) for _ in range(count - 2))
    return [start_ms, *(start_ms + offset for offset in between), start_ms + spread_ms]
