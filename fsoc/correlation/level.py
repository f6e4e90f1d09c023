"""The correlations of one chain depth in one detections partition: groups judged, matches relayed. Pure.

Depths are kept apart because they are settled one after another: a correlation of correlations waits until the matches
it is about can no longer change (law 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from fsoc.correlation.entries import Entry, GroupKey, TicketName, Withdrawn, entry_key
from fsoc.correlation.groups import Groups, settled_from
from fsoc.correlation.past import seal_value
from fsoc.correlation.relays import Relays, Word, relay_key, relay_value
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied

StateRecord = tuple[bytes, bytes | None]

PAST: Final = b"past/"
"""What the keys of seals begin with in the state; the key of an entry without a ticket follows."""


def seal_key(key: GroupKey, institution: str) -> bytes:
    return PAST + entry_key((key, (institution, "", "")))


_NEVER_MS: Final = -(2**63)


class Found(NamedTuple):
    """What holds in one group now. live_from: the first episode of which that is the whole truth."""

    rule: CorrelationRule
    key: GroupKey
    episodes: list[Satisfied]
    live_from: int


class Judged(NamedTuple):
    """What judging changed. words: of other correlations' entries. state: what it must know before any is published."""

    found: list[Found]
    words: list[Word]
    state: list[StateRecord]


class Level:
    """One depth.

    closed_until_ms: no entry of this depth with an earlier event time is still to come. moved: since it was judged
    before.
    """

    def __init__(self, since: Mapping[str, int] | None = None) -> None:
        self.groups = Groups(since)
        self.relays = Relays()
        self.closed_until_ms: int | None = None
        self.moved = False

    def put(self, rule: CorrelationRule, key: GroupKey, entry: Entry) -> bool:
        """Take an entry; return whether anything changed."""
        taken = self.groups.put(rule, key, entry)
        if taken and self.relays.has(key):  # else judging finds it, if anything holds around it
            self.relays.touch(key, (entry.name,))
        return taken

    def withdraw(self, rule: CorrelationRule, key: GroupKey, name: TicketName, word: Withdrawn) -> bool:
        """Take an entry out, and remember that; return whether anything changed."""
        taken = self.groups.withdraw(rule, key, name, *word)
        if taken and self.relays.has(key):
            self.relays.touch(key, (name,))
        return taken

    def judge(self, closed_until_ms: int | None, *, republish: bool = False) -> Judged:
        """Judge every group that changed or whose time has come.

        republish: say again what was said before, too; the state knows that already.
        """
        settled, self.closed_until_ms = self.closed_until_ms, closed_until_ms
        self.moved = settled != closed_until_ms
        if closed_until_ms is not None:
            self.groups.decide(closed_until_ms)
        found: list[Found] = []
        said = dict(self.relays.all()) if republish else {}
        for key, timeline in self.groups.judge(closed_until_ms, before_ms=settled, every=republish):
            changed_from, timeline.changed_from_ms = timeline.changed_from_ms, None
            rule = timeline.rule
            if not rule.silent:
                live_from = settled_from(rule, settled)
                found.append(Found(rule, key, timeline.satisfied(live_from), live_from))
            if rule.outlasted_ms or self.relays.has(key):  # others pay nothing for chains
                since = _NEVER_MS if changed_from is None or republish else changed_from
                self.relays.touch(key, (entry.name for entry in timeline.unlike(since)))
        for key, ticket in self.groups.dropped:
            self.relays.touch(key, (ticket,))
        for key, ticket in said:  # a crash may have kept that an entry is gone, and lost that its relay is
            self.relays.touch(key, (ticket,))
        changed = self.relays.revise(self.groups, settled)
        # What is left of pasts, before what they were made of goes.
        state: list[StateRecord] = [(key, seal) for key, seal in self._seals() if seal is not None]
        state.extend((entry_key(name), None) for name in self.groups.dropped)
        self.groups.dropped.clear()
        state.extend((relay_key(name), relay_value(relay)) for name, relay in changed.items())
        words: list[Word] = []
        for name, relay in {**said, **changed}.items():
            words.extend(self.relays.words(name, relay, self.groups.get(name[0])))
        return Judged(found, words, state)

    def let_go(self) -> Iterator[bytes]:
        """Forget what is settled for good; yield what the state need not keep."""
        if self.closed_until_ms is None:
            return
        for name in self.groups.expire(self.closed_until_ms):
            yield entry_key(name)
            if self.relays.forget(name):
                yield relay_key(name)
        yield from map(relay_key, self.relays.expire(self.closed_until_ms))

    def sealed(self) -> Iterator[StateRecord]:
        """What the state must keep of pasts before it forgets what they were made of; None: this one is forgotten too.

        Forgotten last: an alert that was decided by it must be in the state before.
        """
        yield from self._seals()
        self.groups.sealed.clear()

    def _seals(self) -> Iterator[StateRecord]:
        closed = self.closed_until_ms
        for (key, institution), seal in self.groups.sealed.items():
            yield seal_key(key, institution), None if seal is None or closed is None else seal_value(seal, closed)
