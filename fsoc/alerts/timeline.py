"""The ATT&CK tactics of an alert in their order, with when, where and by which techniques. Pure.

Not the timelines of `fsoc/correlation`, on which a group is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsoc.correlation.entries import Entry
from fsoc.tickets.times import rfc3339


class _Seen:
    """Of the entries that name the same techniques: how many, when, and of whom."""

    __slots__ = ("first_ms", "institutions", "last_ms", "tickets")

    def __init__(self) -> None:
        self.tickets = 0
        self.first_ms = self.last_ms = 0
        self.institutions: set[str] = set()

    def add(self, entry: Entry) -> None:
        at = entry.event_time_ms
        self.first_ms = min(at, self.first_ms) if self.tickets else at
        self.last_ms = max(at, self.last_ms) if self.tickets else at
        self.tickets += 1
        self.institutions.add(entry.institution)


def timeline(entries: Iterable[Entry], tactics: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row a tactic. entries: each ticket once.

    tactics: short name → place in the kill chain; those it does not know come last, by name.
    """
    # Most tickets of one alert name the same techniques: looked at once for all of them.
    alike: dict[tuple[tuple[str, str], ...], _Seen] = {}
    for entry in entries:
        seen = alike.get(entry.attack)
        if seen is None:
            seen = alike[entry.attack] = _Seen()
        seen.add(entry)
    named = {tactic for attack in alike for tactic, _ in attack}
    return [_row(tactic, alike) for tactic in sorted(named, key=lambda name: (tactics.get(name, len(tactics)), name))]


def _row(tactic: str, alike: Mapping[tuple[tuple[str, str], ...], _Seen]) -> dict[str, Any]:
    of_it = {attack: seen for attack, seen in alike.items() if any(name == tactic for name, _ in attack)}
    return {
        "tactic": tactic,
        "techniques": sorted({technique for attack in of_it for name, technique in attack if name == tactic}),
        "first_seen": rfc3339(min(seen.first_ms for seen in of_it.values())),
        "last_seen": rfc3339(max(seen.last_ms for seen in of_it.values())),
        "tickets": sum(seen.tickets for seen in of_it.values()),
        "institutions": len(set().union(*(seen.institutions for seen in of_it.values()))),
    }
