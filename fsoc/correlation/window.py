"""Where a correlation holds: sliding windows over event time. Pure; a function of a set of entries (law 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fsoc.correlation.rules import CorrelationRule


class Entry(NamedTuple):
    """One ticket's contribution to one group.

    Entries sort by event time, then institution and ticket id, so any set of entries has one order.
    values: the distinct value tuples a value_count counts; () for event_count.
    member: what counts once for `independent`: the holding group, or the institution itself.
    attack: (tactic, technique) pairs. rules: the detections that matched.
    """

    event_time_ms: int
    institution: str
    ticket_id: str
    revision: int
    values: tuple[tuple[str, ...], ...]
    member: str
    severity: int
    attack: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]


class Satisfied(NamedTuple):
    """One episode of one group in which the condition held.

    first_ms, last_ms: the earliest and latest event time t at which it held over (t - timespan, t].
    peak: the measure furthest into the condition's favour: the greatest seen.
    entries: the union of all satisfied windows, in order.
    """

    episode: int
    first_ms: int
    last_ms: int
    peak: int
    entries: tuple[Entry, ...]


def satisfied(rule: CorrelationRule, entries: Sequence[Entry], decided_before_ms: int | None) -> list[Satisfied]:
    """Evaluate the rule at every entry's event time.

    entries: sorted. decided_before_ms: where the condition can be undone by entries still to come, only times before
    this one are decided (law 8); None decides every time.
    """
    found: dict[int, list[tuple[int, int, int, int]]] = {}
    for at, left, right, measure in _windows(rule, entries):
        if decided_before_ms is not None and at >= decided_before_ms:
            break
        if rule.condition.holds(measure):
            found.setdefault(at // rule.episode_ms, []).append((at, left, right, measure))
    return [
        Satisfied(
            episode,
            windows[0][0],
            windows[-1][0],
            max(measure for _, _, _, measure in windows),
            tuple(_union(entries, windows)),
        )
        for episode, windows in found.items()
    ]


def _windows(rule: CorrelationRule, entries: Sequence[Entry]) -> Iterator[tuple[int, int, int, int]]:
    """For each distinct event time t: (t, first index, index past the last, measure) of (t - timespan, t]."""
    counted: dict[tuple[str, ...], int] = {}
    left = right = 0
    total = len(entries)
    while right < total:
        at = entries[right].event_time_ms
        while right < total and entries[right].event_time_ms == at:
            for value in entries[right].values:
                counted[value] = counted.get(value, 0) + 1
            right += 1
        while entries[left].event_time_ms <= at - rule.timespan_ms:
            for value in entries[left].values:
                counted[value] -= 1
                if not counted[value]:
                    del counted[value]
            left += 1
        yield at, left, right, len(counted) if rule.fields else right - left


def _union(entries: Sequence[Entry], windows: Sequence[tuple[int, int, int, int]]) -> Iterator[Entry]:
    """The entries of windows whose bounds only ever move forward, each once."""
    done = 0
    for _, left, right, _ in windows:
        yield from entries[max(left, done) : right]
        done = right
