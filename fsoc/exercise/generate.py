"""From a spec to a whole exercise: sector, everyday life, campaigns, truth. One Random decides all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice, repeat
from random import Random

from fsoc.exercise.background import alone, contracts, everyday
from fsoc.exercise.campaigns import PLANNERS, REPEATABLE, WAVES, Plan, Stage, decoy, kinds_of
from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import observable
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.hubs import Hubs
from fsoc.exercise.levels import LEVELS, times
from fsoc.exercise.noise import NOISES
from fsoc.exercise.outburst import outbursts
from fsoc.exercise.rare import rare
from fsoc.exercise.rollout import plan_rollout
from fsoc.exercise.sector import Member, found_sector
from fsoc.exercise.sender import WrongClock, deliver
from fsoc.exercise.spec import (
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    CampaignKind,
    Detail,
    Exercise,
    ExerciseSpec,
    PlantedCampaign,
)
from fsoc.exercise.together import defects, together
from fsoc.exercise.trouble import plan_troubles


def generate(spec: ExerciseSpec, *, tickets: int | None = None) -> Exercise:
    """The exercise of a spec: equal specs give byte-identical exercises.

    tickets: exactly so many tickets (revisions, re-sends and status records not counted), campaigns included; None:
        spec.tickets of all that is no attack for every institution, and the campaigns beside it.
    """
    rng = Random(spec.seed)  # noqa: S311 - an exercise must be repeatable, not unpredictable
    fresh, level = Fresh(rng), LEVELS[spec.noise]
    members = found_sector(rng, spec, kinds=len(NOISES))
    hubs = Hubs(rng, fresh, level)
    rollout = plan_rollout(rng, members, spec)
    troubles = plan_troubles(rng, members, spec, level)
    stage = Stage(rng, fresh, troubles.spares(members), spec, level, hubs)
    plans = [PLANNERS[kind](stage) for kind in _kinds(rng, spec)]
    decoys = [decoy(stage, number) for number in range(1, 1 + max(1, times(spec, level.trainings)))] if plans else []
    planted = [draft for plan in plans + decoys for draft in plan.drafts]
    if spec.detail is Detail.FULL:
        planted += [_shared_intelligence(stage, plan) for plan in plans if plan.kind is CampaignKind.PHISHING_KIT]
    harmless = alone(rng, fresh, members, spec, _waves(plans))
    harmless += together(rng, fresh, members, spec, level, rollout)
    harmless += rare(rng, members, spec, level)
    harmless += outbursts(rng, fresh, members, spec, level)
    harmless = troubles.thin(rng, harmless, move=False)
    room = spec.institutions * spec.tickets if tickets is None else max(0, tickets - len(planted))
    harmless = _at_most(rng, harmless, room)
    suppliers = contracts(rng, members)
    usual = everyday(rng, fresh, members, spec, hubs, suppliers, room - len(harmless))
    usual = troubles.thin(rng, usual, move=True)
    if missing := room - len(harmless) - len(usual):  # what sick feeds should have written, the others write
        usual += everyday(rng, fresh, troubles.spares(members), spec, hubs, suppliers, missing)
    drafts = planted + harmless + usual
    _number(rng, members, drafts)
    clock = _wrong_clock(rng, troubles.spares(members), usual)
    return Exercise(
        spec=spec,
        institutions=tuple(member.registry_entry() for member in members),
        deliveries=deliver(rng, spec, members, drafts, clock, rollout, troubles),
        truth=tuple(sorted((_truth(number, plan) for number, plan in enumerate(plans, 1)), key=_first)),
        decoys=tuple(_truth(number, plan) for number, plan in enumerate(decoys, 1 + len(plans))),
        feed_truth=troubles.all,
        rule_truth=defects(rollout, harmless),
    )


def _kinds(rng: Random, spec: ExerciseSpec) -> list[CampaignKind]:
    """One of each kind that has room, then repeats of those that can be told apart."""
    kinds, repeated = kinds_of(spec), rng.sample(REPEATABLE, len(REPEATABLE))
    count = len(kinds) + rng.choice((0, 1, 1, 2)) if spec.campaigns is None else spec.campaigns
    more: Iterator[CampaignKind] = cycle(repeated)
    if spec.detail is Detail.SPARSE:  # only what is new is seen, and of other kinds only the first is
        more = repeat(CampaignKind.TECHNIQUE_WAVE, len(WAVES) - 1)
    return [*kinds[:count], *islice(more, max(0, count - len(kinds)))]


def _at_most(rng: Random, drafts: list[Draft], room: int) -> list[Draft]:
    return drafts if len(drafts) <= room else rng.sample(drafts, room)


def _waves(plans: Sequence[Plan]) -> list[int]:
    """When the waves of floods begin."""
    return [plan.drafts[0].occurred_ms for plan in plans if plan.kind is CampaignKind.DDOS_WAVE]


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


def _wrong_clock(rng: Random, members: Sequence[Member], drafts: Sequence[Draft]) -> WrongClock:
    """One of the larger institutions, for half an hour in which it has something to say. drafts: of everyday life."""
    large = {member.id for member in members if member.tier == 1}
    usual = [draft for draft in drafts if draft.member.id in large and draft.care is Care.USUAL]
    if not usual:
        return WrongClock("", START_MS, START_MS)
    draft = rng.choice(usual)
    from_ms = draft.detected_ms + draft.steps[0].after_ms - rng.randrange(10 * MINUTE_MS)
    return WrongClock(draft.member.id, from_ms, from_ms + 30 * MINUTE_MS)


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
        reporters=tuple(draft.member.id for draft in drafts),
    )


def _first(campaign: PlantedCampaign) -> tuple[int, str]:
    return campaign.first_at_ms, campaign.id
