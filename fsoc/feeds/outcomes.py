"""What became of the last records of one log, run-length coded. Pure.

A crash between writing state and committing the offset makes the log replay records that the state already holds. Their
outcome must not be decided again: the watermark has moved on, and a ticket that was in time then would be late now.
"""

from __future__ import annotations

import re
from enum import StrEnum

REMEMBERED_MAX = 20_000
"""Offsets whose outcome is remembered. A checkpoint takes a few thousand records and is committed beside the next, so a
replay reaches back two or three of them. One that reached further would repeat receipts as duplicates and use nothing
twice: what it is about was flushed long before."""


class Outcome(StrEnum):
    """What became of one record. The letter is what the state topic holds."""

    USED = "u"
    DUPLICATE = "d"
    LATE = "l"
    QUARANTINED = "q"


class Outcomes:
    """Outcomes of ascending offsets up to `last`. An offset the log never delivered counts into the run before it."""

    __slots__ = ("_runs", "last")

    def __init__(self) -> None:
        self._runs: list[tuple[int, Outcome]] = []  # (first offset, outcome); a run lasts until the next begins
        self.last = -1

    def add(self, offset: int, outcome: Outcome) -> None:
        """Remember the outcome of an offset above `last`."""
        if not self._runs or self._runs[-1][1] is not outcome:
            self._runs.append((offset, outcome))
        self.last = offset
        while len(self._runs) > 1 and self._runs[1][0] <= offset - REMEMBERED_MAX:
            del self._runs[0]

    def of(self, offset: int) -> Outcome | None:
        """The outcome already decided for this offset; None if it is new."""
        if offset > self.last:
            return None
        for first, outcome in reversed(self._runs):
            if first <= offset:
                return outcome
        return Outcome.DUPLICATE  # older than anything remembered: committed long ago, and harmless

    def encode(self) -> str:
        """`<first offset>u120d3u7`: the runs with their lengths."""
        if not self._runs:
            return ""
        ends = [first for first, _ in self._runs[1:]] + [self.last + 1]
        runs = (f"{outcome.value}{end - first}" for (first, outcome), end in zip(self._runs, ends, strict=True))
        return f"{self._runs[0][0]}{''.join(runs)}"

    @classmethod
    def decode(cls, text: str, last: int) -> Outcomes:
        """The inverse of `encode`; last is the header's own offset, for a log of which nothing is remembered."""
        outcomes = cls()
        outcomes.last = last
        if start := re.match(r"\d+", text):
            offset = int(start.group())
            for letter, length in re.findall(r"([a-z])(\d+)", text):
                outcomes._runs.append((offset, Outcome(letter)))
                offset += int(length)
        return outcomes
