"""What is told without anybody deciding, and what a count may be. Pure; settings are arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from fsoc.tickets.vocabulary import Environment

Level = Literal["informational", "low", "medium", "high", "critical"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

COUNTS_TOLD: Final = (20, 10, 5, 3)
"""Numbers of institutions are rounded down to one of these."""

CONFIDENCES_TOLD: Final = (90, 75, 50, 25, 0)
"""Confidences are rounded down to one of these: exactly it is somebody's own number, whoever's the middle one is."""

K: Final = 3
K_MAX: Final = 20
ALWAYS: Final = 101
"""Above any confidence there is."""


@dataclass(frozen=True, slots=True)
class Caution:
    """How careful an installation is.

    k: no count below it is told, and nobody is told of anything where fewer than that are left to hide among.
    hold_below: of what confidence an alert must be to be told before somebody has released it; 0: of any. ALWAYS: none.
    at_risk: from which level on those are told who have no ticket in it; None: never.
    environment: what the installation is for: of nothing else anybody is told; None: of anything, as in a replay.
    """

    k: int = K
    hold_below: int = 0
    at_risk: Level | None = "high"
    environment: Environment | None = None

    def __post_init__(self) -> None:
        if not K <= self.k <= K_MAX or not 0 <= self.hold_below <= ALWAYS:
            raise ValueError(f"k {self.k}, hold below {self.hold_below}: k is {K} to {K_MAX}, a confidence 0 to 100")

    def holds(self, confidence: int | None, *, guessed: bool) -> bool:
        """Whether what is of this confidence waits for somebody to release it.

        guessed: whether it may be wrong, as a joint alert may: of that, no confidence is the lowest.
        """
        if confidence is None:
            return self.hold_below > 0 if guessed else self.hold_below == ALWAYS
        return self.hold_below == ALWAYS or confidence < self.hold_below

    def warns(self, level: str) -> bool:
        """Whether alerts of this level are told to everybody: by their rule alone, never by who is in them."""
        return self.at_risk is not None and LEVELS.index(level) >= LEVELS.index(self.at_risk)

    def hides(self, registered: int, involved: int) -> bool:
        """Whether each of so many may have nothing to do with it, for all that others know.

        involved: as many as whoever is told can conclude. Of those who pool what they were told, k − 1 at most, none
        may be involved; k must be left that are not.
        """
        return registered - involved >= 2 * self.k - 1

    def at_least(self, institutions: int, registered: int) -> int | None:
        """The count that may be told: rounded down; None where that is below k, or leaves too few to hide among."""
        fits: Callable[[int], bool] = lambda count: self.k <= count <= institutions and self.hides(registered, count)  # noqa: E731
        return next(filter(fits, COUNTS_TOLD), None)


def confidence_told(confidence: int) -> int:
    """What is told of one: rounded down."""
    return next(one for one in CONFIDENCES_TOLD if one <= confidence)


CAUTION: Final = Caution()
"""What is usual."""
