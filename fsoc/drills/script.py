"""What a drill poses to whom: injects from a simulated sector's campaigns, for institutions that are real. Pure.

An inject says what an institution's monitoring shows; its own SOC is to find out what it is, and to open a ticket. As
campaigns are planted with what joins them, those who answer raise the joint alerts that a real one would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import orjson

from fsoc.errors import Problem, RefusedToStart
from fsoc.exercise import CampaignKind, Exercise, ExerciseSpec, PlantedCampaign, generate
from fsoc.exercise.spec import INSTITUTIONS_MAX, INSTITUTIONS_MIN, SEED_MAX
from fsoc.tickets.times import rfc3339
from fsoc.tickets.vocabulary import INDICATOR_ROLES

SCHEMA: Final = "fsoc.inject/1"
HOURS: Final = 48
"""Of the simulated sector that injects are taken from."""
SCENARIOS_MAX: Final = 10
INJECTS_MAX: Final = 20
"""Of one institution in one scenario: the first of it."""
KINDS: Final = tuple(kind.value for kind in CampaignKind)


@dataclass(frozen=True, slots=True)
class DrillSpec:
    """Equal specs and institutions give equal injects.

    scenarios: kinds of campaign, in the order in which they begin; () is the first three that the seed plants.

    Raises:
        RefusedToStart: a number or a scenario is not allowed.
    """

    exercise_id: str
    seed: int = 7
    scenarios: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.seed <= SEED_MAX:
            problems.append(Problem("seed", f"found {self.seed}, allowed 0 to {SEED_MAX}"))
        problems += [
            Problem("scenario", f'"{one[:40]}" is none of {", ".join(KINDS)}')
            for one in self.scenarios
            if one not in KINDS
        ]
        if len(self.scenarios) > SCENARIOS_MAX:
            problems.append(Problem("scenario", f"found {len(self.scenarios)}, limit {SCENARIOS_MAX}"))
        if problems:
            raise RefusedToStart(*problems)


@dataclass(frozen=True, slots=True)
class Inject:
    """One thing that is posed to one institution.

    after: where in the drill, from 0 to 1. scenario: of which campaign it is. body: a ticket that would answer it.
    """

    inject_id: str
    institution: str
    scenario: str
    after: float
    body: Mapping[str, Any]

    @property
    def indicators(self) -> frozenset[str]:
        """Values by which a ticket is known to answer it."""
        observables = self.body.get("observables") or ()
        return frozenset(one["value"] for one in observables if one["role"] in INDICATOR_ROLES)

    def wire(self, exercise_id: str) -> dict[str, Any]:
        """What the institution is posed: what its monitoring shows, and not what that is."""
        body = self.body
        return {
            "schema": SCHEMA,
            "exercise": True,
            "exercise_id": exercise_id,
            "inject_id": self.inject_id,
            "institution": self.institution,
            "title": f"【演練】 EXERCISE: {body['title']}",
            "text": body.get("description") or body["title"],
            "evidence": body.get("evidence") or [],
            "observables": body.get("observables") or [],
            "assets": body.get("assets") or [],
            "how_to_answer": (
                f"Open a ticket with environment exercise, exercise_id {exercise_id}, and {self.inject_id} in "
                "relations.external_refs or one of these observables."
            ),
            "how_to_answer_zh": (
                f"請開立事件單：environment 填 exercise、exercise_id 填 {exercise_id}，並於 relations.external_refs "
                f"填寫 {self.inject_id}，或載明上列任一觀測值。"
            ),
        }


def script(spec: DrillSpec, institutions: Sequence[str]) -> list[Inject]:
    """All injects, in the order in which they are posed.

    institutions: who takes part; by the seed it is drawn which of them plays which of the simulated.

    Raises:
        RefusedToStart: nobody takes part, or more than can be simulated.
    """
    if not 0 < len(institutions) <= INSTITUTIONS_MAX:
        raise RefusedToStart(Problem("institutions", f"found {len(institutions)}, allowed 1 to {INSTITUTIONS_MAX}"))
    size = max(len(institutions), INSTITUTIONS_MIN)
    simulated = generate(ExerciseSpec(institutions=size, seed=spec.seed, hours=HOURS, tickets_per_institution=1))
    roles = [str(entry["id"]) for entry in simulated.institutions]
    struck = {name for one in _chosen(spec, simulated) for name in one.institutions}
    # Those who are struck in the script are played first: with few institutions, none sits by.
    roles.sort(key=lambda name: (name not in struck, name))
    players = sorted(institutions)
    Random(spec.seed).shuffle(players)  # noqa: S311 - the same drill for the same seed
    cast = dict(zip(roles, players, strict=False))
    return sorted(_injects(spec, simulated, cast), key=lambda one: (one.after, one.inject_id))


def _chosen(spec: DrillSpec, simulated: Exercise) -> list[PlantedCampaign]:
    by_kind: dict[str, PlantedCampaign] = {}
    for campaign in simulated.truth:
        by_kind.setdefault(campaign.kind, campaign)
    wanted = spec.scenarios or tuple(by_kind)[:3]
    missing = [kind for kind in wanted if kind not in by_kind]
    if missing:
        there = ", ".join(by_kind)
        raise RefusedToStart(Problem("scenario", f"{', '.join(missing)}: not in what seed {spec.seed} plants: {there}"))
    return [by_kind[kind] for kind in dict.fromkeys(wanted)]


def _injects(spec: DrillSpec, simulated: Exercise, cast: Mapping[str, str]) -> list[Inject]:
    bodies = _first_revisions(simulated)
    chosen = _chosen(spec, simulated)
    injects: list[Inject] = []
    for place, campaign in enumerate(chosen):
        told: dict[str, int] = {}
        count = max(len(campaign.ticket_ids), 1)
        for number, (ticket_id, role) in enumerate(zip(campaign.ticket_ids, campaign.reporters, strict=True)):
            institution, body = cast.get(role), bodies.get((role, ticket_id))
            if institution is None or body is None or told.get(institution, 0) >= INJECTS_MAX:
                continue
            told[institution] = told.get(institution, 0) + 1
            name = f"inject:{spec.exercise_id}/{campaign.kind}/{number + 1}"
            after = (place + number / count) / len(chosen)
            injects.append(Inject(name, institution, campaign.kind, after, _played(body, institution, spec)))
    return injects


def _first_revisions(simulated: Exercise) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for delivery in simulated.deliveries:
        try:
            body = orjson.loads(delivery.payload)
        except orjson.JSONDecodeError:
            continue  # the simulated sector sends garbage too
        if isinstance(body, dict) and body.get("kind") == "ticket" and body.get("revision") == 1:
            found.setdefault((delivery.institution, str(body.get("ticket_id"))), body)
    return found


_TIMES: Final = ("occurred_from", "occurred_to", "detected_at", "created_at", "sent_at", "received_at", "processed_at")


def _played(body: Mapping[str, Any], institution: str, spec: DrillSpec) -> dict[str, Any]:
    """The ticket as the institution that plays the part would write it, but for its times and numbers."""
    kept = {name: value for name, value in body.items() if name not in {*_TIMES, "seq", "seq_epoch", "signature"}}
    return {**kept, "institution": institution, "environment": "exercise", "exercise_id": spec.exercise_id}


def model_answer(inject: Inject, feed: str, seq: int, at_ms: int) -> dict[str, Any]:
    """A whole ticket that answers the inject, as if it were written at this time: for rehearsals."""
    at = rfc3339(at_ms)
    observables = [
        {name: value for name, value in one.items() if name not in {"first_seen", "last_seen"}}
        for one in inject.body.get("observables") or ()
    ]
    return {
        **inject.body,
        **({"observables": observables} if observables else {}),
        "feed": feed,
        "seq_epoch": f"rehearsal-{at_ms}",
        "seq": seq,
        "ticket_id": inject.inject_id.rpartition("inject:")[2][:64],
        "detected_at": at,
        "created_at": at,
        "sent_at": at,
        "relations": {"external_refs": [inject.inject_id]},
    }
