"""The record that sums one partition of correlation up, in its state. Pure."""

from __future__ import annotations

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
