"""Correlations that name correlations: what only all rules together tell, and what a match feeds outwards. Pure.

    ticket ── inner group ── while its condition holds around the ticket ──► outer group ── … ──► alert

A match of a correlation is, to one that names it, a detection of each ticket in a window that holds (`relays.py` says
when). Its fields: a name of the inner rule's group-by has the group's value, any other is looked up in the ticket.
Intake knows the ticket, so intake works out at once what it would feed, all the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from operator import itemgetter
from typing import Protocol

import orjson

from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.entries import GROUPS_MAX, VALUES_MAX, Onward
from fsoc.correlation.rules import CHAIN_DEPTH_MAX, TEMPORAL, CorrelationRule

Fields = Callable[[str], Sequence[str]]
"""The values of a name in a match; () where it has none."""


class Refusing(Protocol):
    """Takes what is wrong with one document, at the line of a key of its `correlation`."""

    def refuse(self, text: str, key: str | None = None) -> None: ...


def linked(
    read: Mapping[str, CorrelationRule], correlations: Iterable[str], reader_of: Mapping[str, Refusing]
) -> dict[str, CorrelationRule]:
    """Tell rules their place among the others; refuse those that have none, and who names such a one.

    correlations: ids of all documents, those that were refused already included. reader_of: by id, of those in `read`.
    """
    rules = dict(read)
    known = frozenset(correlations)
    inner = {rule.id: [name for name in rule.rules if name in known] for rule in rules.values()}
    for name in rules:
        way = _way_back(name, inner)
        if way:
            reader_of[name].refuse(f"correlation.rules: a chain that leads back to itself: {' → '.join(way)}", "rules")
    rules = {name: rule for name, rule in rules.items() if not _way_back(name, inner)}
    depth: dict[str, int] = {}
    while waiting := [name for name in rules if name not in depth]:
        for name in waiting:
            missing = [one for one in inner[name] if one not in rules]
            if missing:
                reader_of[name].refuse(
                    f'correlation.rules names "{missing[0]}", a correlation that is refused', "rules"
                )
                del rules[name]
            elif all(one in depth for one in inner[name]):
                depth[name] = 1 + max((depth[one] for one in inner[name]), default=0)
                if depth[name] > 1 and rules[name].past is not None:
                    text = "fsoc.counts_when and fsoc.hub look at tickets, and it names a correlation"
                    reader_of[name].refuse(text, "rules")
                    del rules[name]
                elif depth[name] > CHAIN_DEPTH_MAX:
                    text = f"correlation.rules: a chain of {depth[name]} correlations, limit {CHAIN_DEPTH_MAX}"
                    reader_of[name].refuse(text, "rules")
                    del rules[name]
    firm = _firm(sorted(rules.values(), key=lambda rule: depth[rule.id]))
    for name in sorted(rules, key=depth.__getitem__, reverse=True):
        outer = [rule for rule in rules.values() if name in rule.rules]
        rules[name] = replace(
            rules[name],
            depth=depth[name],
            silent=bool(outer) and not rules[name].link and not any(rule.generate for rule in outer),
            undone_inside=not firm.issuperset(inner[name]),
            outlasted_ms=max((rule.retention_ms for rule in outer), default=0),
        )
    return rules


def _firm(rules: Iterable[CorrelationRule]) -> set[str]:
    """Of these, inner ones first, those of which more tickets undo nothing, all the way in."""
    firm: set[str] = set()
    undone: set[str] = set()
    for rule in rules:
        holds = rule.firm and undone.isdisjoint(rule.rules)
        (firm if holds else undone).add(rule.id)
    return firm


def _way_back(name: str, inner: Mapping[str, Sequence[str]]) -> list[str]:
    """A chain from a correlation to itself; [] where there is none."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for one in inner.get(way[-1], ()):
            if one == name:
                return [*way, one]
            if one not in seen:
                seen.add(one)
                ways.append([*way, one])
    return []


class Chains:
    """Which correlations name which, and which groups of them there are."""

    def __init__(self, rules: Iterable[CorrelationRule], lists: AllowLists) -> None:
        self._lists = lists
        self._outer: dict[str, list[CorrelationRule]] = {}
        for rule in rules:
            for name in rule.rules:
                self._outer.setdefault(name, []).append(rule)

    def of(self, name: str) -> Sequence[CorrelationRule]:
        """The correlations that name this rule."""
        return self._outer.get(name, ())

    def groups(self, rule: CorrelationRule, fields: Fields, at_ms: int) -> list[tuple[str, ...]]:
        """Every group of a match at an event time: none with a value that is on a list of the rule's."""
        if not rule.allow_lists:
            return combinations(rule, rule.group_by, fields, None)
        passing = partial(self._lists.passes, rule.allow_lists, at_ms=at_ms)
        return combinations(rule, rule.group_by, lambda name: passing(fields(name)), None)


