"""What all campaigns share: choosing victims, spreading them over time, and how a struck institution reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import Finding
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.hubs import Hubs
from fsoc.exercise.levels import Level
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, CampaignKind, Detail, ExerciseSpec

AFTER_MS = 2 * HOUR_MS
"""At the end of an exercise no campaign strikes: what was struck must still be told."""

SPARSE_SETTLED_MS = 3 * HOUR_MS
OVERLAP_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Stage:
    """What a campaign may use: the sector (but for sick feeds), its days, and a source of new values.

    began_ms: when the campaigns before it began; some are given company. waves: rules that technique waves have used.
    """

    rng: Random
    fresh: Fresh
    members: Sequence[Member]
    spec: ExerciseSpec
    level: Level
    hubs: Hubs
    began_ms: list[int] = field(default_factory=list)
    waves: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign: what it is and the tickets it leaves behind."""

    kind: CampaignKind
    title: str
    drafts: list[Draft]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a campaign lies in time.

    settled_ms: within so much of the first strike the third is made; in an exercise without a past, or of sparse
        tickets, all of them are.
    first and last strike lie between shortest_ms and longest_ms apart.
    """

    shortest_ms: int
    settled_ms: int
    longest_ms: int

    def within(self, spec: ExerciseSpec) -> Spread:
        """As this exercise has room for it."""
        room_ms = spec.end_ms - AFTER_MS - HOUR_MS - spec.planted_from_ms
        settled_ms = min(self.settled_ms, room_ms)
        if spec.detail is Detail.SPARSE:
            settled_ms = min(settled_ms, SPARSE_SETTLED_MS)
        whole = spec.has_past and spec.detail is Detail.FULL
        longest_ms = min(self.longest_ms, room_ms) if whole else settled_ms
        return Spread(min(self.shortest_ms, settled_ms), settled_ms, longest_ms)


@dataclass(frozen=True, slots=True)
class Strike:
    """One institution is struck. spare: the campaign is one without it."""

    member: Member
    at_ms: int
    spare: bool


def strikes(stage: Stage, *, fewest: int, most: int, spread: Spread) -> list[Strike]:
    """Who is struck and when, in order of time. The first `fewest` (three at least) are independent of each other."""
    members = victims(stage, fewest, most)
    times = _moments(stage, len(members), spread.within(stage.spec))
    return [
        Strike(member, at_ms, spare=rank >= fewest)
        for rank, (member, at_ms) in enumerate(zip(members, times, strict=True))
    ]


def report(
    stage: Stage,
    strike: Strike,
    finding: Finding,
    *,
    later_ms: int = 0,
    notice_ms_max: int = 12 * MINUTE_MS,
    needed: bool | None = None,
    by_technique: bool = False,
) -> Draft:
    """One ticket of one victim. A spare victim may forget to send it for hours, or take it back.

    later_ms: after the victim was first struck. notice_ms_max: how long it takes to notice, at most.
    needed: the campaign cannot be found without it, so that nothing it is found by is left out; None: the first ticket
        of a victim that is not spare is. by_technique: it is found by its technique.
    """
    rng, occurred_ms = stage.rng, strike.at_ms + later_ms
    detected_ms = occurred_ms + rng.randrange(5_000, notice_ms_max)
    opened_ms = rng.randrange(MINUTE_MS, 20 * MINUTE_MS)
    needed = (not strike.spare and not later_ms) if needed is None else needed
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
        finding=forgetful(stage, finding, needed=needed, by_technique=by_technique),
        occurred_ms=occurred_ms,
        detected_ms=detected_ms,
        steps=tuple(steps),
        care=care,
    )


def forgetful(stage: Stage, finding: Finding, *, needed: bool, by_technique: bool) -> Finding:
    """The finding as a first line in a hurry writes it: without its technique, its indicators, or its events.

    Of a needed one only what the campaign is not found by may be missing: the technique, or the indicators.
    """
    rng = stage.rng
    finding = _beside_a_hub(stage, finding)
    if rng.random() >= stage.level.forgotten:
        return finding
    lacks = rng.choice(("attack", "observables", "evidence"))
    if needed:
        lacks = "" if by_technique else "attack"
    if lacks == "attack":
        return replace(finding, attack=(), unmapped="not yet mapped by the first line")
    if lacks == "observables":
        return replace(finding, observables=[], suppliers=[])
    return replace(finding, evidence=[]) if lacks == "evidence" else finding


def _beside_a_hub(stage: Stage, finding: Finding) -> Finding:
    """What everybody uses, attackers use too."""
    finding = replace(finding, observables=list(finding.observables))
    stage.hubs.perhaps(finding)
    return finding


def victims(stage: Stage, fewest: int, most: int) -> list[Member]:
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


def begin(stage: Stage, lasts_ms: int) -> int:
    """When a campaign that lasts so long begins: anywhere, or in the hours around the beginning of another."""
    rng, earliest = stage.rng, stage.spec.planted_from_ms
    latest = stage.spec.end_ms - AFTER_MS - lasts_ms
    at_ms = rng.randint(earliest, latest)
    if stage.spec.has_past and stage.began_ms and rng.random() < OVERLAP_SHARE:
        at_ms = rng.choice(stage.began_ms) + rng.randint(-2 * HOUR_MS, 2 * HOUR_MS)
        at_ms = max(earliest, min(at_ms, latest))
    stage.began_ms.append(at_ms)
    return at_ms


def _moments(stage: Stage, count: int, spread: Spread) -> list[int]:
    """`count` ascending times; the third within settled_ms of the first."""
    rng = stage.rng
    spread_ms = rng.randint(spread.shortest_ms, spread.longest_ms)
    start_ms = begin(stage, spread_ms)
    early = [rng.randint(0, min(spread_ms, spread.settled_ms)) for _ in range(2 if count > 3 else count - 1)]
    late = [rng.randint(0, spread_ms) for _ in range(count - 2 - len(early))]
    last = [spread_ms] if count > 1 + len(early) else []
    return [start_ms + offset for offset in sorted([0, *early, *late, *last])]
