"""Is the state of one detections partition readable, in its place and complete by its own counts? Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fsoc.correlation.definitions import DEFINITION, fits
from fsoc.correlation.entries import Entry, EntryName, GroupKey, Withdrawn, name_of, word_of
from fsoc.correlation.level import PAST, seal_key
from fsoc.correlation.past import Seal, hour_of, seal_of
from fsoc.correlation.progress import SINCE, Progress, Since, since_of
from fsoc.correlation.relays import RELAY, Relay, relay_name
from fsoc.correlation.rules import CHAIN_DEPTH_MAX, CorrelationRule
from fsoc.feeds.ledger import END_MS
from fsoc.runtime.audit.findings import Place, Verdict
from fsoc.runtime.audit.intake import Member
from fsoc.runtime.audit.reading import Kept, Tail
from fsoc.runtime.audit.records import AlertRecord, CorrelationHeader, alert_record, correlation_header

HEADER = b"header"
ALERT = b"alert/"
ENTRY = b"["

DEPTHS = range(1, CHAIN_DEPTH_MAX + 1)

_definition = msgspec.json.Decoder(CorrelationRule).decode
_relay = msgspec.json.Decoder(Relay).decode


class Held(NamedTuple):
    """One entry or withdrawal in the state."""

    name: EntryName
    word: Entry | Withdrawn
    kept: Kept


class HeldRelay(NamedTuple):
    """What the state has of a match of a correlation. name: of the entry that is relayed."""

    name: EntryName
    relay: Relay
    kept: Kept


class Defined(NamedTuple):
    """By what the entries of a rule are judged, and where and when that was written."""

    rule: CorrelationRule
    kept: Kept


@dataclass(slots=True)
class Shard:
    """The state of one detections partition, taken apart.

    since: its record, if there is one; `known_since` is what it comes to.
    doubted: groups of which a record cannot be trusted, so that what follows from them is not judged.
    """

    number: int
    topic: str
    committed: int | None
    tail: Tail
    header: CorrelationHeader | None = None
    since: Since | None = None
    entries: dict[bytes, Held] = field(default_factory=dict)
    alerts: dict[bytes, AlertRecord] = field(default_factory=dict)
    definitions: dict[str, Defined] = field(default_factory=dict)
    relays: dict[bytes, HeldRelay] = field(default_factory=dict)
    seals: dict[GroupKey, dict[str, Seal]] = field(default_factory=dict)
    unreadable: set[bytes] = field(default_factory=set)
    doubted: set[GroupKey] = field(default_factory=set)

    def place(self, key: bytes | None = None) -> Place:
        return Place(self.topic, self.number, key)

    @property
    def is_at_rest(self) -> bool:
        """Nothing waits to be worked, so that what is there is whole."""
        return not self.tail.records

    def closed_ms(self, depth: int) -> int | None:
        """How far event time is settled for correlations of this depth."""
        closed = self.header.closed if self.header is not None else []
        return closed[depth - 1] if depth <= len(closed) else None

    @property
    def is_judgeable(self) -> bool:
        return HEADER not in self.unreadable and SINCE not in self.unreadable

    @property
    def is_since_in_flight(self) -> bool:
        """Whether what was judged by the record of `since` may not be there yet, or not be out."""
        return self.since is not None and self.since.offset >= (self.committed or 0)

    def first_kept(self) -> dict[str, int]:
        """By rule: the offset of the oldest record of its entries."""
        first: dict[str, int] = {}
        for held in self.entries.values():
            rule = held.name[0].rule
            first[rule] = min(first.get(rule, held.kept.offset), held.kept.offset)
        return first

    def groups(self) -> dict[GroupKey, list[Entry]]:
        """The entries of each group in order; groups that only withdrawals are left of have none.

        What is sealed already counts there: a crash kept it.
        """
        found: dict[GroupKey, list[Entry]] = {}
        for held in self.entries.values():
            of_it = found.setdefault(held.name[0], [])
            if not isinstance(held.word, Entry):
                continue
            seal = self.seals.get(held.name[0], {}).get(held.word.institution)
            if seal is None or hour_of(held.word) >= seal.until:
                of_it.append(held.word)
        for entries in found.values():
            entries.sort()
        return found

    def closed_soon(self, institutions: frozenset[str], partitions: int) -> list[int | None]:
        """By depth: how far event time will be settled once the tail is worked; as now where that does not say."""
        progress = self._progress()
        for value, timestamp_ms in self.tail.said:
            progress.hear(value, timestamp_ms)
        progress.advance(institutions)
        soon = (progress.closed(depth, partitions) for depth in DEPTHS)
        return [
            later if later is not None else self.closed_ms(depth) for depth, later in zip(DEPTHS, soon, strict=True)
        ]

    def known_since(self) -> dict[str, int]:
        """From which event time on institutions are known, as a restart has it: by the record and the header."""
        return self._progress(None if self.since is None else self.since.since).since

    def since_before(self) -> dict[str, int]:
        """The same as it was before the record was written, where that is in flight: alerts may stand by either.

        The header sums up a slice after all that was judged with it.
        """
        return self._progress().since if self.is_since_in_flight else self.known_since()

    def _progress(self, since: Mapping[str, int] | None = None) -> Progress:
        """As the header has it. since: what the record said."""
        progress = Progress()
        progress.since.update(since or {})
        if self.header is not None:
            progress.restore(msgspec.to_builtins(self.header))
        return progress

    def expired_until(self, members: Mapping[str, Member], depth: int) -> int | None:
        """Entries of this depth that must not outlive this event time may be gone; None: none may.

        An exercise that is over lets go of nothing more: what had been settled before was at most what was seen.
        """
        closed = self.closed_ms(depth)
        if closed is None or closed < END_MS:
            return closed
        seen = (member.header.watermark_ms for member in members.values() if member.header is not None)
        return max((at for at in seen if at is not None), default=None)


def shard(
    number: int, topic: str, records: Mapping[bytes, Kept], committed: int | None, tail: Tail, verdict: Verdict
) -> Shard:
    """Take one partition's state apart; what cannot be read is found."""
    found = Shard(number, topic, committed, tail)
    for key, kept in records.items():
        try:
            _take(found, key, kept)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            found.unreadable.add(key)
            _doubt(found, key)
            verdict.find("unreadable", found.place(key), f"is not what correlation writes: {error}")
    return found


