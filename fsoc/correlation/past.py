"""Own past: which of an institution's tickets count because they are unlike what it has seen before. Pure: law 11.

Intel is nobody's: it always counts, and is in nobody's hours. What an institution has found to be a false positive is
in its hours and never counts: it has seen the like, and knows what it was.

The hours of one institution in one group have an *amount* each: how many tickets, or, where the rule looks at numbers,
the greatest of them, or their sum where a drop is looked for. An hour is judged as a whole, by hours before it alone:

    first_ever   nothing in the hours of its past
    surge        at least so many times the greatest of its past, which is not empty
    drop         the last 24 hours' amounts together fell by such a share, against the same hours a week before; or
                 those of as many hours as the rule says

Nothing counts while the institution's own past is too short to say (`warm_up_ms`, from its first used ticket on). A
hub, a value that many institutions had days ago, counts for nobody until that is forgotten. Nor does what is news to
many of whom few hold it for anything (`agreed`).

What an hour's tickets were is known until progress seals it; from then on there is only its amount (`Seal`), which
never changes. `timeline_of_past.py` keeps that as tickets come and go; `counted` here says the same by looking at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, NamedTuple

import msgspec

from fsoc.correlation.entries import Entry
from fsoc.correlation.exact import Number, exactly, number

HOUR_MS: Final = 3_600_000
DAY_HOURS: Final = 24
WEEK_HOURS: Final = 7 * DAY_HOURS

PAST_MAX_MS: Final = 30 * DAY_HOURS * HOUR_MS
"""How far back anything is remembered (law 11)."""

COUNTS_WHEN: Final = ("always", "first_ever", "surge", "first_ever_or_surge", "drop")

Kind = Literal["first_ever", "surge", "drop"]


@dataclass(frozen=True, slots=True)
class Past:
    """How a rule looks at the past of each institution.

    counts_when: one of COUNTS_WHEN. surge_factor: of surge. drop: of drop, a share above 0 and up to 1.
    drop_hours: of drop: how many hours are compared, a week at most.
    past_ms: how far back an hour is compared. warm_up_ms: how long an institution must have been known.
    hub: as many institutions make a value a hub; 0 where none does.
    agreed: of the institutions to which an hour, or one of the agreed_hours up to it, is news, so great a share must
    have a ticket there that tells, or it counts for none of them; 0 where that is not asked.
    gap_hours: hours just before one that belong to the same event, and so not to its past.
    rules: detections whose tickets are past, and never count themselves.
    """

    counts_when: str = "always"
    surge_factor: int | float = 3
    drop: int | float = 0.5
    past_ms: int = PAST_MAX_MS
    warm_up_ms: int = DAY_HOURS * HOUR_MS
    hub: int = 0
    gap_hours: int = 0
    drop_hours: int = DAY_HOURS
    rules: tuple[str, ...] = ()
    agreed: int | float = 0
    agreed_hours: int = 1

    def tells(self, entry: Entry) -> bool:
        """Whether a ticket may count, where it is news."""
        return not entry.dismissed and (not self.rules or any(name not in self.rules for name in entry.rules))

    @property
    def hours(self) -> int:
        return self.past_ms // HOUR_MS

    @property
    def reach_hours(self) -> int:
        """How far behind the newest hour an amount can matter."""
        hub = WEEK_HOURS if self.hub else 0
        if self.counts_when == "always":
            return hub
        return max(hub, WEEK_HOURS + self.drop_hours if self.counts_when == "drop" else self.hours + self.gap_hours)


class Novelty(NamedTuple):
    """Why an institution's hour counts. seen: its amount; before: what it was held against, None where nothing was."""

    kind: Kind
    seen: Number
    before: Number | None


Amounts = Mapping[int, Number]
"""Hour, counted from the Unix epoch → amount. Hours without tickets are not in it."""


def hour_of(entry: Entry) -> int:
    return entry.event_time_ms // HOUR_MS


def amount_of(past: Past, entries: Collection[Entry], *, numeric: bool) -> Number:
    """The amount of an hour that holds these tickets, at least one."""
    found = [one for entry in entries for one in _numbers(entry)] if numeric else None
    if found is None:
        return len(entries)
    return sum(found) if past.counts_when == "drop" else max(found, default=0)


def _numbers(entry: Entry) -> Iterable[Number]:
    return (one for (text,) in entry.values if (one := number(text)) is not None)


