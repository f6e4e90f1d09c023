"""What is known of one feed over some days, as figures: delays, shares, what is missing. Pure; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import orjson

from fsoc.feeds.quality import Day, FeedDay, day_number

QUANTILES: Final = (50, 95, 99)
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class FeedState:
    """One institution's state as its records say it. days: name → record, in order."""

    institution: str
    header: dict[str, Any]
    days: Mapping[str, bytes]

    @classmethod
    def of(cls, institution: str, header: bytes, days: Mapping[str, bytes]) -> FeedState:
        """Raises: ValueError: a record cannot be read."""
        told = orjson.loads(header)
        if not isinstance(told, dict) or not isinstance(told.get("feeds"), dict):
            raise ValueError("is no header of intake's state")  # noqa: TRY004 - what was read, not what was passed
        return cls(institution, told, {name: days[name] for name in sorted(days, key=day_number)})

    def line(self) -> bytes:
        """As NDJSON: what `of_line` reads."""
        days = {name: orjson.Fragment(record) for name, record in self.days.items()}
        return orjson.dumps({"institution": self.institution, "header": self.header, "days": days})

    @classmethod
    def of_line(cls, line: bytes) -> FeedState:
        """Raises: ValueError: it is no such line."""
        read = _line(line)
        return cls.of(read.institution, bytes(read.header), {name: bytes(raw) for name, raw in read.days.items()})

    @property
    def newest_day(self) -> str | None:
        return max(self.days, key=day_number, default=None)


class _Line(msgspec.Struct):
    institution: str
    header: msgspec.Raw
    days: dict[str, msgspec.Raw]


_line: Final = msgspec.json.Decoder(_Line).decode


@dataclass(frozen=True, slots=True)
class Figures:
    """One feed of one institution, or all of one, or of the sector.

    feed: "" is what belongs to no feed that is followed. day: the days together.
    missing: what has not come as of now, as (epoch, first, last). last_seen_ms: of its newest message.
    by_day: name → tickets and heartbeats received. first_day: the first that anything came of it, in all that is kept.
    """

    institution: str
    feed: str
    day: FeedDay
    missing: tuple[tuple[str, int, int], ...] = ()
    forgotten: int = 0
    last_seen_ms: int | None = None
    by_day: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    first_day: str | None = None

    @classmethod
    def nothing(cls, institution: str, feed: str) -> Figures:
        """Of a feed of which nothing ever came."""
        return cls(institution, feed, FeedDay())

    def heartbeats_share(self, days: Iterable[str], today: str, interval_ms: int) -> float | None:
        """Of the heartbeats that were to come in these days, those that came; a day without any counts.

        The feed's first day and today are left out, for they are not whole. None where no day is left.
        """
        if self.first_day is None:
            return None
        whole = [day for day in days if self.first_day < day < today]
        came = sum(self.by_day[day][1] for day in whole if day in self.by_day)
        return min(came * interval_ms / (len(whole) * DAY_MS), 1.0) if whole else None

    def detected_to_sent(self, per_cent: int) -> int | None:
        return self.day.sent.quantile(per_cent)

    def sent_to_received(self, per_cent: int) -> int | None:
        return self.day.received.quantile(per_cent)

    @property
    def rejected(self) -> float | None:
        return self._share(self.day.quarantined)

    @property
    def duplicate(self) -> float | None:
        return self._share(self.day.duplicate)

    @property
    def late(self) -> float | None:
        return self._share(self.day.late)

    @property
    def noted(self) -> float | None:
        """Of the tickets that were used, those with a hint; heartbeats left out."""
        return self.day.noted / self.day.used if self.day.used else None

    @property
    def missing_share(self) -> float | None:
        """Of the numbers that were to come in these days, those that did not."""
        lost = max(self.day.lost, 0)
        expected = lost + self.day.used + self.day.late
        return lost / expected if expected else None

    @property
    def missing_total(self) -> int:
        """Numbers missing as of now, of whatever day."""
        return sum(last - first + 1 for _, first, last in self.missing)

    @property
    def clock_offset_ms(self) -> tuple[int, int] | None:
        """Least and greatest."""
        clock = self.day.clock_ms
        return None if clock is None else (clock[0], clock[1])

    def _share(self, count: int) -> float | None:
        return count / self.day.tickets if self.day.tickets else None


def figures_of(state: FeedState, days: Iterable[str]) -> list[Figures]:
    """Its feeds over these days, by name; those that are followed, though nothing came, and what belongs to none."""
    wanted = set(days)
    merged: dict[str, FeedDay] = {name: FeedDay() for name in state.header["feeds"]}
    by_day: dict[str, dict[str, tuple[int, int]]] = {}
    first: dict[str, str] = {}
    for name, record in state.days.items():
        for feed, one in Day(record).feeds.items():
            first.setdefault(feed, name)
            if name in wanted:
                merged.setdefault(feed, FeedDay()).merge(one)
                by_day.setdefault(feed, {})[name] = (one.tickets, one.heartbeats)
    return [_figures(state, feed, merged[feed], by_day.get(feed, {}), first.get(feed)) for feed in sorted(merged)]


def _figures(
    state: FeedState, feed: str, day: FeedDay, by_day: Mapping[str, tuple[int, int]], first_day: str | None
) -> Figures:
    epochs: Mapping[str, Any] = state.header["feeds"].get(feed, {})
    missing = tuple((name, first, last) for name, epoch in epochs.items() for first, last in epoch["missing"])
    seen = [epoch["last_seen_ms"] for epoch in epochs.values() if epoch["last_seen_ms"] is not None]
    forgotten = sum(epoch["forgotten"] for epoch in epochs.values())
    return Figures(state.institution, feed, day, missing, forgotten, max(seen, default=None), by_day, first_day)


def together(institution: str, several: Iterable[Figures]) -> Figures:
    """All of them as one: of an institution, or of the sector. Clocks and sensors are the worst and the last."""
    day, forgotten = FeedDay(), 0
    gaps: list[tuple[str, int, int]] = []
    by_day: dict[str, tuple[int, int]] = {}
    for one in several:
        day.merge(one.day)
        gaps.extend((f"{one.feed}/{epoch}", first, last) for epoch, first, last in one.missing)
        forgotten += one.forgotten
        for name, (tickets, heartbeats) in one.by_day.items():
            before = by_day.get(name, (0, 0))
            by_day[name] = (before[0] + tickets, before[1] + heartbeats)
    return Figures(institution, "", day, tuple(gaps), forgotten, by_day=dict(sorted(by_day.items())))
