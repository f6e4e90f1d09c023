"""Whether a component is a campaign, and what is said of it. Pure; a function of what its members say.

A campaign is a component with `INSTITUTIONS_LEAST` independent institutions and two independent links. Two links are
independent where their values differ and

    either  each has a ticket that the other has not: one was seen without the other
    or      the tickets they have in common are of `INSTITUTIONS_LEAST` independent institutions: many name both

so that two names of one thing, of which one sender tells another, are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final

import orjson

from fsoc.campaigns.records import Technique, Told
from fsoc.correlation.reader import LEVELS
from fsoc.tickets.times import rfc3339

SCHEMA: Final = "fsoc.campaign/1"
INSTITUTIONS_LEAST: Final = 3
LISTED_MAX: Final = 1_000
"""Links, and alerts, that a campaign lists; all are counted."""

EXPLAINED_MAX: Final = 5
"""Links that the explanation names."""

Tickets = frozenset[tuple[str, str]]


def campaign_id(root: str) -> str:
    """Of the campaign whose oldest link this is: the same on every machine, as long as none older joins it."""
    name = f"campaign\x00{root}"
    return f"ca-{blake2b(name.encode(), digest_size=16).hexdigest()}"


def oldest_link(members: Iterable[Told]) -> Told | None:
    return min((told for told in members if told.what == "link"), key=_by_time, default=None)


def is_campaign(members: Sequence[Told]) -> bool:
    """Whether what is together is a campaign, as said at the top."""
    independent = {member for told in members for member in told.members.values()}
    return len(independent) >= INSTITUTIONS_LEAST and _has_two_links(members)


def _has_two_links(members: Sequence[Told]) -> bool:
    """Whether two links among them are independent.

    By size, each of the sets either lies within the next or there are two of which neither lies within the other. Where
    all lie within each other, the two greatest have most in common: all of the lesser.
    """
    values: dict[bytes, set[tuple[str, str]]] = {}
    member_of: dict[str, str] = {}
    for told in members:
        if told.what == "link":
            values.setdefault(value_of(told.group), set()).update(told.tickets)
            member_of.update(told.members)
    by_size = sorted(values.values(), key=len)
    if len(by_size) < 2:
        return False
    if any(not lesser <= greater for lesser, greater in pairwise(by_size)):
        return True
    return len({member_of[institution] for institution, _ in by_size[-2]}) >= INSTITUTIONS_LEAST


def value_of(group: Mapping[str, Any]) -> bytes:
    """What a link is of, by whatever rule and under whatever name."""
    return orjson.dumps(sorted(map(str, group.values())))


def compose(members: Sequence[Told], tactics: Mapping[str, int]) -> dict[str, Any]:
    """The body of a campaign without what is its book's to give: revision, status, merged_into.

    members: at least one link. tactics: short name → place in the kill chain.
    """
    ordered = sorted(members, key=_by_time)
    links = [told for told in ordered if told.what == "link"]
    alerts = [told for told in ordered if told.what == "alert"]
    institutions = sorted({name for told in ordered for name in told.members})
    tickets = {ticket for told in ordered for ticket in told.tickets}
    return {
        "schema": SCHEMA,
        "campaign_id": campaign_id(links[0].id),
        "environment": links[0].environment,
        "alert_ids": [told.id for told in alerts[:LISTED_MAX]],
        "alert_count": len(alerts),
        "links": [_link(told) for told in links[:LISTED_MAX]],
        "link_count": len(links),
        "institutions": institutions,
        "institution_count": len(institutions),
        "independent_count": len({member for told in ordered for member in told.members.values()}),
        "ticket_count": len(tickets),
        "first_seen": rfc3339(min(told.first_ms for told in ordered)),
        "last_seen": rfc3339(max(told.last_ms for told in ordered)),
        "tactics": list(_tactics((each for told in ordered for each in told.attack), tactics)),
        "severity": max(told.severity for told in ordered),
        "level": LEVELS[max(LEVELS.index(told.level) for told in ordered)],
        "explanation": _explain(links, len(alerts), len(institutions), len(tickets)),
    }


def _by_time(told: Told) -> tuple[int, str]:
    return told.first_ms, told.id


def _link(told: Told) -> dict[str, Any]:
    return {
        "id": told.id,
        "rule_id": told.rule_id,
        "rule_title": told.rule_title,
        "rule_title_zh": told.rule_title_zh,
        "group": told.group,
        "institutions": sorted(told.members),
        "ticket_count": len(told.tickets),
        "first_seen": rfc3339(told.first_ms),
        "last_seen": rfc3339(told.last_ms),
    }


def _tactics(seen: Iterable[Technique], places: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Each tactic with its techniques and when its first and its last ticket happened, along the kill chain."""
    found: dict[str, tuple[set[str], int, int]] = {}
    for tactic, technique, first_ms, last_ms in seen:
        techniques, first, last = found.get(tactic, (set(), first_ms, last_ms))
        found[tactic] = techniques | {technique}, min(first, first_ms), max(last, last_ms)
    for tactic in sorted(found, key=lambda name: (places.get(name, len(places)), name)):
        techniques, first, last = found[tactic]
        yield {
            "tactic": tactic,
            "techniques": sorted(techniques),
            "first_seen": rfc3339(first),
            "last_seen": rfc3339(last),
        }


def _explain(links: Sequence[Told], alerts: int, institutions: int, tickets: int) -> dict[str, str]:
    """Which links tie it together, those of most tickets first: who takes these out sees what is left."""
    greatest = sorted(links, key=lambda told: (-len(told.tickets), *_by_time(told)))
    named = [(_shown(told.group), len(told.members), len(told.tickets)) for told in greatest[:EXPLAINED_MAX]]
    more = len(links) - len(named)
    ties = "; ".join(f"{what} ({_count(count, 'ticket')} of {who} institutions)" for what, who, count in named)
    ties_zh = "、".join(f"{what}（{who} 家機構、{count} 張事件單）" for what, who, count in named)
    held = f"{_count(tickets, 'ticket')} of {institutions} institutions and {_count(alerts, 'joint alert')}"
    return {
        "text": f"{held}, tied together by {_count(len(links), 'link')}: {ties}{f'; and {more} more' if more else ''}.",
        "text_zh": f"{institutions} 家機構之 {tickets} 張事件單與 {alerts} 則聯防告警，由 {len(links)} 項共同線索相連："
        f"{ties_zh}{f'，另有 {more} 項' if more else ''}。",
    }


def _shown(group: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in group.items())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
