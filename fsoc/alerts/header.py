"""The record that sums one partition of correlation up, in its state. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fsoc.alerts.book import Book
from fsoc.correlation.levels import Levels


def header(levels: Levels, book: Book, **facts: Any) -> bytes:
    """facts: what else the partition knows, by the names in the state."""
    return msgspec.json.encode(
        {
            **facts,
            "closed_until_ms": levels.closed[levels.depth - 1],
            "raised_total": book.raised_total,
            "expired_total": book.expired_total,
            "alerts_open": book.open_total,
            "entries": sum(len(level.groups) for level in levels),
            "relays": sum(len(level.relays) for level in levels),
            "evicted_total": sum(level.groups.evicted_total for level in levels),
            "displaced_total": sum(level.groups.displaced_total for level in levels),
            "misfits_total": levels.misfits_total,
            "closed": levels.closed,
        }
    )


def restore_totals(state: Mapping[str, Any], levels: Levels, book: Book) -> None:
    """Go on counting from what a header says; what the levels count is one sum, and the first has it."""
    levels.misfits_total, book.expired_total = state["misfits_total"], state["expired_total"]
    groups = next(iter(levels)).groups
    groups.evicted_total, groups.displaced_total = state["evicted_total"], state["displaced_total"]
