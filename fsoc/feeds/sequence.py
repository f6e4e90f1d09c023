"""Completeness of one feed as a number: which sequence numbers are missing, and what changed. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Several
from enum import StrEnum
from typing import Any, Final, NamedTuple

MISSING_RANGES_MAX = 1_000
"""Bound per feed and epoch. Past it the oldest range is given up and counted in `forgotten`."""


class Change(StrEnum):
    """What became of a range of numbers. The letter is what the state topic holds."""

    ASK = "a"  # they are missing: please send them again
    CLOSED = "c"  # they were missing and have come
    GIVEN_UP = "g"  # they are missing and no longer looked for


class Gap(NamedTuple):
    """A change of the numbers from `first` to `last`, both included."""

    change: Change
    first: int
    last: int

    @property
    def numbers(self) -> int:
        return self.last - self.first + 1


Gaps = Several[Gap]
NONE: Final[Gaps] = ()


class Sequence:
    """The sequence numbers of one (feed, epoch), as the gaps between them.

    `first` is the lowest number met: the first message opens the epoch, and a number below it that arrives later
    (reordered at the very start) extends the known range downwards.
    `last_seen_ms` is when its newest message was received.
    """

    __slots__ = ("first", "forgotten", "last_seen_ms", "missing", "next")

    def __init__(
        self,
        first: int | None = None,
        following: int = 0,
        missing: Iterable[Iterable[int]] = (),
        forgotten: int = 0,
        last_seen_ms: int | None = None,
    ) -> None:
        self.first = first
        self.next = following
        self.missing: list[list[int]] = [list(gap) for gap in missing]
        self.forgotten = forgotten
        self.last_seen_ms = last_seen_ms

    def note(self, seq: int) -> Gaps:
        """Take one number and say what it changes; seeing it again changes nothing."""
        if self.first is None:
            self.first, self.next = seq, seq + 1
        elif seq == self.next:
            self.next = seq + 1
        elif seq > self.next:
            first, self.next = self.next, seq + 1
            return self._missed(len(self.missing), first, seq - 1)
        elif seq < self.first:
            last, self.first = self.first - 1, seq
            if seq < last:
                return self._missed(0, seq + 1, last)
        else:
            return self._found(seq)
        return NONE

    def expect(self, last_seq: int) -> Gaps:
        """A heartbeat says that numbers up to last_seq were sent: what is not here yet is missing."""
        if self.first is None:
            self.first = self.next = last_seq + 1
        elif last_seq >= self.next:
            first, self.next = self.next, last_seq + 1
            return self._missed(len(self.missing), first, last_seq)
        return NONE

    def record(self) -> dict[str, Any]:
        """What the state keeps of it."""
        return {
            "first": self.first,
            "next": self.next,
            "missing": self.missing,
            "forgotten": self.forgotten,
            "last_seen_ms": self.last_seen_ms,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Sequence:
        """The inverse of `record`."""
        return cls(record["first"], record["next"], record["missing"], record["forgotten"], record["last_seen_ms"])

    def missing_total(self) -> int:
        return sum(last - start + 1 for start, last in self.missing)

    def _missed(self, place: int, first: int, last: int) -> Gaps:
        self.missing.insert(place, [first, last])
        gone = self._bounded()
        if gone is None:
            return (Gap(Change.ASK, first, last),)
        if (gone.first, gone.last) == (first, last):
            return (gone,)  # nobody is asked for what is not looked for
        return Gap(Change.ASK, first, last), gone

    def _found(self, seq: int) -> Gaps:
        place = bisect_right(self.missing, seq, key=_start) - 1
        if place < 0 or self.missing[place][1] < seq:
            return NONE
        start, last = self.missing[place]
        rest = [[start, seq - 1], [seq + 1, last]]
        self.missing[place : place + 1] = [gap for gap in rest if gap[0] <= gap[1]]
        closed = Gap(Change.CLOSED, seq, seq)
        gone = self._bounded()
        return (closed,) if gone is None else (closed, gone)

    def _bounded(self) -> Gap | None:
        """Give the oldest range up where there are too many."""
        if len(self.missing) <= MISSING_RANGES_MAX:
            return None
        gone = Gap(Change.GIVEN_UP, *self.missing.pop(0))
        self.forgotten += gone.numbers
        return gone


def _start(gap: list[int]) -> int:
    return gap[0]
