"""What institutions answer to alerts, as it is told: `acknowledgements`, compacted. Pure.

A record says what one ticket or acknowledgement of an institution says of one alert, in its newest revision. Which
alerts there are is not looked up: an answer to none is harmless, and as bounded as any ticket is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from fsoc.feeds.live import LiveTicket
from fsoc.feeds.record import Outgoing
from fsoc.tickets.decode import Message
from fsoc.tickets.times import rfc3339

TOPIC: Final = "acknowledgements"
SCHEMA: Final = "fsoc.acknowledgement/1"


ANSWER: Final = "acknowledgement"
"""The kind of message that is an answer and nothing else."""


def answers_of(message: Message) -> dict[str, str | None]:
    """By alert, the answer of this revision; of two to one alert the last. What is retracted answers nothing: None.

    What closes as a false positive does: that the ticket was a mistake takes nothing back of what is said of the alert.
    """
    relations = message.body.get("relations")
    if relations is None:
        return {}
    stands = message.action != "retract"
    return {one["alert_id"]: one["answer"] if stands else None for one in relations.get("acknowledges") or ()}


def answer(institution: str, live: LiveTicket, message: Message, received_at_ms: int) -> Iterator[Outgoing]:
    """Take this revision's answers into the ticket, and tell them."""
    live.answer(answers_of(message), received_at_ms)
    return _told(institution, live)


def answered(institution: str, tickets: Iterable[LiveTicket]) -> Iterator[Outgoing]:
    """All of it once more: a worker that had lost the institution and did not know may have written over it."""
    return (record for live in tickets for record in _told(institution, live))


def _told(institution: str, live: LiveTicket) -> Iterator[Outgoing]:
    """One record for each alert that the ticket answers, or answered before; saying it twice changes nothing."""
    environment, ticket_id = live.name
    for alert_id, (answer, since_ms) in live.answers.items():
        said = {
            "schema": SCHEMA,
            "alert_id": alert_id,
            "institution": institution,
            "environment": environment,
            "ticket_id": ticket_id,
            "revision": live.revision,
            "answer": answer,
            "received_at": rfc3339(live.received_at_ms),
            "first_received_at": rfc3339(since_ms),
        }
        key = f"{environment}/{alert_id}/{institution}/{ticket_id}".encode()
        yield Outgoing(TOPIC, 0, key, orjson.dumps(said))
