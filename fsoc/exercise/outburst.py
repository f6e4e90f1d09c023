"""One everyday rule that fires a dozen times in an hour at one institution: a job gone wild, a worm in a test net."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fsoc.exercise.draft import Draft
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.levels import Level
from fsoc.exercise.noise import NOISES
from fsoc.exercise.scene import Scene
from fsoc.exercise.sector import Member
from fsoc.exercise.single import everyday_draft
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, WARM_UP_MS, ExerciseSpec
from fsoc.exercise.upkeep import supplier_access

APART_HOURS = 3
JITTER_MS = 20 * MINUTE_MS
FEWEST, MOST = 6, 15


def outbursts(rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec, level: Level) -> list[Draft]:
    """After two days of peace. Of one rule they are hours apart, so that never three institutions have one in four."""
    if not spec.has_past:
        return []
    first = WARM_UP_MS // HOUR_MS // APART_HOURS + 1
    kinds = [kind for kind, _ in NOISES if kind is not supplier_access]  # who has no contract cannot have it broken
    places = [(kind, slot) for kind in kinds for slot in range(first, spec.hours // APART_HOURS - 1)]
    days = spec.hours / 24 - WARM_UP_MS / HOUR_MS / 24
    count = min(len(places), round(level.outbursts * len(members) * days / 12))
    drafts = []
    for kind, slot in rng.sample(places, count):
        member = rng.choice(members)
        scene = Scene(rng, fresh, member, ())
        from_ms = START_MS + slot * APART_HOURS * HOUR_MS + rng.randrange(JITTER_MS)
        for _ in range(rng.randint(FEWEST, MOST)):
            at_ms = from_ms + rng.randrange(HOUR_MS // 2)
            drafts.append(everyday_draft(rng, member, kind(scene), at_ms))
    return drafts
