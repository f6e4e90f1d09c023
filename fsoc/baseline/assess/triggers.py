"""An institution's first line, played: events → detections → tickets by the baseline's triggers. Pure.

What a SIEM and an analyst do, and no more: rules run on each event; so many matches of one, within so long, make a
ticket where an item of the institution's tier has it, and that carries what the trigger says it must, nothing besides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fsoc.baseline.model import Baseline, Item
from fsoc.detection import Detector
from fsoc.tickets.times import rfc3339
from fsoc.tickets.vocabulary import EVIDENCE_MAX

OPENED_AFTER_MS: Final = 60_000
"""From the match that makes a ticket due until it is opened."""
SENT_AFTER_MS: Final = 30_000
FOLDED_MS: Final = 3_600_000
"""What a ticket is open about makes no second one for so long, or for the trigger's own time if that is longer."""

Key = tuple[str, str, str]
"""(item, rule, value counted by)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event at an institution, and the steps that made it with what their analyst knows. step: script/step."""

    at_ms: int
    fields: Mapping[str, Any]
    logsource: Mapping[str, str] | None
    step: str
    adds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detected:
    """One rule matched one happening."""

    rule: str
    step: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A ticket, and of which steps' events by which rule and item."""

    ticket_id: str
    rule: str
    item: str
    steps: frozenset[str]
    opened_ms: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FirstLine:
    """What came of an institution's events."""

    detected: tuple[Detected, ...]
    opened: tuple[Opened, ...]


def first_line(
    institution: str,
    tier: int,
    happenings: Iterable[Happening],
    baseline: Baseline,
    detector: Detector,
    *,
    exercise_id: str,
) -> FirstLine:
    """Play events in the order of their times. tier: which items the institution has."""
    items = {item.id: item for item in baseline.of_tier(tier)}
    by_rule: dict[str, list[Item]] = {}
    for item in items.values():
        for rule in item.rules:
            by_rule.setdefault(rule, []).append(item)
    detected: list[Detected] = []
    counts = _Counts()
    due: list[_Due] = []
    for one in sorted(happenings, key=lambda happening: happening.at_ms):
        for rule in detector.match_event(one.fields, one.logsource):
            detected.append(Detected(rule, one.step, one.at_ms))
            for item in by_rule.get(rule, ()):
                due += counts.add(item, rule, one)
    opened = [
        _ticket(institution, number, items[one.item], one, baseline, exercise_id) for number, one in enumerate(due, 1)
    ]
    return FirstLine(tuple(detected), tuple(opened))


@dataclass(slots=True)
class _Due:
    """A ticket that is due. steps: those whose events it is about, also such as came while it was open."""

    item: str
    rule: str
    at_ms: int
    found: list[Happening]
    steps: set[str]
    open_until_ms: int


class _Counts:
    """Matches by item, rule and value, within the trigger's time; and about what a ticket is open."""

    def __init__(self) -> None:
        self._matches: dict[Key, deque[Happening]] = {}
        self._open: dict[Key, _Due] = {}

    def add(self, item: Item, rule: str, one: Happening) -> Iterator[_Due]:
        """The ticket that this match makes due, if it does."""
        trigger = item.trigger
        value = one.fields.get(trigger.per) if trigger.per else None
        key = (item.id, rule, "" if value is None else str(value))
        before = self._open.get(key)
        if before is not None and one.at_ms < before.open_until_ms:
            before.steps.add(one.step)
            return
        matches = self._matches.setdefault(key, deque())
        matches.append(one)
        while matches[0].at_ms <= one.at_ms - trigger.within_ms and len(matches) > 1:
            matches.popleft()
        if len(matches) < trigger.count:
            return
        until_ms = one.at_ms + max(FOLDED_MS, trigger.within_ms)
        due = _Due(item.id, rule, one.at_ms, list(matches), {each.step for each in matches}, until_ms)
        self._open[key] = due
        matches.clear()
        yield due


def _ticket(institution: str, number: int, item: Item, due: _Due, baseline: Baseline, exercise_id: str) -> Opened:
    at_ms, found = due.at_ms, due.found
    trigger = item.trigger
    opened_ms = at_ms + OPENED_AFTER_MS
    incident = trigger.severity >= 4
    ticket_id = f"{institution}/{number}"
    body: dict[str, Any] = {
        "schema": "fsoc.ticket/1",
        "kind": "ticket",
        "institution": institution,
        "feed": "assess",
        "seq_epoch": exercise_id,
        "seq": number,
        "ticket_id": ticket_id,
        "revision": 1,
        "action": "open",
        "environment": "exercise",
        "exercise_id": exercise_id,
        "occurred_from": rfc3339(found[0].at_ms),
        "detected_at": rfc3339(at_ms),
        "created_at": rfc3339(opened_ms),
        "sent_at": rfc3339(opened_ms + SENT_AFTER_MS),
        "title": item.title,
        "category": trigger.category,
        "severity": trigger.severity,
        "is_incident": incident,
        "confidence": 80,
        "status": "new",
        "attack_version": baseline.attack_version,
        "attack": [{"tactic": item.tactic, "technique": item.technique}],
        "trigger": {"kind": "baseline", "baseline_version": baseline.version, "rule_id": item.id},
        "tlp": "amber",
        "attribution": "anonymous",
    }
    if incident:
        body["tw_level"] = trigger.severity - 2
    known = {"evidence": _evidence(found), "assets": _assets(item, found), **_added(found)}
    body |= {name: known[name] for name in trigger.carries if name in known}
    return Opened(ticket_id, due.rule, item.id, frozenset(due.steps), opened_ms, body)


def _evidence(found: Sequence[Happening]) -> list[dict[str, Any]]:
    return [
        {**({"logsource": dict(one.logsource)} if one.logsource else {}), "fields": dict(one.fields)}
        for one in found[:EVIDENCE_MAX]
    ]


def _assets(item: Item, found: Sequence[Happening]) -> list[dict[str, Any]]:
    names = ("Computer", "terminal", "service", "ObjectDN")
    ref = next((str(one.fields[name]) for one in found for name in names if name in one.fields), item.trigger.asset)
    return [{"ref": ref, "type": item.trigger.asset, "criticality": 4}]


def _added(found: Sequence[Happening]) -> dict[str, Any]:
    """What the analysts of all its steps know; lists together, of the rest the last."""
    known: dict[str, Any] = {}
    for one in found:
        for name, value in one.adds.items():
            if isinstance(value, list):
                known.setdefault(name, [])
                known[name] += [each for each in value if each not in known[name]]
            else:
                known[name] = value
    return known
