"""Campaigns as people read them, in English or Traditional Chinese. Pure text; reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from fsoc.cli.printable import printable

if TYPE_CHECKING:
    from fsoc.campaigns.records import Decision

Campaign = dict[str, Any]

_WORDS: Final = {
    "open": "進行中",
    "final": "已結束",
    "merged": "已併入他案",
    "retracted": "已撤回",
    "campaigns": "聯防攻擊活動",
    "institutions": "機構",
    "alerts": "告警",
    "tickets": "事件單",
    "links": "共同線索",
    "tactics": "攻擊戰術",
    "decisions": "分析人員決定",
    "merged into": "併入",
    "undone": "已復原",
    "split": "拆分",
    "merge": "合併",
    "undo": "復原",
    "no campaigns": "目前無聯防攻擊活動",
}


def _say(text: str, *, zh: bool) -> str:
    return _WORDS[text] if zh else text


def table(campaigns: Sequence[Campaign], *, zh: bool) -> Iterator[str]:
    """A line for each: id, status, level, how much is in it, when, and what ties it most."""
    if not campaigns:
        yield _say("no campaigns", zh=zh)
    for one in campaigns:
        counts = "  ".join(
            f"{one[key]:,} {_say(name, zh=zh)}"
            for key, name in (("institution_count", "institutions"), ("alert_count", "alerts"), ("link_count", "links"))
        )
        times = f"{_minute(one['first_seen'])} – {_minute(one['last_seen'])}"
        line = f"{one['campaign_id']}  {_say(one['status'], zh=zh):<9}  {one['level']:<8}  {times}  {counts}"
        yield click.style(line, dim=one["status"] in {"merged", "retracted"})
        yield f"  {_explained(one, zh=zh)}"


def lines(one: Campaign, decisions: Iterable[tuple[Decision, bool]], *, zh: bool) -> Iterator[str]:
    """Everything of one, section by section. decisions: those about it, and whether each holds."""
    yield click.style(f"{one['campaign_id']}  {_say(one['status'], zh=zh)}  {one['level']}", bold=True)
    if one["merged_into"] is not None:
        yield f"  {_say('merged into', zh=zh)} {one['merged_into']}"
    yield f"  {_explained(one, zh=zh)}"
    yield f"  {_minute(one['first_seen'])} – {_minute(one['last_seen'])}"
    yield f"{_say('institutions', zh=zh)}  {printable(' '.join(one['institutions']))}"
    yield click.style(_say("links", zh=zh), bold=True)
    for link in one["links"]:
        group = ", ".join(f"{name} = {value}" for name, value in link["group"].items())
        yield f"  {link['id']}  {printable(group)}"
        title = link["rule_title_zh" if zh else "rule_title"]
        counted = f"{link['ticket_count']:,} {_say('tickets', zh=zh)}, {printable(' '.join(link['institutions']))}"
        yield click.style(f"      {printable(title)}: {counted}", dim=True)
    yield click.style(_say("alerts", zh=zh), bold=True)
    yield from (f"  {name}" for name in one["alert_ids"])
    if one["tactics"]:
        yield click.style(_say("tactics", zh=zh), bold=True)
    for tactic in one["tactics"]:
        times = f"{_minute(tactic['first_seen'])} – {_minute(tactic['last_seen'])}"
        yield f"  {times}  {printable(tactic['tactic'])}  {printable(' '.join(tactic['techniques']))}"
    for place, (decision, holds) in enumerate(decisions):
        if place == 0:
            yield click.style(_say("decisions", zh=zh), bold=True)
        undone = "" if holds or decision.op == "undo" else f"  ({_say('undone', zh=zh)})"
        about = decision.undoes or " ".join(decision.named)
        yield f"  {decision.decision_id}  {_say(decision.op, zh=zh)}{undone}  {printable(about)}"
        yield f"      {printable(decision.decided_at)}  {printable(decision.by)}: {printable(decision.reason)}"


def _explained(one: Campaign, *, zh: bool) -> str:
    return printable(one["explanation"]["text_zh" if zh else "text"])


def _minute(time: str) -> str:
    return f"{time[:10]} {time[11:16]}"