def novelty(past: Past, amounts: Amounts, hour: int, since_ms: int | None) -> Novelty | None:
    """Why this hour, which has an amount, counts for its institution; None where it does not.

    since_ms: event time of the institution's first used ticket; None where that is not known yet.
    """
    if since_ms is None or hour < (since_ms + past.warm_up_ms) // HOUR_MS:
        return None
    seen = amounts[hour]
    if past.counts_when == "drop":
        return _dropped(past, amounts, hour)
    end = hour - past.gap_hours
    before = max((amount for at, amount in amounts.items() if end - past.hours <= at < end), default=None)
    if before is None:
        return Novelty("first_ever", seen, None) if past.counts_when != "surge" else None
    if past.counts_when != "first_ever" and before > 0 and seen >= exactly(past.surge_factor) * before:
        return Novelty("surge", seen, before)
    return None


def _dropped(past: Past, amounts: Amounts, hour: int) -> Novelty | None:
    first = hour - past.drop_hours + 1
    now = sum(amounts.get(at, 0) for at in range(first, hour + 1))
    before = sum(amounts.get(at - WEEK_HOURS, 0) for at in range(first, hour + 1))
    return Novelty("drop", now, before) if before > 0 and now <= (1 - exactly(past.drop)) * before else None


def is_hub(past: Past, amounts: Iterable[Amounts], hour: int) -> bool:
    """Whether so many institutions had the group's value within a week, more than a day before this hour."""
    if not past.hub:
        return False
    first, end = hour - WEEK_HOURS, hour - DAY_HOURS
    return sum(any(first <= at < end for at in one) for one in amounts) >= past.hub


News = Mapping[int, Mapping[str, bool]]
"""By hour, the institutions to which it is news, and whether one of their tickets there tells."""


def is_agreed(past: Past, news: News, hour: int) -> bool:
    """Whether so many of those to which it is news up to this hour say what the rule counts."""
    told: dict[str, bool] = {}
    for at in range(hour - past.agreed_hours + 1, hour + 1):
        for institution, tells in news.get(at, _NOBODY).items():
            told[institution] = tells or told.get(institution, False)
    return sum(told.values()) >= exactly(past.agreed) * len(told)


_NOBODY: Final[Mapping[str, bool]] = {}


class Seal(NamedTuple):
    """What is left of an institution's past in one group once progress has passed it.

    until: every ticket of an earlier hour is in it. amounts: by hour.
    """

    until: int
    amounts: dict[int, Number]


def seal_value(seal: Seal, closed_until_ms: int) -> bytes:
    """As the state keeps it. Amounts are exact: whole numbers, or texts such as `1/3`.

    closed_until_ms: how far event time was settled when it was made.
    """
    said = {hour: one if isinstance(one, int) else str(one) for hour, one in sorted(seal.amounts.items())}
    return msgspec.json.encode(_Said(seal.until, said, closed_until_ms))


def seal_of(value: bytes) -> tuple[Seal, int]:
    """The inverse of `seal_value`.

    Raises:
        msgspec.MsgspecError: it is no such value.
    """
    said = _decoder.decode(value)
    return Seal(said.until, {hour: _exact(one) for hour, one in said.amounts.items()}), said.closed_until_ms


def _exact(said: int | str) -> Number:
    try:
        return said if isinstance(said, int) else Fraction(said)
    except ValueError as error:
        raise msgspec.ValidationError(f'"{said:.64}" is no amount') from error


class _Said(msgspec.Struct):
    until: int
    amounts: dict[int, int | str]
    closed_until_ms: int


_decoder: Final = msgspec.json.Decoder(_Said)


def counted(
    past: Past,
    entries: Sequence[Entry],
    since: Mapping[str, int],
    seals: Mapping[str, Seal],
    *,
    numeric: bool,
) -> list[tuple[Entry, Novelty | None]]:
    """The entries of one group that count, in order, and why: the plain way, by looking at everything.

    since: by institution. seals: of what is not among the entries any more, by institution.
    """
    amounts: dict[str, dict[int, Number]] = {name: dict(seal.amounts) for name, seal in seals.items()}
    hours: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if not entry.is_intel:
            hours.setdefault((entry.institution, hour_of(entry)), []).append(entry)
    for (institution, hour), of_it in hours.items():
        amounts.setdefault(institution, {})[hour] = amount_of(past, of_it, numeric=numeric)
    why: dict[tuple[str, int], Novelty | None] = {}
    for institution, hour in hours:
        one = novelty(past, amounts[institution], hour, since.get(institution))
        if (past.counts_when == "always" or one is not None) and not is_hub(past, amounts.values(), hour):
            why[institution, hour] = one if past.counts_when != "always" else None
    news: dict[int, dict[str, bool]] = {}
    for institution, hour in why:
        news.setdefault(hour, {})[institution] = any(map(past.tells, hours[institution, hour]))
    found: list[tuple[Entry, Novelty | None]] = []
    for entry in filter(past.tells, entries):
        name = (entry.institution, hour_of(entry))
        if entry.is_intel:
            found.append((entry, None))
        elif name in why and (not past.agreed or is_agreed(past, news, name[1])):
            found.append((entry, why[name]))
    return found
