"""What a rule is compiled to: boolean nodes over matchers of one field. Frozen, and plain to read for a planner too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fsoc.detection.event import Event, Found
from fsoc.detection.matchers import SameAs

Matcher = Callable[[Found, Event], bool]
"""Whether what was found of a field satisfies one value of a rule; see matchers.py."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a rule: a field (None: every value of the event) against values, of which one must do, or every."""

    field: str | None
    matchers: tuple[Matcher, ...]
    every: bool = False

    def __call__(self, event: Event) -> bool:
        found = event.everything() if self.field is None else event.find(self.field)
        every = self.every
        for matcher in self.matchers:
            if matcher(found, event) is not every:
                return not every
        return every


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]

    def __call__(self, event: Event) -> bool:
        for part in self.parts:  # noqa: SIM110 - all() and a generator take longer than most parts
            if not part(event):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]

    def __call__(self, event: Event) -> bool:
        for part in self.parts:  # noqa: SIM110
            if part(event):
                return True
        return False


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`2 of selection*`."""

    count: int
    parts: tuple[Node, ...]

    def __call__(self, event: Event) -> bool:
        return sum(part(event) for part in self.parts) >= self.count


@dataclass(frozen=True, slots=True)
class Not:
    part: Node

    def __call__(self, event: Event) -> bool:
        return not self.part(event)


Node = Item | And | Or | AtLeast | Not


def all_of(parts: Iterable[Node | None]) -> Node | None:
    """And, without what a pipeline dropped (None); None where nothing is left."""
    kept = tuple(part for part in parts if part is not None)
    return And(kept) if len(kept) > 1 else kept[0] if kept else None


def any_of(parts: Iterable[Node | None]) -> Node | None:
    """Or, without what a pipeline dropped (None); None where nothing is left."""
    kept = tuple(part for part in parts if part is not None)
    return Or(kept) if len(kept) > 1 else kept[0] if kept else None


def items_of(node: Node) -> Iterator[Item]:
    """The lines of rules that a node is made of, in order."""
    match node:
        case Item():
            yield node
        case Not():
            yield from items_of(node.part)
        case And() | Or() | AtLeast():
            for part in node.parts:
                yield from items_of(part)


def fields_of(node: Node) -> Iterator[str | None]:
    """The fields a node looks at, in order, some more than once; None for keywords, which look at every field."""
    for item in items_of(node):
        yield item.field
        yield from (matcher.field for matcher in item.matchers if isinstance(matcher, SameAs))
