"""From a satisfied correlation to the alert an analyst reads, with why it was raised. Pure.

Everything here is a function of the rule and the set of entries: no clock, no offset, no arrival order. Two runs over
the same used tickets compose the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from fsoc.alerts.beside import also_seen, asked_beside
from fsoc.alerts.identity import alert_id
from fsoc.alerts.spans import span_text
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.exact import exactly, plain, shown
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied
from fsoc.tickets.times import rfc3339

SCHEMA = "fsoc.alert/1"

_SAID: Final = {
    "event_count": ("{seen} tickets", "有 {seen} 張事件單"),
    "value_count": ("{seen} distinct values of {of}", "有 {seen} 個不同的 {of}"),
    "ordered": ("{seen} values of {of}, one after another in their order", "有 {seen} 個依序出現的 {of}"),
    "temporal": ("{seen} of {rules} rules matched", " {rules} 條規則中有 {seen} 條符合"),
    "temporal_ordered": ("{seen} of {rules} rules matched in their order", " {rules} 條規則中有 {seen} 條依序符合"),
    "value_sum": ("{of} adds up to {seen}", " {of} 總和為 {seen}"),
    "value_avg": ("{of} is {seen} on average", " {of} 平均為 {seen}"),
    "value_percentile": ("percentile {percentile} of {of} is {seen}", " {of} 第 {percentile} 百分位數為 {seen}"),
    "value_median": ("the median of {of} is {seen}", " {of} 中位數為 {seen}"),
}
"""What was seen, by type: in English and in Traditional Chinese, after `內`."""


def compose(
    rule: CorrelationRule, key: GroupKey, found: Satisfied, continues: str | None, tactics: Mapping[str, int]
) -> dict[str, Any]:
    """The alert's body without `revision` and `status`, which are the book's to give.

    tactics: short name → place in the kill chain.
    """
    tickets: dict[str, list[str]] = {}
    detections: dict[str, int] = {}
    attack: set[tuple[str, str]] = set()
    entries = found.entries if rule.depth == 1 else tuple(_once(found.entries))
    for entry in entries:
        tickets.setdefault(entry.institution, []).append(entry.ticket_id)
        attack.update(entry.attack)
        for name in entry.rules:
            detections[name] = detections.get(name, 0) + 1
    share = {name: len(tickets[name]) for name in sorted(tickets)}
    members = len({entry.member for entry in entries})
    group = dict(zip(rule.group_by, orjson.loads(key.group), strict=True))
    return {
        "schema": SCHEMA,
        "alert_id": alert_id(key, found.episode),
        "rule_id": rule.id,
        "rule_title": rule.title,
        "rule_title_zh": rule.title_zh or rule.title,
        "kind": "joint" if members > 1 else "local",
        "level": rule.level,
        "severity": max(entry.severity for entry in entries),
        "environment": key.environment,
        "campaign_id": None,
        "continues": continues,
        "group": group,
        "window_from": rfc3339(found.first_ms - rule.timespan_ms),
        "window_to": rfc3339(found.last_ms),
        "first_seen": rfc3339(entries[0].event_time_ms),
        "last_seen": rfc3339(found.entries[-1].event_time_ms),
        "raised_at_event_time": rfc3339(found.first_ms),
        "institutions": list(share),
        "institution_count": len(share),
        "independent_count": members,
        "ticket_ids": list(dict.fromkeys(entry.ticket_id for entry in entries)),
        "ticket_count": len(entries),
        "tickets": {name: tickets[name] for name in share},
        "attack": [
            {"tactic": tactic, "technique": technique}
            for tactic, technique in sorted(attack, key=lambda pair: (tactics.get(pair[0], len(tactics)), *pair))
        ],
        "explanation": _explain(rule, group, found, share, detections),
    }


def _once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Each ticket once, when it first came, with all the rules by which it came."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        ticket = (entry.institution, entry.ticket_id)
        before = found.get(ticket)
        found[ticket] = entry if before is None else before._replace(rules=(*before.rules, *entry.rules))
    for entry in found.values():
        yield entry._replace(rules=tuple(dict.fromkeys(entry.rules)))


def _explain(
    rule: CorrelationRule, group: dict[str, str], found: Satisfied, share: dict[str, int], detections: dict[str, int]
) -> dict[str, Any]:
    """The numbers that made it fire, once for machines and once in words."""
    seen, seen_zh = _seen(rule, found)
    beside, beside_zh = asked_beside(rule, found.entries)
    span = span_text(rule.timespan_ms)
    where = " for " + ", ".join(f"{name} = {value}" for name, value in group.items()) if group else ""
    where_zh = "（" + "、".join(f"{name} = {value}" for name, value in group.items()) + "）" if group else ""
    return {
        "text": f"{seen} within {span}{where}; the rule asks for {rule.condition}{beside}. "
        f"{sum(share.values())} tickets of {len(share)} institutions, first satisfied at {rfc3339(found.first_ms)}.",
        "text_zh": f"{span} 內{seen_zh}{where_zh}，規則門檻為 {rule.condition}{beside_zh}；"
        f"共 {len(share)} 家機構、{sum(share.values())} 張事件單。",
        "type": rule.type,
        "counted": list(rule.fields),
        "percentile": rule.percentile,
        "condition": dict(rule.condition.bounds),
        "seen": plain(found.peak),
        "ordered": bool(rule.order),
        "each": dict(rule.each.bounds) if rule.each else None,
        "spread": span_text(rule.spread_ms) if rule.spread_ms else None,
        "cap_each": "half" if rule.cap_each else None,
        "also": also_seen(rule, found.entries),
        "timespan": span,
        "share": share,
        "detections": {name: detections[name] for name in sorted(detections)},
    }


def _seen(rule: CorrelationRule, found: Satisfied) -> Iterator[str]:
    """What was measured, in English and in Traditional Chinese."""
    for said in _SAID["ordered" if rule.order else rule.type]:
        yield said.format(
            seen=shown(found.peak),
            of=", ".join(rule.fields),
            rules=len(rule.rules),
            percentile=shown(exactly(rule.percentile or 0)),
        )
