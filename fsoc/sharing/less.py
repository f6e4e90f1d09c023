"""What of today's statement may still be said once other tickets are red. Pure.

It takes out and never adds: members make tickets of their own red whenever they like, and whoever were told anew each
time would ask as often as it likes what the others have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from fsoc.sharing import words
from fsoc.sharing.hunt import Sought, hunts
from fsoc.sharing.mitigations import advice
from fsoc.sharing.records import Shared
from fsoc.sharing.statement import Statement

_SAME: Final[dict[str, Callable[[Any], Any]]] = {
    "techniques": lambda one: (one["tactic"], one["technique"]),
    "indicators": lambda one: (one["type"], one["value"]),
    "suppliers": str,
    "asset_types": str,
    "categories": str,
    "sources": lambda one: (one["sector"], one["institution"]),
}
"""By what a thing in a list is the same one as before."""


def less(before: Statement, now: Statement | None, shared: Shared) -> Statement | None:
    """before: what was said today. now: what would be said were it made anew, by `shared`.

    The count and every confidence stay as they were told until tomorrow: that they fall would say whose they were.
    """
    if now is None:
        return None
    left: Statement = {**before, **_span(before, now)}
    for name, same in _SAME.items():
        there = set(map(same, now[name]))
        left[name] = [one for one in before[name] if same(one) in there]
    left["timeline"] = list(_timeline(before["timeline"], now["timeline"]))
    title = words.Said(shared.rule_title, shared.rule_title_zh)
    count, since, until = left["institution_count_at_least"], left["first_seen"], left["last_seen"]
    left["summary"] = words.summary(shared.kind, title, count, since, until)._asdict()
    if any(left[name] != before[name] for name in ("indicators", "techniques")):
        techniques = list(dict.fromkeys(one["technique"] for one in left["techniques"]))
        tactics = list(dict.fromkeys(one["tactic"] for one in left["techniques"]))
        sought = [Sought(one["type"], one["value"]) for one in left["indicators"]]
        left["hunt"] = hunts(sought, techniques, tactics, shared.level, before["day"]) if before["hunt"] else []
        left["mitigations"] = advice(techniques) if before["mitigations"] else []
    return left


def _timeline(before: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in now:
        rows.setdefault(row["tactic"], []).append(row)
    for row in before:
        others = rows.get(row["tactic"], [])
        there = {technique for other in others for technique in other["techniques"]}
        techniques = [technique for technique in row["techniques"] if technique in there]
        if techniques:
            since, until = (pick(other[name] for other in others) for name, pick in _ENDS.items())
            yield {**row, "techniques": techniques, **_span(row, {"first_seen": since, "last_seen": until})}


_ENDS: Final[dict[str, Callable[[Iterable[str]], str]]] = {"first_seen": min, "last_seen": max}


def _span(before: dict[str, Any], now: dict[str, Any]) -> dict[str, str]:
    """The hours of both; where there are none, the one that is nearest to those of before and may be said."""
    since, until = now["first_seen"], now["last_seen"]
    return {
        "first_seen": min(max(before["first_seen"], since), until),
        "last_seen": max(min(before["last_seen"], until), since),
    }
