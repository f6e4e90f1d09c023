"""From a ticket's detections to the groups it feeds. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple, Protocol

import orjson

from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.chains import Beside, Chains, Fields, Outwards
from fsoc.correlation.entries import GROUPS_MAX, NUMBERS_MAX, VALUES_MAX, Onward
from fsoc.correlation.exact import number
from fsoc.correlation.rules import CorrelationRule


class Feed(NamedTuple):
    """One group one ticket feeds. rules: the detections that matched; the rest as in `Entry`."""

    rule: str
    group: str
    values: tuple[tuple[str, ...], ...]
    rules: tuple[str, ...]
    onward: tuple[Onward, ...]
    also: tuple[tuple[str, ...], ...]


class Lookup(Protocol):
    """A ticket's fields, as text. evidence: the index of the item that matched, or -1 for the ticket itself."""

    def __call__(self, evidence: int, field: str) -> Sequence[str]:
        """The field's distinct values; () where it is missing."""
        ...

    def occurrences(self, evidence: int, field: str) -> tuple[int, Sequence[str]]:
        """Where the field was found, an evidence index or -1 for the ticket, and every value there, equal ones too."""
        ...


class _Grouping(NamedTuple):
    """What a match is grouped by. fields: as its events call them. lists: those whose values are no group."""

    fields: tuple[str, ...]
    lists: tuple[str, ...]

    def groups(self, evidence: int, lookup: Lookup, lists: AllowLists, at_ms: int) -> list[_Group]:
        """Every group of a match at an event time."""
        columns: list[Sequence[str]] = []
        for name in self.fields:
            column = lookup(evidence, name)
            if self.lists and column:
                column = lists.passes(self.lists, column, at_ms)
            if not column:
                return []
            columns.append(column)
        return [(orjson.dumps(values).decode(), values) for values in product(*columns)]


_Group = tuple[str, tuple[str, ...]]
"""As JSON text, and its values."""


class _Way:
    """How a match of one detection feeds one correlation, worked out once: a ticket's matches go by a dozen of these.

    counted: what the events of the detection call the rule's fields; None is who counts once.
    looks_beyond: the rule counts fields beside, or correlations name it.
    """

    __slots__ = ("counted", "detection", "looks_beyond", "rule", "values_max")

    def __init__(self, rule: CorrelationRule, detection: str, *, is_named: bool) -> None:
        self.rule = rule
        self.detection = detection
        self.counted = tuple(
            None if rule.independent and name == "institution" else rule.field_in(detection, name)
            for name in rule.fields
        )
        self.values_max = NUMBERS_MAX if rule.numeric else VALUES_MAX
        self.looks_beyond = is_named or bool(rule.also)

    def adds(self, evidence: int, lookup: Lookup, member: str) -> Mapping[Hashable, tuple[str, ...]]:
        """What a match adds to what the rule counts or sums, by what tells it from what other matches add.

        Values are told apart by themselves; numbers by the place they stand in, so that equal ones of two evidence
        items both count, and one of the ticket's own counts once however many items match.
        """
        if self.rule.numeric:
            return self._numbers(evidence, lookup)
        if not self.counted:
            return {}
        who = (member,) if member else ()
        columns = [who if name is None else lookup(evidence, name) for name in self.counted]
        return {value: value for value in product(*columns)}

    def _numbers(self, evidence: int, lookup: Lookup) -> Mapping[Hashable, tuple[str, ...]]:
        (name,) = self.counted
        assert name is not None  # noqa: S101 - nobody sums institutions
        source, texts = lookup.occurrences(evidence, name)
        return {(source, place): (text,) for place, text in enumerate(texts) if is_counted(self.rule, text)}

    def fields(self, evidence: int, lookup: Lookup) -> Fields:
        """What the rule's names mean in a match."""
        return lambda name: lookup(evidence, self.rule.field_in(self.detection, name))


