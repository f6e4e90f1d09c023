"""The entries of one detections partition, by group. Pure: laws 7, 8, 10 and 12.

State is entries, not counters: put and withdraw are no-ops when a higher or equal revision is known, so replays, double
publishing and zombies change nothing.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from heapq import heappop, heappush

import orjson

from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied, satisfied

ENTRIES_MAX = 10_000
"""Bound per group. Past it the oldest entry leaves first, is counted and alarmed."""

EntryName = tuple[GroupKey, str, str]
"""(group, institution, ticket id)."""


def entry_key(name: EntryName) -> bytes:
    """Its key in the state."""
    key, institution, ticket_id = name
    return orjson.dumps([*key, institution, ticket_id])


class Group:
    """One group's entries, in event-time order, and the withdrawals that a replay must not undo."""

    __slots__ = ("by_name", "entries", "withdrawn")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.by_name: dict[tuple[str, str], Entry] = {}
        self.withdrawn: dict[tuple[str, str], int] = {}

    def put(self, entry: Entry) -> bool:
        """Take an entry unless its revision, or a later word on it, is known; return whether anything changed."""
        name = (entry.institution, entry.ticket_id)
        if self.withdrawn.get(name, 0) >= entry.revision:
            return False
        known = self.by_name.get(name)
        if known is not None:
            if known.revision >= entry.revision:
                return False
            self.entries.remove(known)
        self.withdrawn.pop(name, None)
        self.by_name[name] = entry
        insort(self.entries, entry)
        return True

    def withdraw(self, name: tuple[str, str], revision: int) -> bool:
        known = self.by_name.get(name)
        if self.withdrawn.get(name, 0) >= revision or (known is not None and known.revision >= revision):
            return False
        self.withdrawn[name] = revision
        if known is not None:
            del self.by_name[name]
            self.entries.remove(known)
        return True

    def drop(self, name: tuple[str, str]) -> None:
        """Forget all about one ticket."""
        known = self.by_name.pop(name, None)
        if known is not None:
            self.entries.remove(known)
        self.withdrawn.pop(name, None)


class Groups:
    """All groups of one partition."""

    def __init__(self) -> None:
        self._groups: dict[GroupKey, Group] = {}
        self._held: dict[str, int] = {}  # groups by rule
        self._expiry: list[tuple[int, EntryName]] = []
        self._expires: dict[EntryName, int] = {}  # the newest word on it: a revision may have moved the event time
        self._undecided: list[tuple[int, GroupKey]] = []
        self.dirty: set[GroupKey] = set()
        self.evicted_total = 0

    def __len__(self) -> int:
        """Entries held, and withdrawals remembered."""
        return len(self._expires)

    def put(self, rule: CorrelationRule, key: GroupKey, entry: Entry) -> tuple[bool, list[EntryName]]:
        """Take an entry; return whether anything changed, and the entries that had to leave for it."""
        group = self._group(key)
        if not group.put(entry):
            return False, []
        self._touch(rule, key, entry.event_time_ms, (entry.institution, entry.ticket_id))
        evicted: list[EntryName] = []
        while len(group.entries) > ENTRIES_MAX:
            oldest = group.entries[0]
            group.drop((oldest.institution, oldest.ticket_id))
            self.evicted_total += 1
            evicted.append((key, oldest.institution, oldest.ticket_id))
            self._expires.pop(evicted[-1], None)
        return True, evicted

    def withdraw(self, rule: CorrelationRule, key: GroupKey, name: tuple[str, str], revision: int, at: int) -> bool:
        group = self._group(key)
        if not group.withdraw(name, revision):
            return False
        self._touch(rule, key, at, name)
        return True

    def expire(self, closed_until_ms: int) -> Iterator[EntryName]:
        """Drop what no alert that may still change can need; yield what was dropped."""
        while self._expiry and self._expiry[0][0] <= closed_until_ms:
            expires, name = heappop(self._expiry)
            if self._expires.get(name) != expires:
                continue
            del self._expires[name]
            key, institution, ticket_id = name
            group = self._groups[key]
            group.drop((institution, ticket_id))
            if not group.entries and not group.withdrawn:
                self._drop(key)
            yield name

    def holds(self, rule_id: str) -> bool:
        """Whether there is a group of this rule."""
        return rule_id in self._held

    def judge_again(self, rule: CorrelationRule) -> None:
        """Mark every group of a rule whose definition is another now; at all times at which it may be satisfied."""
        for key in self._of(rule.id):
            self.dirty.add(key)
            if not rule.rising:
                for entry in self._groups[key].entries:
                    heappush(self._undecided, (entry.event_time_ms, key))

    def forget(self, rule_id: str) -> Iterator[EntryName]:
        """Drop every group of a rule, judged or not; yield what was dropped."""
        for key in self._of(rule_id):
            group = self._drop(key)
            self.dirty.discard(key)
            for institution, ticket_id in group.by_name.keys() | group.withdrawn.keys():
                del self._expires[key, institution, ticket_id]
                yield key, institution, ticket_id

    def decide(self, closed_until_ms: int) -> None:
        """Mark the groups in which a waiting event time is now settled."""
        while self._undecided and self._undecided[0][0] < closed_until_ms:
            self.dirty.add(heappop(self._undecided)[1])

    def evaluate(self, rule: CorrelationRule, key: GroupKey, closed_until_ms: int | None) -> list[Satisfied] | None:
        """Where the condition holds; None where no such group is held: of one that is gone nothing can be said."""
        group = self._groups.get(key)
        if group is None:
            return None
        if rule.rising:
            return satisfied(rule, group.entries, None)
        return satisfied(rule, group.entries, closed_until_ms if closed_until_ms is not None else -(2**63))

    def _group(self, key: GroupKey) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group()
            self._held[key.rule] = self._held.get(key.rule, 0) + 1
        return group

    def _drop(self, key: GroupKey) -> Group:
        self._held[key.rule] -= 1
        if not self._held[key.rule]:
            del self._held[key.rule]
        return self._groups.pop(key)

    def _of(self, rule_id: str) -> list[GroupKey]:
        return [key for key in self._groups if key.rule == rule_id]

    def _touch(self, rule: CorrelationRule, key: GroupKey, at: int, name: tuple[str, str]) -> None:
        self.dirty.add(key)
        expires, entry = at + rule.retention_ms, (key, *name)
        if self._expires.get(entry) != expires:
            self._expires[entry] = expires
            heappush(self._expiry, (expires, entry))
        if not rule.rising:
            heappush(self._undecided, (at, key))


def settled_from(rule: CorrelationRule, closed_until_ms: int | None) -> int:
    """The first episode that may still change: earlier ones have lost entries and are never judged again."""
    if closed_until_ms is None:
        return -(2**63)
    return (closed_until_ms - 2 * rule.episode_ms) // rule.episode_ms + 1
