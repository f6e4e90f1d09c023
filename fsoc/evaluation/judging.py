"""Which alert is on which label: the same question as `fsoc.exercise.score` asks of planted campaigns. Pure.

Here labels come from a file, and a ticket is known by its institution and its id together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsoc.evaluation.records import Alert
from fsoc.evaluation.truth import Label, Truth
from fsoc.exercise.score import INSTITUTIONS_MIN, MOSTLY

JOINT: Final = "joint"
APART: Final = ("retracted", "merged")
"""Statuses that are counted and not judged: what was taken back, and what another alert tells."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One joint alert that stands.

    on: labels that it is on, by name; () is a false alarm. touched: labels of which it names a ticket at all.
    """

    alert: Alert
    on: tuple[str, ...]
    touched: tuple[str, ...]


def newest(alerts: Iterable[Alert]) -> list[Alert]:
    """The newest revision of each alert, of two equal ones that which comes later; the earliest raised first."""
    found: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in found or alert.revision >= found[alert.id].revision:
            found[alert.id] = alert
    return sorted(found.values(), key=lambda alert: (alert.raised_ms, alert.id))


def apart(alert: Alert) -> str | None:
    """Under which word an alert is counted apart; None: it is judged."""
    if alert.status in APART:
        return alert.status
    if alert.suppressed:
        return "suppressed"
    return None if alert.kind == JOINT else alert.kind


def judge(alert: Alert, truth: Truth, labels: Mapping[str, Label]) -> Judged:
    """labels: of the same truth, the alert's own tickets among those known."""
    keys = alert.keys
    hits: dict[str, int] = {}
    for key in keys:
        name = truth.label_of(key)
        if name is not None:
            hits[name] = hits.get(name, 0) + 1
    on = [name for name in sorted(hits) if is_on(labels[name], alert, hits[name], len(keys))]
    return Judged(alert, tuple(on), tuple(sorted(hits)))


def is_on(label: Label, alert: Alert, hits: int, tickets: int) -> bool:
    """Whether the alert is on the label: mostly its tickets, and at least two of its institutions."""
    covered = alert.institutions & label.institutions
    return hits >= MOSTLY * tickets and len(covered) >= INSTITUTIONS_MIN


def stories(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """Alerts that tell one story: those of one campaign, and those that continue each other, through any number."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for alert in alerts:
        if alert.continues is not None:
            root[find(f"alert {alert.continues}")] = find(f"alert {alert.id}")
        if alert.campaign_id is not None:
            root[find(f"campaign {alert.campaign_id}")] = find(f"alert {alert.id}")
    told: dict[str, list[Alert]] = {}
    for alert in alerts:
        told.setdefault(find(f"alert {alert.id}"), []).append(alert)
    return list(told.values())
