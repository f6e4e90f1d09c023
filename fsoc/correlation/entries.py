"""From a ticket's detections to the groups it feeds, and the records between. Pure.

    key    [rule, environment, group, institution, ticket id, source if any]    on `fsoc.detections` and in the state
    value  [[event time, …], version, digest]                                    an entry: put
           [revision, event time, version, digest]                               it is withdrawn

So the state keeps what the log said, byte for byte, and a correlation takes an entry without writing it anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from sys import intern
from typing import Annotated, Any, Final, NamedTuple, Protocol

import msgspec
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

_OWN = 9
"""Fields of an entry that has no source and feeds nothing onward: the others are left out of its record."""


TicketName = tuple[str, str, str]
"""(institution, ticket id, source): what tells the entries of one group apart."""


class Onward(NamedTuple):
    """What a match of a correlation feeds of a correlation that names it: a group, values, and so on outwards."""

    rule: str
    group: str
    values: tuple[tuple[str, ...], ...]
    onward: tuple[Onward, ...]


class Entry(NamedTuple):
    """One ticket's contribution to one group.

    Entries sort by event time, then institution and ticket id, so any set of entries has one order.
    values: the distinct value tuples a value_count counts; the numbers, as texts, that a sum or the like is of, equal
    ones too; () where nothing but the ticket counts.
    member: what counts once for `independent`: the holding group, or the institution itself.
    attack: (tactic, technique) pairs. rules: the detections that matched, sorted; or the correlation that held.
    source: whose match it is, of a correlation's; "" of a detection's. By several it may be in one group several times.
    onward: what it feeds as long as the condition of this group holds around it.
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
    source: str = ""
    onward: tuple[Onward, ...] = ()

    @property
    def name(self) -> TicketName:
        return self.institution, self.ticket_id, self.source


class Withdrawn(NamedTuple):
    """That a ticket is in a group no more. revision: which one took it out. event_time_ms: of that revision."""

    revision: int
    event_time_ms: int


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

    def partition(self, partitions: int) -> int:
        """The detections partition that works this group, the same on every machine."""
        return zlib.crc32("\x00".join(self).encode()) % partitions


EntryName = tuple[GroupKey, TicketName]


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


def entry_key(name: EntryName) -> bytes:
    """What names an entry: the key of its records on `fsoc.detections`, and of what the state keeps of it."""
    key, (institution, ticket_id, source) = name
    return orjson.dumps([*key, institution, ticket_id, source] if source else [*key, institution, ticket_id])


def name_of(key: bytes) -> EntryName:
    """The inverse of `entry_key`.

    Raises:
        msgspec.MsgspecError: it is no such key.
    """
    rule, environment, group, institution, ticket_id, *source = _key_decoder.decode(key)
    return GroupKey(intern(rule), intern(environment), group), (intern(institution), ticket_id, "".join(source))


def put_value(entry: Entry, by: Version) -> bytes:
    """The entry, in the log and in the state: an array, first of the fields of `Entry`."""
    return msgspec.json.encode((entry if entry.source or entry.onward else entry[:_OWN], *by))


def withdraw_value(revision: int, at: int, by: Version) -> bytes:
    """This revision takes the ticket out. at: its event time, which says for how long that is remembered."""
    return orjson.dumps((revision, at, *by))


def is_put(value: bytes) -> bool:
    """Whether a record that has a key puts an entry; else it withdraws one."""
    return value.startswith(b"[[")


def word_of(value: bytes) -> Entry | Withdrawn:
    """What a record says of its ticket: an entry, or that it is withdrawn. What many entries say alike is kept once.

    Raises:
        msgspec.MsgspecError: it says neither.
    """
    if not is_put(value):
        return Withdrawn(*_withdraw_decoder.decode(value)[:2])
    entry, _, _ = _put_decoder.decode(value)
    return Entry(
        entry.event_time_ms,
        intern(entry.institution),
        entry.ticket_id,
        entry.revision,
        _shared(entry.values),
        intern(entry.member),
        entry.severity,
        _shared(entry.attack),
        _shared(entry.rules),
        entry.source,
        entry.onward,
    )


@lru_cache(_SHARED_MAX)
def _shared(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first of all tuples that are equal to this one."""
    return value


_key_decoder: Final = msgspec.json.Decoder(Annotated[list[str], msgspec.Meta(min_length=5, max_length=6)])
_put_decoder: Final = msgspec.json.Decoder(tuple[Entry, str, str])
_withdraw_decoder: Final = msgspec.json.Decoder(tuple[int, int, str, str])
