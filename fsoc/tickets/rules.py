"""The rules between fields, on the hot path: True or raise. The model states them a second time, to explain them.

`tests/tickets/test_differential.py` holds the two together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from fsoc.tickets import vocabulary as words
from fsoc.tickets import wire
from fsoc.tickets.times import BadTime, milliseconds


class BrokenRule(BadTime):
    """A rule between fields does not hold; which one, the model says."""

    def __init__(self) -> None:
        super().__init__("condition", "a rule between fields does not hold")


class Times(NamedTuple):
    occurred_from_ms: int | None
    occurred_to_ms: int | None
    detected_at_ms: int
    sent_at_ms: int
    received_at_ms: int | None


def ticket_times(ticket: wire.Ticket) -> Times:
    """Read every time of a ticket and hold it to every rule between its fields.

    Raises:
        BadTime: a time is no time. BrokenRule: a rule does not hold.
    """
    if (
        (ticket.is_incident and ticket.tw_level is None)
        or (ticket.environment == "exercise" and ticket.exercise_id is None)
        or (ticket.action == "close" and ticket.verdict is None)
        or not (ticket.attack or ticket.attack_unmapped_reason)
        or (ticket.attack and ticket.attack_version is None)
        or (ticket.kind == "intel" and not ticket.observables)
        or (ticket.trigger.kind == "baseline" and (not ticket.trigger.baseline_version or not ticket.trigger.rule_id))
    ):
        raise BrokenRule
    # A character is at most four bytes, so short descriptions need no encoding.
    if ticket.description is not None and len(ticket.description) * 4 > words.DESCRIPTION_BYTES_MAX:
        _bound(len(ticket.description.encode()), words.DESCRIPTION_BYTES_MAX)
    if ticket.ext is not None:
        _bound_ext(ticket.ext)
    for seen in ticket.observables or ():
        if seen.first_seen is not None or seen.last_seen is not None:
            _order(_optional(seen.first_seen), _optional(seen.last_seen))
    occurred_from_ms, occurred_to_ms = _optional(ticket.occurred_from), _optional(ticket.occurred_to)
    _order(occurred_from_ms, occurred_to_ms)
    milliseconds(ticket.created_at)
    _optional(ticket.processed_at)
    return Times(
        occurred_from_ms,
        occurred_to_ms,
        milliseconds(ticket.detected_at),
        milliseconds(ticket.sent_at),
        _optional(ticket.received_at),
    )


def status_times(status: wire.SourceStatus) -> Times:
    """As `ticket_times`, of a source_status; its period stands for occurred and detected.

    Raises:
        BadTime: a time is no time. BrokenRule: a rule does not hold.
    """
    if (
        (status.ended and status.environment == "production")
        or (status.environment == "exercise" and status.exercise_id is None)
        or (
            status.sensors_up is not None
            and status.sensors_total is not None
            and status.sensors_up > status.sensors_total
        )
    ):
        raise BrokenRule
    if status.ext is not None:
        _bound_ext(status.ext)
    period_from_ms, period_to_ms = milliseconds(status.period_from), milliseconds(status.period_to)
    _order(period_from_ms, period_to_ms)
    _optional(status.processed_at)
    sent_at_ms = _optional(status.sent_at)
    return Times(
        period_from_ms,
        period_to_ms,
        period_to_ms,
        period_to_ms if sent_at_ms is None else sent_at_ms,
        _optional(status.received_at),
    )


def acknowledgement_times(answer: wire.Acknowledgement) -> Times:
    """As `ticket_times`, of an acknowledgement; it happens when it is answered.

    Raises:
        BadTime: a time is no time. BrokenRule: a rule does not hold.
    """
    if (answer.environment == "exercise" and answer.exercise_id is None) or (
        answer.action != "retract" and not (answer.relations and answer.relations.acknowledges)
    ):
        raise BrokenRule
    if answer.ext is not None:
        _bound_ext(answer.ext)
    created_at_ms = milliseconds(answer.created_at)
    _optional(answer.processed_at)
    return Times(None, None, created_at_ms, milliseconds(answer.sent_at), _optional(answer.received_at))


def _optional(text: str | None) -> int | None:
    return None if text is None else milliseconds(text)


def _order(first_ms: int | None, last_ms: int | None) -> None:
    if first_ms is not None and last_ms is not None and last_ms < first_ms:
        raise BrokenRule


def _bound(found: int, allowed: int) -> None:
    if found > allowed:
        raise BrokenRule


def _bound_ext(ext: dict[str, Any]) -> None:
    _bound(len(orjson.dumps(ext)), words.EXT_BYTES_MAX)
