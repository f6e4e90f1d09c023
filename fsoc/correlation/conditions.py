"""When a correlation matches: bounds on what it measures. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from fsoc.correlation.exact import Number, exactly, number, plain, shown

OPERATORS: Final[Mapping[str, Callable[[Number, Number], bool]]] = {
    "gt": operator.lt,
    "gte": operator.le,
    "lt": operator.gt,
    "lte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
"""With the bound first: `{gte: 3}` asks whether 3 <= n."""

_CONDITIONS_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Condition:
    """Every operator must hold: `{gte: 3}`, or a range such as `{gt: 2, lte: 10}`.

    bounds: as written. They are compared exactly: 0.1 is a tenth, not the float next to it.
    """

    bounds: tuple[tuple[str, int | float], ...]

    def holds(self, measure: Number) -> bool:
        return held_by(self.bounds)(measure)

    @property
    def rising(self) -> bool:
        """A greater measure never undoes it."""
        return all(name in {"gt", "gte"} for name, _ in self.bounds)

    @property
    def floor(self) -> Number | None:
        """The greatest of its lower bounds; None where it has none."""
        return max((exactly(bound) for name, bound in self.bounds if name in {"gt", "gte"}), default=None)

    def furthest(self, one: Number, other: Number) -> Number:
        """Which of two measures speaks more for it: the greater, but the lesser where only upper bounds are asked."""
        return min(one, other) if all(name in {"lt", "lte"} for name, _ in self.bounds) else max(one, other)

    def margin(self, measure: Number, *, whole: bool) -> Number | None:
        """By how much the measure may move towards the nearest bound and still hold; None where there is no bound.

        whole: what is measured is a count, so that `gt: 2` is `gte: 3`.
        """
        step = 1 if whole else 0
        room = {
            "gt": lambda bound: measure - bound - step,
            "gte": lambda bound: measure - bound,
            "lt": lambda bound: bound - measure - step,
            "lte": lambda bound: bound - measure,
            "eq": lambda bound: abs(measure - bound),
            "neq": lambda bound: abs(measure - bound) - step,
        }
        return min((room[name](exactly(bound)) for name, bound in self.bounds), default=None)

    def __str__(self) -> str:
        return " and ".join(f"{name} {shown(exactly(bound))}" for name, bound in self.bounds)


Held = Callable[[Number], bool]
"""Whether a condition holds of a measure."""


@lru_cache(_CONDITIONS_MAX)
def held_by(bounds: tuple[tuple[str, int | float], ...]) -> Held:
    """The bounds of a condition made ready: they are asked of every window."""
    tests = [partial(OPERATORS[name], exactly(bound)) for name, bound in bounds]
    return tests[0] if len(tests) == 1 else lambda measure: all(test(measure) for test in tests)


def read_bounds(value: Mapping[Any, Any], *, whole: bool) -> tuple[list[tuple[str, int | float]], list[str]]:
    """The operators among a condition's keys, sorted, and what is wrong with them.

    whole: what is measured is a count, of which no bound can be a fraction.
    """
    bounds: list[tuple[str, int | float]] = []
    wrong: list[str] = []
    for name, given in value.items():
        bound = read_number(given)
        if name not in OPERATORS:
            wrong.append(f'condition operator "{name}" — expected one of {", ".join(OPERATORS)}')
        elif bound is None or (whole and isinstance(bound, float)):
            wrong.append(f'condition {name}: "{given}" — expected a {"whole " if whole else ""}number')
        else:
            bounds.append((name, bound))
    return sorted(bounds), wrong


def read_number(given: object) -> int | float | None:
    """A number of a document, whole where it can be; None for texts, booleans and what is beyond all numbers."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    read = number(repr(given))
    return None if read is None else plain(read)
