"""Why a message that was read is not used: the words for its sender. Pure."""

from __future__ import annotations

from fsoc.errors import Fault
from fsoc.tickets.decode import Message

FUTURE_MAX_MS = 5 * 60_000
"""How far event time may run ahead of the log's clock (law 2)."""

NO_END = Fault("field.not-allowed", "/ended", "an end record ends an exercise's stream; this stream is production's")


def future(at: int, received_at_ms: int) -> Fault:
    ahead = (at - received_at_ms) // 1000
    return Fault(
        "time.future",
        "/detected_at",
        f"event time is {ahead} s after the record was received, limit {FUTURE_MAX_MS // 1000} s",
    )


def late(allowed_ms: int) -> Fault:
    return Fault(
        "time.late",
        "/detected_at",
        f"event time is more than {allowed_ms // 60_000} min before the newest the institution had sent; "
        "stored, not used",
    )


def conflict(message: Message) -> Fault:
    return Fault(
        "revision.conflict",
        "/revision",
        f"revision {message.revision} of this ticket was received before with another body; raise the revision",
    )
