"""Shares with how far the truth may lie from them, and what times and sizes come to. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Final

Z_95: Final = 1.959963984540054
"""How many standard deviations hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """hits of total. value is None where the total is 0: then there is nothing to say, neither good nor bad."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 %: 3 of 3 may as well be 0.44. Of nothing it is everything, (0, 1).

        Wilson's and not the normal one: that is empty at 0 and 1, and counts here are small.
        """
        if not self.total:
            return 0.0, 1.0
        share, squared = self.hits / self.total, Z_95 * Z_95
        middle = share + squared / (2 * self.total)
        reach = Z_95 * sqrt(share * (1 - share) / self.total + squared / (4 * self.total * self.total))
        scale = 1 + squared / self.total
        # At the ends it is exact; rounding must not put the share outside of its interval.
        low = 0.0 if self.hits == 0 else (middle - reach) / scale
        high = 1.0 if self.hits == self.total else (middle + reach) / scale
        return low, high

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"hits": self.hits, "total": self.total, "value": self.value, "low": low, "high": high}


def f1(precision: Share, recall: Share) -> float | None:
    """The harmonic mean of the two; None where either is not known, 0 where both are."""
    if precision.value is None or recall.value is None:
        return None
    total = precision.value + recall.value
    return 2 * precision.value * recall.value / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """What some figures come to. Percentiles are by nearest rank: each is one of the figures. None: there are none."""

    count: int
    least: float | None
    median: float | None
    p90: float | None
    most: float | None

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        ordered = sorted(figures)
        if not ordered:
            return cls(0, None, None, None, None)
        return cls(len(ordered), ordered[0], _ranked(ordered, 0.5), _ranked(ordered, 0.9), ordered[-1])

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("count", "least", "median", "p90", "most")}


def _ranked(ordered: Sequence[float], share: float) -> float:
    return ordered[max(ceil(share * len(ordered)), 1) - 1]
