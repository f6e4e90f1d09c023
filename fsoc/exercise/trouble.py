"""Feeds that fall ill: silent for hours, or down to a tenth of what they should say. Truth of its own."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fsoc.exercise.draft import Draft
from fsoc.exercise.levels import Level
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, ExerciseSpec, FeedTrouble

SILENT, DROPPED = "feed_silent", "feed_volume_drop"
MEMBERS_PER_LOT = 50
HEARTBEATS_MISSED_MIN = 5
DROPPED_TO = 0.1


class Troubles:
    """All troubles of an exercise. Each institution has at most one, on one feed."""

    def __init__(self, all_: Sequence[FeedTrouble]) -> None:
        self.all = tuple(all_)
        self._of = {trouble.institution: trouble for trouble in all_}

    def of(self, institution: str, feed: str) -> FeedTrouble | None:
        trouble = self._of.get(institution)
        return trouble if trouble is not None and trouble.feed == feed else None

    def spares(self, members: Sequence[Member]) -> list[Member]:
        """Those whose feeds stay well: campaigns strike only them."""
        return [member for member in members if member.id not in self._of]

    def thin(self, rng: Random, drafts: Sequence[Draft], *, move: bool) -> list[Draft]:
        """Drop what sick feeds would have written meanwhile; or move it to days on which they were well."""
        return [draft for draft in drafts if self._kept(rng, draft, move=move)]

    def _kept(self, rng: Random, draft: Draft, *, move: bool) -> bool:
        trouble = self.of(draft.member.id, draft.feed)
        if trouble is None or not _falls(draft, trouble):
            return True
        if trouble.kind == DROPPED and rng.random() < DROPPED_TO:
            return True
        if not move:
            return False
        days = 1 + (trouble.to_ms - trouble.from_ms) // DAY_MS
        earlier = (days + rng.randrange(2)) * DAY_MS
        if draft.occurred_ms - earlier < START_MS:
            return False
        draft.occurred_ms -= earlier
        draft.detected_ms -= earlier
        return not _falls(draft, trouble)


def _falls(draft: Draft, trouble: FeedTrouble) -> bool:
    """Whether the ticket is opened while the feed is ill."""
    opened_ms = draft.detected_ms + draft.steps[0].after_ms
    return draft.occurred_ms < trouble.to_ms and opened_ms >= trouble.from_ms


def plan_troubles(rng: Random, members: Sequence[Member], spec: ExerciseSpec, level: Level) -> Troubles:
    """Only in exercises that have a past: a week of it before a drop, where there is so much."""
    if not spec.has_past:
        return Troubles(())
    lots = -(-len(members) // MEMBERS_PER_LOT)
    kinds = ([SILENT, DROPPED] * max(level.silent, level.dropped) * lots)[: max(1, len(members) // 8)]
    sick = rng.sample([member for member in members if not member.noisy], len(kinds))
    found = []
    for number, (kind, member) in enumerate(zip(kinds, sick, strict=True), 1):
        if kind == SILENT:
            lasts = max(4 * 60, HEARTBEATS_MISSED_MIN * spec.heartbeat_minutes) + rng.randrange(6 * 60)
            earliest = START_MS + 3 * DAY_MS
        else:
            lasts = rng.randrange(14 * 60, 30 * 60)
            earliest = START_MS + min(7, spec.hours // 24 - 3) * DAY_MS
        lasts_ms = lasts * MINUTE_MS
        from_ms = rng.randrange(earliest, spec.end_ms - lasts_ms - 2 * HOUR_MS)
        feed = rng.choice(member.feeds)
        found.append(FeedTrouble(f"trouble-{number}", kind, member.id, feed, from_ms, from_ms + lasts_ms))
    return Troubles(sorted(found, key=lambda trouble: trouble.from_ms))
