"""A match of a correlation as a detection of those that name it: put while it holds, withdrawn when not. Pure.

A ticket of an inner group is relayed as long as the condition holds over some (t - timespan, t] with the ticket in it:

    to rules that count       at the ticket's own event time
    to rules that ask for     at the earliest such t, when the match is complete; so every t at which the inner
      other rules, in order     rule holds has a relayed ticket at exactly that time
      or not

Either way more tickets only ever add matches, so that what is raised at once stays (law 8), but for rules that look at
pasts or ask for `spread`, where a late ticket may show that nothing was new: a count of tickets at their matches' times
would lose some whenever a late ticket completes a match earlier.

What was relayed is in the state before it is published. A revision is never used for two things, so what is published
again after a restart changes nothing (law 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Final, NamedTuple

import msgspec

from fsoc.correlation.entries import Entry, EntryName, GroupKey, TicketName, Withdrawn, entry_key, name_of
from fsoc.correlation.groups import Groups
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.timeline import Timeline

RELAY: Final = b"relay/"
"""What the keys of relays begin with in the state; the entry's key follows."""

Word = tuple[EntryName, Entry | Withdrawn]
"""What is said of an entry of another correlation."""


class Relay(NamedTuple):
    """What an entry feeds of the correlations around its own.

    revision: rises with every change. of: the entry's revision. at: the event time at which it was last put.
    until: progress at which nobody can need it any more. source: of the entries that are put.
    keys: (rule, group) it is put to now. gone: those it was put to before; withdrawn, again and again.
    """

    revision: int
    of: int
    at: int
    until: int
    source: str
    keys: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]


class Relays:
    """All relays of the groups of one chain depth in one partition."""

    def __init__(self) -> None:
        self._relays: dict[GroupKey, dict[TicketName, Relay]] = {}
        self._touched: dict[EntryName, None] = {}
        self._expiry: list[tuple[int, EntryName]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def has(self, key: GroupKey) -> bool:
        """Whether anything of this group was relayed."""
        return key in self._relays

    def touch(self, key: GroupKey, names: Iterable[TicketName]) -> None:
        """These entries may have to be relayed otherwise than they are."""
        self._touched.update(dict.fromkeys((key, name) for name in names))

    def revise(self, groups: Groups, settled_ms: int | None) -> dict[EntryName, Relay]:
        """Relay what was touched as it holds now; return what changed.

        settled_ms: how far event time was settled: below, windows may have lost entries, and what was relayed stays.
        """
        changed: dict[EntryName, Relay] = {}
        for name in sorted(self._touched):
            key, ticket = name
            timeline = groups.get(key)
            entry = timeline.by_name.get(ticket) if timeline is not None else None
            before = self._relays.get(key, {}).get(ticket)
            if timeline is None or entry is None:
                if before is not None and before.keys:
                    changed[name] = _withdrawn(before, before.of)
                    heappush(self._expiry, (before.until, name))
            elif (after := _relay(timeline, entry, before, settled_ms)) is not None:
                changed[name] = after
        self._touched.clear()
        for name, relay in changed.items():
            self._keep(name, relay)
        return changed

    def words(self, name: EntryName, relay: Relay, timeline: Timeline | None) -> Iterator[Word]:
        """All that a relay says. timeline: its group's, where that is still held."""
        key, (institution, ticket_id, _) = name
        put = institution, ticket_id, relay.source
        for rule, group in relay.gone:
            yield (GroupKey(rule, key.environment, group), put), Withdrawn(relay.revision, relay.at)
        entry = timeline.by_name.get(name[1]) if timeline is not None else None
        if entry is None or not relay.keys:
            return
        for onward in entry.onward:
            outer = GroupKey(onward.rule, key.environment, onward.group)
            told = entry._replace(
                event_time_ms=relay.at if onward.at_match else entry.event_time_ms,
                revision=relay.revision,
                values=onward.values,
                rules=(key.rule,),
                source=relay.source,
                onward=onward.onward,
                also=onward.also,
            )
            yield (outer, put), told

    def all(self) -> Iterator[tuple[EntryName, Relay]]:
        for key, relays in self._relays.items():
            for name, relay in relays.items():
                yield (key, name), relay

    def forget(self, name: EntryName) -> bool:
        """Its entry has been let go of; return whether it was relayed."""
        key, ticket = name
        relays = self._relays.get(key)
        if relays is None or relays.pop(ticket, None) is None:
            return False
        self._count -= 1
        if not relays:
            del self._relays[key]
        return True

    def expire(self, closed_until_ms: int) -> Iterator[EntryName]:
        """Forget what has been withdrawn for so long that nobody can say it again; yield what was forgotten."""
        while self._expiry and self._expiry[0][0] <= closed_until_ms:
            _, (key, ticket) = heappop(self._expiry)
            relay = self._relays.get(key, {}).get(ticket)
            if relay is not None and not relay.keys and self.forget((key, ticket)):
                yield key, ticket

    def restore(self, name: EntryName, value: bytes) -> None:
        """Take what the state knows of an entry."""
        self._keep(name, relay_of(value))

    def _keep(self, name: EntryName, relay: Relay) -> None:
        key, ticket = name
        relays = self._relays.setdefault(key, {})
        self._count += ticket not in relays
        relays[ticket] = relay


def relay_key(name: EntryName) -> bytes:
    return RELAY + entry_key(name)


def relay_name(key: bytes) -> EntryName:
    """The inverse of `relay_key`."""
    return name_of(key.removeprefix(RELAY))


def relay_value(relay: Relay) -> bytes:
    return msgspec.json.encode(relay)


def relay_of(value: bytes) -> Relay:
    """The inverse of `relay_value`.

    Raises:
        msgspec.MsgspecError: it is no such value.
    """
    return _decoder.decode(value)


def source(rule: CorrelationRule, key: GroupKey, inner: str) -> str:
    """Tells apart by which groups a ticket is relayed: one of a rule that counts otherwise now is another."""
    text = "\x00".join((rule.id, *rule.group_by, "", *rule.fields, "", key.group, inner))
    return blake2b(text.encode(), digest_size=12).hexdigest()


def _relay(timeline: Timeline, entry: Entry, before: Relay | None, settled_ms: int | None) -> Relay | None:
    """The relay of an entry as it holds now; None where that is as before, or can no longer be told."""
    rule = timeline.rule
    if settled_ms is not None and entry.event_time_ms <= settled_ms - rule.retention_ms + rule.timespan_ms:
        return None
    at = timeline.first_held_ms(entry) if entry.onward else None
    if at is None:
        return _withdrawn(before, entry.revision) if before is not None and before.keys else None
    keys = tuple((onward.rule, onward.group) for onward in entry.onward)
    if before is None:
        return Relay(1, entry.revision, at, at + rule.retention_ms, source(rule, timeline.key, entry.source), keys, ())
    if (keys, entry.revision, at) == (before.keys, before.of, before.at):
        return None
    gone = tuple(key for key in dict.fromkeys((*before.keys, *before.gone)) if key not in keys)
    return Relay(before.revision + 1, entry.revision, at, at + rule.retention_ms, before.source, keys, gone)


def _withdrawn(before: Relay, of: int) -> Relay:
    gone = tuple(dict.fromkeys((*before.keys, *before.gone)))
    return before._replace(revision=before.revision + 1, of=of, keys=(), gone=gone)


_decoder: Final = msgspec.json.Decoder(Relay)
