"""What one institution has declared and shown: versions its feeds tell, rules and techniques its tickets name. Pure.

Bounded whatever is sent: by what the baseline has, not by what a ticket may write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from fsoc.attack.techniques import Techniques
from fsoc.baseline.model import Baseline
from fsoc.feeds.figures import FeedState
from fsoc.feeds.quality import Day
from fsoc.tickets.decode import Message

SCHEMA: Final = "fsoc.coverage-seen/1"
TICKETS_KEPT: Final = 64
"""Tickets remembered of one institution and item: the newest. One shows as much as a hundred."""
FEEDS_MAX: Final = 64
"""Feeds of one institution whose word is kept; those met first."""
_FALSE: Final = "false_positive"


class Declared(NamedTuple):
    """A version of the baseline, and when it was told last."""

    version: str
    at_ms: int


class Seen:
    """Of one institution.

    declared: by feed, as heartbeats told last. heard_ms: the newest heartbeat; None where none ever came.
    said: the version that the newest ticket of the baseline named.
    items: by id, the tickets that named an item → when they were detected. own: the same by technique, of tickets that
    its own rules or people triggered.
    newest_ms: the newest event time of all of it. unknown: tickets whose rule no item has.
    """

    def __init__(self) -> None:
        self.declared: dict[str, Declared] = {}
        self.heard_ms: int | None = None
        self.said: Declared | None = None
        self.items: dict[str, dict[str, int]] = {}
        self.own: dict[str, dict[str, int]] = {}
        self.newest_ms = 0
        self.unknown = 0

    def declare(self, feed: str, version: str | None, at_ms: int) -> None:
        """A heartbeat, whether it names a version or not."""
        self.heard_ms = at_ms if self.heard_ms is None else max(at_ms, self.heard_ms)
        self.newest_ms = max(self.newest_ms, at_ms)
        known = self.declared.get(feed)
        if not version or (known is None and len(self.declared) >= FEEDS_MAX):
            return
        if known is None or at_ms >= known.at_ms:
            self.declared[feed] = Declared(version[:64], at_ms)

    def take(self, message: Message, baselines: Sequence[Baseline], techniques: Techniques, since_ms: int = 0) -> None:
        """A message of this institution. baselines: the norm first, then older ones.

        since_ms: tickets that were detected before are nothing. Intel says what others have seen: it is nothing too.
        """
        at_ms = message.detected_at_ms
        if message.kind == "source_status":
            self.declare(message.feed, message.body.get("baseline_version"), at_ms)
        elif message.kind == "ticket" and at_ms >= since_ms:
            self.newest_ms = max(self.newest_ms, at_ms)
            if message.action == "retract" or message.verdict == _FALSE:
                self._take_back(message.ticket_id)
            else:
                self._ticket(message, baselines, techniques)

    def _ticket(self, message: Message, baselines: Sequence[Baseline], techniques: Techniques) -> None:
        at_ms, trigger = message.detected_at_ms, message.body.get("trigger") or {}
        if trigger.get("kind") == "baseline":
            version = trigger.get("baseline_version")
            if version and (self.said is None or at_ms >= self.said.at_ms):
                self.said = Declared(version, at_ms)
            items = next(filter(None, (baseline.named_by(trigger) for baseline in baselines)), ())
            self.unknown += not items
            for item in items:
                _keep(self.items.setdefault(item.id, {}), message.ticket_id, at_ms)
            return
        for pair in message.body.get("attack") or ():
            technique = techniques.resolve(pair["technique"])
            if technique is not None:
                _keep(self.own.setdefault(technique.id, {}), message.ticket_id, at_ms)

    def merge(self, other: Seen) -> None:
        """Add what another reading of the same institution has seen, as if all had been read together."""
        for feed, declared in other.declared.items():
            self.declare(feed, declared.version, declared.at_ms)
        if other.heard_ms is not None:
            self.declare("", None, other.heard_ms)
        if other.said is not None and (self.said is None or other.said.at_ms > self.said.at_ms):
            self.said = other.said
        for mine, theirs in ((self.items, other.items), (self.own, other.own)):
            for name, tickets in theirs.items():
                for ticket_id, at_ms in tickets.items():
                    _keep(mine.setdefault(name, {}), ticket_id, at_ms)
        self.newest_ms = max(self.newest_ms, other.newest_ms)
        self.unknown = max(self.unknown, other.unknown)

    def _take_back(self, ticket_id: str) -> None:
        for tickets in (*self.items.values(), *self.own.values()):
            tickets.pop(ticket_id, None)


def _keep(tickets: dict[str, int], ticket_id: str, at_ms: int) -> None:
    tickets[ticket_id] = max(at_ms, tickets.get(ticket_id, at_ms))
    if len(tickets) > TICKETS_KEPT:
        del tickets[min(tickets, key=lambda name: (tickets[name], name))]


class _Line(msgspec.Struct, tag_field="schema", tag=SCHEMA):
    """A line of what `fsoc coverage export` writes."""

    institution: str
    declared: dict[str, tuple[str, int]] = {}
    heard_ms: int | None = None
    said: tuple[str, int] | None = None
    items: dict[str, dict[str, int]] = {}
    own: dict[str, dict[str, int]] = {}
    newest_ms: int = 0
    unknown: int = 0


_line: Final = msgspec.json.Decoder(_Line)


def line_of(institution: str, seen: Seen) -> bytes:
    """What is known of an institution, to be read again with what is read later."""
    return msgspec.json.encode(
        _Line(
            institution,
            {feed: (version, at_ms) for feed, (version, at_ms) in seen.declared.items()},
            seen.heard_ms,
            seen.said,
            seen.items,
            seen.own,
            seen.newest_ms,
            seen.unknown,
        ),
        order="deterministic",
    )


def is_line(line: bytes) -> bool:
    """Whether it claims to be one, and is no ticket."""
    return SCHEMA.encode() in line[:64]


def of_line(line: bytes) -> tuple[str, Seen]:
    """The inverse of `line_of`.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    read, seen = _line.decode(line), Seen()
    for feed, (version, at_ms) in read.declared.items():
        seen.declare(feed, version, at_ms)
    if read.heard_ms is not None:
        seen.declare("", None, read.heard_ms)
    seen.said = Declared(*read.said) if read.said is not None else None
    seen.items, seen.own, seen.newest_ms, seen.unknown = read.items, read.own, read.newest_ms, read.unknown
    return read.institution, seen


def declared_by(state: FeedState) -> Iterator[tuple[str, str | None, int]]:
    """What the state of an institution's feeds says of versions: (feed, version, end of the period), oldest first."""
    for record in state.days.values():
        for feed, day in Day(record).feeds.items():
            if day.heard_until_ms is not None:
                yield feed, day.baseline, day.heard_until_ms


def newest_of(all_seen: Mapping[str, Seen]) -> int:
    """The newest of all: what ages are told against where nothing is of the present. 0 where there is none."""
    return max((seen.newest_ms for seen in all_seen.values()), default=0)
