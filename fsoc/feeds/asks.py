"""What senders were told of gaps, by the offset at which they were: a replay must tell the same (law 10). Pure."""

from __future__ import annotations

import re
from typing import Final

from fsoc.feeds.outcomes import REMEMBERED_MAX
from fsoc.feeds.sequence import NONE, Change, Gap, Gaps
from fsoc.tickets.decode import Message
from fsoc.tickets.receipts import Resend

ASKS_MAX: Final = 1_000
"""Changes that are remembered per institution. Where a replay reaches further back, its receipts say nothing of gaps;
what is open is in the state all the same."""

_CHANGE: Final = re.compile(r"(\d+)([acg])(\d+)(?:-(\d+))?")


def resend_of(message: Message | None, gaps: Gaps) -> Resend | None:
    """The same as the message's receipt says it; None where nothing changes."""
    if message is None or not gaps:
        return None
    ask, closed, given_up = (
        [(gap.first, gap.last) for gap in gaps if gap.change is change]
        for change in (Change.ASK, Change.CLOSED, Change.GIVEN_UP)
    )
    return Resend(message.seq_epoch, ask, closed, given_up)


class Asks:
    """Changes of gaps at ascending offsets, the newest ASKS_MAX of the last REMEMBERED_MAX offsets."""

    def __init__(self) -> None:
        self._told: dict[int, Gaps] = {}
        self._changes = 0

    def add(self, offset: int, gaps: Gaps) -> None:
        """Remember what was told at an offset above all before. Nothing told is nothing to remember."""
        if gaps:
            self._told[offset] = gaps
            self._changes += len(gaps)
        while self._told:
            oldest = next(iter(self._told))
            if self._changes <= ASKS_MAX and oldest > offset - REMEMBERED_MAX:
                return
            self._changes -= len(self._told.pop(oldest))

    def of(self, offset: int) -> Gaps:
        """What was told at this offset; NONE for one that is forgotten."""
        return self._told.get(offset, NONE)

    def encode(self) -> str:
        """`4711a10-12,4712c11,…`: offset, change, first and last number."""
        return ",".join(
            f"{offset}{gap.change.value}{gap.first}" + (f"-{gap.last}" if gap.last != gap.first else "")
            for offset, gaps in self._told.items()
            for gap in gaps
        )

    @classmethod
    def decode(cls, text: str) -> Asks:
        """The inverse of `encode`."""
        asks = cls()
        told: dict[int, list[Gap]] = {}
        for offset, change, first, last in _CHANGE.findall(text):
            told.setdefault(int(offset), []).append(Gap(Change(change), int(first), int(last or first)))
        for at, gaps in told.items():
            asks.add(at, tuple(gaps))
        return asks
