"""What is left of an institution's messages: its final tickets, and when each was. Laws 2 and 6 once more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Ticket(NamedTuple):
    """One institution's last word on one ticket."""

    institution: str
    at: int
    body: Mapping[str, Any]


def final_tickets(institution: str, used: Iterable[tuple[bytes, int]]) -> list[Ticket]:
    """What is left of the messages that were used: each ticket's highest revision, unless that takes it back for good.

    Heartbeats too, as if each were a ticket; all of them are taken to have been in time.
    used: payload and allowed lateness in ms, in the order of the log.
    """
    newest: dict[tuple[str, str], tuple[int, Ticket]] = {}
    for payload, lateness_ms in used:
        body = json.loads(payload)
        if body["kind"] == "source_status":
            body |= {"ticket_id": heartbeat_name(body), "revision": 1, "action": "open", "severity": 0}
            body["detected_at"] = body["period_to"]
        name = (body["environment"], body["ticket_id"])
        if name not in newest or body["revision"] > newest[name][0]:
            newest[name] = (body["revision"], Ticket(institution, event_time(body, lateness_ms), body))
    return [ticket for _, ticket in newest.values() if not taken_back(ticket.body)]


def heartbeat_name(body: Mapping[str, Any]) -> str:
    """One that is sent again has the same."""
    return f"heartbeat {body['feed']} {body['seq_epoch']} {body['period_to']}"


def is_intel(ticket: Ticket) -> bool:
    """Whether it says what its sender heard of, and not what happened to it."""
    return ticket.body["kind"] == "intel"


def taken_back(body: Mapping[str, Any]) -> bool:
    return body["action"] == "retract" or (body["kind"] == "intel" and is_false(body))


def is_false(body: Mapping[str, Any]) -> bool:
    """Of a ticket: it is in its institution's past, and nowhere else."""
    return body["action"] == "close" and body["verdict"] == "false_positive"


def event_time(body: Mapping[str, Any], lateness_ms: int) -> int:
    """Law 2."""
    detected, occurred = ms(body["detected_at"]), body.get("occurred_from")
    return ms(occurred) if occurred and 0 <= detected - ms(occurred) <= lateness_ms else detected


def known_since(used: Iterable[tuple[bytes, int]]) -> int | None:
    """The least event time of the tickets that were used, whatever became of them; as `final_tickets`."""
    bodies = [(json.loads(payload), lateness_ms) for payload, lateness_ms in used]
    return min((event_time(*one) for one in bodies if one[0]["kind"] == "ticket"), default=None)


def ms(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)
