"""Why an alert was raised: the numbers that made it fire, for machines and in the words of two languages. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fsoc.alerts.asked import Said, asked
from fsoc.alerts.beside import also_seen, asked_beside
from fsoc.alerts.spans import span_text
from fsoc.correlation.entries import Entry
from fsoc.correlation.exact import Number, exactly, plain, shown
from fsoc.correlation.past import HOUR_MS, Novelty, Past
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied
from fsoc.tickets.times import rfc3339

LISTED_MAX: Final = 10
"""Institutions and tickets named in a sentence; the fields beside it have all."""

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

_OF_INSTITUTIONS: Final = {
    False: ("{seen} institutions", "有 {seen} 家機構"),
    True: ("{seen} independent institutions", "有 {seen} 家獨立機構"),
}
"""The same of value_count over institution, by whether affiliates count once."""


def explain(
    rule: CorrelationRule,
    group: Mapping[str, str],
    found: Satisfied,
    tickets: Mapping[str, Sequence[str]],
    detections: Mapping[str, int],
    intel: Sequence[Entry] = (),
) -> dict[str, Any]:
    """tickets: ids by institution. detections: tickets by rule that matched. intel: in order."""
    margin = None if rule.absent else rule.condition.margin(found.peak, whole=not rule.numeric)
    deciding = deciding_of(rule, found)
    share = {name: len(ids) for name, ids in tickets.items()}
    sentences = [
        _missed(rule, group, found) if rule.absent else _measured(rule, group, found, margin),
        _shared(share),
        *_warned(intel),
        _decided(rule, found, deciding),
        *_unusual(rule, found.novelty),
        _by_rule(rule),
    ]
    return {
        "text": " ".join(said.text for said in sentences),
        "text_zh": "".join(said.text_zh for said in sentences),
        "type": rule.type,
        "counted": list(rule.fields),
        "percentile": rule.percentile,
        "condition": dict(rule.condition.bounds),
        "seen": plain(found.peak),
        "margin": None if margin is None else plain(margin),
        "ordered": bool(rule.order),
        "each": dict(rule.each.bounds) if rule.each else None,
        "spread": span_text(rule.spread_ms) if rule.spread_ms else None,
        "cap_each": "half" if rule.cap_each else None,
        "absent": rule.absent,
        "also": also_seen(rule, found.entries),
        "timespan": span_text(rule.timespan_ms),
        "share": share,
        "deciding": deciding,
        "novelty": {name: _told(found.novelty[name]) for name in sorted(found.novelty)},
        "detections": {name: detections[name] for name in sorted(detections)},
    }


def deciding_of(rule: CorrelationRule, found: Satisfied) -> dict[str, list[str]]:
    """By institution, the tickets at whose event time the condition first held; or which nothing followed."""
    deciding: dict[str, dict[str, None]] = {}
    at = found.first_ms - rule.timespan_ms if rule.absent else found.first_ms
    begin = bisect_left(found.entries, (at,))
    for entry in found.entries[begin : bisect_left(found.entries, (at + 1,), begin)]:
        deciding.setdefault(entry.institution, {})[entry.ticket_id] = None
    return {name: list(deciding[name]) for name in sorted(deciding)}


def _measured(rule: CorrelationRule, group: Mapping[str, str], found: Satisfied, margin: Number | None) -> Said:
    """What was seen, of what, in which time, against what is asked."""
    seen, seen_zh = (
        said.format(
            seen=shown(found.peak),
            of=", ".join(rule.fields),
            rules=len(rule.telling),
            percentile=shown(exactly(rule.percentile or 0)),
        )
        for said in _words(rule)
    )
    bounds, bounds_zh = asked(rule.condition)
    beside, beside_zh = asked_beside(rule, found.entries)
    span = span_text(rule.timespan_ms)
    where, where_zh = _where(group)
    if margin is None:
        spare, spare_zh = "", ""
    elif margin == 0:
        spare, spare_zh = ", no more than it needs", "，恰達門檻"
    else:
        spare, spare_zh = f", {shown(margin)} to spare", f"，尚有餘裕 {shown(margin)}"
    return Said(
        f"{seen} within {span}{where}; the rule asks for {bounds}{spare}{beside}.",
        f"{span} 內{seen_zh}{where_zh}，規則門檻為{bounds_zh}{spare_zh}{beside_zh}。",
    )


def _missed(rule: CorrelationRule, group: Mapping[str, str], found: Satisfied) -> Said:
    """What did not come, and since when."""
    span, since = span_text(rule.timespan_ms), rfc3339(found.first_ms - rule.timespan_ms)
    where, where_zh = _where(group)
    return Said(
        f"Nothing came within {span} after {since}{where}; the rule asks that something does.",
        f"{since} 之後 {span} 內{where_zh}未再收到任何訊息；規則要求應持續收到。",
    )


def _where(group: Mapping[str, str]) -> Said:
    """Of which group."""
    if not group:
        return Said("", "")
    named = [f"{name} = {value}" for name, value in group.items()]
    return Said(" for " + ", ".join(named), f"（{'、'.join(named)}）")


def _words(rule: CorrelationRule) -> tuple[str, str]:
    if rule.type == "value_count" and rule.fields == ("institution",):
        return _OF_INSTITUTIONS[rule.independent]
    return _SAID["ordered" if rule.order else rule.type]


def _shared(share: Mapping[str, int]) -> Said:
    """Each institution's share, who has most first."""
    counts = sorted(share.items(), key=lambda one: (-one[1], one[0]))
    names = _listed(f"{name} {count}" for name, count in counts)
    total = sum(share.values())
    return Said(
        f"{total} {'ticket' if total == 1 else 'tickets'} of "
        f"{len(share)} {'institution' if len(share) == 1 else 'institutions'}: {names}.",
        f"共 {len(share)} 家機構、{total} 張事件單：{names}。",
    )