def _take(found: Shard, key: bytes, kept: Kept) -> None:
    if key == HEADER:
        found.header = correlation_header(kept.value)
    elif key == SINCE:
        found.since = since_of(kept.value)
    elif key.startswith(ALERT):
        found.alerts[key] = alert_record(kept.value)
    elif key.startswith(PAST):
        group, (institution, *_) = name_of(key.removeprefix(PAST))
        found.seals.setdefault(group, {})[institution] = seal_of(kept.value)[0]
    elif key.startswith(RELAY):
        found.relays[key] = HeldRelay(relay_name(key), _relay(kept.value), kept)
    elif key.startswith(DEFINITION):
        found.definitions[key.removeprefix(DEFINITION).decode()] = Defined(_definition(kept.value), kept)
    else:
        found.entries[key] = Held(name_of(key), word_of(kept.value), kept)


def _doubt(found: Shard, key: bytes) -> None:
    """What follows from a record that cannot be read is not judged."""
    try:
        found.doubted.add(name_of(key.removeprefix(RELAY).removeprefix(PAST))[0])
    except msgspec.MsgspecError:
        return


def check_shard(found: Shard, partitions: int, members: Mapping[str, Member], verdict: Verdict) -> None:
    """Places, definitions, and what it knows of progress."""
    looked = verdict.looked
    looked.partitions += 1
    _check_places(found, partitions, verdict)
    _check_alert_places(found, partitions, verdict)
    _check_seal_places(found, partitions, verdict)
    looked.entries += len(found.entries)
    looked.alerts += len(found.alerts)
    looked.in_flight_entries += len(found.tail.named)
    _check_definitions(found, verdict)
    header = found.header
    if header is None:
        has_any = found.entries or found.alerts or found.definitions
        if found.committed and not has_any and found.is_judgeable:
            text = f"offset {found.committed} is committed, and there is no state: detections are skipped"
            verdict.find("committed-ahead", found.place(), text)
        elif has_any and found.is_judgeable and found.is_at_rest:
            verdict.find("no-header", found.place(HEADER), "there is state, and nothing that sums it up")
        return
    if found.committed is not None and header.offset is not None and found.committed > header.offset + 1:
        text = (
            f"offset {found.committed} is committed, the state ends before {header.offset + 1}: detections are skipped"
        )
        verdict.find("committed-ahead", found.place(HEADER), text)
        return
    _check_claims(found, header, members, verdict)


def _check_places(found: Shard, partitions: int, verdict: Verdict) -> None:
    """What is not at home here says nothing here: workers of its own partition do not see it."""
    for key, held in list(found.entries.items()):
        group, name = held.name
        if not _is_at_home(found, key, group.partition(partitions), verdict):
            del found.entries[key]
        elif isinstance(held.word, Entry) and held.word.name != name:
            said = " ".join(part for part in held.word.name if part)
            verdict.find("misplaced", found.place(key), f"is of {said}, expected what its key names")
            found.doubted.add(group)
    for key, relayed in list(found.relays.items()):
        if not _is_at_home(found, key, relayed.name[0].partition(partitions), verdict):
            del found.relays[key]
    for rule, defined in list(found.definitions.items()):
        if defined.rule.id != rule:
            text = f"defines {defined.rule.id}, expected what its key names"
            verdict.find("misplaced", found.place(DEFINITION + rule.encode()), text)
            del found.definitions[rule]


