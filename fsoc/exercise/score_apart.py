"""Alerts on feeds and on rules against the feeds that fell ill and the rules that were published wrong.

Not the joint alerts (`score.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fsoc.exercise.spec import DAY_MS, FeedTrouble, RuleDefect
from fsoc.tickets.times import milliseconds

GRACE_MS = DAY_MS
"""How long after a feed is well again an alert on it still counts: a drop is seen over a day."""

Trouble = TypeVar("Trouble", FeedTrouble, RuleDefect)


@dataclass(frozen=True, slots=True)
class ApartScore:
    """found, missed: ids of troubles. false_alarms: ids of alerts on no trouble."""

    found: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    false_alarms: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"found": list(self.found), "missed": list(self.missed), "false_alarms": list(self.false_alarms)}


def score_feeds(truth: Sequence[FeedTrouble], alerts: Iterable[dict[str, Any]]) -> ApartScore:
    """Of the alerts on feeds."""
    return _score(truth, alerts, is_on_feed)


def score_rules(truth: Sequence[RuleDefect], alerts: Iterable[dict[str, Any]]) -> ApartScore:
    """Of the alerts on rules."""
    return _score(truth, alerts, is_on_rule)


def _score(
    truth: Sequence[Trouble], alerts: Iterable[dict[str, Any]], is_on: Callable[[Trouble, dict[str, Any]], bool]
) -> ApartScore:
    found: set[str] = set()
    false_alarms = []
    for alert in alerts:
        matched = [trouble.id for trouble in truth if is_on(trouble, alert)]
        found.update(matched)
        if not matched:
            false_alarms.append(alert["alert_id"])
    return ApartScore(
        found=tuple(trouble.id for trouble in truth if trouble.id in found),
        missed=tuple(trouble.id for trouble in truth if trouble.id not in found),
        false_alarms=tuple(false_alarms),
    )


def is_on_feed(trouble: FeedTrouble, alert: dict[str, Any]) -> bool:
    """It names the institution and no other feed, and was raised from the beginning of the trouble until GRACE_MS after
    its end, both included.
    """
    feed = (alert.get("group") or {}).get("feed", trouble.feed)
    return (
        trouble.institution in alert["institutions"]
        and feed == trouble.feed
        and trouble.from_ms <= _raised_ms(alert) <= trouble.to_ms + GRACE_MS
    )


def is_on_rule(defect: RuleDefect, alert: dict[str, Any]) -> bool:
    """It names the rule, and was raised at the event time of one of its tickets: the first, the last or in between."""
    return (
        alert["group"].get("trigger.rule_id") == defect.rule_id
        and defect.first_ms <= _raised_ms(alert) <= defect.last_ms
    )


def _raised_ms(alert: dict[str, Any]) -> int:
    return milliseconds(alert["raised_at_event_time"])
