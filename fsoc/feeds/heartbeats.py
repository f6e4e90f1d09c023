"""A heartbeat (`source_status`) as something rules may ask about: what it is called, and when it was. Pure."""

from __future__ import annotations

from typing import Final

from fsoc.feeds.outcomes import Outcome, Outcomes
from fsoc.tickets.decode import Message
from fsoc.tickets.times import rfc3339

_PREFIX: Final = "heartbeat "
"""No ticket's id has a blank."""


def heartbeat_name(message: Message) -> str:
    """One per feed, epoch and end of its period: what stands for a ticket's id. A heartbeat sent again has the same."""
    return f"{_PREFIX}{message.feed} {message.seq_epoch} {rfc3339(message.detected_at_ms)}"


def is_heartbeat(ticket_id: str) -> bool:
    """Whether this names a heartbeat and no ticket."""
    return ticket_id.startswith(_PREFIX)


class Heartbeats:
    """Which heartbeats rules were asked about, by offset: a replay must find what was decided before (law 10)."""

    def __init__(self) -> None:
        self._heard = Outcomes()

    def heard(self, offset: int) -> bool:
        """Whether this one was in time, when it first came. One older than anything remembered: no."""
        return self._heard.of(offset) is Outcome.USED

    def add(self, offset: int, *, in_time: bool) -> None:
        """offset: above all before."""
        self._heard.add(offset, Outcome.USED if in_time else Outcome.LATE)

    def encode(self) -> str:
        return self._heard.encode()

    def restore(self, text: str, last: int) -> None:
        """text: what `encode` returned. last: the newest offset of the log that is known."""
        self._heard = Outcomes.decode(text, last)
