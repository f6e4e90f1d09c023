"""What a correlation measures of the rows of one window, and whether its condition holds: one window at a time."""

from __future__ import annotations

import operator
import re
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from tests.oracles.correlation_oracle import capped, reckoned

OPERATORS = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}

is_number = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch


def holds(bounds: Iterable[tuple[str, Any]], measure: Any) -> bool:
    return measure is not None and all(OPERATORS[name](measure, Fraction(str(bound))) for name, bound in bounds)


def measured(rule: Any, rows: Sequence[Any]) -> Any:
    """None where the rows lack what the rule asks for beside."""
    for place, (_, condition) in enumerate(rule.also):
        if not holds(condition.bounds, len({value for row in rows for value in row.also[place]})):
            return None
    counts = {
        "event_count": lambda: len({(row.institution, row.ticket_id) for row in rows}),
        "value_count": lambda: counted(rule, rows),
        "temporal": lambda: len({name for row in rows for name in row.rules} - only_past(rule)),
        "temporal_ordered": lambda: longest_chain(
            [name for name in rule.rules if name not in only_past(rule)], [(row.at, row.rules) for row in rows]
        ),
    }
    if rule.type in counts:
        return counts[rule.type]()
    if rule.cap_each:
        return capped(rule, [(row.member, Fraction(text)) for row in rows for _, text in row.values])
    return reckoned(rule, [Fraction(text) for row in rows for _, text in row.values])


def only_past(rule: Any) -> frozenset[str]:
    """The rules whose tickets never count."""
    return frozenset(rule.past.rules if rule.past is not None else ())


def counted(rule: Any, rows: Sequence[Any]) -> int | None:
    """How many different values, of those that count; None where these came too close together."""
    if rule.order:
        return longest_chain(rule.order, [(row.at, {value for (value,) in row.values}) for row in rows])
    first: dict[Any, int] = {}
    tickets: dict[Any, set[tuple[str, str]]] = {}
    for row in rows:
        for value in row.values:
            first.setdefault(value, row.at)  # rows are in order of time
            tickets.setdefault(value, set()).add((row.institution, row.ticket_id))
    counting = [value for value in first if not rule.each or holds(rule.each.bounds, len(tickets[value]))]
    if rule.spread_ms:
        times = sorted(first[value] for value in counting)
        if not times or times[-1] - times[0] < rule.spread_ms:
            return None
    return len(counting)


def longest_chain(names: Sequence[str], rows: Sequence[tuple[int, Collection[str]]]) -> int:
    """How many, in their order, came one after another; taking the earliest each time loses nothing."""
    for length in range(len(names), 0, -1):
        for chain in combinations(names, length):
            at: float = float("-inf")
            for name in chain:
                at = min((then for then, has in rows if name in has and then >= at), default=float("inf"))
            if at < float("inf"):
                return length
    return 0


def most_telling(bounds: Iterable[tuple[str, Any]], measures: Sequence[Any]) -> int | float:
    """The greatest, or where only upper bounds are asked the least; as JSON carries it."""
    one = min(measures) if all(name in {"lt", "lte"} for name, _ in bounds) else max(measures)
    return int(one) if one == int(one) and abs(one) < 2**53 else float(one)
