"""What an alert says of the operators that stand under a rule's `fsoc:` key, for machines and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fsoc.alerts.asked import asked
from fsoc.alerts.spans import span_text
from fsoc.correlation.entries import Entry
from fsoc.correlation.rules import CorrelationRule


def also_seen(rule: CorrelationRule, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Of each field that is counted beside, how many different values the alert's tickets have."""
    return [
        {
            "field": field,
            "condition": dict(condition.bounds),
            "seen": len({value for entry in entries for value in entry.also[place]}),
        }
        for place, (field, condition) in enumerate(rule.also)
    ]


def asked_beside(rule: CorrelationRule, entries: Sequence[Entry]) -> tuple[str, str]:
    """What else the rule asks for, after its condition: in English and in Traditional Chinese; "" where nothing."""
    said = list(_said(rule, entries))
    return "".join(english for english, _ in said), "".join(chinese for _, chinese in said)


def _said(rule: CorrelationRule, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    if rule.each:
        few, few_zh = asked(rule.each)
        yield f", counting values of {few} tickets alone", f"，僅計事件單數{few_zh}之值"
    if rule.spread_ms:
        span = span_text(rule.spread_ms)
        yield f", with {span} or more between their first tickets", f"，其首張事件單須相隔 {span} 以上"
    if rule.cap_each:
        yield ", of which each member's greatest number brings half at most", "，每一成員僅計其最大值，至多為門檻之半"
    for (field, condition), seen in zip(rule.also, also_seen(rule, entries), strict=True):
        bounds, bounds_zh = asked(condition)
        yield (
            f", and for {bounds} values of {field}, of which there are {seen['seen']}",
            f"，另須 {field} 之不同值{bounds_zh}（有 {seen['seen']} 個）",
        )