class _Fed:
    """What one ticket adds to one group, while its matches are gone through. beside, outwards: where any are asked."""

    __slots__ = ("beside", "detections", "outwards", "values")

    def __init__(self) -> None:
        self.values: dict[Hashable, tuple[str, ...]] = {}
        self.detections: dict[str, None] = {}
        self.beside: Beside | None = None
        self.outwards: Outwards | None = None

    def add(self, adds: Mapping[Hashable, tuple[str, ...]], values_max: int) -> int:
        """What a match adds to what is counted; return how many values are past the bound."""
        cut = 0
        for name, value in adds.items():
            if name in self.values or len(self.values) < values_max:
                self.values[name] = value
            else:
                cut += 1
        return cut

    def feed(self, rule: str, group: str) -> Feed:
        return Feed(
            rule,
            group,
            tuple(sorted(self.values.values())),
            tuple(sorted(self.detections)),
            () if self.outwards is None else self.outwards.frozen(),
            () if self.beside is None else self.beside.frozen(),
        )


class Feeder:
    """Which groups a ticket's detections feed."""

    def __init__(self, rules: Iterable[CorrelationRule], lists: AllowLists | None = None) -> None:
        """lists: all that the rules name."""
        self.lists = lists or AllowLists()
        rules = list(rules)
        self._chains = Chains(rules, self.lists)
        # By detection: most of what a ticket could feed fails for want of a field, and many rules group by the same.
        self._ways: dict[str, dict[_Grouping, list[_Way]]] = {}
        for rule in rules:
            is_named = bool(self._chains.of(rule.id))
            for name in rule.rules:
                grouping = _Grouping(tuple(rule.field_in(name, one) for one in rule.group_by), rule.allow_lists)
                way = _Way(rule, name, is_named=is_named)
                self._ways.setdefault(name, {}).setdefault(grouping, []).append(way)

    def feeds(
        self, matches: Sequence[tuple[str, int]], lookup: Lookup, member: str, at_ms: int
    ) -> tuple[list[Feed], int]:
        """The groups fed by these (detection, evidence index) matches, and how many more the bounds cut off.

        at_ms: the ticket's event time.

        A group-by or counted field that a match lacks feeds nothing: a group is exactly its values. A field with
        several values feeds a group for each. However many matches agree on a group, the ticket is in it once.
        """
        found: dict[tuple[str, str], _Fed] = {}
        per_rule: dict[str, int] = {}
        cut = 0
        for detection, evidence in matches:
            for grouping, ways in self._ways.get(detection, _NOTHING).items():
                groups = grouping.groups(evidence, lookup, self.lists, at_ms)
                for way in ways if groups else ():
                    adds, rule = way.adds(evidence, lookup, member), way.rule
                    if rule.fields and not adds:
                        continue
                    for text, group in groups:
                        key = (rule.id, text)
                        fed = found.get(key)
                        if fed is None:
                            if per_rule.get(rule.id, 0) >= GROUPS_MAX:
                                cut += 1
                                continue
                            per_rule[rule.id] = per_rule.get(rule.id, 0) + 1
                            fed = found[key] = _Fed()
                        fed.detections[detection] = None
                        cut += fed.add(adds, way.values_max)
                        if way.looks_beyond:
                            cut += self._look_beyond(way, fed, group, way.fields(evidence, lookup), member, at_ms)
        feeds = [fed.feed(*key) for key, fed in sorted(found.items())]
        return feeds, cut + sum(fed.outwards.cut for fed in found.values() if fed.outwards is not None)

    def _look_beyond(self, way: _Way, fed: _Fed, group: Sequence[str], fields: Fields, member: str, at_ms: int) -> int:
        """What is counted beside, and what would be fed outwards; return how many values the bounds cut off."""
        if fed.beside is None or fed.outwards is None:
            fed.beside, fed.outwards = Beside(way.rule), Outwards(at_ms)
        cut = fed.beside.add(way.rule, fields, member)
        fed.outwards.add(self._chains, way.rule, group, fields, member)
        return cut


_NOTHING: Final[Mapping[_Grouping, list[_Way]]] = {}


def is_counted(rule: CorrelationRule, text: str) -> bool:
    """Whether a text is a number to a rule that looks at numbers."""
    exactly = number(text)
    return exactly is not None and (exactly >= 0 or not rule.non_negative)
