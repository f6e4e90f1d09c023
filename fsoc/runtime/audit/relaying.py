"""Do matches of correlations agree with the groups they are of, and with the entries they became? Reads nothing.

First, partition by partition, each relay against its own group, judged anew by walking over all of it. Then, when all
partitions are known, what relays say against the entries of the correlations around them, both ways.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fsoc.correlation.entries import Entry, GroupKey, TicketName, Withdrawn, entry_key, name_of
from fsoc.correlation.past import counted
from fsoc.correlation.relays import Relay, relay_key, source
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import holding
from fsoc.feeds.ledger import END_MS
from fsoc.runtime.audit.feeding import began_anew
from fsoc.runtime.audit.findings import Code, Verdict
from fsoc.runtime.audit.intake import Member
from fsoc.runtime.audit.judging import NEVER_MS
from fsoc.runtime.audit.partition import DEPTHS, Held, HeldRelay, Shard
from fsoc.tickets.times import rfc3339


class Told(NamedTuple):
    """What a relay says of one entry around it. puts: it feeds it; else it did. in_flight: it may not be out yet."""

    revision: int
    event_time_ms: int
    puts: bool
    in_flight: bool
    written_ms: int


@dataclass(slots=True)
class Outer:
    """What one partition holds of correlations of correlations.

    relayed: entries by key. named: keys that detections name which were not committed, or came since. definitions: of
    its rules. expired: by depth, how far what must not outlive it may be gone. first_kept: as of the shard.
    """

    shard: Shard
    relayed: dict[bytes, Held]
    named: set[bytes]
    expired: list[int | None]
    first_kept: dict[str, int]


@dataclass(slots=True)
class Relayed:
    """What relays say, of all partitions. doubted: tickets whose relay is at fault, with its source."""

    told: dict[bytes, Told] = field(default_factory=dict)
    doubted: set[TicketName] = field(default_factory=set)
    outer: list[Outer] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)


class _Expected(NamedTuple):
    """What the relay of an entry must be. keys: () where the condition does not hold around it; at is nothing then."""

    of: int
    at: int
    source: str
    keys: tuple[tuple[str, str], ...]


def check_relays(
    found: Shard, members: Mapping[str, Member], partitions: int, relayed: Relayed, verdict: Verdict
) -> int:
    """One partition's relays against its groups; return how much was found. relayed: is told what they say."""
    if not found.is_judgeable:  # nor is what its relays say of others
        relayed.doubted.update((*name[1][:2], relay.source) for name, relay, _ in found.relays.values())
        return 0
    before = len(verdict.findings)
    soon = found.closed_soon(frozenset(members), partitions)
    moving = {name_of(key)[0] for key in found.tail.named}
    expired = [found.expired_until(members, depth) for depth in DEPTHS]
    entries = found.groups()
    relays: dict[GroupKey, dict[TicketName, Relay]] = {}
    for (key, name), relay, _ in found.relays.values():
        relays.setdefault(key, {})[name] = relay
    since, earlier = found.known_since(), found.since_before()
    flying: set[GroupKey] = set()
    verdict.looked.relays += len(found.relays)
    relayed.rules.update(found.definitions)
    for key in sorted(relays.keys() | entries.keys()):
        of_it = relays.get(key, {})
        defined = found.definitions.get(key.rule)
        if key in found.doubted or defined is None:
            relayed.doubted.update((*name[:2], relay.source) for name, relay in of_it.items())
            continue
        rule = defined.rule
        closed_ms, soon_ms = found.closed_ms(rule.depth), soon[rule.depth - 1]
        in_flight = key in moving or (not rule.rising and closed_ms != soon_ms)
        if key in entries and (of_it or any(entry.onward for entry in entries[key])):
            settled, counting = expired[rule.depth - 1], _counting(found, rule, key, entries[key], since)
            if since != earlier:
                in_flight = in_flight or counting != _counting(found, rule, key, entries[key], earlier)
            _check_group(found, rule, key, (counting, of_it, closed_ms, settled), in_flight, relayed, verdict)
        # What was decided by progress that is not committed may be in the state, its header too, and not be out yet.
        decided_late = not rule.rising and found.tail.said
        if in_flight or decided_late or (rule.past is not None and found.is_since_in_flight):
            flying.add(key)
    for held in found.relays.values():
        inner = found.entries.get(entry_key(held.name))
        entry = inner.word if inner is not None and isinstance(inner.word, Entry) else None
        _tell(relayed, held, entry, held.name[0] in flying)
    outer = {key: held for key, held in found.entries.items() if held.name[1][2]}
    relayed.outer.append(Outer(found, outer, set(found.tail.named), expired, found.first_kept()))
    return len(verdict.findings) - before


