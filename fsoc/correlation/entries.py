"""What one ticket adds to one group, and the records in which that travels and is kept. Pure.

    key    [rule, environment, group, institution, ticket id, source if any]    on `fsoc.detections` and in the state
    value  [[event time, …], version, digest, terms if not the usual]            an entry: put
           [revision, event time, version, digest]                               it is withdrawn

So the state keeps what the log said, byte for byte, and a correlation takes an entry without writing it anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache, partial
from sys import intern
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import orjson

from fsoc.correlation.terms import NO_TERMS, Terms, written

GROUPS_MAX = 32
"""Groups one ticket may feed per rule: an evidence list of a thousand addresses is one ticket, not a thousand."""

VALUES_MAX = 32
"""Distinct value tuples one ticket adds to one group."""

NUMBERS_MAX = 64
"""Numbers one ticket adds to one group; more than a ticket may have evidence items."""

_SHARED_MAX = 4_096

_PLAIN = 9
"""Fields every entry's record has; of those that follow, none is written after the last that says anything."""


TicketName = tuple[str, str, str]
"""(institution, ticket id, source): what tells the entries of one group apart."""


class Onward(NamedTuple):
    """What a match of a correlation feeds of a correlation that names it: a group, values, and so on outwards.

    at_match: at the event time of the match, not of the ticket. also: as in `Entry`, of that correlation.
    """

    rule: str
    group: str
    values: tuple[tuple[str, ...], ...]
    onward: tuple[Onward, ...]
    at_match: bool
    also: tuple[tuple[str, ...], ...] = ()


