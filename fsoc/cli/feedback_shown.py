"""Feedback as people read it, in English or Traditional Chinese. Pure text; reads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from fsoc.cli.printable import printable
from fsoc.sharing.known import standing
from fsoc.tickets.times import rfc3339

if TYPE_CHECKING:
    from fsoc.runtime.sharing import Alerts

Row = dict[str, Any]

_WORDS: Final = {
    "told": "已告知",
    "held": "待放行",
    "taken_back": "已撤回",
    "environment": "環境不符不告知",
    "suppressed": "已抑制",
    "red": "因 TLP:RED 不告知",
    "few": "機構過少不告知",
    "settled": "已結案",
    "waiting": "尚未處理",
    "institutions told": "家機構已告知",
    "confidence": "可信度",
    "no alerts": "目前無告警",
    "open": "進行中",
    "final": "已結束",
    "retracted": "已撤回",
    "revision": "版次",
    "your tickets": "貴機構事件單",
    "techniques": "攻擊技術",
    "indicators": "指標",
    "suppliers": "委外廠商",
    "reported by": "通報機構",
    "to hunt": "搜尋規則",
    "what helps": "緩解措施",
    "what changed": "異動",
    "handling": "使用限制",
}
_ORDER: Final = ("held", "waiting", "told")


def _say(text: str, *, zh: bool) -> str:
    return _WORDS[text] if zh else text


def rows(alerts: Alerts) -> list[Row]:
    """What has become of each alert: those that wait first, the newest first."""
    found = []
    for name in {**alerts.shared, **alerts.known}:
        known, shared = alerts.known.get(name), alerts.shared.get(name)
        decision = None if known is None else known.decision
        found.append(
            {
                "alert_id": name,
                "standing": "waiting" if known is None else standing(known),
                "held": known is not None and known.held,
                "heard_at": None if known is None else rfc3339(known.at_ms),
                "level": None if shared is None else shared.level,
                "confidence": None if shared is None else shared.sharing.confidence,
                "title": None if shared is None else shared.rule_title,
                "title_zh": None if shared is None else shared.rule_title_zh,
                "told": 0 if known is None else sum(own.status != "retracted" for own in known.told.values()),
                "decision": None
                if decision is None
                else {"op": decision.op, "by": decision.by, "reason": decision.reason},
            }
        )
    found.sort(key=lambda row: (row["heard_at"] or "~", row["alert_id"]), reverse=True)
    return sorted(found, key=lambda row: _ORDER.index(row["standing"]) if row["standing"] in _ORDER else len(_ORDER))


def table(found: Sequence[Row], *, zh: bool) -> Iterator[str]:
    """Two lines for each."""
    if not found:
        yield _say("no alerts", zh=zh)
    for row in found:
        told = f"{row['told']:,} {_say('institutions told', zh=zh)}"
        sure = "" if row["confidence"] is None else f"  {_say('confidence', zh=zh)} {row['confidence']}"
        at = (row["heard_at"] or "")[:16].replace("T", " ")
        line = f"{row['alert_id']}  {_say(row['standing'], zh=zh):<10}  {row['level'] or '':<8}  {at}  {told}{sure}"
        yield click.style(line, bold=row["held"], dim=row["standing"] not in _ORDER)
        title = row["title_zh" if zh else "title"]
        if title:
            yield f"  {printable(title)}"
        if (decision := row["decision"]) is not None:
            yield f"  {decision['op']}  {printable(decision['by'])}: {printable(decision['reason'])}"


def lines(said: Row, *, zh: bool) -> Iterator[str]:
    """One record whole, as its receiver would read it."""
    text = "text_zh" if zh else "text"
    name = "name_zh" if zh else "name"
    revision = f"{_say('revision', zh=zh)} {said['revision']}"
    head = f"{said['alert_id']}  {_say(said['status'], zh=zh)}  {said['level']}  {revision}"
    yield click.style(f"{'【演練】' if said['exercise'] else ''}{head}", bold=True)
    yield f"  {said['title_zh' if zh else 'title']}"
    yield f"  {said['why'][text]}"
    yield from _section("your tickets", [" ".join(said["ticket_ids"])] if said["ticket_ids"] else [], zh=zh)
    yield from _section("what changed", [change[text] for change in said["changes"]], zh=zh)
    statement = said["statement"]
    if statement is not None:
        yield f"  {statement['summary'][text]}"
        tactic = "tactic_name_zh" if zh else "tactic_name"
        techniques = [f"{one[tactic]}: {one['technique']} {one['name']}" for one in statement["techniques"]]
        yield from _section("techniques", techniques, zh=zh)
        indicators = [
            f"{one['type']}  {one['value']}  {one['role']}  {one['confidence']}" for one in statement["indicators"]
        ]
        yield from _section("indicators", indicators, zh=zh)
        yield from _section("suppliers", statement["suppliers"], zh=zh)
        yield from _section("reported by", [one[name] or one["sector"] for one in statement["sources"]], zh=zh)
        hunts = [f"{one['rule_id']}  {one['title_zh' if zh else 'title']}" for one in statement["hunt"]]
        yield from _section("to hunt", hunts, zh=zh)
        yield from _section("what helps", [f"{one['id']}  {one[name]}" for one in statement["mitigations"]], zh=zh)
    yield from _section("handling", [said["handling"][text]], zh=zh)


def _section(title: str, entries: Sequence[str], *, zh: bool) -> Iterator[str]:
    if entries:
        yield click.style(_say(title, zh=zh), bold=True)
        yield from (f"  {printable(entry)}" for entry in entries)