_Group = tuple[Sequence[Entry], Mapping[TicketName, Relay], int | None, int | None]
"""(entries that count, relays, how far settled, how far what is let go of may be gone)."""


def _counting(
    found: Shard, rule: CorrelationRule, key: GroupKey, entries: Sequence[Entry], since: Mapping[str, int]
) -> Sequence[Entry]:
    if rule.past is None:
        return entries
    seals = found.seals.get(key, {})
    return [entry for entry, _ in counted(rule.past, entries, since, seals, numeric=rule.numeric)]


def _check_group(
    found: Shard,
    rule: CorrelationRule,
    key: GroupKey,
    group: _Group,
    in_flight: bool,
    relayed: Relayed,
    verdict: Verdict,
) -> None:
    entries, relays, closed_ms, settled_ms = group
    decided = None if rule.rising else (NEVER_MS if closed_ms is None else closed_ms)
    times = [window[0] for window in holding(rule, entries, decided)]
    whole_from_ms = NEVER_MS if settled_ms is None else settled_ms - rule.retention_ms + rule.timespan_ms + 1
    expected = dict(_expected(rule, key, entries, times))
    for entry in entries:
        if entry.event_time_ms >= whole_from_ms:
            relay, wanted = relays.get(entry.name), expected[entry.name]
            if not _agrees(relay, wanted):
                _find(found, key, entry.name, relay, wanted, in_flight, relayed, verdict)
    for name, relay in relays.items():
        if name not in expected and relay.keys:
            nothing = _Expected(relay.of, relay.at, relay.source, ())
            _find(found, key, name, relay, nothing, in_flight, relayed, verdict)


def _expected(
    rule: CorrelationRule, key: GroupKey, entries: Sequence[Entry], times: Sequence[int]
) -> Iterator[tuple[TicketName, _Expected]]:
    """Each entry is relayed at the earliest time that holds with it in the window, to all it feeds onward."""
    for entry in entries:
        place = bisect_left(times, entry.event_time_ms)
        holds = place < len(times) and times[place] < entry.event_time_ms + rule.timespan_ms
        keys = tuple((onward.rule, onward.group) for onward in entry.onward) if holds else ()
        at = times[place] if holds else 0
        yield entry.name, _Expected(entry.revision, at, source(rule, key, entry.source), keys)


def _agrees(relay: Relay | None, wanted: _Expected) -> bool:
    if not wanted.keys:
        return relay is None or not relay.keys
    return relay is not None and (relay.of, relay.at, relay.source, relay.keys) == wanted


def _find(
    found: Shard,
    key: GroupKey,
    name: TicketName,
    relay: Relay | None,
    wanted: _Expected,
    in_flight: bool,
    relayed: Relayed,
    verdict: Verdict,
) -> None:
    if in_flight:
        verdict.looked.in_flight_relays += 1
        return
    place = found.place(relay_key((key, name)))
    relayed.doubted.add((*name[:2], wanted.source))
    when = f"to {len(wanted.keys)} groups at {rfc3339(wanted.at)} by revision {wanted.of}"
    if place.key in found.unreadable:
        return
    if relay is None:
        verdict.find("missing-relay", place, f"is not there; its group's condition holds, so it is relayed {when}")
    elif wanted.keys:
        is_at = f"to {len(relay.keys)} groups at {rfc3339(relay.at)} by revision {relay.of}"
        verdict.find("wrong-relay", place, f"is relayed {is_at}; expected {when}")
    else:
        verdict.find("wrong-relay", place, "is relayed, and its group's condition does not hold around it")


