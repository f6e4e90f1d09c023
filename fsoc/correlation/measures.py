"""What each type of correlation measures over the entries of a window. Pure.

Entries may be put in and taken out in any order: a measure depends on nothing but which are in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from operator import attrgetter
from typing import Final, Protocol

from fsoc.correlation.conditions import Condition, held_by
from fsoc.correlation.entries import Entry
from fsoc.correlation.exact import Number, exactly, number
from fsoc.correlation.rules import CorrelationRule


class Measure(Protocol):
    """The measure of one window."""

    def add(self, entry: Entry) -> None: ...

    def remove(self, entry: Entry) -> None: ...

    def value(self) -> Number | None:
        """Of what is in now; None where no number of it would do, as what the rule asks for beside is not there.

        Not defined for nothing: no window is asked about in which nothing lies.
        """
        ...


def measure_of(rule: CorrelationRule) -> Measure:
    """The rule's measure, of an empty window."""
    measure = _MEASURES[rule.type](rule)
    return Together(measure, rule.also) if rule.also else measure


class Count:
    """How many tickets."""

    __slots__ = ("_tickets",)

    def __init__(self) -> None:
        self._tickets = 0

    def add(self, _: Entry) -> None:
        self._tickets += 1

    def remove(self, _: Entry) -> None:
        self._tickets -= 1

    def value(self) -> int:
        return self._tickets


class Distinct:
    """How many different ones: value tuples, or rules that matched."""

    __slots__ = ("_entries", "_of")

    def __init__(self, of: Callable[[Entry], Iterable[Hashable]]) -> None:
        self._of = of
        self._entries: dict[Hashable, int] = {}

    def add(self, entry: Entry) -> None:
        entries = self._entries
        for one in self._of(entry):
            entries[one] = entries.get(one, 0) + 1

    def remove(self, entry: Entry) -> None:
        entries = self._entries
        for one in self._of(entry):
            if entries[one] == 1:
                del entries[one]
            else:
                entries[one] -= 1

    def value(self) -> int:
        return len(self._entries)


class Scattered:
    """How many different values, of those with few tickets; None where the first of these lie too close.

    Asking looks at each value once. A late ticket can be one too many of its value, or its first: neither only grows.
    """

    __slots__ = ("_few", "_spread_ms", "_values")

    def __init__(self, each: Condition | None, spread_ms: int) -> None:
        self._few = held_by(each.bounds) if each is not None else None
        self._spread_ms = spread_ms
        self._values: dict[Hashable, tuple[list[int], dict[tuple[str, str], int]]] = {}  # times, entries by ticket

    def add(self, entry: Entry) -> None:
        ticket = (entry.institution, entry.ticket_id)
        for value in entry.values:
            times, tickets = self._values.setdefault(value, ([], {}))
            insort(times, entry.event_time_ms)
            tickets[ticket] = tickets.get(ticket, 0) + 1

    def remove(self, entry: Entry) -> None:
        ticket = (entry.institution, entry.ticket_id)
        for value in entry.values:
            times, tickets = self._values[value]
            del times[bisect_left(times, entry.event_time_ms)]
            tickets[ticket] -= 1
            if not tickets[ticket]:
                del tickets[ticket]
            if not times:
                del self._values[value]

    def value(self) -> int | None:
        few = self._few
        firsts = [times[0] for times, tickets in self._values.values() if few is None or few(len(tickets))]
        if self._spread_ms and (not firsts or max(firsts) - min(firsts) < self._spread_ms):
            return None
        return len(firsts)


class Chain:
    """How many of the rules matched one after another, in the order in which the correlation names them; or values.

    The longest chain counts: rules may be left out, none may come before one that is named earlier. Two matches at
    the same time are in either order; so are those of one ticket.
    """

    __slots__ = ("_names", "_order", "_times")

    def __init__(self, order: Sequence[Hashable], names: Callable[[Entry], Iterable[Hashable]]) -> None:
        """names: of those in order, which an entry has; others too, which count for nothing."""
        self._order = order
        self._times: dict[Hashable, list[int]] = {}
        self._names = names

    def add(self, entry: Entry) -> None:
        for times in self._of(entry):
            insort(times, entry.event_time_ms)

    def remove(self, entry: Entry) -> None:
        for times in self._of(entry):
            del times[bisect_left(times, entry.event_time_ms)]

    def value(self) -> int:
        ends: list[int] = []  # ends[n]: the earliest time at which a chain of n + 1 rules is complete
        for name in self._order:
            times = self._times.get(name)
            if not times:
                continue
            for length in range(len(ends), 0, -1):
                place = bisect_left(times, ends[length - 1])
                if place == len(times):
                    continue
                if length == len(ends):
                    ends.append(times[place])
                elif times[place] < ends[length]:
                    ends[length] = times[place]
            if not ends:
                ends.append(times[0])
            elif times[0] < ends[0]:
                ends[0] = times[0]
        return len(ends)

    def _of(self, entry: Entry) -> Iterator[list[int]]:
        for name in self._names(entry):
            if name in self._order:  # else a rule it no longer names, a value that has no place in the order
                yield self._times.setdefault(name, [])


