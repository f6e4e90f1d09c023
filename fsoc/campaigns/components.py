"""What belongs together: links and alerts in components, kept as they come and go. Pure; a function of the set.

Two nodes are joined where they share a ticket; where they are links on one value with no more than `LINK_LIVES_MS`
between the last ticket of the one and the first of the other; and where an analyst has merged them. What is joined to
the same is together. A change costs the components it touches, never the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from fsoc.correlation.rules import DAY_MS

K = TypeVar("K")

LINK_LIVES_MS: Final = 30 * DAY_MS
"""How long after its last ticket a rare value that is seen again is still the same story. The edge is closed."""

Ticket = tuple[str, str, str]
"""(environment, institution, ticket id)."""

Value = tuple[str, str, str]
"""(environment, rule id, JSON list of the group's values)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One link or alert that joins. value: of a link; None of an alert."""

    id: str
    tickets: frozenset[Ticket]
    value: Value | None
    first_ms: int
    last_ms: int


class Settled(NamedTuple):
    """What has changed: components that are no more, and those that have come of them; of node ids."""

    gone: list[frozenset[str]]
    come: list[frozenset[str]]


class Components:
    """All nodes of one partition of links. None joins across environments: tickets and values name theirs."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._by_ticket: dict[Ticket, set[str]] = {}
        self._by_value: dict[Value, set[str]] = {}
        self._merges: dict[str, tuple[str, ...]] = {}  # by decision
        self._merged: dict[str, set[str]] = {}  # node → decisions that name it
        self._number: dict[str, int] = {}
        self._members: dict[int, frozenset[str]] = {}
        self._next = 0
        self._loose: set[str] = set()
        self._torn: set[int] = set()

    def __iter__(self) -> Iterator[frozenset[str]]:
        return iter(self._members.values())

    def of(self, name: str) -> frozenset[str]:
        """The component a node was in when all was settled last; empty where it was in none."""
        return self._members.get(self._number.get(name, -1), frozenset())

    def put(self, node: Node) -> None:
        """Have this node from now on, instead of the one of its id."""
        if self.nodes.get(node.id) == node:
            return
        self.remove(node.id)
        self.nodes[node.id] = node
        for ticket in node.tickets:
            self._by_ticket.setdefault(ticket, set()).add(node.id)
        if node.value is not None:
            self._by_value.setdefault(node.value, set()).add(node.id)
        self._loose.add(node.id)

    def remove(self, name: str) -> None:
        """Have it no more; not to have it is nothing new."""
        node = self.nodes.pop(name, None)
        if node is None:
            return
        for ticket in node.tickets:
            _take_out(self._by_ticket, ticket, name)
        if node.value is not None:
            _take_out(self._by_value, node.value, name)
        self._loose.discard(name)
        number = self._number.pop(name, None)
        if number is not None:
            self._torn.add(number)

    def merge(self, decision: str, names: Iterable[str]) -> None:
        """Join these nodes, as far as they are there, now or later."""
        self._merges[decision] = tuple(names)
        for name in self._merges[decision]:
            self._merged.setdefault(name, set()).add(decision)
            self.touch(name)

    def unmerge(self, decision: str) -> None:
        for name in self._merges.pop(decision, ()):
            _take_out(self._merged, name, decision)
            self.touch(name)

    def touch(self, name: str) -> None:
        """Its component, if it is in one, comes anew when all is settled next."""
        if name in self.nodes:
            self._loose.add(name)

    def tear(self) -> None:
        """Work all of them out again when it is settled next."""
        self._torn.update(self._members)

    def settle(self) -> Settled:
        """Work out the components again that something has happened to."""
        torn = self._torn
        for name in self._loose:
            torn.update(self._number[near] for near in self._near(self.nodes[name]) if near in self._number)
        gone = [self._members.pop(number) for number in torn]
        pool = {name for members in gone for name in members if name in self.nodes} | self._loose
        come = [frozenset(together) for together in self._together(pool)]
        self._loose, self._torn = set(), set()
        for members in come:
            self._members[self._next] = members
            self._number.update(dict.fromkeys(members, self._next))
            self._next += 1
        return Settled(gone, come)

    def _near(self, node: Node) -> Iterator[str]:
        """The node itself, and every one it may be joined to."""
        yield node.id
        for ticket in node.tickets:
            yield from self._by_ticket[ticket]
        if node.value is not None:
            yield from self._by_value[node.value]
        for decision in self._merged.get(node.id, ()):
            yield from self._merges[decision]

    def _together(self, pool: set[str]) -> Iterator[list[str]]:
        """The components of these nodes; none of them is joined to any other."""
        nodes = [self.nodes[name] for name in sorted(pool)]
        merged = {name: tuple(self._merged[name]) for name in pool if name in self._merged}
        leaders = joined(nodes, merged)
        found: dict[str, list[str]] = {}
        for node in nodes:
            found.setdefault(leaders[node.id], []).append(node.id)
        yield from found.values()


def joined(nodes: Iterable[Node], merged: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Node → one that stands for all it is together with. merged: node → what else joins it to those of the same."""
    nodes = list(nodes)
    parent = {node.id: node.id for node in nodes}

    def leader(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    first: dict[object, str] = {}

    def join(by: object, name: str) -> None:
        parent[leader(name)] = leader(first.setdefault(by, name))

    for node in nodes:
        for ticket in node.tickets:
            join(ticket, node.id)
        for decision in merged.get(node.id, ()):
            join(("merge", decision), node.id)
    # In order of time, a value's story ends where nothing follows for longer than a link lives.
    stories: dict[Value, tuple[int, int]] = {}  # number of the story, until when it has come
    for node in sorted(nodes, key=attrgetter("first_ms")):
        if node.value is None:
            continue
        number, until = stories.get(node.value, (0, node.first_ms))
        if node.first_ms - until > LINK_LIVES_MS:
            number += 1
        stories[node.value] = number, max(until, node.last_ms)
        join(("value", node.value, number), node.id)
    return {node.id: leader(node.id) for node in nodes}


def _take_out(index: dict[K, set[str]], key: K, name: str) -> None:
    names = index[key]
    names.discard(name)
    if not names:
        del index[key]
