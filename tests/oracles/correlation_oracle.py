"""Law 7 word by word: every entry's event time, every entry of (t - timespan, t], in quadratic time and worse.

Shares nothing with fsoc/correlation but the rule and the entries it is asked about.
"""

from __future__ import annotations

import statistics
from fractions import Fraction
from itertools import combinations


def episodes(rule, entries, until=None):
    """[(episode, first t, last t, peak, members in order)], in the order of the episodes; of intel alone there is none.

    until: of absence, how far event time was settled before everything ended.
    """
    found = {}
    if rule.absent:
        for t, silent in absences(rule, entries, until):
            if any(entry.member for entry in silent):
                found.setdefault(t // max(rule.timespan_ms, 86_400_000), []).append((t, 0, silent))
        return [(episode, *summed_up(rule, windows)) for episode, windows in found.items()]
    for t in sorted({entry.event_time_ms for entry in entries}):
        window = [entry for entry in entries if t - rule.timespan_ms < entry.event_time_ms <= t]
        measure = measured(rule, window)
        if holds(rule, measure) and any(entry.member for entry in window):
            found.setdefault(t // max(rule.timespan_ms, 86_400_000), []).append((t, measure, window))
    return [(episode, *summed_up(rule, windows)) for episode, windows in found.items()]


def absences(rule, entries, until):
    """[(t, those at t - timespan, after which nothing came until t)]; where nothing ever came, only before `until`."""
    found = []
    for at in sorted({entry.event_time_ms for entry in entries}):
        t, last = at + rule.timespan_ms, at == max(entry.event_time_ms for entry in entries)
        silent = [entry for entry in entries if entry.event_time_ms == at]
        nothing = not any(at < entry.event_time_ms <= t for entry in entries)
        if nothing and not all(entry.ends for entry in silent) and (not last or (until is not None and t < until)):
            found.append((t, silent))
    return found


def summed_up(rule, windows):
    times = [t for t, _, _ in windows]
    measures = [measure for _, measure, _ in windows]
    only_upper = all(name in {"lt", "lte"} for name, _ in rule.condition.bounds)
    members = {entry for _, _, window in windows for entry in window}
    return min(times), max(times), min(measures) if only_upper else max(measures), tuple(sorted(members))


def holds(rule, measure):
    return measure is not None and within(rule.condition, measure)


def within(condition, measure):
    answers = {
        "gt": lambda bound: measure > bound,
        "gte": lambda bound: measure >= bound,
        "lt": lambda bound: measure < bound,
        "lte": lambda bound: measure <= bound,
        "eq": lambda bound: measure == bound,
        "neq": lambda bound: measure != bound,
    }
    return all(answers[name](Fraction(str(bound))) for name, bound in condition.bounds)


def measured(rule, window):
    """None where something else that the rule asks of the window is not there."""
    for place, (_, condition) in enumerate(rule.also):
        if not within(condition, len({value for entry in window for value in entry.also[place]})):
            return None
    counts = {
        "event_count": lambda: len({(entry.institution, entry.ticket_id) for entry in window}),
        "value_count": lambda: counted(rule, window),
        "temporal": lambda: len({name for entry in window for name in entry.rules} - only_past(rule)),
        "temporal_ordered": lambda: longest_chain(
            [name for name in rule.rules if name not in only_past(rule)],
            [(one.event_time_ms, one.rules) for one in window],
        ),
    }
    if rule.type in counts:
        return counts[rule.type]()
    if rule.cap_each:
        return capped(rule, [(entry.member, Fraction(text)) for entry in window for (text,) in entry.values])
    return reckoned(rule, [Fraction(text) for entry in window for (text,) in entry.values])


def only_past(rule):
    return frozenset(rule.past.rules if rule.past is not None else ())


def capped(rule, numbers):
    """numbers: (member, number) …"""
    half = max(Fraction(str(bound)) for name, bound in rule.condition.bounds if name in {"gt", "gte"}) / 2
    members = {member for member, _ in numbers if member}
    return sum(min(half, max(one for who, one in numbers if who == member)) for member in members)


def reckoned(rule, numbers):
    """The sum, mean, median or percentile of these numbers."""
    match rule.type:
        case "value_sum":
            return sum(numbers)
        case "value_avg":
            return sum(numbers) / len(numbers)
        case "value_median":
            return statistics.median(numbers)
        case "value_percentile":
            least = Fraction(str(rule.percentile)) * len(numbers) / 100
            return min(one for one in numbers if sum(other <= one for other in numbers) >= least)
    raise AssertionError(rule.type)


def counted(rule, window):
    """How many different values, of those that count; None where these came too close together."""
    if rule.order:
        return longest_chain(rule.order, [(one.event_time_ms, [value for (value,) in one.values]) for one in window])
    values = {value for entry in window for value in entry.values}
    if rule.each:
        tickets = {v: {(one.institution, one.ticket_id) for one in window if v in one.values} for v in values}
        values = {value for value in values if within(rule.each, len(tickets[value]))}
    if rule.spread_ms:
        firsts = [min(one.event_time_ms for one in window if value in one.values) for value in values]
        if not any(one - other >= rule.spread_ms for one in firsts for other in firsts):
            return None
    return len(values)


def longest_chain(order, window):
    """window: (time, which of those in order an entry has)."""
    chains = (chain for length in range(len(order), 0, -1) for chain in combinations(order, length))
    return len(next((chain for chain in chains if in_order(chain, window, float("-inf"))), ()))


def in_order(chain, window, not_before):
    """Whether the window has each of the chain, none earlier than the one before it."""
    if not chain:
        return True
    first, *rest = chain
    return any(in_order(rest, window, at) for at, names in window if first in names and at >= not_before)
