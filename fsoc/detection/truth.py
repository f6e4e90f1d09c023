"""Whether a condition can be true of any event at all, or false. Says no only where that is certain; tries no event.

A condition is taken apart into clauses that must hold and clauses that must not, one way after the other; a way is
closed where two of them exclude each other. A field may hold a list of which any value will do: `a: 1` and `a: 2` can
both hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from fsoc.detection.event import Value
from fsoc.detection.matchers import AnyOf, Compare, Exists, Null, Number, Regex, Text, Wildcards
from fsoc.detection.nodes import And, AtLeast, Item, Matcher, Node, Not, Or

STEPS_MAX: Final = 20_000
"""What is not decided by then counts as possible."""
_ABSENT: Final = Exists(False)


@dataclass(frozen=True, slots=True)
class _Held:
    """Of one field: clauses that hold, and clauses that do not."""

    yes: tuple[Matcher, ...] = ()
    no: tuple[Matcher, ...] = ()


_Wanted: TypeAlias = tuple[Node, bool]
"""A part of a condition, and what it is to be."""
_Options: TypeAlias = Sequence[Sequence[_Wanted]]
"""One of these is to be so, in all its parts."""
_Way: TypeAlias = tuple[list[_Wanted], list[_Options], Mapping[str | None, _Held]]
"""What is yet wanted, what is yet to be chosen, and what is known."""


def can_hold(node: Node) -> bool:
    """False only where no event can make it true."""
    return _possible([(node, True)])


def can_fail(node: Node) -> bool:
    """False only where it is true of every event."""
    return _possible([(node, False)])


def implies(one: Matcher, other: Matcher) -> bool:
    """Whether a field that satisfies `one` certainly satisfies `other` too."""
    if one == other:
        return True
    match one, other:
        case Text(number=None), Text() | Wildcards() | Regex():
            cased = isinstance(other, Regex) or other.cased
            reaches = isinstance(other, Text) and other.place in (one.place, "anywhere")
            return (one.cased or not cased) and (reaches or one.place == "whole") and other.holds(Value(one.text))
        case Number(number), Compare(part=None):
            return other.holds(Value(number))
    return False


def _possible(wanted: list[_Wanted]) -> bool:
    """Whether all that is wanted can be so together."""
    budget = _Budget()
    ways: list[_Way] = [(wanted, [], {})]
    while ways:
        wanted, undecided, held = ways.pop()
        known = dict(held)
        choices = list(undecided)
        if not _settle(wanted, choices, known, budget):
            continue
        budget.take(len(choices))
        if not choices or budget.spent:
            return True
        first = min(range(len(choices)), key=lambda place: len(choices[place]))
        options = choices.pop(first)
        ways += [(list(option), choices, known) for option in reversed(options)]
    return False


class _Budget:
    """Steps that are left."""

    def __init__(self) -> None:
        self._left = STEPS_MAX

    @property
    def spent(self) -> bool:
        return self._left < 1

    def take(self, steps: int) -> None:
        self._left -= steps


def _settle(wanted: list[_Wanted], choices: list[_Options], known: dict[str | None, _Held], budget: _Budget) -> bool:
    """Take what is wanted apart into clauses, which become known, and choices; False where that cannot be."""
    while wanted and not budget.spent:
        budget.take(1)
        node, truth = wanted.pop()
        clause = _clause(node)
        if clause is None:
            options = _options(node, truth)
            if len(options) == 1:
                wanted += options[0]
            else:
                choices.append(options)
            continue
        field, matcher = clause
        if isinstance(matcher, Exists) and not truth:
            matcher, truth = Exists(not matcher.wanted), True
        held = known.get(field, _Held())
        if _excluded(matcher, truth, held):
            return False
        known[field] = _Held((*held.yes, matcher), held.no) if truth else _Held(held.yes, (*held.no, matcher))
    return True


def _clause(node: Node) -> tuple[str | None, Matcher] | None:
    """The clause that a node is, if it is but one."""
    if isinstance(node, Item) and len(node.matchers) == 1 and not isinstance(node.matchers[0], AnyOf):
        return node.field, node.matchers[0]
    return None


def _options(node: Node, truth: bool) -> _Options:
    match node:
        case Not(part):
            return [[(part, not truth)]]
        case And(parts):
            every = True
        case Or(parts):
            every = False
        case Item(field, matchers, every):
            singles = ([each] if not isinstance(each, AnyOf) else each.matchers for each in matchers)
            parts = tuple(
                Item(field, (several[0],)) if len(several) == 1 else Or(tuple(Item(field, (one,)) for one in several))
                for several in singles
            )
        case AtLeast(count, parts) if truth:
            return _chosen(count, parts)
        case AtLeast(count, parts):
            return _chosen(len(parts) - count + 1, tuple(map(Not, parts)))
    return [[(part, truth) for part in parts]] if every is truth else [[(part, truth)] for part in parts]


def _chosen(count: int, parts: tuple[Node, ...]) -> _Options:
    """The first of the parts and fewer of the rest, or as many of the rest."""
    if count < 1:
        return [[]]
    if count > len(parts):
        return []
    rest = parts[1:]
    return [[(parts[0], True), (AtLeast(count - 1, rest), True)], [(AtLeast(count, rest), True)]]


def _excluded(matcher: Matcher, truth: bool, held: _Held) -> bool:
    """Whether what is held leaves no room for this clause to be so."""
    if not truth:
        return any(implies(each, matcher) for each in held.yes) or (isinstance(matcher, Null) and _ABSENT in held.yes)
    if any(implies(matcher, each) for each in held.no):
        return True
    if matcher == _ABSENT:
        present = any(each != _ABSENT and not isinstance(each, Null) for each in held.yes)
        return present or any(isinstance(each, Null) for each in held.no)
    return _ABSENT in held.yes and not isinstance(matcher, Null)
