"""What a feed says of itself: what it opened and what it saw since it last said so (`source_status`)."""

from __future__ import annotations

from random import Random
from typing import Any

from fsoc.exercise.calendar import day_factor
from fsoc.exercise.rollout import Rollout
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, FeedTrouble, rfc3339
from fsoc.exercise.trouble import DROPPED, DROPPED_TO

EVENTS_PER_HOUR = 450_000
MACHINES_SHARE = 0.75
"""Of all events: machines write them day and night; people's work makes the rest."""


class HeartbeatWriter:
    """Heartbeats of one feed. trouble: what befalls it, if anything does."""

    def __init__(
        self, member: Member, feed: str, exercise_id: str, rollout: Rollout, trouble: FeedTrouble | None
    ) -> None:
        self._member = member
        self._feed = feed
        self._exercise_id = exercise_id
        self._rollout = rollout
        self._dropped = trouble if trouble is not None and trouble.kind == DROPPED else None
        self._busiest = max(member.hours)

    def body(
        self, rng: Random, from_ms: int, to_ms: int, *, seq_epoch: str, last_seq: int, tickets_opened: int, ended: bool
    ) -> dict[str, Any]:
        """On the (true) time from from_ms to to_ms, at which it is written."""
        member = self._member
        sensors = 8 + int(member.weight * 6)
        from_clock, to_clock = from_ms + member.skew_ms, to_ms + member.skew_ms
        now = rfc3339(to_clock, local=member.local_time)
        body: dict[str, Any] = {
            "schema": "fsoc.ticket/1",
            "kind": "source_status",
            "institution": member.id,
            "feed": self._feed,
            "seq_epoch": seq_epoch,
            "last_seq": last_seq,
            "period_from": rfc3339(from_clock, local=member.local_time),
            "period_to": now,
            "tickets_opened": tickets_opened,
            "events_seen": self._events(rng, from_ms, to_ms),
            "sensors_total": sensors,
            "sensors_up": sensors - (rng.random() < 0.1),
            "baseline_version": self._rollout.version(member.id, to_ms),
            "clock_offset_ms": member.skew_ms,
            "environment": "exercise",
            "exercise_id": self._exercise_id,
            "sent_at": now,
        }
        if ended:
            body["ended"] = True
        return body

    def _events(self, rng: Random, from_ms: int, to_ms: int) -> int:
        """As many as the hour and the day let expect, a tenth more or less; of a sick feed's time a tenth of that."""
        member, middle_ms = self._member, (from_ms + to_ms) // 2
        busy = member.hours[middle_ms // HOUR_MS % 24] / self._busiest
        busy *= day_factor(middle_ms, always_open=member.always_open)
        healthy_ms = to_ms - from_ms
        if self._dropped is not None:
            sick_ms = max(0, min(to_ms, self._dropped.to_ms) - max(from_ms, self._dropped.from_ms))
            healthy_ms = round(healthy_ms - sick_ms + sick_ms * DROPPED_TO)
        expected = member.weight * EVENTS_PER_HOUR * (MACHINES_SHARE + (1 - MACHINES_SHARE) * busy)
        return int(expected * rng.uniform(0.9, 1.1) * healthy_ms / HOUR_MS)
