"""Where a correlation holds: sliding windows over event time. Pure; a function of a set of entries (law 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from fsoc.correlation.entries import Entry
from fsoc.correlation.exact import Number
from fsoc.correlation.measures import measure_of
from fsoc.correlation.past import HOUR_MS, Novelty, Seal, counted, hour_of
from fsoc.correlation.rules import CorrelationRule
from fsoc.feeds.ledger import END_MS


class Satisfied(NamedTuple):
    """One episode of one group in which the condition held.

    first_ms, last_ms: the earliest and latest event time t at which it held over (t - timespan, t].
    peak: the measure that speaks most for the condition, of those at which it held.
    entries: the union of all satisfied windows, in order.
    novelty: by institution, why the first of its entries counts, where its own past is asked.
    """

    episode: int
    first_ms: int
    last_ms: int
    peak: Number
    entries: tuple[Entry, ...]
    novelty: Mapping[str, Novelty] = {}  # never changed


Window = tuple[int, int, int, Number]
"""(event time t, index of the first entry of (t - timespan, t], index past its last, measure)."""


def satisfied(rule: CorrelationRule, entries: Sequence[Entry], decided_before_ms: int | None) -> list[Satisfied]:
    """Evaluate the rule at every entry's event time: the plain way, that `timeline.py` is held against.

    entries: sorted. decided_before_ms: where the condition can be undone by entries still to come, only times before
    this one are decided (law 8); None decides every time.
    """
    return summed_up(rule, entries, list(holding(rule, entries, decided_before_ms)))


def satisfied_by_past(
    rule: CorrelationRule,
    entries: Sequence[Entry],
    decided_before_ms: int | None,
    since: Mapping[str, int],
    seals: Mapping[str, Seal],
) -> list[Satisfied]:
    """As `satisfied`, of a rule that looks at each institution's own past; since, seals: as in `counted`."""
    if rule.past is None:
        return satisfied(rule, entries, decided_before_ms)
    if decided_before_ms is not None and rule.past.counts_when == "drop":
        decided_before_ms = decided_before_ms // HOUR_MS * HOUR_MS  # an hour is known when it is over
    counting = counted(rule.past, entries, since, seals, numeric=rule.numeric)
    why = {(entry.institution, hour_of(entry)): one for entry, one in counting if one is not None}  # none is intel's
    found: list[Satisfied] = []
    for each in satisfied(rule, [entry for entry, _ in counting], decided_before_ms):
        novel: dict[str, Novelty] = {}
        for entry in each.entries:
            one = why.get((entry.institution, hour_of(entry)))
            if one is not None and not entry.is_intel:
                novel.setdefault(entry.institution, one)
        found.append(each._replace(novelty=novel))
    return found


def holding(rule: CorrelationRule, entries: Sequence[Entry], decided_before_ms: int | None) -> Iterator[Window]:
    """The windows that hold, in order; as `satisfied`."""
    if rule.absent:
        yield from _absences(rule, entries, decided_before_ms)
        return
    for at, left, right, measure in _windows(rule, entries):
        if decided_before_ms is not None and at >= decided_before_ms:
            return
        if measure is not None and rule.condition.holds(measure):
            yield at, left, right, measure


def _absences(rule: CorrelationRule, entries: Sequence[Entry], decided_before_ms: int | None) -> Iterator[Window]:
    """Of a rule that asks for absence: the time at which it was complete, and what nothing followed for so long."""
    ended = decided_before_ms is None or decided_before_ms >= END_MS
    past, total = 0, len(entries)
    while past < total:
        first, at = past, entries[past].event_time_ms
        while past < total and entries[past].event_time_ms == at:
            past += 1
        until = at + rule.timespan_ms
        if decided_before_ms is not None and until >= decided_before_ms:
            return
        if is_silent_after(rule, entries, first, past, ended=ended):
            yield until, first, past, 0


def is_silent_after(rule: CorrelationRule, entries: Sequence[Entry], first: int, past: int, *, ended: bool) -> bool:
    """Whether a timespan without any entry follows entries[first:past], which are all those of one event time.

    Not where each of them ends its feed. ended: nor where nothing follows at all, for nothing can follow any more.
    """
    if all(entry.ends for entry in entries[first:past]):
        return False
    if past == len(entries):
        return not ended
    return entries[past].event_time_ms > entries[first].event_time_ms + rule.timespan_ms


def summed_up(rule: CorrelationRule, entries: Sequence[Entry], windows: Sequence[Window]) -> list[Satisfied]:
    """The episodes of these windows, which are all those that hold, in order.

    Windows of intel alone are passed over: what happened to nobody is told to nobody, and begins nothing.
    """
    found: dict[int, list[Window]] = {}
    for window in windows:
        _, left, right, _ = window
        if not all(entries[place].is_intel for place in range(left, right)):
            found.setdefault(window[0] // rule.episode_ms, []).append(window)
    return [
        Satisfied(
            episode,
            of_it[0][0],
            of_it[-1][0],
            reduce(rule.condition.furthest, (measure for _, _, _, measure in of_it)),
            tuple(_union(entries, of_it)),
        )
        for episode, of_it in found.items()
    ]


def _windows(rule: CorrelationRule, entries: Sequence[Entry]) -> Iterator[tuple[int, int, int, Number | None]]:
    """For each distinct event time t: (t, first index, index past the last, measure) of (t - timespan, t]."""
    measure = measure_of(rule)
    left = right = 0
    total = len(entries)
    while right < total:
        at = entries[right].event_time_ms
        while right < total and entries[right].event_time_ms == at:
            measure.add(entries[right])
            right += 1
        while entries[left].event_time_ms <= at - rule.timespan_ms:
            measure.remove(entries[left])
            left += 1
        yield at, left, right, measure.value()


def _union(entries: Sequence[Entry], windows: Sequence[Window]) -> Iterator[Entry]:
    """The entries of windows whose bounds only ever move forward, each once."""
    done = 0
    for _, left, right, _ in windows:
        yield from entries[max(left, done) : right]
        done = right