def _check_alert_places(found: Shard, partitions: int, verdict: Verdict) -> None:
    for key, record in list(found.alerts.items()):
        alert = record.alert()
        if key != ALERT + alert.id.encode() or record.body.get("alert_id") != alert.id:
            verdict.find("misplaced", found.place(key), f"is {alert.id} by its rule, group and episode")
            found.doubted.add(alert.key)
            del found.alerts[key]
        elif not _is_at_home(found, key, alert.key.partition(partitions), verdict):
            del found.alerts[key]


def _check_seal_places(found: Shard, partitions: int, verdict: Verdict) -> None:
    for group, seals in list(found.seals.items()):
        keys = [seal_key(group, institution) for institution in seals]
        if not all(_is_at_home(found, key, group.partition(partitions), verdict) for key in keys):
            del found.seals[group]


def _is_at_home(found: Shard, key: bytes, belongs: int, verdict: Verdict) -> bool:
    if belongs == found.number:
        return True
    verdict.find("misplaced", found.place(key), f"belongs to partition {belongs}, where workers look for it")
    return False


def _check_definitions(found: Shard, verdict: Verdict) -> None:
    """Every entry has its rule's definition beside it, and is such as that one makes."""
    without: dict[str, int] = {}
    for key, held in found.entries.items():
        group = held.name[0]
        defined = found.definitions.get(group.rule)
        if defined is None:
            without[group.rule] = without.get(group.rule, 0) + 1
            found.doubted.add(group)
        elif isinstance(held.word, Entry) and not _fits(defined.rule, group, held.word):
            text = f"was not made by the definition that is held of {group.rule}: a worker would let go of it"
            verdict.find("unfit", found.place(key), text)
            found.doubted.add(group)
    for rule, count in sorted(without.items()):
        key = DEFINITION + rule.encode()
        if key not in found.unreadable:
            verdict.find(
                "no-definition", found.place(key), f"{count} entries are held of this rule, its definition is not"
            )


def _fits(rule: CorrelationRule, key: GroupKey, entry: Entry) -> bool:
    try:
        return fits(rule, key, entry)
    except ValueError:  # the group is no JSON
        return False


def check_counts(found: Shard, alerts_at_fault: int, relays_at_fault: int, verdict: Verdict) -> None:
    """Relays and alerts that the header counts, unless something was found of these: that would only repeat it."""
    header = found.header
    if header is None or not found.is_at_rest:
        return
    place = found.place(HEADER)
    relays = len(found.relays) + sum(key.startswith(RELAY) for key in found.unreadable)
    if header.relays != relays and not relays_at_fault:
        verdict.find("count", place, f"counts {header.relays} relays, there are {relays}")
    if alerts_at_fault or any(key.startswith(ALERT) for key in found.unreadable):
        return
    alerts = [record for record in found.alerts.values() if not record.link]
    if header.raised_total != header.expired_total + len(alerts):
        text = f"counts {header.raised_total} alerts raised, there are {len(alerts)} and {header.expired_total} gone"
        verdict.find("count", place, text)
    opened = sum(record.status == "open" for record in alerts)
    if header.alerts_open != opened:
        verdict.find("count", place, f"counts {header.alerts_open} open alerts, there are {opened}")


def check_entry_count(found: Shard, held: int, missing: int, verdict: Verdict) -> None:
    """Entries that are gone and that nobody misses by name. held: those that are there. missing: that are missed."""
    if found.header is None or not found.is_at_rest:
        return
    lost = found.header.entries - held - sum(key.startswith(ENTRY) for key in found.unreadable)
    if lost not in (0, missing):
        text = f"counts {found.header.entries} entries, there are {found.header.entries - lost}"
        verdict.find("count", found.place(HEADER), text)


def _check_claims(found: Shard, header: CorrelationHeader, members: Mapping[str, Member], verdict: Verdict) -> None:
    """What is known here of each institution's progress is what its intake has said last."""
    for name, member in members.items():
        own = member.header
        if own is None or name in found.tail.progress.claims:
            continue
        claim = header.claims.get(name)
        if claim is not None and claim.offset > own.offset:
            text = f"knows {name} up to offset {claim.offset}, its intake is at {own.offset}"
            verdict.find("claim", found.place(HEADER), text)
        elif member.is_settled and own.offset >= 0 and (claim is None or claim.offset < own.offset):
            known = "nothing" if claim is None else f"{name} up to offset {claim.offset}"
            verdict.find("claim", found.place(HEADER), f"knows {known}, its intake has told of {own.offset}")
        elif (
            claim is not None
            and claim.offset == own.offset
            and claim.watermark_ms != _told(own.watermark_ms, own.ended)
        ):
            text = f"has {claim.watermark_ms} for {name}'s watermark, its intake {own.watermark_ms}"
            verdict.find("claim", found.place(HEADER), text)


def _told(watermark_ms: int | None, ended: bool) -> int | None:
    return END_MS if ended else watermark_ms