def _tell(relayed: Relayed, held: HeldRelay, entry: Entry | None, in_flight: bool) -> None:
    """entry: what is relayed; None where it is there no more."""
    (key, (institution, ticket_id, _)), relay, kept = held
    put = (institution, ticket_id, relay.source)
    own = {(each.rule, each.group): entry.event_time_ms for each in entry.onward if not each.at_match} if entry else {}
    for puts, keys in ((False, relay.gone), (True, relay.keys)):
        for outer in keys:
            at = own.get(outer, relay.at) if puts else relay.at
            told = Told(relay.revision, at, puts, in_flight, kept.timestamp_ms)
            relayed.told[entry_key((GroupKey(outer[0], key.environment, outer[1]), put))] = told


def check_relayed(relayed: Relayed, partitions: int, verdict: Verdict) -> dict[int, int]:
    """What relays say against what is held, of all partitions; return how many entries are missing, by partition."""
    missing: dict[int, int] = {}
    outer = {each.shard.number: each for each in relayed.outer}
    for key, told in relayed.told.items():
        name = name_of(key)
        at = outer.get(name[0].partition(partitions))
        if at is None or told.in_flight or key in at.named or key in at.shard.unreadable or name[1] in relayed.doubted:
            continue
        defined = at.shard.definitions.get(name[0].rule)
        if defined is None or _is_gone(told.event_time_ms, defined.rule, at.expired):
            continue
        if began_anew(defined, told.written_ms, at.first_kept) and key not in at.relayed:
            continue
        held = at.relayed.get(key)
        if held is not None or not (at.shard.header is not None and at.shard.header.let_go_total):
            _compare(at.shard, key, told, held, verdict)
            missing[at.shard.number] = missing.get(at.shard.number, 0) + (held is None)
    furthest = [max((at for at in each if at is not None), default=None) for each in _by_depth(relayed)]
    for each in relayed.outer:
        for key, held in each.relayed.items():
            if isinstance(held.word, Entry) and key not in relayed.told and key not in each.named:
                _check_untold(each, key, held.word, furthest, relayed, verdict)
    return missing


def _by_depth(relayed: Relayed) -> Iterator[list[int | None]]:
    for place in range(len(DEPTHS)):
        yield [each.expired[place] for each in relayed.outer]


def _is_gone(at_ms: int, rule: CorrelationRule, expired: Sequence[int | None]) -> bool:
    until = expired[rule.depth - 1]
    return until is not None and at_ms + rule.retention_ms <= until


def _compare(shard: Shard, key: bytes, told: Told, held: Held | None, verdict: Verdict) -> None:
    what = "feeds it" if told.puts else "left it"
    says = f"the correlation inside {what} by revision {told.revision} at {rfc3339(told.event_time_ms)}"
    if held is None:
        code: Code = "missing-entry" if told.puts else "missing-withdrawal"
        verdict.find(code, shard.place(key), f"is not there; {says}")
        return
    word = held.word
    is_as_told = isinstance(word, Entry) == told.puts
    if not is_as_told or (word.revision, word.event_time_ms) != (told.revision, told.event_time_ms):
        said = "withdrawn by" if isinstance(word, Withdrawn) else "of"
        text = f"is {said} revision {word.revision} at {rfc3339(word.event_time_ms)}; {says}"
        verdict.find("stale-entry", shard.place(key), text)


def _check_untold(
    outer: Outer, key: bytes, entry: Entry, furthest: Sequence[int | None], relayed: Relayed, verdict: Verdict
) -> None:
    """Inner groups outlast what they relay, but may be settled further by now; a rule may be gone."""
    defined = outer.shard.definitions.get(name_of(key)[0].rule)
    if defined is None or entry.name in relayed.doubted or not set(entry.rules) <= relayed.rules:
        return
    settled = max((at for at in furthest if at is not None and at < END_MS), default=None)
    if settled is not None and entry.event_time_ms + defined.rule.retention_ms <= settled:
        return
    verdict.find("unfed-entry", outer.shard.place(key), f"holds revision {entry.revision}; no correlation relays it")
