"""The ATT&CK tactics of an alert in their order, with when, where and by which techniques. Pure.

Not the timelines of `fsoc/correlation`, on which a group is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsoc.correlation.entries import Entry
from fsoc.tickets.times import rfc3339


def timeline(entries: Iterable[Entry], tactics: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row a tactic. tactics: short name → place in the kill chain; those it does not know come last, by name."""
    by_tactic: dict[str, list[tuple[Entry, str]]] = {}
    for entry in entries:
        for tactic, technique in entry.attack:
            by_tactic.setdefault(tactic, []).append((entry, technique))
    rows: list[dict[str, Any]] = []
    for tactic in sorted(by_tactic, key=lambda name: (tactics.get(name, len(tactics)), name)):
        seen = by_tactic[tactic]
        times = [entry.event_time_ms for entry, _ in seen]
        rows.append(
            {
                "tactic": tactic,
                "techniques": sorted({technique for _, technique in seen}),
                "first_seen": rfc3339(min(times)),
                "last_seen": rfc3339(max(times)),
                "tickets": len({(entry.institution, entry.ticket_id) for entry, _ in seen}),
                "institutions": len({entry.institution for entry, _ in seen}),
            }
        )
    return rows
