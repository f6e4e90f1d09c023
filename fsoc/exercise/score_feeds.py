"""Alerts on feeds against the feeds that fell ill. Not the joint alerts (`score.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fsoc.exercise.spec import DAY_MS, FeedTrouble

GRACE_MS = DAY_MS
"""How long after a feed is well again an alert on it still counts: a drop is seen over a day."""


@dataclass(frozen=True, slots=True)
class FeedScore:
    """found, missed: ids of troubles. false_alarms: ids of alerts on no trouble."""

    found: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    false_alarms: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"found": list(self.found), "missed": list(self.missed), "false_alarms": list(self.false_alarms)}


def score_feeds(truth: Sequence[FeedTrouble], alerts: Iterable[dict[str, Any]]) -> FeedScore:
    """An alert is on a trouble when it names its institution, names no other feed, and was raised in its time."""
    found: set[str] = set()
    false_alarms = []
    for alert in alerts:
        matched = [trouble.id for trouble in truth if is_on(trouble, alert)]
        found.update(matched)
        if not matched:
            false_alarms.append(alert["alert_id"])
    return FeedScore(
        found=tuple(trouble.id for trouble in truth if trouble.id in found),
        missed=tuple(trouble.id for trouble in truth if trouble.id not in found),
        false_alarms=tuple(false_alarms),
    )


def is_on(trouble: FeedTrouble, alert: dict[str, Any]) -> bool:
    """Raised from the beginning of the trouble until GRACE_MS after its end, both included."""
    raised_ms = round(datetime.fromisoformat(alert["raised_at_event_time"]).timestamp() * 1000)
    feed = (alert.get("group") or {}).get("feed", trouble.feed)
    return (
        trouble.institution in alert["institutions"]
        and feed == trouble.feed
        and trouble.from_ms <= raised_ms <= trouble.to_ms + GRACE_MS
    )
