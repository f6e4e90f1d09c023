"""From a spec to a whole exercise: sector, everyday life, campaigns, truth. One Random decides all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from random import Random

from fsoc.exercise.background import alone, everyday
from fsoc.exercise.campaigns import PLANNERS, Plan, Stage, decoy
from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import observable
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.noise import NOISES
from fsoc.exercise.sector import Member, found_sector
from fsoc.exercise.sender import WrongClock, deliver
from fsoc.exercise.spec import (
    HOUR_MS,
    MINUTE_MS,
    REPEATABLE,
    START_MS,
    CampaignKind,
    Exercise,
    ExerciseSpec,
    PlantedCampaign,
)


def generate(spec: ExerciseSpec, *, tickets: int | None = None) -> Exercise:
    """The exercise of a spec: equal specs give byte-identical exercises.

    tickets: exactly so many tickets (revisions, re-sends and status records not counted), campaigns included; None:
        spec.tickets_per_institution of everyday life and the campaigns beside it.
    """
    rng = Random(spec.seed)  # noqa: S311 - an exercise must be repeatable, not unpredictable
    fresh = Fresh(rng)
    members = found_sector(rng, spec, kinds=len(NOISES))
    stage = Stage(rng, fresh, members, spec)
    plans = [PLANNERS[kind](stage) for kind in _kinds(rng, spec)]
    decoys = [decoy(stage)] if plans else []
    drafts = [draft for plan in plans + decoys for draft in plan.drafts]
    drafts += alone(rng, fresh, members, spec, _flooded_at(plans))
    drafts += [_shared_intelligence(stage, plan) for plan in plans if plan.kind is CampaignKind.PHISHING_KIT]
    wanted = spec.institutions * spec.tickets_per_institution if tickets is None else max(0, tickets - len(drafts))
    drafts += everyday(rng, fresh, members, spec, wanted)
    _number(rng, members, drafts)
    clock = _wrong_clock(rng, members, spec)
    return Exercise(
        spec=spec,
        institutions=tuple(member.registry_entry() for member in members),
        deliveries=deliver(rng, spec, members, drafts, clock),
        truth=tuple(sorted((_truth(number, plan) for number, plan in enumerate(plans, 1)), key=_first)),
        decoys=tuple(_truth(number, plan) for number, plan in enumerate(decoys, 1 + len(plans))),
    )


def _kinds(rng: Random, spec: ExerciseSpec) -> list[CampaignKind]:
    """One of each kind, then repeats of those that can be told apart."""
    count = len(CampaignKind) + rng.choice((0, 1, 1, 2)) if spec.campaigns is None else spec.campaigns
    each = list(CampaignKind)[:count]
    return each + list(islice(cycle(rng.sample(REPEATABLE, len(REPEATABLE))), count - len(each)))


def _flooded_at(plans: Sequence[Plan]) -> int:
    floods = [draft.event_ms for plan in plans if plan.kind is CampaignKind.DDOS_WAVE for draft in plan.drafts]
    return min(floods, default=0)


def _shared_intelligence(stage: Stage, plan: Plan) -> Draft:
    """An institution that was not struck passes on what it heard. It is no victim."""
    struck = {draft.member.id for draft in plan.drafts}
    others = [member for member in stage.members if member.id not in struck]
    member = stage.rng.choice(others or list(stage.members))
    heard = plan.drafts[0]
    indicators = [item for item in heard.finding.observables if item["role"] != "victim"]
    finding = replace(
        heard.finding,
        title="Indicators heard of from a partner",
        title_zh="合作單位分享之釣魚網站情資",
        text="Passed on for information. Not seen in our own logs of the last thirty days.",
        text_zh="轉知合作單位分享之指標，經回溯三十日紀錄，本機構未見相關連線。",
        severity=1,
        confidence=50,
        trigger=("manual", ""),
        evidence=[],
        assets=[],
        observables=[observable(item["type"], item["value"], item["role"]) for item in indicators],
    )
    heard_ms = heard.detected_ms + stage.rng.randrange(HOUR_MS // 2, HOUR_MS)
    return Draft(
        member=member,
        feed=member.feeds[0],
        finding=finding,
        occurred_ms=heard_ms,
        detected_ms=heard_ms,
        steps=(Step(stage.rng.randrange(MINUTE_MS, 10 * MINUTE_MS), "open", "new"),),
        care=Care.PROMPT,
        kind="intel",
    )


def _number(rng: Random, members: Sequence[Member], drafts: Sequence[Draft]) -> None:
    """Ticket numbers rise with detection, from wherever the institution had got to."""
    count = {member.id: rng.randrange(1, 5_000) for member in members}
    for draft in sorted(drafts, key=lambda draft: (draft.detected_ms, draft.member.number)):
        count[draft.member.id] += 1
        draft.ticket_id = draft.member.ticket_id(count[draft.member.id])


def _wrong_clock(rng: Random, members: Sequence[Member], spec: ExerciseSpec) -> WrongClock:
    """One of the larger institutions, for half an hour of its day."""
    member = rng.choice([member for member in members if member.tier == 1])
    from_ms = START_MS + 3 * HOUR_MS + rng.randrange(min(spec.hours, 10) * HOUR_MS - 4 * HOUR_MS)
    return WrongClock(member.id, from_ms, from_ms + 30 * MINUTE_MS)


def _truth(number: int, plan: Plan) -> PlantedCampaign:
    drafts = sorted(plan.drafts, key=lambda draft: (draft.event_ms, draft.ticket_id))
    first: dict[str, int] = {}
    independent: dict[str, int] = {}
    for draft in drafts:
        first.setdefault(draft.member.id, draft.event_ms)
        independent.setdefault(draft.member.independent, draft.event_ms)
    return PlantedCampaign(
        id=f"campaign-{number}",
        kind=plan.kind.value,
        title=plan.title,
        institutions=tuple(first),
        ticket_ids=tuple(draft.ticket_id for draft in drafts),
        first_at_ms=drafts[0].event_ms,
        decided_at_ms=sorted(independent.values())[2],
    )


def _first(campaign: PlantedCampaign) -> tuple[int, str]:
    return campaign.first_at_ms, campaign.id
