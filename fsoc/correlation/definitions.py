"""By which definition of its rule a group is judged, while rules are added, changed and removed. Pure.

    unchanged            its groups are not touched
    changed              its groups are judged again, by the new definition
    grouped or counted   what is held says nothing under the new definition, and is let go; alerts stay as they are
      by other fields
    removed              takes no new tickets; what it holds is judged as before until it has expired, and what
                         correlations it names still match is taken as long as that is so

A restart finds the same: the definition lies in the state as long as a group of its rule does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import orjson

from fsoc.correlation.entries import Entry, GroupKey, entry_key
from fsoc.correlation.feeder import is_counted
from fsoc.correlation.groups import Groups
from fsoc.correlation.rules import NUMERIC, CorrelationRule

DEFINITION: Final = b"definition/"
"""What the keys of definitions begin with in the state; the rule's id follows."""

StateRecord = tuple[bytes, bytes | None]

_decoder: Final = msgspec.json.Decoder(CorrelationRule)


class Definitions:
    """Of the rules whose groups one partition holds."""

    def __init__(self, current: Mapping[str, CorrelationRule]) -> None:
        self._current = current
        self._held: dict[str, CorrelationRule] = {}

    def current(self, rule_id: str) -> CorrelationRule | None:
        """What new entries are taken by; None where there is no such rule any more."""
        return self._current.get(rule_id)

    def get(self, rule_id: str) -> CorrelationRule | None:
        """What is held is judged by this; None where neither the rule is known nor anything of it is held."""
        return self._current.get(rule_id) or self._held.get(rule_id)

    def hold(self, rule: CorrelationRule) -> Sequence[StateRecord]:
        """A group of this rule is held from now on; what the state must know for it."""
        before = self._held.get(rule.id)
        if before is rule:
            return ()
        self._held[rule.id] = rule
        if before == rule:
            return ()
        return [(DEFINITION + rule.id.encode(), msgspec.json.encode(rule, order="deterministic"))]

    @property
    def depth(self) -> int:
        """Of the longest chain of correlations there is."""
        return max((rule.depth for rule in (*self._current.values(), *self._held.values())), default=1)

    @property
    def retention_ms(self) -> int:
        """How long past its event time any entry may still matter to an alert that changes, matches and all."""
        rules = (*self._current.values(), *self._held.values())
        chained_ms = (self.depth - 1) * max((rule.timespan_ms for rule in rules), default=0)
        return max((rule.retention_ms for rule in rules), default=0) + chained_ms

    def reach_ms(self, depth: int) -> int:
        """How far behind the present a match of this depth can still bring tickets to those that name it."""
        rules = (*self._current.values(), *self._held.values())
        return max((rule.timespan_ms for rule in rules if rule.depth == depth and rule.outlasted_ms), default=0)

    def adopt(
        self,
        current: Mapping[str, CorrelationRule],
        groups: Callable[[CorrelationRule], Groups],
        *,
        anew: bool = False,
    ) -> Iterator[StateRecord]:
        """Go on with these rules; what the state must know, entries that are let go before their definition is.

        groups: those of a rule. anew: judge again what has its rule unchanged, or removed, too.
        """
        self._current = current
        for old in list(self._held.values()):
            rule = current.get(old.id)
            if rule is None or rule == old:
                if anew:
                    groups(old).judge_again(rule or old)
                continue
            if is_alike(rule, old):
                yield from self.hold(rule)
                groups(rule).judge_again(rule)
            else:
                yield from ((entry_key(name), None) for name in groups(old).forget(rule.id))
        yield from self.release(groups)

    def release(self, groups: Callable[[CorrelationRule], Groups]) -> Iterator[StateRecord]:
        """Forget the definitions of which no group is held any more."""
        for rule_id in [rule.id for rule in self._held.values() if not groups(rule).holds(rule.id)]:
            del self._held[rule_id]
            yield DEFINITION + rule_id.encode(), None

    def restore(self, values: Iterable[bytes]) -> frozenset[str]:
        """Take the definitions the state knows; return the rules whose held entries say nothing any more."""
        unlike: set[str] = set()
        for value in values:
            try:
                old = _decoder.decode(value)
            except msgspec.MsgspecError:  # of another fsoc, which knew other rules
                continue
            rule = self._current.get(old.id)
            self._held[old.id] = old
            if rule is not None and not is_alike(rule, old):
                unlike.add(old.id)
        return frozenset(unlike)


def is_alike(rule: CorrelationRule, other: CorrelationRule) -> bool:
    """Whether groups and values of the one mean the same to the other, and are judged in the same order."""
    return _means(rule) == _means(other)


def _means(rule: CorrelationRule) -> tuple[object, ...]:
    beside = [field for field, _ in rule.also]
    amounts = None if rule.past is None else rule.past.counts_when == "drop"
    return (
        rule.group_by,
        rule.fields,
        rule.numeric,
        rule.non_negative,
        rule.depth,
        beside,
        amounts,
        rule.link,
        rule.absent,
    )


def fits(rule: CorrelationRule, key: GroupKey, entry: Entry) -> bool:
    """Whether an entry was made by a definition such as this one; not, for moments, where workers reload one by one."""
    return counts_alike(rule, entry) and len(orjson.loads(key.group)) == len(rule.group_by)


def counts_alike(rule: CorrelationRule, entry: Entry) -> bool:
    """Whether what an entry adds is of the kind that this definition counts."""
    fields = rule.fields
    if len(entry.also) != len(rule.also):
        return False
    if not fields or not entry.values:
        return not fields and not entry.values
    if rule.type in NUMERIC:
        return all(len(value) == 1 and is_counted(rule, value[0]) for value in entry.values)
    for value in entry.values:  # noqa: SIM110 - asked of every entry, and a generator costs twice this
        if len(value) != len(fields):
            return False
    return True
