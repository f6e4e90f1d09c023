"""From a ticket's detections to the groups it feeds, and the put and withdraw records between. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from sys import intern
from typing import Any, NamedTuple, Protocol

import orjson

from fsoc.correlation.exact import number
from fsoc.correlation.rules import CorrelationRule

GROUPS_MAX = 32
"""Groups one ticket may feed per rule: an evidence list of a thousand addresses is one ticket, not a thousand."""

VALUES_MAX = 32
"""Distinct value tuples one ticket adds to one group."""

NUMBERS_MAX = 64
"""Numbers one ticket adds to one group; more than a ticket may have evidence items."""

_SHARED_MAX = 4_096

STATE_FIELDS = ("at", "institution", "ticket_id", "revision", "values", "member", "severity", "attack", "rules")


class Entry(NamedTuple):
    """One ticket's contribution to one group.

    Entries sort by event time, then institution and ticket id, so any set of entries has one order.
    values: the distinct value tuples a value_count counts; the numbers, as texts, that a sum or the like is of, equal
    ones too; () where nothing but the ticket counts.
    member: what counts once for `independent`: the holding group, or the institution itself.
    attack: (tactic, technique) pairs. rules: the detections that matched, sorted.
    """

    event_time_ms: int
    institution: str
    ticket_id: str
    revision: int
    values: tuple[tuple[str, ...], ...]
    member: str
    severity: int
    attack: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]


class Version(NamedTuple):
    """Which rules decided: the newest day on which one of them was modified, and the digest of all they were made of.

    It is written beside what is decided and never read there: an alert does not depend on when rules were reloaded.
    """

    version: str
    digest: str


class Feed(NamedTuple):
    """One group one ticket feeds."""

    rule: str
    group: str
    values: tuple[tuple[str, ...], ...]
    rules: tuple[str, ...]


class GroupKey(NamedTuple):
    """Whose windows are one: never across environments (law 16). group: JSON list of the group-by values."""

    rule: str
    environment: str
    group: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> GroupKey:
        """The key of a put or withdraw record."""
        return cls(intern(record["rule"]), intern(record["environment"]), record["group"])

    def partition(self, partitions: int) -> int:
        """The detections partition that works this group, the same on every machine."""
        return zlib.crc32("\x00".join(self).encode()) % partitions


class Lookup(Protocol):
    """A ticket's fields, as text. evidence: the index of the item that matched, or -1 for the ticket itself."""

    def __call__(self, evidence: int, field: str) -> Sequence[str]:
        """The field's distinct values; () where it is missing."""
        ...

    def occurrences(self, evidence: int, field: str) -> tuple[int, Sequence[str]]:
        """Where the field was found, an evidence index or -1 for the ticket, and every value there, equal ones too."""
        ...


class Feeder:
    """Which groups a ticket's detections feed."""

    def __init__(self, rules: Iterable[CorrelationRule]) -> None:
        self._by_detection: dict[str, list[CorrelationRule]] = {}
        for rule in rules:
            for detection in rule.rules:
                self._by_detection.setdefault(detection, []).append(rule)

    def feeds(self, matches: Sequence[tuple[str, int]], lookup: Lookup, member: str) -> tuple[list[Feed], int]:
        """The groups fed by these (detection, evidence index) matches, and how many more the bounds cut off.

        A group-by or counted field that a match lacks feeds nothing: a group is exactly its values. A field with
        several values feeds a group for each. However many matches agree on a group, the ticket is in it once.
        """
        found: dict[tuple[str, str], tuple[dict[Hashable, tuple[str, ...]], dict[str, None]]] = {}
        per_rule: dict[str, int] = {}
        cut = 0
        for detection, evidence in matches:
            for rule in self._by_detection.get(detection, ()):
                adds = _adds(rule, detection, evidence, lookup, member)
                if rule.fields and not adds:
                    continue
                values_max = NUMBERS_MAX if rule.numeric else VALUES_MAX
                for group in _tuples(rule, rule.group_by, detection, evidence, lookup, None):
                    key = (rule.id, orjson.dumps(group).decode())
                    if key not in found:
                        if per_rule.get(rule.id, 0) >= GROUPS_MAX:
                            cut += 1
                            continue
                        per_rule[rule.id] = per_rule.get(rule.id, 0) + 1
                        found[key] = ({}, {})
                    known, detections = found[key]
                    detections[detection] = None
                    for name, value in adds.items():
                        if name in known or len(known) < values_max:
                            known[name] = value
                        else:
                            cut += 1
        feeds = [
            Feed(rule, group, tuple(sorted(values.values())), tuple(sorted(detections)))
            for (rule, group), (values, detections) in sorted(found.items())
        ]
        return feeds, cut


def _adds(
    rule: CorrelationRule, detection: str, evidence: int, lookup: Lookup, member: str
) -> Mapping[Hashable, tuple[str, ...]]:
    """What a match adds to what the rule counts or sums, by what tells it from what other matches add.

    Values are told apart by themselves; numbers by the place they stand in, so that equal ones of two evidence items
    both count, and one of the ticket's own counts once however many items match.
    """
    if not rule.fields:
        return {}
    if not rule.numeric:
        return {value: value for value in _tuples(rule, rule.fields, detection, evidence, lookup, member)}
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


def _tuples(
    rule: CorrelationRule, fields: Sequence[str], detection: str, evidence: int, lookup: Lookup, member: str | None
) -> list[tuple[str, ...]]:
    """Every combination of the fields' values; [()] for no fields; [] when one has none."""
    columns: list[Sequence[str]] = []
    for name in fields:
        if member is not None and rule.independent and name == "institution":
            columns.append((member,))
        else:
            columns.append(lookup(evidence, rule.field_in(detection, name)))
    return list(product(*columns))


def put_record(feed: Feed, entry: Entry, environment: str, by: Version) -> bytes:
    return orjson.dumps(
        {
            "op": "put",
            "version": by.version,
            "digest": by.digest,
            "rule": feed.rule,
            "environment": environment,
            "group": feed.group,
            "at": entry.event_time_ms,
            "institution": entry.institution,
            "ticket_id": entry.ticket_id,
            "revision": entry.revision,
            "values": entry.values,
            "member": entry.member,
            "severity": entry.severity,
            "attack": entry.attack,
            "rules": entry.rules,
        }
    )


def withdraw_record(key: GroupKey, institution: str, ticket_id: str, revision: int, at: int, by: Version) -> bytes:
    return orjson.dumps(
        {
            "op": "withdraw",
            "version": by.version,
            "digest": by.digest,
            "rule": key.rule,
            "environment": key.environment,
            "group": key.group,
            "at": at,
            "institution": institution,
            "ticket_id": ticket_id,
            "revision": revision,
        }
    )


def entry_of(record: Mapping[str, Any]) -> Entry:
    """The entry of a put record. What many entries say alike is kept once."""
    return Entry(
        record["at"],
        intern(record["institution"]),
        record["ticket_id"],
        record["revision"],
        _shared(tuple(map(tuple, record["values"]))),
        intern(record["member"]),
        record["severity"],
        _shared(tuple(map(tuple, record["attack"]))),
        _shared(tuple(record["rules"])),
    )


@lru_cache(_SHARED_MAX)
def _shared(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first of all tuples that are equal to this one."""
    return value


def entry_state(entry: Entry) -> bytes:
    """The entry as one record of the state topic: an array in the order of `Entry`."""
    return orjson.dumps(tuple(entry))  # orjson takes no named tuples


def entry_of_state(fields: list[Any]) -> Entry:
    return entry_of(dict(zip(STATE_FIELDS, fields, strict=True)))
