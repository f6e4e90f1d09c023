"""From a ticket's detections to the groups it feeds. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import orjson

from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.chains import Beside, Chains, Fields, Outwards, combinations
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


class _Fed:
    """What one ticket adds to one group, while its matches are gone through."""

    __slots__ = ("beside", "detections", "outwards", "values")

    def __init__(self, rule: CorrelationRule, at_ms: int) -> None:
        self.values: dict[Hashable, tuple[str, ...]] = {}
        self.detections: dict[str, None] = {}
        self.beside = Beside(rule)
        self.outwards = Outwards(at_ms)

    def feed(self, rule: str, group: str) -> Feed:
        values, rules = tuple(sorted(self.values.values())), tuple(sorted(self.detections))
        return Feed(rule, group, values, rules, self.outwards.frozen(), self.beside.frozen())


class Feeder:
    """Which groups a ticket's detections feed."""

    def __init__(self, rules: Iterable[CorrelationRule], lists: AllowLists | None = None) -> None:
        """lists: all that the rules name."""
        self.lists = lists or AllowLists()
        self._chains = Chains(rules, self.lists)

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
            for rule in self._chains.of(detection):
                fields = _fields(rule, detection, evidence, lookup)
                adds = _adds(rule, detection, evidence, lookup, fields, member)
                if rule.fields and not adds:
                    continue
                values_max = NUMBERS_MAX if rule.numeric else VALUES_MAX
                for group in self._chains.groups(rule, fields, at_ms):
                    key = (rule.id, orjson.dumps(group).decode())
                    if key not in found:
                        if per_rule.get(rule.id, 0) >= GROUPS_MAX:
                            cut += 1
                            continue
                        per_rule[rule.id] = per_rule.get(rule.id, 0) + 1
                        found[key] = _Fed(rule, at_ms)
                    fed = found[key]
                    fed.detections[detection] = None
                    for name, value in adds.items():
                        if name in fed.values or len(fed.values) < values_max:
                            fed.values[name] = value
                        else:
                            cut += 1
                    cut += fed.beside.add(rule, fields, member)
                    fed.outwards.add(self._chains, rule, group, fields, member)
        feeds = [fed.feed(*key) for key, fed in sorted(found.items())]
        return feeds, cut + sum(fed.outwards.cut for fed in found.values())


def _fields(rule: CorrelationRule, detection: str, evidence: int, lookup: Lookup) -> Fields:
    """What a rule's names mean in a match of a detection."""
    return lambda name: lookup(evidence, rule.field_in(detection, name))


def _adds(
    rule: CorrelationRule, detection: str, evidence: int, lookup: Lookup, fields: Fields, member: str
) -> Mapping[Hashable, tuple[str, ...]]:
    """What a match adds to what the rule counts or sums, by what tells it from what other matches add.

    Values are told apart by themselves; numbers by the place they stand in, so that equal ones of two evidence items
    both count, and one of the ticket's own counts once however many items match.
    """
    if not rule.fields:
        return {}
    if not rule.numeric:
        return {value: value for value in combinations(rule, rule.fields, fields, member)}
    source, texts = lookup.occurrences(evidence, rule.field_in(detection, rule.fields[0]))
    adds: dict[Hashable, tuple[str, ...]] = {}
    for place, text in enumerate(texts):
        if is_counted(rule, text):
            adds[source, place] = (text,)
    return adds


def is_counted(rule: CorrelationRule, text: str) -> bool:
    """Whether a text is a number to a rule that looks at numbers."""
    exactly = number(text)
    return exactly is not None and (exactly >= 0 or not rule.non_negative)
