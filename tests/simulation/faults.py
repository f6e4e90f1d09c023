"""What goes wrong, when, and how often it did: drawn by lot at every place where something can."""

from __future__ import annotations

from collections import Counter
from random import Random

CRASHES = (
    "crash before state",
    "crash within state",
    "crash between state and publish",
    "crash within publish",
    "crash before commit",
    "crash after commit",
    "crash while restoring",
)
TROUBLES = ("write not answered", "read not answered", "frozen", "frozen within a write")
CHANGES = ("join", "leave", "expelled", "kept through a rebalance", "restored anew")
KINDS = (*CRASHES, *TROUBLES, *CHANGES)


class Crash(Exception):  # noqa: N818
    """The process is gone; nothing of it is ever heard of again."""


class Faults:
    """counts: how often each kind happened. on: whether anything may go wrong now.

    zombies: whether a worker may be expelled within a write, which it then goes on with.
    """

    def __init__(self, lot: Random, *, share: float, most: int, zombies: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.lot = lot
        self.on = True
        self.zombies = zombies
        self._share = share
        self._left = most

    def strikes(self, *kinds: str, weight: float = 1.0) -> str | None:
        """One of these kinds now, or none."""
        if not self.on or self._left <= 0 or self.lot.random() >= self._share * weight * len(kinds):
            return None
        self._left -= 1
        kind = self.lot.choice(kinds)
        self.counts[kind] += 1
        return kind
