"""One group: its entries in event-time order, and the windows that hold, kept as entries come and go. Pure.

`satisfied` of `window.py` says the same by walking over everything; here only what an entry changes is judged again. An
entry at s is in the windows of the event times [s, s + timespan), so one that is newer than all others costs one
window, however many there are. One that comes late, or leaves, costs the windows it lies in, as each measures otherwise
without it:

    at most a timespan late    what is between it and the newest, and as much at the window's far edge
    later                      the windows it lies in, and building the first of them; many such at once, those windows
                               once, however many lie in them

Finding an entry's place is bisection; making room there moves references in one block of at most some 80 kB.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from fsoc.correlation.conditions import Held, held_by
from fsoc.correlation.entries import Entry, GroupKey, TicketName
from fsoc.correlation.exact import Number
from fsoc.correlation.measures import Measure, measure_of
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied, summed_up


class Withdrawal(NamedTuple):
    """What is remembered so that a replayed put does not undo it. expires_ms: progress at which it is forgotten."""

    revision: int
    expires_ms: int


class Timeline:
    """The entries of one group, judged up to some event time.

    held: everything there is; the entries themselves, unless some do not count (`timeline_of_past.py`).

    The judged ones are entries[:_right]; _measure is of the newest judged window, entries[_left:_right]; _held has
    (event time, measure) of every judged time at which the condition held, in order.

    changed_from_ms: from which event time on that is otherwise than when last asked for; None where it is not.
    expires_ms, decides_ms: times its owner waits for.
    touched: whether its owner is about to have it judged.
    """

    __slots__ = (
        "_anew",
        "_held",
        "_holds",
        "_left",
        "_measure",
        "_right",
        "by_name",
        "changed_from_ms",
        "decides_ms",
        "entries",
        "expires_ms",
        "held",
        "key",
        "rule",
        "touched",
        "withdrawn",
    )

    def __init__(self, rule: CorrelationRule, key: GroupKey) -> None:
        self.rule = rule
        self.key = key
        self.entries: list[Entry] = []
        self.held: list[Entry] = self.entries
        self.by_name: dict[TicketName, Entry] = {}
        self.withdrawn: dict[TicketName, Withdrawal] | None = None  # most groups never have one
        self.changed_from_ms: int | None = None
        self.touched = False
        self.expires_ms: int | None = None
        self.decides_ms: int | None = None
        self._measure: Measure = measure_of(rule)
        self._holds: Held = held_by(rule.condition.bounds)
        self._left = self._right = 0
        self._held: list[tuple[int, Number]] = []
        self._anew: list[int] | None = None

    def begin_again(self, rule: CorrelationRule) -> None:
        """Judge everything anew, by this rule."""
        self.rule = rule
        self._measure, self._holds = measure_of(rule), held_by(rule.condition.bounds)
        self._left = self._right = 0
        self._held.clear()
        self._anew = None
        self._change(-(2**63))

    def put(self, entry: Entry) -> int | None:
        """Take an entry unless its revision, or a later word on it, is known: then None.

        Otherwise return by how many more tickets are remembered: 0 or 1.
        """
        name, more = (entry.institution, entry.ticket_id, entry.source), 1
        if self.withdrawn is not None and name in self.withdrawn:
            if self.withdrawn[name].revision >= entry.revision:
                return None
            del self.withdrawn[name]
            more = 0
        names = len(self.by_name)
        known = self.by_name.setdefault(name, entry)
        if len(self.by_name) == names:
            if known.revision >= entry.revision:
                return None
            self.by_name[name] = entry
            self._remove(known)
            more = 0
        self._place(entry)
        return more

    def withdraw(self, name: TicketName, withdrawal: Withdrawal) -> int | None:
        """Take an entry out unless a later word on it is known: then None; otherwise as `put`."""
        if self.withdrawn is None:
            self.withdrawn = {}
        known, before = self.by_name.get(name), self.withdrawn.get(name)
        if max(known.revision if known else 0, before.revision if before else 0) >= withdrawal.revision:
            return None
        self.withdrawn[name] = withdrawal
        if known is not None:
            del self.by_name[name]
            self._remove(known)
        return 0 if known or before else 1

    def advance(self, before_ms: int | None) -> None:
        """Judge what is not judged yet; only times before this one, None for all."""
        if self._anew is not None:
            self._judge_anew(self._anew)
            self._anew = None
        end = len(self.entries) if before_ms is None else bisect_left(self.entries, (before_ms,))
        if self._right < end:
            before = len(self._held)
            self._left = self._walk(self._measure, self._left, self._right, end, self._held)
            self._right = end
            if len(self._held) > before:
                self._change(self._held[before][0])

    def _walk(self, measure: Measure, left: int, right: int, end: int, held: list[tuple[int, Number]]) -> int:
        """Move the window entries[left:right], which `measure` is of, over the event times of entries[right:end].

        Append to `held` where the condition holds; return where the last window begins.
        """
        entries, timespan, holds = self.entries, self.rule.timespan_ms, self._holds
        while right < end:
            at = entries[right].event_time_ms
            while right < end and entries[right].event_time_ms == at:
                measure.add(entries[right])
                right += 1
            while entries[left].event_time_ms <= at - timespan:
                measure.remove(entries[left])
                left += 1
            value = measure.value()
            if value is not None and holds(value):
                held.append((at, value))
        return left

    @property
    def undecided_ms(self) -> int | None:
        """The first event time that is not judged yet."""
        return self.entries[self._right].event_time_ms if self._right < len(self.entries) else None

    def first_held_ms(self, entry: Entry) -> int | None:
        """The earliest event time at which the condition held with the entry in the window; None where it never did."""
        place = bisect_left(self._held, (entry.event_time_ms,))
        if place < len(self._held) and self._held[place][0] < entry.event_time_ms + self.rule.timespan_ms:
            return self._held[place][0]
        return None

    def unlike(self, changed_from_ms: int) -> list[Entry]:
        """The entries of which that may have changed, where nothing that held before this event time has."""
        place = bisect_left(self._held, (changed_from_ms,))
        begin = changed_from_ms - self.rule.timespan_ms
        if place:
            begin = max(begin, self._held[place - 1][0])
        return self.entries[bisect_left(self.entries, (begin + 1,)) :]

    def satisfied(self, first_episode: int) -> list[Satisfied]:
        """The episodes in which the condition held, from this one on, as far as judged."""
        entries, rule = self.entries, self.rule
        begin = bisect_left(self._held, (first_episode * rule.episode_ms,))
        windows = [
            (at, bisect_left(entries, (at - rule.timespan_ms + 1,)), bisect_left(entries, (at + 1,)), value)
            for at, value in self._held[begin:]
        ]
        return summed_up(rule, entries, windows)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not self.held and not self.withdrawn

    def leaves_ms(self) -> int | None:
        """The first event time up to which there is something to let go of."""
        return self.held[0].event_time_ms if self.held else None

    def expire(self, until_ms: int) -> list[TicketName]:
        """Let go of the entries up to this event time, all of them judged, and of what was found there."""
        names = [entry.name for entry in self.entries[: bisect_left(self.entries, (until_ms + 1,))]]
        for name in names:
            del self.by_name[name]
        self._leave(until_ms)
        return names

    def _leave(self, until_ms: int) -> None:
        gone = bisect_left(self.entries, (until_ms + 1,))
        for entry in self.entries[self._left : min(gone, self._right)]:
            self._measure.remove(entry)
        del self.entries[:gone]
        del self._held[: bisect_left(self._held, (until_ms + 1,))]
        self._left, self._right = max(0, self._left - gone), max(0, self._right - gone)

    def evict(self, entries_max: int, *, seals: bool = False) -> list[TicketName]:  # noqa: ARG002 - pasts do
        """Drop entries until so many are left, and judge these as if there had been no others.

        Again and again the institution that has most loses its oldest: who floods a group displaces only itself.
        seals: what is known of pasts stays, as far as whole hours had to leave.
        """
        kept, gone = self._surplus(entries_max)
        for entry in gone:
            del self.by_name[entry.name]
        self.held[:] = kept
        self.begin_again(self.rule)
        return [entry.name for entry in gone]

    def _surplus(self, entries_max: int) -> tuple[list[Entry], list[Entry]]:
        """What stays, and what has to leave, where so many may; both in order."""
        held = Counter(entry.institution for entry in self.held)
        share = fair_share(held.values(), entries_max)
        past = sum(min(count, share) for count in held.values()) - entries_max
        kept: list[Entry] = []
        gone: list[Entry] = []
        for entry in self.held:
            count = held[entry.institution]
            if count < share or (count == share and not past):
                kept.append(entry)
                continue
            past -= count == share
            held[entry.institution] -= 1
            gone.append(entry)
        return kept, gone

    def displace(self, institution: str) -> list[TicketName]:
        """Drop everything of one institution, what is remembered of its withdrawals too."""
        gone = [entry for entry in self.held if entry.institution == institution]
        for entry in gone:
            del self.by_name[entry.name]
            self._remove(entry)
        names = [entry.name for entry in gone]
        if self.withdrawn is not None:
            names += [name for name in self.withdrawn if name[0] == institution]
            self.withdrawn = {name: one for name, one in self.withdrawn.items() if name[0] != institution}
        return names

    def newest_of(self, institution: str) -> int:
        """The event time of its newest entry; where it has none, earlier than any."""
        return next((one.event_time_ms for one in reversed(self.held) if one.institution == institution), -(2**63))

    def _place(self, entry: Entry) -> None:
        if self.entries and entry.event_time_ms <= self.entries[-1].event_time_ms:
            self._insert(entry)
        else:
            self.entries.append(entry)

    def _insert(self, entry: Entry) -> None:
        """Take one that is not newer than all others."""
        if self._right and self._reopen(entry.event_time_ms):
            self._left += 1
            self._right += 1
        insort(self.entries, entry)

    def _remove(self, entry: Entry) -> None:
        place = bisect_left(self.entries, entry)
        if place < self._right and self._reopen(entry.event_time_ms):
            self._left -= 1
            self._right -= 1
        del self.entries[place]

    def _reopen(self, at: int) -> bool:
        """Unjudge the windows that an entry at this time lies in; return whether it lies before the newest of them.

        Where it lies in the newest window, or after it, judging goes back to before it. Where it does not, the newest
        window stays, and those it lies in are judged anew by themselves.
        """
        if at > self.entries[self._right - 1].event_time_ms - self.rule.timespan_ms:
            self._go_back(at)
            return False
        if self._anew is None:
            self._anew = []
        self._anew.append(at)
        return True

    def _go_back(self, at: int) -> None:
        """Unjudge this time and all later ones."""
        entries, measure, left, right = self.entries, self._measure, self._left, self._right
        while right and entries[right - 1].event_time_ms >= at:
            right -= 1
            if right >= left:
                measure.remove(entries[right])
        left = min(left, right)
        if right:
            begin = entries[right - 1].event_time_ms - self.rule.timespan_ms
            while left and entries[left - 1].event_time_ms > begin:
                left -= 1
                measure.add(entries[left])
        self._left, self._right = left, right
        place = bisect_left(self._held, (at,))
        if place < len(self._held):
            del self._held[place:]
            self._change(at)

    def _judge_anew(self, times: list[int]) -> None:
        """Judge the windows that entries at these times lie in, or lay in, as far as they are judged at all."""
        times.sort()
        timespan = self.rule.timespan_ms
        begin, end = times[0], times[0] + timespan
        for at in times:
            if at > end:
                self._judge_between(begin, end)
                begin = at
            end = at + timespan
        self._judge_between(begin, end)

    def _judge_between(self, begin: int, end: int) -> None:
        """Judge the windows of the event times [begin, end) by themselves."""
        entries, held = self.entries, list[tuple[int, Number]]()
        right, last = bisect_left(entries, (begin,), 0, self._right), bisect_left(entries, (end,), 0, self._right)
        if right < last:
            measure = measure_of(self.rule)
            left = bisect_left(entries, (entries[right].event_time_ms - self.rule.timespan_ms + 1,))
            for entry in entries[left:right]:
                measure.add(entry)
            self._walk(measure, left, right, last, held)
        first, past = bisect_left(self._held, (begin,)), bisect_left(self._held, (end,))
        if held or first < past:
            self._held[first:past] = held
            self._change(begin)

    def _change(self, at: int) -> None:
        self.changed_from_ms = at if self.changed_from_ms is None else min(at, self.changed_from_ms)


def fair_share(held: Collection[int], total: int) -> int:
    """The least each may have so that, who has less keeping all, so many are kept in total."""
    left, sharing = total, len(held)
    for count in sorted(held):
        if count * sharing >= left:
            break
        left -= count
        sharing -= 1
    return -(-left // sharing)