def _warned(intel: Sequence[Entry]) -> Iterable[Said]:
    """Which intel stands in it, and whose: none of them is among the institutions for that."""
    if intel:
        named = _listed(f"{entry.ticket_id} ({entry.institution})" for entry in intel)
        yield Said(
            f"With intel, whose senders are no victims by it: {named}.", f"另有情資分析單（非受害通報）：{named}。"
        )


def _decided(rule: CorrelationRule, found: Satisfied, deciding: Mapping[str, Sequence[str]]) -> Said:
    """Which tickets completed it, and what it is without one of them, where that is known whatever else was sent.

    Not so where more tickets can undo the condition, or that of a correlation inside: then one fewer may have it hold
    elsewhere. Nor where own pasts or `spread` are asked: what came after it may then be what is new, or the first.
    """
    named = _listed(f"{ticket} ({name})" for name, ids in deciding.items() for ticket in ids)
    first = rfc3339(found.first_ms)
    if rule.absent:
        return Said(
            f"First so at {first}; the last before it: {named}.",
            f"最早成立於 {first}；此前最後為 {named}。",
        )
    if not rule.firm or rule.undone_inside:
        return Said(f"First so at {first}, by {named}.", f"最早成立於 {first}，由 {named} 促成。")
    without, without_zh = ("it", "此單") if sum(map(len, deciding.values())) == 1 else ("any of them", "其中任一單")
    return Said(
        f"First so at {first}, by {named}; without {without} the alert says less or falls.",
        f"最早成立於 {first}，由 {named} 促成；少了{without_zh}，告警即減弱或不成立。",
    )


def _told(one: Novelty) -> dict[str, Any]:
    return {"kind": one.kind, "seen": plain(one.seen), "before": None if one.before is None else plain(one.before)}


_UNUSUAL: Final = {
    "first_ever": ("{name} for the first time", "{name} 首見"),
    "surge": ("{name} {seen} in an hour, never more than {before} before", "{name} 一小時達 {seen}，過往至多 {before}"),
    "drop": ("{name} {seen} in {span}, {before} a week before", "{name} {span} 內僅 {seen}，一週前為 {before}"),
}


def _unusual(rule: CorrelationRule, novelty: Mapping[str, Novelty]) -> Iterable[Said]:
    """Where it is unusual, against each institution's own past."""
    if not novelty:
        return
    past = rule.past or Past()
    span = span_text(past.drop_hours * HOUR_MS)
    told = [
        [
            said.format(name=name, seen=shown(one.seen), before=shown(one.before or 0), span=span)
            for said in _UNUSUAL[one.kind]
        ]
        for name, one in sorted(novelty.items())
    ]
    yield Said(
        f"Unusual by their own past: {_listed(text for text, _ in told)}.",
        f"與自身過往相較為異常者：{_listed(text for _, text in told)}。",
    )
    if past.agreed:
        share = f"{float(past.agreed):.0%}"
        yield Said(
            f"Of all to whom it was news by then, {share} or more held it for this much.",
            f"截至當時，視其為異常之機構中有 {share} 以上認定達此程度。",
        )


def _by_rule(rule: CorrelationRule) -> Said:
    of, of_zh = (f" of {rule.dated}", f"，{rule.dated} 版") if rule.dated else ("", "")
    return Said(f"Rule {rule.name or rule.id}{of}.", f"規則 {rule.name or rule.id}{of_zh}。")


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" +{len(every) - LISTED_MAX}" if len(every) > LISTED_MAX else ""
    return ", ".join(every[:LISTED_MAX]) + more
