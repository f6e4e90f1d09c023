"""What analysts have decided, and what it comes to: a function of the set of decisions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fsoc.campaigns.components import Value
from fsoc.campaigns.records import Decision

DECISIONS_MAX: Final = 10_000
"""Decisions that are followed. They are few, by people, and kept for ever; past this bound more are not followed."""


class Decisions:
    """By id. An undo counts whether it comes before or after what it undoes; an undo is never undone itself."""

    def __init__(self) -> None:
        self.all: dict[str, Decision] = {}
        self._undone: dict[str, int] = {}
        self._split: dict[object, int] = {}

    def __len__(self) -> int:
        return len(self.all)

    def take(self, decision: Decision) -> Decision | None:
        """Take one that is not known; return which split or merge holds, or no longer holds, because of it."""
        if decision.decision_id in self.all:
            return None
        self.all[decision.decision_id] = decision
        if decision.op != "undo":
            if self.holds(decision.decision_id):
                self._count(decision, 1)
            return decision
        undone = decision.undoes or ""
        known = self.all.get(undone)
        if known is not None and self.holds(undone):
            self._count(known, -1)
        self._undone[undone] = self._undone.get(undone, 0) + 1
        return known

    def holds(self, name: str) -> bool:
        """Whether this split or merge is known and was not undone."""
        known = self.all.get(name)
        return known is not None and known.op != "undo" and name not in self._undone

    def is_split(self, name: str, value: Value | None) -> bool:
        """Whether this link or alert ties nothing together any more."""
        return name in self._split or (value is not None and value in self._split)

    def _count(self, decision: Decision, by: int) -> None:
        if decision.op != "split":
            return
        for key in split_keys(decision):
            self._split[key] = self._split.get(key, 0) + by
            if not self._split[key]:
                del self._split[key]


def split_keys(decision: Decision) -> Iterator[str | Value]:
    """What a split takes out: ids, and values of links."""
    yield from set(decision.named)
    yield from {(decision.environment, rule, group) for rule, group in decision.values}
