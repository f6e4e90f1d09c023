"""The entries of one detections partition, by group. Pure: laws 7, 8, 10 and 12.

State is entries, not counters: put and withdraw are no-ops when a higher or equal revision is known, so replays, double
publishing and zombies change nothing. A group that nothing happens to costs nothing: it waits in a heap, once for the
time its oldest entry expires at and once for the time it can next be judged at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import heappop, heappush, nsmallest
from operator import itemgetter

from fsoc.correlation.entries import Entry, EntryName, GroupKey, TicketName
from fsoc.correlation.past import Seal
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.timeline import Timeline, Withdrawal
from fsoc.correlation.timeline_of_absence import TimelineOfAbsence
from fsoc.correlation.timeline_of_past import TimelineOfPast
from fsoc.feeds.ledger import END_MS

ENTRIES_MAX, ENTRIES_EACH_MAX = 10_000, 250
"""Bounds per group: so many, and for each institution that is known so many, whichever is more. Past it the institution
that has most there loses its oldest entries, which are counted and alarmed.
"""

GROUPS_PER_INSTITUTION_MAX = 100_000
"""Bound on the groups in which one institution has anything. Past it, its oldest lose what it has there; the same."""

ROOM = 10
"""Where a bound is passed, a tenth of it is made free at once, so that making room costs each newcomer the same."""


class Groups:
    """All groups of one partition.

    dropped: what has left before its time since the owner last looked; counted for ever in evicted_total, where its
    group was full, and displaced_total, where its institution was in too many groups.
    since: from which event time on an institution is known.
    sealed: what is left of pasts, or None, where that is otherwise since the owner last looked.
    """

    def __init__(self, since: Mapping[str, int] | None = None) -> None:
        self.since: Mapping[str, int] = since if since is not None else {}
        self.sealed: dict[tuple[GroupKey, str], Seal | None] = {}
        self.dropped: list[EntryName] = []
        self.evicted_total = self.displaced_total = 0
        self._timelines: dict[GroupKey, Timeline] = {}
        self._touched: list[Timeline] = []
        self._held: dict[str, int] = {}  # groups by rule
        self._within: dict[str, dict[Timeline, int]] = {}  # by institution, its groups and its tickets in each
        self._crowding: set[str] = set()
        self._remembered = 0
        self._expiry: list[tuple[int, GroupKey]] = []
        self._withdrawals: list[tuple[int, GroupKey, TicketName]] = []
        self._undecided: list[tuple[int, GroupKey]] = []

    def __len__(self) -> int:
        """Entries held, and withdrawals remembered."""
        return self._remembered

    def put(self, rule: CorrelationRule, key: GroupKey, entry: Entry) -> bool:
        """Take an entry; return whether anything changed."""
        timeline = self._timelines.get(key) or self._begin(rule, key)
        more = timeline.put(entry)
        if more is None:
            return False
        if more:
            self._remember(timeline, entry.institution)
        self._touch(timeline)
        if timeline.held[0] is entry:
            self._await_expiry(timeline)
        return True

    def withdraw(self, rule: CorrelationRule, key: GroupKey, name: TicketName, revision: int, at: int) -> bool:
        """Take an entry out, and remember that; return whether anything changed."""
        withdrawal = Withdrawal(revision, at + rule.retention_ms)
        timeline = self._timelines.get(key) or self._begin(rule, key)
        more = timeline.withdraw(name, withdrawal)
        if more is None:
            return False
        if more:
            self._remember(timeline, name[0])
        self._touch(timeline)
        heappush(self._withdrawals, (withdrawal.expires_ms, key, name))
        return True

    def judge(
        self, closed_until_ms: int | None, *, before_ms: int | None = None, every: bool = False
    ) -> list[tuple[GroupKey, Timeline]]:
        """Judge every group that something happened to, as far as may be, once the bounds hold.

        Return, in order, those in which anything of what holds is otherwise than before, or `every` one of them.
        before_ms: how far event time was settled until now. What was absent until then is so, though all has ended.
        """
        for institution in sorted(self._crowding):
            self._displace(institution)
        self._crowding.clear()
        settled = closed_until_ms if closed_until_ms is not None else -(2**63)
        bound = max(ENTRIES_MAX, ENTRIES_EACH_MAX * len(self.since))
        judged: list[tuple[GroupKey, Timeline]] = []
        for timeline in self._touched:
            if not timeline.touched:
                continue  # forgotten
            timeline.touched = False
            if len(timeline.held) > bound:
                # A seal says until when all was settled: before anything is, there is nothing to be said.
                gone = timeline.evict(bound - bound // ROOM, seals=closed_until_ms is not None)
                self.evicted_total += self._lose(timeline, gone)
                self._keep_seals(timeline)
            if timeline.rule.rising:
                timeline.advance(None)
            else:
                if timeline.rule.absent and before_ms is not None and before_ms < END_MS <= settled:
                    timeline.advance(before_ms)
                timeline.advance(settled)
                self._await_decision(timeline)
            if timeline.changed_from_ms is not None or every:
                judged.append((timeline.key, timeline))
            self._let_go(timeline)
        self._touched.clear()
        judged.sort(key=_KEY)
        return judged

    def get(self, key: GroupKey) -> Timeline | None:
        return self._timelines.get(key)

    def holds(self, rule_id: str) -> bool:
        """Whether there is a group of this rule."""
        return rule_id in self._held

    def judge_again(self, rule: CorrelationRule) -> None:
        """Judge every group of a rule whose definition is another now by this one."""
        for timeline in self._of(rule.id):
            timeline.begin_again(rule)
            self._touch(timeline)
            self._await_expiry(timeline)

    def look_again(self, institutions: Iterable[str]) -> None:
        """More is known of these institutions: whether their entries count is to be found out anew."""
        for institution in sorted(institutions):
            for timeline in self._within.get(institution, ()):
                if isinstance(timeline, TimelineOfPast):
                    timeline.look_again()
                    self._touch(timeline)

    def restore_seal(self, rule: CorrelationRule, key: GroupKey, institution: str, seal: Seal) -> bool:
        """Take what is left of an institution's past, before any entry; return whether the rule looks at it."""
        timeline = self._timelines.get(key) or self._begin(rule, key)
        if not isinstance(timeline, TimelineOfPast):
            self._let_go(timeline)
            return False
        timeline.seals[institution] = seal
        timeline.counted.add(institution)
        self._within.setdefault(institution, {})[timeline] = 1
        self._await_expiry(timeline)
        return True

    def forget(self, rule_id: str) -> Iterator[EntryName]:
        """Drop every group of a rule, judged or not; yield what was dropped."""
        for timeline in self._of(rule_id):
            if isinstance(timeline, TimelineOfPast):
                timeline.sealed.update(timeline.seals)
                timeline.seals.clear()
                self._keep_seals(timeline)
            names = [*timeline.by_name, *(timeline.withdrawn or ())]
            self._forget(timeline, names)
            self._drop(timeline)
            yield from ((timeline.key, name) for name in names)

    def decide(self, closed_until_ms: int) -> None:
        """Mark the groups in which a waiting event time is now settled."""
        while self._undecided and self._undecided[0][0] < closed_until_ms:
            at, key = heappop(self._undecided)
            timeline = self._timelines.get(key)
            if timeline is not None and timeline.decides_ms == at:
                timeline.decides_ms = None
                self._touch(timeline)

    def expire(self, closed_until_ms: int) -> Iterator[EntryName]:
        """Drop what no alert that may still change can need; yield what was dropped."""
        while self._expiry and self._expiry[0][0] <= closed_until_ms:
            expires, key = heappop(self._expiry)
            timeline = self._timelines.get(key)
            if timeline is None or timeline.expires_ms != expires:
                continue  # let go, or waiting for another time
            timeline.expires_ms = None
            names = timeline.expire(closed_until_ms - timeline.rule.retention_ms)
            self._forget(timeline, names)
            self._keep_seals(timeline)
            self._await_expiry(timeline)
            self._let_go(timeline)
            yield from ((key, name) for name in names)
        while self._withdrawals and self._withdrawals[0][0] <= closed_until_ms:
            expires, key, name = heappop(self._withdrawals)
            timeline = self._timelines.get(key)
            withdrawn = timeline.withdrawn if timeline is not None else None
            if timeline is None or not withdrawn or name not in withdrawn or withdrawn[name].expires_ms != expires:
                continue  # a later word on the ticket came
            del withdrawn[name]
            self._forget(timeline, [name])
            self._let_go(timeline)
            yield key, name

    def _begin(self, rule: CorrelationRule, key: GroupKey) -> Timeline:
        timeline: Timeline
        if rule.absent:
            timeline = TimelineOfAbsence(rule, key)
        elif rule.past is not None:
            timeline = TimelineOfPast(rule, key, rule.past, self.since)
        else:
            timeline = Timeline(rule, key)
        self._timelines[key] = timeline
        self._held[key.rule] = self._held.get(key.rule, 0) + 1
        return timeline

    def _of(self, rule_id: str) -> list[Timeline]:
        return [timeline for key, timeline in self._timelines.items() if key.rule == rule_id]

    def _touch(self, timeline: Timeline) -> None:
        if not timeline.touched:
            timeline.touched = True
            self._touched.append(timeline)

    def _remember(self, timeline: Timeline, institution: str) -> None:
        """One more ticket of this institution is known in this group."""
        self._remembered += 1
        within = self._within.get(institution)
        if within is None:
            within = self._within[institution] = {}
        within[timeline] = within.get(timeline, 0) + 1
        if len(within) > GROUPS_PER_INSTITUTION_MAX:
            self._crowding.add(institution)

    def _forget(self, timeline: Timeline, names: Iterable[TicketName]) -> None:
        """These tickets are known in this group no more."""
        for institution, *_ in names:
            self._remembered -= 1
            self._less(timeline, institution)

    def _less(self, timeline: Timeline, institution: str) -> None:
        within = self._within[institution]
        within[timeline] -= 1
        if not within[timeline]:
            del within[timeline]
        if not within:
            del self._within[institution]

    def _keep_seals(self, timeline: Timeline) -> None:
        """Note for the owner what was sealed, or forgotten of that. A seal is something its institution has there."""
        if not isinstance(timeline, TimelineOfPast) or not timeline.sealed:
            return
        for institution in sorted(timeline.sealed):
            seal = timeline.seals.get(institution)
            self.sealed[timeline.key, institution] = seal
            if seal is None and institution in timeline.counted:
                self._less(timeline, institution)
            elif seal is not None and institution not in timeline.counted:
                within = self._within.setdefault(institution, {})
                within[timeline] = within.get(timeline, 0) + 1
        timeline.sealed.clear()
        timeline.counted = set(timeline.seals)

    def _displace(self, institution: str) -> None:
        """Have an institution lose what it has in its oldest groups: those in which its newest entry is the oldest."""
        within = self._within.get(institution, {})
        past = len(within) - GROUPS_PER_INSTITUTION_MAX
        if past <= 0:
            return
        oldest = nsmallest(
            past + GROUPS_PER_INSTITUTION_MAX // ROOM, within, key=lambda one: (one.newest_of(institution), one.key)
        )
        for timeline in oldest:
            self.displaced_total += self._lose(timeline, timeline.displace(institution))
            self._keep_seals(timeline)
            self._touch(timeline)

    def _lose(self, timeline: Timeline, names: Collection[TicketName]) -> int:
        """These tickets have left before their time; return how many."""
        self._forget(timeline, names)
        self.dropped += [(timeline.key, name) for name in names]
        return len(names)

    def _drop(self, timeline: Timeline) -> None:
        key, timeline.touched = timeline.key, False
        self._held[key.rule] -= 1
        if not self._held[key.rule]:
            del self._held[key.rule]
        del self._timelines[key]

    def _await_expiry(self, timeline: Timeline) -> None:
        """See to it that the group is looked at when its oldest entry expires."""
        leaves = timeline.leaves_ms()
        if leaves is not None:
            expires = leaves + timeline.rule.retention_ms
            if timeline.expires_ms is None or expires < timeline.expires_ms:
                timeline.expires_ms = expires
                heappush(self._expiry, (expires, timeline.key))

    def _await_decision(self, timeline: Timeline) -> None:
        """See to it that the group is judged again when its next event time is settled."""
        undecided = timeline.undecided_ms
        if undecided is not None and (timeline.decides_ms is None or undecided < timeline.decides_ms):
            timeline.decides_ms = undecided
            heappush(self._undecided, (undecided, timeline.key))

    def _let_go(self, timeline: Timeline) -> None:
        if timeline.is_empty:
            self._drop(timeline)


_KEY = itemgetter(0)


def settled_from(rule: CorrelationRule, closed_until_ms: int | None) -> int:
    """The first episode that may still change: earlier ones have lost entries and are never judged again."""
    if closed_until_ms is None:
        return -(2**63)
    return (closed_until_ms - 2 * rule.episode_ms) // rule.episode_ms + 1
