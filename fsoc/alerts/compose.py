"""From a satisfied correlation to the alert an analyst reads, with why it was raised. Pure.

Everything here is a function of the rule, the set of entries and the policy: no clock, no offset, no arrival order. Two
runs over the same used tickets compose the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from fsoc.alerts.clocks import running
from fsoc.alerts.explain import explain
from fsoc.alerts.facts import facts_of
from fsoc.alerts.grade import DISCLAIMER, DISCLAIMER_ZH, suggest
from fsoc.alerts.identity import alert_id
from fsoc.alerts.severity import reasons_of, severity
from fsoc.alerts.sharing import sharing
from fsoc.alerts.timeline import timeline
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.policy import NO_POLICY, Kind, Policy, Suppression
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied
from fsoc.tickets.times import rfc3339

SCHEMA = "fsoc.alert/1"


def compose(
    rule: CorrelationRule,
    key: GroupKey,
    found: Satisfied,
    continues: str | None,
    tactics: Mapping[str, int],
    policy: Policy = NO_POLICY,
    attack_version: str = "",
    name: str | None = None,
) -> dict[str, Any]:
    """The alert's body without `revision` and `status`, which are the book's to give.

    tactics: short name → place in the kill chain. Whom it is about, how grave it is and since when, the tickets of
    those say to whom it happened, of whom there is one at least; intel is named beside. name: its id; None makes one
    without a key.
    """
    tickets: dict[str, list[str]] = {}
    detections: dict[str, int] = {}
    entries, intel = _apart(found.entries)
    if rule.depth > 1:
        entries = tuple(_once(entries))
        victims = {entry.name[:2] for entry in entries}  # for moments, of intel that became a ticket, both are there
        intel = tuple(entry for entry in _once(intel) if entry.name[:2] not in victims)
    for entry in (*entries, *intel):
        for detection in entry.rules:
            detections[detection] = detections.get(detection, 0) + 1
    for entry in entries:
        tickets.setdefault(entry.institution, []).append(entry.ticket_id)
    tickets = {name: tickets[name] for name in sorted(tickets)}
    facts = facts_of(rule, entries, found.novelty)
    group = dict(zip(rule.group_by, orjson.loads(key.group), strict=True))
    kind = kind_of(rule, facts.members)
    reasons, suggestion = tuple(reasons_of(facts)), suggest(facts)
    first_seen_ms = entries[0].event_time_ms
    last_seen_ms = next(entry.event_time_ms for entry in reversed(found.entries) if not entry.is_intel)
    suppressed = policy.suppressing(rule, group, tickets, found.first_ms) if policy.suppressions else None
    clocks = running(
        policy.clocks,
        grade=suggestion.grade,
        severity=severity(reasons),
        kind=kind,
        level=rule.level,
        raised_ms=found.first_ms,
        first_seen_ms=first_seen_ms,
    )
    return {
        "schema": SCHEMA,
        "alert_id": alert_id(key, found.episode) if name is None else name,
        "rule_id": rule.id,
        "rule_version": rule.dated or None,
        "rule_title": rule.title,
        "rule_title_zh": rule.title_zh or rule.title,
        "kind": kind,
        "level": rule.level,
        "severity": severity(reasons),
        "severity_reasons": [reason._asdict() for reason in reasons],
        "suggested_grade": {
            "grade": suggestion.grade,
            "reasons": [{"text": text, "text_zh": text_zh} for text, text_zh in suggestion.reasons],
            "note": DISCLAIMER,
            "note_zh": DISCLAIMER_ZH,
        },
        "environment": key.environment,
        "campaign_id": None,
        "continues": continues,
        "group": group,
        "window_from": rfc3339(found.first_ms - rule.timespan_ms),
        "window_to": rfc3339(found.last_ms),
        "first_seen": rfc3339(first_seen_ms),
        "last_seen": rfc3339(last_seen_ms),
        "raised_at_event_time": rfc3339(found.first_ms),
        "institutions": list(tickets),
        "institution_count": len(tickets),
        "independent_count": facts.members,
        "ticket_ids": list(dict.fromkeys(entry.ticket_id for entry in entries)),
        "ticket_count": len(entries),
        "tickets": tickets,
        "intel": [
            {"institution": entry.institution, "ticket_id": entry.ticket_id, "at": rfc3339(entry.event_time_ms)}
            for entry in intel
        ],
        "attack_version": attack_version or None,
        "attack": [
            {"tactic": tactic, "technique": technique}
            for tactic, technique in sorted(facts.attack, key=lambda pair: (tactics.get(pair[0], len(tactics)), *pair))
        ],
        "timeline": timeline(entries, tactics),
        "clocks": list(clocks),
        "suppressed": None if suppressed is None else _suppressed(suppressed),
        "sharing": sharing(rule, entries, tactics),
        "explanation": explain(rule, group, found, tickets, detections, intel),
    }


def kind_of(rule: CorrelationRule, members: int) -> Kind:
    """By what the rule is about; where that is an attack, by how many independent institutions are in it."""
    if rule.scope in ("feed", "rule"):
        return rule.scope
    return "joint" if members > 1 else "local"


def _suppressed(by: Suppression) -> dict[str, str]:
    return {"id": by.id, "owner": by.owner, "until": rfc3339(by.until_ms), "reason": by.reason}


def _apart(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """The tickets of victims, and intel, each in order."""
    intel = [entry for entry in entries if entry.is_intel]
    return ([entry for entry in entries if not entry.is_intel], intel) if intel else (entries, ())


def _once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Each ticket once, when it first came, with all the rules by which it came."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        ticket = (entry.institution, entry.ticket_id)
        before = found.get(ticket)
        found[ticket] = entry if before is None else before._replace(rules=(*before.rules, *entry.rules))
    for entry in found.values():
        yield entry._replace(rules=tuple(dict.fromkeys(entry.rules)))
