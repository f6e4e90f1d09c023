"""Completeness of one feed as a number: which sequence numbers are missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MISSING_RANGES_MAX = 1_000
"""Bound per feed and epoch. Past it the oldest range is given up and counted in `forgotten`."""


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

    def note(self, seq: int) -> None:
        """Take one number; seeing it again changes nothing."""
        if self.first is None:
            self.first, self.next = seq, seq + 1
        elif seq >= self.next:
            if seq > self.next:
                self._miss(self.next, seq - 1)
            self.next = seq + 1
        elif seq < self.first:
            if seq < self.first - 1:
                self.missing.insert(0, [seq + 1, self.first - 1])
            self.first = seq
        else:
            self._found(seq)

    def expect(self, last_seq: int) -> None:
        """A heartbeat says that numbers up to last_seq were sent: what is not here yet is missing."""
        if self.first is None:
            self.first = self.next = last_seq + 1
        elif last_seq >= self.next:
            self._miss(self.next, last_seq)
            self.next = last_seq + 1

    def missing_total(self) -> int:
        return sum(last - start + 1 for start, last in self.missing)

    def _miss(self, start: int, last: int) -> None:
        self.missing.append([start, last])
        if len(self.missing) > MISSING_RANGES_MAX:
            start, last = self.missing.pop(0)
            self.forgotten += last - start + 1

    def _found(self, seq: int) -> None:
        for index, (start, last) in enumerate(self.missing):
            if start <= seq <= last:
                rest = [[start, seq - 1], [seq + 1, last]]
                self.missing[index : index + 1] = [gap for gap in rest if gap[0] <= gap[1]]
                return
