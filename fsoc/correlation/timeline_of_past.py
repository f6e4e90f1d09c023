"""One group whose tickets count only where they are unlike their institution's own past (law 11). Pure.

    put, withdraw ──► hours: every ticket, by institution and hour ──► entries: those of the hours that count, judged
                                       │ progress                      as in any group
                                       ▼
                                  seals: amounts

A ticket changes the verdict on its own hour and on later ones of its institution, and, where the rule knows hubs, on
hours of all institutions more than a day later; where it asks for agreement, on the hours that are news to anybody,
from its own on. Verdicts are looked at again when the group is judged, once however many tickets came: an hour that
goes on counting, or not counting, costs only what came to it.
Intel is in no hour: it is judged as in any group.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Final

from fsoc.correlation.entries import Entry, GroupKey, TicketName
from fsoc.correlation.exact import Number
from fsoc.correlation.past import (
    DAY_HOURS,
    HOUR_MS,
    Amounts,
    Novelty,
    Past,
    Seal,
    amount_of,
    hour_of,
    is_agreed,
    is_hub,
    novelty,
)
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.timeline import Timeline
from fsoc.correlation.window import Satisfied

_NEVER: Final = -(2**63)


class _Hour:
    """The tickets of one institution in one hour.

    counts: whether they are among the judged entries, but for those of `fresh`. why: what makes them count. news: what
    would, if so many others agree.
    """

    __slots__ = ("_amount", "counts", "entries", "fresh", "news", "why")

    def __init__(self) -> None:
        self.entries: dict[TicketName, Entry] = {}
        self.fresh: dict[TicketName, Entry] = {}
        self.counts = False
        self.why: Novelty | None = None
        self.news: Novelty | None = None
        self._amount: Number | None = None

    def add(self, entry: Entry) -> None:
        self.entries[entry.name] = self.fresh[entry.name] = entry
        self._amount = None

    def remove(self, entry: Entry) -> bool:
        """Whether it was not fresh any more."""
        del self.entries[entry.name]
        self._amount = None
        return self.fresh.pop(entry.name, None) is None

    def amount(self, past: Past, *, numeric: bool) -> Number:
        """Reckoned once: all hours of an institution are asked for theirs whenever one of them changes."""
        if self._amount is None:
            self._amount = amount_of(past, self.entries.values(), numeric=numeric)
        return self._amount


class TimelineOfPast(Timeline):
    """held is every ticket there is; entries those that count.

    seals: by institution. sealed: the institutions whose seal is another since its owner last looked; counted: those
    that had one then.
    """

    __slots__ = ("_dirty", "_hours", "_news", "_past", "_since", "counted", "sealed", "seals")

    def __init__(self, rule: CorrelationRule, key: GroupKey, past: Past, since: Mapping[str, int]) -> None:
        super().__init__(rule, key)
        self.held = []
        self.seals: dict[str, Seal] = {}
        self.sealed: set[str] = set()
        self.counted: set[str] = set()
        self._past = past
        self._since = since
        self._hours: dict[str, dict[int, _Hour]] = {}
        self._news: dict[int, dict[str, bool]] = {}  # where the rule asks for agreement
        self._dirty: dict[str, int] = {}

    def begin_again(self, rule: CorrelationRule) -> None:
        """Judge everything anew, by this rule, which looks at the past too."""
        super().begin_again(rule)
        if rule.past is not None:
            self._past = rule.past
        held, self.held = self.held, []
        self.entries.clear()
        self._hours.clear()
        self._news.clear()
        for entry in held:
            self._place(entry)

    def look_again(self) -> None:
        """Whether hours count is to be found out anew: more is known of the institutions."""
        self._dirty.update(dict.fromkeys(self._hours, _NEVER))

    def put(self, entry: Entry) -> int | None:
        seal = self.seals.get(entry.institution)
        if seal is not None and hour_of(entry) < seal.until:
            return None  # a replay: it is in the seal
        return super().put(entry)

    def advance(self, before_ms: int | None) -> None:
        self._decide()
        if before_ms is not None and self._past.counts_when == "drop":
            before_ms = before_ms // HOUR_MS * HOUR_MS  # an hour is known when it is over
        super().advance(before_ms)

    @property
    def undecided_ms(self) -> int | None:
        undecided = super().undecided_ms
        if undecided is None or self._past.counts_when != "drop":
            return undecided
        return (undecided // HOUR_MS + 1) * HOUR_MS - 1

    def first_held_ms(self, entry: Entry) -> int | None:
        hour = self._hours.get(entry.institution, {}).get(hour_of(entry))
        counts = (entry.is_intel or (hour is not None and hour.counts)) and self._past.tells(entry)
        return super().first_held_ms(entry) if counts else None

    def unlike(self, changed_from_ms: int) -> list[Entry]:
        """More than may have changed: those that do not count any more are among them."""
        begin = changed_from_ms - self.rule.timespan_ms
        return self.held[bisect_left(self.held, (begin + 1,)) :]

    def satisfied(self, first_episode: int) -> list[Satisfied]:
        return [found._replace(novelty=self._novelty(found)) for found in super().satisfied(first_episode)]

    def _novelty(self, found: Satisfied) -> dict[str, Novelty]:
        """By institution, why the first of its tickets in the alert counts."""
        why: dict[str, Novelty] = {}
        for entry in found.entries:
            if entry.is_intel:
                continue
            one = self._hours[entry.institution][hour_of(entry)].why
            if one is not None:
                why.setdefault(entry.institution, one)
        return why

    # Tickets come and go

    def _place(self, entry: Entry) -> None:
        insort(self.held, entry)
        if entry.is_intel:
            if self._past.tells(entry):
                super()._place(entry)
            return
        number = hour_of(entry)
        self._hours.setdefault(entry.institution, {}).setdefault(number, _Hour()).add(entry)
        self._mark(entry.institution, number)

    def _remove(self, entry: Entry) -> None:
        del self.held[bisect_left(self.held, entry)]
        if entry.is_intel:
            if self._past.tells(entry):
                super()._remove(entry)
            return
        number = hour_of(entry)
        hours = self._hours[entry.institution]
        hour = hours[number]
        if hour.remove(entry) and hour.counts and self._past.tells(entry):
            super()._remove(entry)
        if not hour.entries:
            self._note(entry.institution, number, None)
            del hours[number]
            if not hours:
                del self._hours[entry.institution]
        self._mark(entry.institution, number)

    def _mark(self, institution: str, hour: int) -> None:
        before = self._dirty.get(institution)
        self._dirty[institution] = hour if before is None else min(before, hour)

    # Verdicts

    def _decide(self) -> None:
        """Have the entries be those of the hours that count now."""
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        if self._past.hub:
            # Whose value it was a day ago says whether anybody's counts today.
            earliest = min(dirty.values())
            for institution in self._hours:
                dirty[institution] = min(dirty.get(institution, earliest + DAY_HOURS), earliest + DAY_HOURS)
        amounts = {name: self._amounts(name) for name in (self._known() if self._past.hub else dirty)}
        decide = self._propose if self._past.agreed else self._apply
        for institution, first in sorted(dirty.items()):
            for number, hour in sorted(self._hours.get(institution, {}).items()):
                if number >= first:
                    decide(hour, *self._verdict(institution, number, amounts))
        if self._past.agreed:
            self._agree(min(dirty.values()))

    def _propose(self, hour: _Hour, counts: bool, why: Novelty | None) -> None:
        """It counts if enough of the others agree."""
        entry = next(iter(hour.entries.values()))
        self._note(entry.institution, hour_of(entry), hour if counts else None, why)
        if not counts:
            self._apply(hour, counts, why)

    def _agree(self, earliest: int) -> None:
        """Find out which hours that are news count, from this one on: nothing before it is otherwise."""
        for number in sorted(number for number in self._news if number >= earliest):
            agreed = is_agreed(self._past, self._news, number)
            for institution in sorted(self._news[number]):
                hour = self._hours[institution][number]
                self._apply(hour, agreed, hour.news if agreed else None)

    def _note(self, institution: str, number: int, hour: _Hour | None, why: Novelty | None = None) -> None:
        """Whether this hour is news to the institution. hour: None where it is not, or is there no more."""
        if hour is not None:
            hour.news = why
            self._news.setdefault(number, {})[institution] = any(map(self._past.tells, hour.entries.values()))
        elif institution in self._news.get(number, ()):
            del self._news[number][institution]
            if not self._news[number]:
                del self._news[number]

    def _verdict(self, institution: str, hour: int, amounts: Mapping[str, Amounts]) -> tuple[bool, Novelty | None]:
        why = None
        if self._past.counts_when != "always":
            why = novelty(self._past, amounts[institution], hour, self._since.get(institution))
            if why is None:
                return False, None
        return not is_hub(self._past, amounts.values(), hour), why

    def _apply(self, hour: _Hour, counts: bool, why: Novelty | None) -> None:
        if counts:
            for entry in (hour.fresh if hour.counts else hour.entries).values():
                if self._past.tells(entry):
                    super()._place(entry)
        elif hour.counts:
            for name, entry in hour.entries.items():
                if name not in hour.fresh and self._past.tells(entry):
                    super()._remove(entry)
        if why != hour.why and hour.entries:  # the alert says so
            self._change(min(hour.entries.values()).event_time_ms)
        hour.fresh.clear()
        hour.counts, hour.why = counts, why

    def _known(self) -> Iterator[str]:
        yield from self._hours
        yield from self.seals.keys() - self._hours.keys()

    def _amounts(self, institution: str) -> Amounts:
        seal = self.seals.get(institution)
        amounts = dict(seal.amounts) if seal is not None else {}
        for number, hour in self._hours.get(institution, {}).items():
            amounts[number] = hour.amount(self._past, numeric=self.rule.numeric)
        return amounts

    # Letting go

    @property
    def is_empty(self) -> bool:
        return super().is_empty and not self.seals

    def leaves_ms(self) -> int | None:
        """By whole hours; what is sealed, when nothing can be held against it any more."""
        if self.held:
            return (hour_of(self.held[0]) + 1) * HOUR_MS - 1
        if self.seals:
            return min(self._forgotten_ms(seal) for seal in self.seals.values())
        return None

    def _forgotten_ms(self, seal: Seal) -> int:
        return (max(seal.amounts) + self._past.reach_hours + 1) * HOUR_MS - 1

    def expire(self, until_ms: int) -> list[TicketName]:
        """Seal the hours that have passed as a whole; forget the seals that say nothing any more."""
        end = (until_ms + 1) // HOUR_MS
        self._decide()
        gone = self.held[: bisect_left(self.held, (end * HOUR_MS,))]
        for institution in sorted({entry.institution for entry in gone if not entry.is_intel}):
            self._seal(institution, end)
        del self.held[: len(gone)]
        for entry in gone:
            self.by_name.pop(entry.name)
        self._leave(end * HOUR_MS - 1)
        for institution in [name for name, seal in self.seals.items() if self._forgotten_ms(seal) <= until_ms]:
            del self.seals[institution]
            self.sealed.add(institution)
        return [entry.name for entry in gone]

    def _seal(self, institution: str, end: int) -> None:
        amounts, hours = self._amounts(institution), self._hours[institution]
        first = end - self._past.reach_hours
        kept = {at: amount for at, amount in sorted(amounts.items()) if first <= at < end}
        for number in [number for number in hours if number < end]:
            kept.setdefault(number, amounts[number])
            self._note(institution, number, None)
            del hours[number]
        if not hours:
            del self._hours[institution]
        self.seals[institution] = Seal(end, kept)
        self.sealed.add(institution)

    def evict(self, entries_max: int, *, seals: bool = False) -> list[TicketName]:
        """Where hours are sealed before their time, what follows them is news no more than it was.

        The hour of which a part stays is judged by that part.
        """
        if seals:
            kept, gone = self._surplus(entries_max)
            ends = {one.institution: hour_of(one) + 1 for one in gone if not one.is_intel}
            ends |= {one.institution: hour_of(one) for one in reversed(kept) if not one.is_intel}
            for institution in sorted({one.institution for one in gone if not one.is_intel}):
                if min(self._hours[institution]) < ends[institution]:
                    self._seal(institution, ends[institution])
        return super().evict(entries_max)

    def displace(self, institution: str) -> list[TicketName]:
        names = super().displace(institution)
        if self.seals.pop(institution, None) is not None:
            self.sealed.add(institution)
            self.look_again()  # what was a hub by it may be none
        return names
