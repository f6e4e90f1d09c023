"""The lines that are evaluated: alerts, truth, tickets. One line in, facts or the reason why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct

from fsoc.feeds.faults import FUTURE_MAX_MS
from fsoc.tickets.times import BadTime, milliseconds

TicketKey = tuple[str, str]
"""(institution, ticket id): ids are unique within an institution only."""

LABEL_MAX: Final = 200
BENIGN: Final = "benign"


class BadLine(ValueError):  # noqa: N818 - as BadTime
    """What is wrong with a line; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One revision of an alert, as far as it is judged.

    first_ms, last_ms: event time of its first and last ticket. raised_ms: event time at which its rule's condition
        held first.
    tickets: ids by institution. group: what they have in common. intel: the intelligence tickets that stand in it,
        which are none of its tickets.
    suppressed: somebody decided beforehand that nobody need look at it.
    """

    id: str
    revision: int
    status: str
    kind: str
    rule_id: str
    rule_title: str
    rule_title_zh: str
    campaign_id: str | None
    continues: str | None
    first_ms: int
    last_ms: int
    raised_ms: int
    institutions: frozenset[str]
    tickets: Mapping[str, tuple[str, ...]]
    group: Mapping[str, str] = field(default_factory=dict)
    suppressed: bool = False
    intel: tuple[TicketKey, ...] = ()

    @property
    def keys(self) -> list[TicketKey]:
        return [(institution, name) for institution, names in self.tickets.items() for name in names]


@dataclass(frozen=True, slots=True)
class TruthLine:
    """label: None is no attack. institution: None where the line names none."""

    ticket_id: str
    label: str | None
    institution: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """One message about a ticket, or intel, as far as times go.

    received_ms: when it was sent where nothing says more. is_intel: its sender is no victim by it.
    """

    key: TicketKey
    revision: int
    occurred_ms: int | None
    detected_ms: int
    received_ms: int
    is_intel: bool = False

    def event_ms(self, allowed_lateness_ms: int) -> int:
        """Law 2, as `fsoc.tickets.times.event_time`."""
        if self.occurred_ms is not None and 0 <= self.detected_ms - self.occurred_ms <= allowed_lateness_ms:
            return self.occurred_ms
        return self.detected_ms


class _Intel(Struct):
    institution: str
    ticket_id: str


class _Alert(Struct):
    alert_id: str
    revision: int
    status: str
    kind: str
    rule_id: str
    rule_title: str
    first_seen: str
    raised_at_event_time: str
    institutions: list[str]
    tickets: dict[str, list[str]]
    rule_title_zh: str | None = None
    last_seen: str | None = None
    campaign_id: str | None = None
    continues: str | None = None
    group: dict[str, Any] = {}
    suppressed: Any = None
    intel: list[_Intel] = []


class _Line(Struct):
    type: str = ""
    alert: msgspec.Raw = msgspec.Raw()


class _Truth(Struct):
    ticket_id: str
    label: str | None = None
    institution: str | None = None


class _Ticket(Struct):
    kind: str
    institution: str
    ticket_id: str
    revision: int
    detected_at: str
    sent_at: str
    occurred_from: str | None = None
    received_at: str | None = None


_line: Final = msgspec.json.Decoder(_Line).decode
_alert: Final = msgspec.json.Decoder(_Alert).decode
_truth: Final = msgspec.json.Decoder(_Truth).decode
_ticket: Final = msgspec.json.Decoder(_Ticket).decode


def read_alert(line: bytes) -> Alert | None:
    """One line of `fsoc replay` or `fsoc demo`, one record of the alerts topic. None: the score a demo ends with.

    Raises:
        BadLine: it is no alert.
    """
    try:
        told = _line(line)
        if told.type == "score":
            return None
        read = _alert(told.alert if told.type == "alert" else line)
        first_ms = milliseconds(read.first_seen)
        raised_ms = milliseconds(read.raised_at_event_time)
        last_ms = max(first_ms, raised_ms) if read.last_seen is None else milliseconds(read.last_seen)
    except BadTime as error:
        raise BadLine(f"no alert: a time {error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadLine(f"no alert: {error}") from error
    return Alert(
        id=read.alert_id,
        revision=read.revision,
        status=read.status,
        kind=read.kind,
        rule_id=read.rule_id,
        rule_title=read.rule_title,
        rule_title_zh=read.rule_title_zh or read.rule_title,
        campaign_id=read.campaign_id,
        continues=read.continues,
        first_ms=first_ms,
        last_ms=last_ms,
        raised_ms=raised_ms,
        institutions=frozenset(read.institutions),
        tickets={name: tuple(dict.fromkeys(ids)) for name, ids in read.tickets.items()},
        group={name: str(value) for name, value in read.group.items()},
        suppressed=read.suppressed is not None,
        intel=tuple((each.institution, each.ticket_id) for each in read.intel),
    )


def read_truth(line: bytes) -> TruthLine:
    """`{"ticket_id": …, "label": …}`, with "institution" where ids are not unique.

    Raises:
        BadLine: it is no such object, or its label is longer than LABEL_MAX.
    """
    try:
        read = _truth(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadLine(f"no truth: {error}") from error
    if not read.ticket_id:
        raise BadLine("no truth: ticket_id is empty")
    label = (read.label or "").strip()
    if len(label) > LABEL_MAX:
        raise BadLine(f"label has {len(label)} characters, limit {LABEL_MAX}")
    return TruthLine(read.ticket_id, None if label.lower() in {"", BENIGN} else label, read.institution or None)


def read_ticket(line: bytes) -> Sent | None:
    """What a ticket, or intel, says of its times; None where fsoc would not have taken it, or it is neither.

    Only what is needed is looked at: most of what makes a ticket wrong makes no other event time of it. What lies in
    the future does: an institution's clock is wrong, and the message comes again.
    """
    try:
        read = _ticket(line)
        if read.kind not in {"ticket", "intel"}:
            return None
        occurred_ms = None if read.occurred_from is None else milliseconds(read.occurred_from)
        detected_ms = milliseconds(read.detected_at)
        received_ms = milliseconds(read.received_at or read.sent_at)
    except (msgspec.MsgspecError, UnicodeDecodeError, BadTime):
        return None
    key, is_intel = (read.institution, read.ticket_id), read.kind == "intel"
    sent = Sent(key, read.revision, occurred_ms, detected_ms, received_ms, is_intel)
    return None if detected_ms > received_ms + FUTURE_MAX_MS else sent
