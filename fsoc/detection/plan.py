"""What is searched for: each rule's anchor, a few clauses of which one must hold wherever the rule does.

A rule whose anchor found nothing cannot match, so that only anchors are searched and the rest of a rule is tried where
its anchor was found. Which anchor a rule gets changes no match, only what matching costs: it is chosen by how often
clauses were seen to hold, and by a prior before anything was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from fsoc.detection.program import (
    EVERYTHING,
    And,
    AtLeast,
    Clause,
    Condition,
    Exists,
    Is,
    Not,
    Null,
    Number,
    Or,
    Program,
    SameAs,
    Text,
    Wildcards,
)

Anchor: TypeAlias = tuple[int, ...] | None
"""Clauses, ascending, of which one holds wherever the rule does; (): the rule never does; None: try it always."""

_PRIOR_WEIGHT: Final = 64
"""As many events as the prior counts for beside those seen."""
_NOT_ANCHORS: Final = (Null, Exists, SameAs)
"""Not functions of one value; or true of what is missing."""
_PRIOR_OF_PLACE: Final = {"whole": 0.02, "start": 0.06, "end": 0.06, "anywhere": 0.2}
_RARER_BY_CHARACTER: Final = 0.75
_CHARACTERS_MAX: Final = 32
_PRIOR_OF_OTHERS: Final = 0.1
_SEARCH_OF_TEXT: Final = 0.00002
_SEARCH_OF_OTHERS: Final = 0.02
"""What it costs to look for a clause in a value, where trying one rule on one event costs 1."""
_OFTEN: Final = 0.01
"""A rule that is tried on a smaller share of events keeps its anchor."""
_KEYWORD: Final = 16
"""A keyword is looked for in every value."""


class Rates(NamedTuple):
    """By clause: the events it was tried on (its field was there, and some rule with it was to be tried); its hits."""

    tried: Sequence[int]
    hits: Sequence[int]


class _Choice(NamedTuple):
    """In the order of preference: what it costs an event, and which clauses."""

    cost: float
    clauses: frozenset[int]


def plan(program: Program, rates: Rates | None = None) -> tuple[Anchor, ...]:
    """An anchor for each rule, the cheapest by what is known."""
    costs = _Costs(program, rates)
    anchors: list[Anchor] = []
    for condition in program.conditions:
        choice = _choose(condition, costs)
        anchors.append(None if choice is None else tuple(sorted(choice.clauses)))
    return tuple(anchors)


def replan(program: Program, anchors: Sequence[Anchor], rates: Rates) -> tuple[tuple[Anchor, ...], float]:
    """The anchors, those that were seen to hold often replaced where others are cheaper; and what that saves an event.

    Costs about as much as there are clauses in anchors: rules that are hardly ever tried are not looked at again.
    """
    costs = _Costs(program, rates)
    found = list(anchors)
    saved = 0.0
    for rule, anchor in enumerate(anchors):
        if anchor is None or not any(rates.hits[clause] for clause in anchor):
            continue
        cost = sum(costs[clause] or 0.0 for clause in anchor)
        if cost < _OFTEN:
            continue
        choice = _choose(program.conditions[rule], costs)
        if choice is not None and choice.cost < cost:
            found[rule] = tuple(sorted(choice.clauses))
            saved += cost - choice.cost
    return tuple(found), saved


def _choose(condition: Condition, costs: _Costs) -> _Choice | None:
    """The cheapest clauses of which one holds wherever the condition does; None where there are none such."""
    match condition:
        case Is(clause):
            cost = costs[clause]
            return None if cost is None else _Choice(cost, frozenset((clause,)))
        case And(parts):
            choices = [choice for part in parts if (choice := _choose(part, costs)) is not None]
            return min(choices, key=_preference, default=None)
        case Or(parts):
            return _together([_choose(part, costs) for part in parts])
        case AtLeast(count, parts):
            # Of any len - count + 1 parts one must hold, else fewer than count could.
            choices = sorted(filter(None, (_choose(part, costs) for part in parts)), key=_preference)
            needed = len(parts) - count + 1
            return None if count < 1 or len(choices) < needed else _together(choices[: max(needed, 0)])
        case Not():
            return None


def _together(choices: Sequence[_Choice | None]) -> _Choice | None:
    clauses: set[int] = set()
    cost = 0.0
    for choice in choices:
        if choice is None:
            return None
        clauses |= choice.clauses
        cost += choice.cost
    return _Choice(cost, frozenset(clauses))


def _preference(choice: _Choice) -> tuple[float, int, list[int]]:
    return choice.cost, len(choice.clauses), sorted(choice.clauses)


class _Costs(dict[int, float | None]):
    """By clause, what searching for it costs an event; None of what is no anchor. Each worked out once, when asked."""

    def __init__(self, program: Program, rates: Rates | None) -> None:
        super().__init__()
        self._clauses = program.clauses
        self._rates = rates

    def __missing__(self, index: int) -> float | None:
        cost = self[index] = self._cost(self._clauses[index], index)
        return cost

    def _cost(self, clause: Clause, index: int) -> float | None:
        if isinstance(clause, _NOT_ANCHORS):
            return None
        rate = prior = _prior(clause)
        if self._rates is not None:
            hits, tried = self._rates.hits[index], self._rates.tried[index]
            rate = (hits + prior * _PRIOR_WEIGHT) / (tried + _PRIOR_WEIGHT)
        search = _SEARCH_OF_TEXT if isinstance(clause, Text | Number) else _SEARCH_OF_OTHERS
        return rate + search * (_KEYWORD if clause.field == EVERYTHING else 1)


def _prior(clause: Clause) -> float:
    """How often a clause holds, as far as it shows: the longer a text, the rarer."""
    match clause:
        case Text():
            return _PRIOR_OF_PLACE[clause.place] * _RARER_BY_CHARACTER ** min(len(clause.text), _CHARACTERS_MAX)
        case Wildcards():
            length = sum(len(part) for part in clause.parts if isinstance(part, str))
            return _PRIOR_OF_PLACE["anywhere"] * _RARER_BY_CHARACTER ** min(length, _CHARACTERS_MAX)
        case _:
            return _PRIOR_OF_OTHERS
