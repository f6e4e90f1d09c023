"""How busy a day is: Taipei's week, and its public holidays. Not the hours of a day, which are each member's own."""

from __future__ import annotations

from fsoc.exercise.spec import DAY_MS, HOUR_MS

TAIPEI_MS = 8 * HOUR_MS
WEEKEND, HOLIDAY = 0.35, 0.25
_FRIDAY = 4
_HOLIDAYS = frozenset({20_623})
"""Days since 1970 by Taipei's clock: 2026-06-19, Dragon Boat Festival, which makes a weekend of three days."""


def taipei_day(at_ms: int) -> int:
    """Days since 1970 by Taipei's clock."""
    return (at_ms + TAIPEI_MS) // DAY_MS


def day_factor(at_ms: int, *, always_open: bool = False) -> float:
    """What part of a working day's tickets this day brings. always_open: payments are made at weekends too."""
    day = taipei_day(at_ms)
    if day in _HOLIDAYS:
        return 0.8 if always_open else HOLIDAY
    if (day + 3) % 7 > _FRIDAY:  # 1970-01-01 was a Thursday, and Monday is 0
        return 0.8 if always_open else WEEKEND
    return 1.0
