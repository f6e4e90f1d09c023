"""What one detections partition holds: entries by chain depth, under the definitions they are judged by. Pure.

It takes the records of `fsoc.detections` that name an entry, and gives back, byte for byte, what the state must keep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from fsoc.correlation.definitions import DEFINITION, Definitions, StateRecord, counts_alike, fits
from fsoc.correlation.entries import Entry, entry_of, group_of, is_put, name_of, withdrawn_of, word_of
from fsoc.correlation.groups import Groups
from fsoc.correlation.level import PAST, Level
from fsoc.correlation.past import seal_of
from fsoc.correlation.relays import RELAY, relay_name, relay_of
from fsoc.correlation.rules import CHAIN_DEPTH_MAX, CorrelationRule
from fsoc.feeds.ledger import END_MS


def revision(key: bytes, value: bytes) -> int:
    """Which of two records that the state has of one thing is the newer, whichever was written last."""
    if key.startswith(DEFINITION):
        return 0
    if key.startswith(PAST):
        return seal_of(value)[0].until
    return relay_of(value).revision if key.startswith(RELAY) else word_of(value).revision


class Levels:
    """The depths, shallowest first. misfits_total: entries made by another definition than the present one.

    since: from which event time on an institution is known; its owner keeps it up.
    """

    def __init__(self, correlations: Mapping[str, CorrelationRule], since: Mapping[str, int] | None = None) -> None:
        self.misfits_total = 0
        self._definitions = Definitions(correlations)
        self._levels = [Level(since) for _ in range(CHAIN_DEPTH_MAX)]

    def __iter__(self) -> Iterator[Level]:
        return iter(self._levels)

    @property
    def depth(self) -> int:
        """Of the longest chain of correlations there is, or of which anything is left."""
        return self._definitions.depth

    @property
    def closed(self) -> list[int | None]:
        """How far each depth is settled."""
        return [level.closed_until_ms for level in self._levels]

    @property
    def reach_ms(self) -> int | None:
        """No alert is raised or says otherwise any more for tickets before this event time; None: not known."""
        closed = self.closed[: self.depth]
        known = [until for until in closed if until is not None]
        if len(known) < len(closed):
            return None
        return least if (least := min(known)) >= END_MS else least - self._definitions.retention_ms

    def settled(self, depths: int) -> list[int]:
        """Until when nothing is still to come of these depths for the next ones, shallowest first; as far as known.

        A ticket that completes a match brings those of a timespan before it along.
        """
        told: list[int] = []
        for depth, closed in enumerate(self.closed[:depths], 1):
            if closed is None:
                break
            told.append(closed if closed >= END_MS else closed - self._definitions.reach_ms(depth))
        return told

    def adopt(self, correlations: Mapping[str, CorrelationRule], *, anew: bool = False) -> Iterator[StateRecord]:
        """Go on with these rules. anew: judge all that is held again, though its rule is the same."""
        return self._definitions.adopt(correlations, self._groups, anew=anew)

    def look_again(self, institutions: Collection[str]) -> None:
        """More is known of these institutions' pasts."""
        for level in self._levels:
            level.groups.look_again(institutions)

    def release(self) -> Iterator[StateRecord]:
        """Forget the definitions of which nothing is held any more."""
        return self._definitions.release(self._groups)

    def take(self, key: bytes, value: bytes, state: list[StateRecord]) -> None:
        """Put an entry or withdraw one; add to `state` what it must keep.

        Raises:
            msgspec.MsgspecError: the record says neither.
        """
        if self._put(key, value, state) if is_put(value) else self._withdraw(key, value, state):
            state.append((key, value))

    def _put(self, key: bytes, value: bytes, state: list[StateRecord]) -> bool:
        group, entry = group_of(key), entry_of(value)
        rule = self._definitions.current(group.rule)
        if rule is None and entry.source:  # a chain that was removed goes on as a whole, as far as anything is held
            rule = self._definitions.get(group.rule)
        if rule is None:
            return False
        level = self._levels[rule.depth - 1]
        closed = level.closed_until_ms
        if closed is not None and entry.event_time_ms + rule.retention_ms <= closed:
            return False
        timeline = level.groups.get(group)
        known = timeline is not None and timeline.entries  # of this definition, or they were let go
        if not (counts_alike(rule, entry) if known else fits(rule, group, entry)):
            self.misfits_total += 1
            return False
        state += self._definitions.hold(rule)
        return level.put(rule, group, entry)

    def _withdraw(self, key: bytes, value: bytes, state: list[StateRecord]) -> bool:
        (group, ticket), word = name_of(key), withdrawn_of(value)
        rule = self._definitions.get(group.rule)
        if rule is None:
            return False
        state += self._definitions.hold(rule)
        return self._levels[rule.depth - 1].withdraw(rule, group, ticket, word)

    def _groups(self, rule: CorrelationRule) -> Groups:
        return self._levels[rule.depth - 1].groups

    def restore(self, records: Mapping[bytes, bytes], closed: list[int | None]) -> Iterator[StateRecord]:
        """Take what the state holds of definitions, entries and relays; yield what it need not hold any more.

        closed: how far each depth was settled.
        """
        for level, until in zip(self._levels, closed, strict=True):
            level.closed_until_ms = until
        unlike = self._definitions.restore(value for key, value in records.items() if key.startswith(DEFINITION))
        for key, value in records.items():
            if key.startswith(PAST):
                yield from self._restore_seal(key, value, unlike)
        for key, value in records.items():
            if not key.startswith((DEFINITION, RELAY, PAST)):
                yield from self._restore_entry(key, value, unlike)
        for key, value in records.items():
            if key.startswith(RELAY):
                yield from self._restore_relay(key, value)
        yield from self.release()

    def _restore_entry(self, key: bytes, value: bytes, unlike: frozenset[str]) -> Iterator[StateRecord]:
        (group, ticket), word = name_of(key), word_of(value)
        rule = self._definitions.get(group.rule)
        if rule is None:
            return
        if group.rule in unlike or (isinstance(word, Entry) and not fits(rule, group, word)):
            yield key, None
            return
        yield from self._definitions.hold(rule)
        if isinstance(word, Entry):
            if not self._groups(rule).put(rule, group, word):
                yield key, None  # it is sealed: a crash kept both
        else:
            self._groups(rule).withdraw(rule, group, ticket, *word)

    def _restore_seal(self, key: bytes, value: bytes, unlike: frozenset[str]) -> Iterator[StateRecord]:
        group, (institution, *_) = name_of(key.removeprefix(PAST))
        rule, (seal, closed) = self._definitions.get(group.rule), seal_of(value)
        if rule is None or rule.id in unlike or not self._groups(rule).restore_seal(rule, group, institution, seal):
            yield key, None
            return
        yield from self._definitions.hold(rule)
        level = self._levels[rule.depth - 1]  # a crash may have kept this and lost the header that says so
        level.closed_until_ms = closed if level.closed_until_ms is None else max(closed, level.closed_until_ms)

    def _restore_relay(self, key: bytes, value: bytes) -> Iterator[StateRecord]:
        name = relay_name(key)
        rule = self._definitions.get(name[0].rule)
        if rule is None:  # nothing is left of what it was a match of
            yield key, None
        else:
            self._levels[rule.depth - 1].relays.restore(name, value)