class Outwards:
    """What the matches of one group would feed of the correlations around it, for one ticket.

    at_ms: the ticket's event time. cut: groups and values past the bounds. At most GROUPS_MAX groups, those of all
    depths together.
    """

    __slots__ = ("_at_ms", "_groups", "_tree", "cut")

    def __init__(self, at_ms: int) -> None:
        self.cut = 0
        self._at_ms = at_ms
        self._groups = 0
        self._tree: _Tree = {}

    def add(self, chains: Chains, rule: CorrelationRule, group: Sequence[str], fields: Fields, member: str) -> None:
        """A match of this group of the rule. fields: by the names that this rule uses."""
        self._add(self._tree, chains, rule, group, fields, member)

    def frozen(self) -> tuple[Onward, ...]:
        return _frozen(self._tree)

    def _add(
        self, tree: _Tree, chains: Chains, rule: CorrelationRule, group: Sequence[str], fields: Fields, member: str
    ) -> None:
        outers = chains.of(rule.id)
        if not outers:
            return
        given = dict(zip(rule.group_by, group, strict=True))
        for outer in outers:

            def outer_fields(name: str, outer: CorrelationRule = outer) -> Sequence[str]:
                inside = outer.field_in(rule.id, name)
                return (given[inside],) if inside in given else fields(inside)

            values = combinations(outer, outer.fields, outer_fields, member)
            if outer.fields and not values:
                continue
            for found in chains.groups(outer, outer_fields, self._at_ms):
                key = (outer.id, orjson.dumps(found).decode())
                if key not in tree:
                    if self._groups == GROUPS_MAX:
                        self.cut += 1
                        continue
                    self._groups += 1
                    tree[key] = (outer, {}, Beside(outer), {})
                _, known, beside, beyond = tree[key]
                if outer.fields:
                    self._take(known, values)
                self.cut += beside.add(outer, outer_fields, member)
                self._add(beyond, chains, outer, found, outer_fields, member)

    def _take(self, known: dict[tuple[str, ...], None], values: Iterable[tuple[str, ...]]) -> None:
        for value in values:
            if value in known or len(known) < VALUES_MAX:
                known[value] = None
            else:
                self.cut += 1


_Tree = dict[tuple[str, str], tuple[CorrelationRule, dict[tuple[str, ...], None], "Beside", "_Tree"]]
# (rule id, group) → the rule, values, what is counted beside, and what is beyond


def _frozen(tree: _Tree) -> tuple[Onward, ...]:
    if not tree:
        return ()
    return tuple(
        Onward(rule.id, group, tuple(sorted(values)), _frozen(beyond), rule.type in TEMPORAL, beside.frozen())
        for (_, group), (rule, values, beside, beyond) in sorted(tree.items(), key=itemgetter(0))
    )


def combinations(
    rule: CorrelationRule, names: Sequence[str], fields: Fields, member: str | None
) -> list[tuple[str, ...]]:
    """Every combination of the names' values; [()] for no names; [] when one has none.

    member: who counts once where the rule's values are counted, "" for nobody; None where they are grouped by.
    """
    if len(names) == 1:  # as most are, asked many times a ticket
        return [(value,) for value in _column(rule, names[0], fields, member)]
    return list(product(*(_column(rule, name, fields, member) for name in names)))


def _column(rule: CorrelationRule, name: str, fields: Fields, member: str | None) -> Sequence[str]:
    if member is not None and rule.independent and name == "institution":
        return (member,) if member else ()
    return fields(name)


class Beside:
    """What one ticket adds to the fields that a rule counts beside: of each, its different values."""

    __slots__ = ("_values",)

    def __init__(self, rule: CorrelationRule) -> None:
        self._values: list[dict[str, None]] = [{} for _ in rule.also]

    def add(self, rule: CorrelationRule, fields: Fields, member: str) -> int:
        """A match; return how many values are past the bound of VALUES_MAX for each field."""
        cut = 0
        for (name, _), known in zip(rule.also, self._values, strict=True):
            for value in _column(rule, name, fields, member):
                if value in known or len(known) < VALUES_MAX:
                    known[value] = None
                else:
                    cut += 1
        return cut

    def frozen(self) -> tuple[tuple[str, ...], ...]:
        return tuple([tuple(sorted(values)) for values in self._values]) if self._values else ()
