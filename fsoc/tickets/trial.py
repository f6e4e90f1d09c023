"""Test tickets of an institution as of a moment: what a way in is tried out with. Not the exercise's generator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fsoc.tickets import sample
from fsoc.tickets.times import rfc3339

MINUTE_MS: Final = 60_000


def trial(institution: str, feed: str, now_ms: int, count: int, *, heartbeat: bool = False) -> Iterator[dict[str, Any]]:
    """Yield `count` tickets, none of which another moment's are, then a heartbeat that tells of all of them.

    They say `environment: test`, which no production alert counts. The moment is their `seq_epoch`: `seq` begins at 1.
    """
    at = [rfc3339(now_ms - minutes * MINUTE_MS) for minutes in (0, 1, 2, 3)]
    common = {"institution": institution, "feed": feed, "seq_epoch": f"trial-{now_ms}", "environment": "test"}
    times = {"occurred_from": at[3], "occurred_to": at[2], "detected_at": at[2], "created_at": at[1], "sent_at": at[0]}
    for number in range(1, count + 1):
        named = {"ticket_id": f"trial-{now_ms}-{number}", "title": "A ticket to try a way in: a test"}
        yield sample.ticket(**common, **times, **named, seq=number)
    if heartbeat:
        told = {"last_seq": count, "tickets_opened": count, "period_from": at[3], "period_to": at[0]}
        yield sample.source_status(**common, **told)
