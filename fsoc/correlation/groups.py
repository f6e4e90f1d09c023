"""The entries of one detections partition, by group. Pure: laws 7, 8, 10 and 12.

State is entries, not counters: put and withdraw are no-ops when a higher or equal revision is known, so replays, double
publishing and zombies change nothing. A group that nothing happens to costs nothing: it waits in a heap, once for the
time its oldest entry expires at and once for the time it can next be judged at.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from fsoc.correlation.entries import Entry, EntryName, GroupKey, TicketName
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.timeline import Timeline, Withdrawal

ENTRIES_MAX = 10_000
"""Bound per group, applied when it is judged. Past it the oldest entries leave first, are counted and alarmed."""


class Groups:
    """All groups of one partition."""

    def __init__(self) -> None:
        self.dirty: dict[GroupKey, Timeline] = {}
        self.evicted: list[EntryName] = []
        self.evicted_total = 0
        self._timelines: dict[GroupKey, Timeline] = {}
        self._held: dict[str, int] = {}  # groups by rule
        self._remembered = 0
        self._expiry: list[tuple[int, GroupKey]] = []
        self._withdrawals: list[tuple[int, GroupKey, TicketName]] = []
        self._undecided: list[tuple[int, GroupKey]] = []

    def __len__(self) -> int:
        """Entries held, and withdrawals remembered."""
        return self._remembered

    def put(self, rule: CorrelationRule, key: GroupKey, entry: Entry) -> bool:
        """Take an entry; return whether anything changed."""
        timeline = self._timeline(rule, key)
        more = timeline.put(entry)
        if more is None:
            return False
        self._remembered += more
        self.dirty[key] = timeline
        if timeline.entries[0] is entry:
            self._await_expiry(key, timeline)
        return True

    def withdraw(self, rule: CorrelationRule, key: GroupKey, name: TicketName, revision: int, at: int) -> bool:
        """Take an entry out, and remember that; return whether anything changed."""
        withdrawal = Withdrawal(revision, at + rule.retention_ms)
        timeline = self._timeline(rule, key)
        more = timeline.withdraw(name, withdrawal)
        if more is None:
            return False
        self._remembered += more
        self.dirty[key] = timeline
        heappush(self._withdrawals, (withdrawal.expires_ms, key, name))
        return True

    def judge(self, closed_until_ms: int | None) -> list[tuple[GroupKey, Timeline]]:
        """Judge every group that something happened to, as far as may be; return them in order.

        The `changed` of each says whether anything of what holds is otherwise than before.
        """
        judged = sorted(self.dirty.items())
        self.dirty.clear()
        settled = closed_until_ms if closed_until_ms is not None else -(2**63)
        for key, timeline in judged:
            if len(timeline.entries) > ENTRIES_MAX:
                for name in timeline.evict(ENTRIES_MAX):
                    self._remembered -= 1
                    self.evicted_total += 1
                    self.evicted.append((key, name))
            if timeline.rule.rising:
                timeline.advance(None)
            else:
                timeline.advance(settled)
                self._await_decision(key, timeline)
        return judged

    def holds(self, rule_id: str) -> bool:
        """Whether there is a group of this rule."""
        return rule_id in self._held

    def judge_again(self, rule: CorrelationRule) -> None:
        """Judge every group of a rule whose definition is another now by this one."""
        for key in self._of(rule.id):
            timeline = self._timelines[key]
            timeline.begin_again(rule)
            self.dirty[key] = timeline
            self._await_expiry(key, timeline)

    def forget(self, rule_id: str) -> Iterator[EntryName]:
        """Drop every group of a rule, judged or not; yield what was dropped."""
        for key in self._of(rule_id):
            timeline = self._drop(key)
            self.dirty.pop(key, None)
            for name in timeline.by_name.keys() | (timeline.withdrawn or {}).keys():
                self._remembered -= 1
                yield key, name

    def decide(self, closed_until_ms: int) -> None:
        """Mark the groups in which a waiting event time is now settled."""
        while self._undecided and self._undecided[0][0] < closed_until_ms:
            at, key = heappop(self._undecided)
            timeline = self._timelines.get(key)
            if timeline is not None and timeline.decides_ms == at:
                timeline.decides_ms = None
                self.dirty[key] = timeline

    def expire(self, closed_until_ms: int) -> Iterator[EntryName]:
        """Drop what no alert that may still change can need; yield what was dropped."""
        while self._expiry and self._expiry[0][0] <= closed_until_ms:
            expires, key = heappop(self._expiry)
            timeline = self._timelines.get(key)
            if timeline is None or timeline.expires_ms != expires:
                continue  # let go, or waiting for another time
            timeline.expires_ms = None
            for name in timeline.expire(closed_until_ms - timeline.rule.retention_ms):
                self._remembered -= 1
                yield key, name
            self._await_expiry(key, timeline)
            self._let_go(key, timeline)
        while self._withdrawals and self._withdrawals[0][0] <= closed_until_ms:
            expires, key, name = heappop(self._withdrawals)
            timeline = self._timelines.get(key)
            withdrawn = timeline.withdrawn if timeline is not None else None
            if timeline is None or not withdrawn or name not in withdrawn or withdrawn[name].expires_ms != expires:
                continue  # a later word on the ticket came
            del withdrawn[name]
            self._remembered -= 1
            self._let_go(key, timeline)
            yield key, name

    def _timeline(self, rule: CorrelationRule, key: GroupKey) -> Timeline:
        timeline = self._timelines.get(key)
        if timeline is None:
            timeline = self._timelines[key] = Timeline(rule)
            self._held[key.rule] = self._held.get(key.rule, 0) + 1
        return timeline

    def _of(self, rule_id: str) -> list[GroupKey]:
        return [key for key in self._timelines if key.rule == rule_id]

    def _drop(self, key: GroupKey) -> Timeline:
        self._held[key.rule] -= 1
        if not self._held[key.rule]:
            del self._held[key.rule]
        return self._timelines.pop(key)

    def _await_expiry(self, key: GroupKey, timeline: Timeline) -> None:
        """See to it that the group is looked at when its oldest entry expires."""
        if timeline.entries:
            expires = timeline.entries[0].event_time_ms + timeline.rule.retention_ms
            if timeline.expires_ms is None or expires < timeline.expires_ms:
                timeline.expires_ms = expires
                heappush(self._expiry, (expires, key))

    def _await_decision(self, key: GroupKey, timeline: Timeline) -> None:
        """See to it that the group is judged again when its next event time is settled."""
        undecided = timeline.undecided_ms
        if undecided is not None and (timeline.decides_ms is None or undecided < timeline.decides_ms):
            timeline.decides_ms = undecided
            heappush(self._undecided, (undecided, key))

    def _let_go(self, key: GroupKey, timeline: Timeline) -> None:
        if not timeline.entries and not timeline.withdrawn:
            self._drop(key)


def settled_from(rule: CorrelationRule, closed_until_ms: int | None) -> int:
    """The first episode that may still change: earlier ones have lost entries and are never judged again."""
    if closed_until_ms is None:
        return -(2**63)
    return (closed_until_ms - 2 * rule.episode_ms) // rule.episode_ms + 1