class Sum:
    __slots__ = ("_numbers", "_sum")

    def __init__(self) -> None:
        self._sum: Number = 0
        self._numbers = 0

    def add(self, entry: Entry) -> None:
        for one in numbers_of(entry):
            self._sum += one
            self._numbers += 1

    def remove(self, entry: Entry) -> None:
        for one in numbers_of(entry):
            self._sum -= one
            self._numbers -= 1

    def value(self) -> Number:
        return self._sum


class Capped:
    """The sum of each member's greatest number, of which no more than a cap counts; intel's are nobody's."""

    __slots__ = ("_cap", "_numbers", "_sum")

    def __init__(self, cap: Number) -> None:
        self._cap = cap
        self._numbers: dict[str, list[Number]] = {}
        self._sum: Number = 0

    def add(self, entry: Entry) -> None:
        if entry.is_intel:
            return
        numbers = self._numbers.setdefault(entry.member, [])
        before = self._counted(numbers)
        for one in numbers_of(entry):
            insort(numbers, one)
        self._sum += self._counted(numbers) - before

    def remove(self, entry: Entry) -> None:
        if entry.is_intel:
            return
        numbers = self._numbers[entry.member]
        before = self._counted(numbers)
        for one in numbers_of(entry):
            del numbers[bisect_left(numbers, one)]
        self._sum += self._counted(numbers) - before
        if not numbers:
            del self._numbers[entry.member]

    def value(self) -> Number:
        return self._sum

    def _counted(self, numbers: Sequence[Number]) -> Number:
        return min(numbers[-1], self._cap) if numbers else 0


class Average(Sum):
    __slots__ = ()

    def value(self) -> Number:
        return Fraction(self._sum) / self._numbers


class Percentile:
    """The nearest rank: the least number than which no more than (100 - percentile) % are greater.

    Definition 1 of Hyndman and Fan (Sample Quantiles in Statistical Packages, The American Statistician 50, 1996): it
    is always one of the numbers seen.
    """

    __slots__ = ("_numbers", "_share")

    def __init__(self, percentile: float) -> None:
        self._share = Fraction(exactly(percentile)) / 100
        self._numbers: list[Number] = []

    def add(self, entry: Entry) -> None:
        for one in numbers_of(entry):
            insort(self._numbers, one)

    def remove(self, entry: Entry) -> None:
        for one in numbers_of(entry):
            del self._numbers[bisect_left(self._numbers, one)]

    def value(self) -> Number:
        rank = -(-self._share.numerator * len(self._numbers) // self._share.denominator)
        return self._numbers[max(rank, 1) - 1]


class Median(Percentile):
    """The number in the middle; of an even count, the mean of the two in the middle."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(50)

    def value(self) -> Number:
        middle, odd = divmod(len(self._numbers), 2)
        if odd:
            return self._numbers[middle]
        return Fraction(self._numbers[middle - 1] + self._numbers[middle]) / 2


class Together:
    """A measure, and how many different values of other fields there are; None where these are too few of any."""

    __slots__ = ("_beside", "_measure", "_parts")

    def __init__(self, measure: Measure, also: Sequence[tuple[str, Condition]]) -> None:
        self._measure = measure
        self._beside = [
            (Distinct(partial(_beside, place)), held_by(condition.bounds)) for place, (_, condition) in enumerate(also)
        ]
        self._parts: list[Measure] = [measure, *(values for values, _ in self._beside)]

    def add(self, entry: Entry) -> None:
        for part in self._parts:
            part.add(entry)

    def remove(self, entry: Entry) -> None:
        for part in self._parts:
            part.remove(entry)

    def value(self) -> Number | None:
        if all(holds(values.value()) for values, holds in self._beside):
            return self._measure.value()
        return None


def _beside(place: int, entry: Entry) -> tuple[str, ...]:
    return entry.also[place]


def numbers_of(entry: Entry) -> Iterator[Number]:
    """The numbers one ticket adds; equal ones too."""
    for (text,) in entry.values:
        one = number(text)
        if one is not None:
            yield one


def _ticket(entry: Entry) -> Iterator[tuple[str, str]]:
    """What it is counted by where several matches may bring one ticket."""
    yield entry.institution, entry.ticket_id


@lru_cache
def _tuples(order: tuple[str, ...]) -> tuple[tuple[str], ...]:
    """Values as entries have them; of the few orders there are, once."""
    return tuple((value,) for value in order)


def _count_of_values(rule: CorrelationRule) -> Measure:
    if rule.order:
        return Chain(_tuples(rule.order), attrgetter("values"))
    if rule.each or rule.spread_ms:
        return Scattered(rule.each, rule.spread_ms)
    return Distinct(attrgetter("values"))


def _count_of_rules(names: Collection[str]) -> Measure:
    return Distinct(lambda entry: (name for name in entry.rules if name in names))


_MEASURES: Final[dict[str, Callable[[CorrelationRule], Measure]]] = {
    "event_count": lambda rule: Count() if rule.depth == 1 else Distinct(_ticket),
    "value_count": _count_of_values,
    "temporal": lambda rule: _count_of_rules(rule.telling),
    "temporal_ordered": lambda rule: Chain(rule.telling, attrgetter("rules")),
    "value_sum": lambda rule: Capped(Fraction(rule.condition.floor or 0) / 2) if rule.cap_each else Sum(),
    "value_avg": lambda _: Average(),
    "value_percentile": lambda rule: Percentile(rule.percentile or 0),
    "value_median": lambda _: Median(),
}
