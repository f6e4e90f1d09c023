"""One group of a rule that asks where something was and then nothing came for a timespan (`absent`). Pure.

    entries    e1      e2                          e3
    t=         |       |---------- timespan ----------)
    absent                                        ^ e2 + timespan: nothing in (e2, e2 + timespan]

Whether nothing follows an event time depends on the one entry after it, so what comes or goes costs a look at its own
time and at the one before. It is decided when event time is settled beyond its end; an entry that comes late after all
undoes it. Where all streams have ended (END_MS), what comes last is followed by nothing, and that is no absence; nor is
what follows the end of its feed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

from fsoc.correlation.entries import Entry
from fsoc.correlation.timeline import Timeline
from fsoc.correlation.window import Satisfied, is_silent_after, summed_up
from fsoc.feeds.ledger import END_MS

_NEVER: Final = -(2**63)


class TimelineOfAbsence(Timeline):
    """The judged ones are entries[:_right]; _held has the time at which each absence was complete, and 0.

    _anew: event times of entries that have come or gone since, at or before the judged ones.
    """

    __slots__ = ()

    def advance(self, before_ms: int | None) -> None:
        """Decide the absences that are complete before this time, None or END_MS for all but those that go on."""
        timespan, entries = self.rule.timespan_ms, self.entries
        ended = before_ms is None or before_ms >= END_MS
        anew, self._anew = self._anew, None
        for at in dict.fromkeys(anew or ()):
            place = bisect_left(entries, (at,))
            if 0 < place <= self._right:
                self._look(entries[place - 1].event_time_ms, ended=ended)
            if place < self._right or self._stands(at + timespan):
                self._look(at, ended=ended)
        end = len(entries) if before_ms is None else bisect_left(entries, (before_ms - timespan,))
        known: int | None = None
        for entry in entries[self._right : end]:
            if entry.event_time_ms != known:
                known = entry.event_time_ms
                self._look(known, ended=ended)
        self._right = max(self._right, end)

    def _look(self, at: int, *, ended: bool) -> None:
        """Find out whether nothing follows this event time."""
        until = at + self.rule.timespan_ms
        place = bisect_left(self._held, (until,))
        stood = place < len(self._held) and self._held[place][0] == until
        first, past = bisect_left(self.entries, (at,)), bisect_left(self.entries, (at + 1,))
        stands = is_silent_after(self.rule, self.entries, first, past, ended=ended)
        if stands and not stood:
            self._held.insert(place, (until, 0))
        elif stood and not stands:
            del self._held[place]
        if stands or stood:
            self._change(until)

    def _stands(self, until: int) -> bool:
        place = bisect_left(self._held, (until,))
        return place < len(self._held) and self._held[place][0] == until

    @property
    def undecided_ms(self) -> int | None:
        undecided = super().undecided_ms
        return None if undecided is None else undecided + self.rule.timespan_ms

    def first_held_ms(self, entry: Entry) -> int | None:
        until = entry.event_time_ms + self.rule.timespan_ms
        return until if self._stands(until) else None

    def unlike(self, changed_from_ms: int) -> list[Entry]:
        return self.entries[bisect_left(self.entries, (changed_from_ms - self.rule.timespan_ms,)) :]

    def satisfied(self, first_episode: int) -> list[Satisfied]:
        entries, rule = self.entries, self.rule
        windows = []
        for until, value in self._held[bisect_left(self._held, (first_episode * rule.episode_ms,)) :]:
            at = until - rule.timespan_ms
            windows.append((until, bisect_left(entries, (at,)), bisect_left(entries, (at + 1,)), value))
        return summed_up(rule, entries, windows)

    def _place(self, entry: Entry) -> None:
        place = bisect_left(self.entries, entry)
        insort(self.entries, entry)
        self._moved(entry, place)
        if place < self._right:
            self._right += 1

    def _remove(self, entry: Entry) -> None:
        place = bisect_left(self.entries, entry)
        del self.entries[place]
        self._moved(entry, place)
        if place < self._right:
            self._right -= 1

    def _moved(self, entry: Entry, place: int) -> None:
        if place <= self._right:
            self._anew = self._anew or []
            self._anew.append(entry.event_time_ms)

    def _leave(self, until_ms: int) -> None:
        gone = bisect_left(self.entries, (until_ms + 1,))
        del self.entries[:gone]
        del self._held[: bisect_left(self._held, (until_ms + self.rule.timespan_ms + 1,))]
        self._right = max(0, self._right - gone)