class Entry(NamedTuple):
    """One ticket's contribution to one group.

    Entries sort by event time, then institution and ticket id, so any set of entries has one order.
    values: the distinct value tuples a value_count counts; the numbers, as texts, that a sum or the like is of, equal
    ones too; () where nothing but the ticket counts.
    member: what counts once for `independent`: the holding group, or the institution itself; "" marks intel, which says
    what its institution heard of: it happened to nobody, and is in no count of institutions.
    attack: (tactic, technique) pairs. rules: the detections that matched, sorted; or the correlation that held.
    criticality: of the most critical asset it names, 1 to 5; 0 where it names none.
    also: the distinct values of each field that the rule counts beside, in the rule's order.
    source: whose match it is, of a correlation's; "" of a detection's. By several it may be in one group several times.
    onward: what it feeds as long as the condition of this group holds around it.
    ends: its feed has ended with it: that nothing follows is no absence.
    dismissed: its institution has found it to be a false positive. It is in its own past, and counts nowhere else.
    terms: under which it may be told of to others; no correlation reads it.
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
    criticality: int = 0
    also: tuple[tuple[str, ...], ...] = ()
    source: str = ""
    onward: tuple[Onward, ...] = ()
    ends: bool = False
    dismissed: bool = False
    terms: Terms = NO_TERMS

    @property
    def name(self) -> TicketName:
        return self.institution, self.ticket_id, self.source

    @property
    def is_intel(self) -> bool:
        return not self.member


def common(
    at_ms: int,
    name: tuple[str, str],
    revision: int,
    member: str,
    severity: int = 0,
    criticality: int = 0,
    *,
    ends: bool = False,
    dismissed: bool = False,
) -> Entry:
    """What all entries of one message have in common. name: institution and ticket id."""
    return Entry(at_ms, *name, revision, (), member, severity, (), (), criticality, ends=ends, dismissed=dismissed)


def put_in_group(
    told: Entry,
    values: tuple[tuple[str, ...], ...],
    attack: tuple[tuple[str, str], ...],
    rules: tuple[str, ...],
    also: tuple[tuple[str, ...], ...],
    onward: tuple[Onward, ...],
    terms: Terms = NO_TERMS,
) -> Entry:
    """What a message has in common, with what it adds to one group."""
    at, institution, ticket_id, revision, _, member, severity, _, _, criticality, _, source, _, ends, dismissed, _ = (
        told
    )
    return _entry(
        (
            at,
            institution,
            ticket_id,
            revision,
            values,
            member,
            severity,
            attack,
            rules,
            criticality,
            also,
            source,
            onward,
            ends,
            dismissed,
            terms,
        )
    )


class Withdrawn(NamedTuple):
    """That a ticket is in a group no more. revision: which one took it out. event_time_ms: of that revision."""

    revision: int
    event_time_ms: int


class Version(NamedTuple):
    """Which rules decided: the newest day on which one of them was modified, and the digest of all they were made of.

    It is written beside what is decided and never read there: an alert does not depend on when rules were reloaded.
    attack: the ATT&CK version in whose words techniques and tactics stand; "" where it is not known.
    """

    version: str
    digest: str
    attack: str = ""


class GroupKey(NamedTuple):
    """Whose windows are one: never across environments (law 16). group: JSON list of the group-by values."""

    rule: str
    environment: str
    group: str

    def partition(self, partitions: int) -> int:
        """The detections partition that works this group, the same on every machine."""
        return zlib.crc32("\x00".join(self).encode()) % partitions


EntryName = tuple[GroupKey, TicketName]


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


def group_of(key: bytes) -> GroupKey:
    """The group alone: an entry says itself whose it is.

    Raises:
        msgspec.MsgspecError: it is no key of an entry.
    """
    rule, environment, group, *_ = _key_decoder.decode(key)
    return _group((intern(rule), intern(environment), group))


def put_value(entry: Entry, by: Version) -> bytes:
    """The entry, in the log and in the state: an array, first of the fields of `Entry`."""
    terms = written(entry.terms)
    return msgspec.json.encode((_said(entry), *by, terms) if terms else (_said(entry), *by))


def _said(entry: Entry) -> tuple[Any, ...]:
    """Its fields but for the terms, without those at the end that say nothing."""
    fields = len(entry) - 1
    while fields > _PLAIN and not entry[fields - 1]:
        fields -= 1
    return entry[:fields]


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
    return entry_of(value) if is_put(value) else withdrawn_of(value)


def withdrawn_of(value: bytes) -> Withdrawn:
    """Of a record that is no put; raises as `word_of`."""
    word = _withdraw_decoder.decode(value)
    return Withdrawn(word.revision, word.event_time_ms)


def entry_of(value: bytes) -> Entry:
    """Of a put; raises as `word_of`."""
    put = _put_decoder.decode(value)
    at, institution, ticket_id, revision, values, member, severity, attack, rules, criticality, also, *more = put.entry
    more[-1] = _shared(put.terms)
    return _entry(
        (
            at,
            intern(institution),
            ticket_id,
            revision,
            _shared(values),
            intern(member),
            severity,
            _shared(attack),
            _shared(rules),
            criticality,
            _shared(also),
            *more,
        )
    )


@lru_cache(_SHARED_MAX)
def _shared(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first of all tuples that are equal to this one."""
    return value


# What a class made by NamedTuple does itself takes four times as long, and this is done once a detection.
_entry: Final[Callable[[tuple[Any, ...]], Entry]] = partial(tuple.__new__, Entry)
_group: Final[Callable[[tuple[str, str, str]], GroupKey]] = partial(tuple.__new__, GroupKey)


class _Put(msgspec.Struct, array_like=True, gc=False):
    """A put as it is written; what an earlier fsoc wrote names neither ATT&CK's version nor terms."""

    entry: Entry
    version: str
    digest: str
    attack: str = ""
    terms: Terms = NO_TERMS


class _Withdrawal(msgspec.Struct, array_like=True, gc=False):
    """A withdrawal as it is written."""

    revision: int
    event_time_ms: int
    version: str
    digest: str
    attack: str = ""


_key_decoder: Final = msgspec.json.Decoder(Annotated[list[str], msgspec.Meta(min_length=5, max_length=6)])
_put_decoder: Final = msgspec.json.Decoder(_Put)
_withdraw_decoder: Final = msgspec.json.Decoder(_Withdrawal)
