"""How timely and how complete a feed is, day by day: counts and bounded sketches. Pure: a function of the log.

A day is one of Taipei's, by the record's own timestamp, so that what cannot be read has one too. Each day is a state
record of its own, with the offset it has come to: written before the header, a day that a crash kept without it
counts nothing twice when its records are worked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import orjson

from fsoc.feeds.outcomes import Outcome
from fsoc.feeds.sequence import Change, Gaps
from fsoc.feeds.sketch import Sketch
from fsoc.tickets.decode import Message

TAIPEI_MS: Final = 8 * 3_600_000
"""Ahead of UTC, all year round."""

DAYS_KEPT: Final = 100
"""Days that are kept, up to the newest: a quarter, and the days in which its report is written."""

FEEDS_MAX: Final = 32
"""Feeds of a day; those beyond, those the registry does not name, and what has no readable feed go under ""."""

_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1)
_COUNTS: Final = (
    "used",
    "duplicate",
    "late",
    "quarantined",
    "heartbeats",
    "ahead",
    "asked",
    "closed",
    "given_up",
    "noted",
)
_CHANGES: Final = {Change.ASK: "asked", Change.CLOSED: "closed", Change.GIVEN_UP: "given_up"}


class FeedDay:
    """One feed's day.

    used, duplicate, late, quarantined: its tickets. heartbeats: its source_status messages that were used.
    ahead: first messages sent, by their own word, after they were received: the sender's clock is ahead.
    noted: used tickets whose receipt has a hint: what they say of category and ATT&CK does not fit together.
    asked, closed, given_up: sequence numbers found missing, come after all, and no longer looked for.
    sent: detected → sent, received: sent → received, of tickets' first messages that were used or late.
    clock_ms: least, greatest and last clock offset that heartbeats told.
    sensors: total and up, as told last. sensors_up_per_mille: the least share of them that was up.
    events, tickets_opened: sums over what heartbeats told, each period once. baseline: the version told last.
    heard_until_ms: the newest end of a period.
    """

    __slots__ = (
        *_COUNTS,
        "baseline",
        "clock_ms",
        "events",
        "heard_until_ms",
        "received",
        "sensors",
        "sensors_up_per_mille",
        "sent",
        "tickets_opened",
    )

    def __init__(self, record: dict[str, Any] | None = None) -> None:
        told = record or {}
        self.used: int = told.get("used", 0)
        self.duplicate: int = told.get("duplicate", 0)
        self.late: int = told.get("late", 0)
        self.quarantined: int = told.get("quarantined", 0)
        self.heartbeats: int = told.get("heartbeats", 0)
        self.ahead: int = told.get("ahead", 0)
        self.asked: int = told.get("asked", 0)
        self.closed: int = told.get("closed", 0)
        self.given_up: int = told.get("given_up", 0)
        self.noted: int = told.get("noted", 0)
        self.sent = Sketch(told.get("sent", ()))
        self.received = Sketch(told.get("received", ()))
        self.clock_ms: list[int] | None = told.get("clock_ms")
        self.sensors: list[int] | None = told.get("sensors")
        self.sensors_up_per_mille: int | None = told.get("sensors_up_per_mille")
        self.events: int = told.get("events", 0)
        self.tickets_opened: int = told.get("tickets_opened", 0)
        self.baseline: str | None = told.get("baseline")
        self.heard_until_ms: int | None = told.get("heard_until_ms")

    @property
    def tickets(self) -> int:
        """Received, whatever became of them; heartbeats left out."""
        return self.used + self.duplicate + self.late + self.quarantined

    @property
    def lost(self) -> int:
        """Sequence numbers that were found missing and have not come; of one day, less than 0 where old gaps closed."""
        return self.asked - self.closed

    def record(self) -> dict[str, Any]:
        """What the state keeps: what is 0 or was not told is left out."""
        kept: dict[str, Any] = {name: value for name in _COUNTS if (value := getattr(self, name))}
        kept |= {"sent": self.sent.buckets, "received": self.received.buckets}
        for name in ("clock_ms", "sensors", "sensors_up_per_mille", "baseline", "heard_until_ms"):
            if (value := getattr(self, name)) is not None:
                kept[name] = value
        kept |= {name: value for name in ("events", "tickets_opened") if (value := getattr(self, name))}
        return kept

    def hear(self, message: Message) -> None:
        """Take what a heartbeat tells; of a period that was told before, nothing is added up again."""
        self.heartbeats += 1
        body, until_ms = message.body, message.detected_at_ms
        offset_ms = body.get("clock_offset_ms")
        if isinstance(offset_ms, int):
            least, greatest, _ = self.clock_ms or (offset_ms, offset_ms, 0)
            self.clock_ms = [min(least, offset_ms), max(greatest, offset_ms), offset_ms]
        if self.heard_until_ms is not None and until_ms <= self.heard_until_ms:
            return
        self.heard_until_ms = until_ms
        self.events += body.get("events_seen") or 0
        self.tickets_opened += body.get("tickets_opened") or 0
        self.baseline = body.get("baseline_version") or self.baseline
        total, up = body.get("sensors_total"), body.get("sensors_up")
        if isinstance(total, int) and isinstance(up, int):
            self.sensors = [total, up]
            share = 1000 * up // total if total else 1000
            least_share = self.sensors_up_per_mille
            self.sensors_up_per_mille = share if least_share is None else min(share, least_share)

    def merge(self, other: FeedDay) -> None:
        """Add another day of the same feed that is not before this one."""
        for name in (*_COUNTS, "events", "tickets_opened"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sent.merge(other.sent)
        self.received.merge(other.received)
        if other.clock_ms is not None:
            least, greatest, _ = self.clock_ms or other.clock_ms
            self.clock_ms = [min(least, other.clock_ms[0]), max(greatest, other.clock_ms[1]), other.clock_ms[2]]
        self.sensors = other.sensors or self.sensors
        shares = [each for each in (self.sensors_up_per_mille, other.sensors_up_per_mille) if each is not None]
        self.sensors_up_per_mille = min(shares, default=None)
        self.baseline = other.baseline or self.baseline
        ends = [each for each in (self.heard_until_ms, other.heard_until_ms) if each is not None]
        self.heard_until_ms = max(ends, default=None)


class Day:
    """All feeds of one day. offset: the newest record that is counted in it."""

    __slots__ = ("feeds", "offset")

    def __init__(self, record: bytes | None = None) -> None:
        told = orjson.loads(record) if record is not None else {}
        self.offset: int = told.get("offset", -1)
        self.feeds: dict[str, FeedDay] = {name: FeedDay(each) for name, each in told.get("feeds", {}).items()}

    def feed(self, name: str) -> FeedDay:
        found = self.feeds.get(name)
        if found is None:
            if len(self.feeds) >= FEEDS_MAX:
                name = ""
            found = self.feeds.setdefault(name, FeedDay())
        return found

    def record(self) -> bytes:
        return orjson.dumps({"offset": self.offset, "feeds": {name: one.record() for name, one in self.feeds.items()}})


class Quality:
    """One institution's days. Only those that change are taken apart; of the others their records are kept."""

    def __init__(self) -> None:
        self._records: dict[int, bytes] = {}
        self._open: dict[int, Day] = {}
        self._changed: set[int] = set()
        self._gone: list[int] = []

    def count(
        self,
        offset: int,
        received_at_ms: int,
        feed: str,
        outcome: Outcome,
        message: Message | None,
        gaps: Gaps,
        *,
        noted: bool = False,
    ) -> None:
        """Count one record in its day, once. feed: "" where it is not followed. message: None where it is none."""
        number = (received_at_ms + TAIPEI_MS) // _DAY_MS
        day = self._open.get(number) or self._opened(number)
        if day is None or offset <= day.offset:
            return
        day.offset = offset
        self._changed.add(number)
        one = day.feed(feed)
        one.noted += noted
        for gap in gaps:
            name = _CHANGES[gap.change]
            setattr(one, name, getattr(one, name) + gap.numbers)
        if message is not None and message.kind == "source_status" and outcome is Outcome.USED:
            one.hear(message)
            return
        if outcome is Outcome.USED:
            one.used += 1
        elif outcome is Outcome.DUPLICATE:
            one.duplicate += 1
        elif outcome is Outcome.LATE:
            one.late += 1
        else:
            one.quarantined += 1
        if message is None or message.kind != "ticket" or message.revision != 1:
            return
        if outcome is Outcome.USED or outcome is Outcome.LATE:
            one.sent.add(message.sent_at_ms - message.detected_at_ms)
            one.received.add(received_at_ms - message.sent_at_ms)
            one.ahead += message.sent_at_ms > received_at_ms

    def _opened(self, number: int) -> Day | None:
        """The day, to be counted in; None of one that is so old that it is no longer kept."""
        newest = max(self._records.keys() | self._open.keys(), default=number)
        if number <= newest - DAYS_KEPT:
            return None
        if number > newest:
            for old in [old for old in (*self._records, *self._open) if old <= number - DAYS_KEPT]:
                self._records.pop(old, None)
                self._open.pop(old, None)
                self._changed.discard(old)
                self._gone.append(old)
        self._open[number] = day = Day(self._records.get(number))
        return day

    def changed(self) -> Iterator[tuple[str, bytes | None]]:
        """Days whose record is another since this was last asked, by name; None: it is no longer kept."""
        for number in sorted(self._changed):
            self._records[number] = record = self._open[number].record()
            yield day_name(number), record
        newest = max(self._records, default=0)
        for old in [old for old in self._open if old < newest - 1]:
            del self._open[old]  # a record of it may still come, and finds it among the others
        self._changed.clear()
        for number in dict.fromkeys(self._gone):
            yield day_name(number), None
        self._gone.clear()

    def newest(self, days: int) -> dict[str, bytes]:
        """The records of so many days up to the newest, as of the last `changed`; those there are."""
        newest = max(self._records, default=0)
        wanted = range(newest - days + 1, newest + 1)
        return {day_name(number): self._records[number] for number in wanted if number in self._records}

    def all(self) -> dict[str, bytes]:
        """Every day's record, by name, as of the last `changed`."""
        return {day_name(number): self._records[number] for number in sorted(self._records)}

    def restore(self, name: str, record: bytes) -> None:
        self._records[day_number(name)] = record


def day_name(number: int) -> str:
    """`2026-03-14`; days since 1970 that no calendar has are numbers."""
    try:
        return (_EPOCH + timedelta(days=number)).isoformat()
    except OverflowError:
        return str(number)


def day_number(name: str) -> int:
    """The inverse of `day_name`.

    Raises:
        ValueError: it is no day.
    """
    return int(name) if name.lstrip("-").isdecimal() else (date.fromisoformat(name) - _EPOCH).days
