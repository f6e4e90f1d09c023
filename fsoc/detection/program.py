"""A rule set as plain data: clauses, each once, and conditions over them. What fast engines run and the cache keeps.

    rules ──flatten──► Program ──► engines (fast/, native/), the cache
                          └──unflatten──► nodes: what the plain evaluator runs

Nothing here matches anything. A Program goes through msgspec loss-free, as JSON and as msgpack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Final, TypeAlias

from msgspec import Struct

from fsoc.detection import matchers, nodes
from fsoc.detection.rules import Rule

FORMAT: Final = 1
"""Raised whenever the meaning of what is written here changes; caches of another format are made anew."""

EVERYTHING: Final = -1
"""The field of keywords: every scalar of the event, however deep."""


class _Clause(Struct, frozen=True, tag_field="kind"):
    """One matcher on one field. field: index into Program.fields, or EVERYTHING."""

    field: int


class Text(_Clause, frozen=True, tag="text"):
    """matchers.Text. number: as Python writes it, so that no reader rounds it."""

    text: str
    place: matchers.Place
    cased: bool = False
    number: str | None = None


class Wildcards(_Clause, frozen=True, tag="wildcards"):
    """matchers.Wildcards. parts: texts, 0 for `*` (any characters), 1 for `?` (one character)."""

    parts: tuple[str | int, ...]
    cased: bool = False


class Regex(_Clause, frozen=True, tag="regex"):
    pattern: str


class Number(_Clause, frozen=True, tag="number"):
    number: str


class Bool(_Clause, frozen=True, tag="bool"):
    flag: bool


class Compare(_Clause, frozen=True, tag="compare"):
    order: matchers.Order
    number: str
    part: matchers.TimePart | None = None


class TimeIs(_Clause, frozen=True, tag="time"):
    part: matchers.TimePart
    number: str


class Network(_Clause, frozen=True, tag="network"):
    network: str


class SameAs(_Clause, frozen=True, tag="same"):
    """other: index into Program.fields."""

    other: int
    place: matchers.Place
    cased: bool = False


class Null(_Clause, frozen=True, tag="null"):
    pass


class Exists(_Clause, frozen=True, tag="exists"):
    wanted: bool


Clause: TypeAlias = Text | Wildcards | Regex | Number | Bool | Compare | TimeIs | Network | SameAs | Null | Exists


class Is(Struct, frozen=True, tag_field="op", tag="is"):
    """clause: index into Program.clauses."""

    clause: int


class And(Struct, frozen=True, tag_field="op", tag="and"):
    """True of no parts."""

    parts: tuple[Condition, ...]


class Or(Struct, frozen=True, tag_field="op", tag="or"):
    """False of no parts."""

    parts: tuple[Condition, ...]


class AtLeast(Struct, frozen=True, tag_field="op", tag="at_least"):
    count: int
    parts: tuple[Condition, ...]


class Not(Struct, frozen=True, tag_field="op", tag="not"):
    part: Condition


Condition: TypeAlias = Is | And | Or | AtLeast | Not


class Program(Struct, frozen=True):
    """conditions: of the rules, by their index. logsources: (product, category, service) of each."""

    fields: tuple[str, ...]
    clauses: tuple[Clause, ...]
    conditions: tuple[Condition, ...]
    logsources: tuple[tuple[str | None, str | None, str | None], ...]


def flatten(rules: Iterable[Rule]) -> Program:
    """The rules' conditions and logsources, in their order; the same matcher on the same field is one clause."""
    writer = _Writer()
    conditions = []
    logsources = []
    for rule in rules:
        conditions.append(writer.condition(rule.condition))
        logsources.append((rule.logsource.product, rule.logsource.category, rule.logsource.service))
    return Program(tuple(writer.fields), tuple(writer.clauses), tuple(conditions), tuple(logsources))


def unflatten(program: Program) -> tuple[nodes.Node, ...]:
    """The conditions as nodes for the plain evaluator; each clause's matcher is made once, and shared."""
    made = [_item(program, clause) for clause in program.clauses]
    return tuple(_node(condition, made) for condition in program.conditions)


def matcher_of(program: Program, clause: Clause) -> nodes.Matcher:  # noqa: C901, PLR0911 - one return a kind
    """What decides one clause."""
    match clause:
        case Text():
            number = None if clause.number is None else _number(clause.number)
            return matchers.Text(clause.text, clause.place, clause.cased, number)
        case Wildcards():
            return matchers.Wildcards(clause.parts, clause.cased)
        case Regex():
            return matchers.Regex(clause.pattern)
        case Number():
            return matchers.Number(_number(clause.number))
        case Bool():
            return matchers.Bool(clause.flag)
        case Compare():
            return matchers.Compare(clause.order, _number(clause.number), clause.part)
        case TimeIs():
            return matchers.TimeIs(clause.part, _number(clause.number))
        case Network():
            return matchers.Network(ip_network(clause.network))
        case SameAs():
            return matchers.SameAs(program.fields[clause.other], clause.place, clause.cased)
        case Null():
            return matchers.Null()
        case Exists():
            return matchers.Exists(clause.wanted)


class _Writer:
    """Collects fields and clauses, each once."""

    def __init__(self) -> None:
        self.fields: dict[str, int] = {}
        self.clauses: dict[Clause, int] = {}

    def condition(self, node: nodes.Node) -> Condition:
        match node:
            case nodes.Item():
                parts = tuple(self._matcher(node.field, matcher) for matcher in node.matchers)
                if len(parts) == 1:
                    return parts[0]
                return And(parts) if node.every else Or(parts)
            case nodes.And():
                return And(tuple(map(self.condition, node.parts)))
            case nodes.Or():
                return Or(tuple(map(self.condition, node.parts)))
            case nodes.AtLeast():
                return AtLeast(node.count, tuple(map(self.condition, node.parts)))
            case nodes.Not():
                return Not(self.condition(node.part))

    def _matcher(self, field: str | None, matcher: nodes.Matcher) -> Condition:
        if isinstance(matcher, matchers.AnyOf):
            return Or(tuple(self._matcher(field, each) for each in matcher.matchers))
        clause = self._clause(EVERYTHING if field is None else self._field(field), matcher)
        return Is(self.clauses.setdefault(clause, len(self.clauses)))

    def _clause(self, field: int, matcher: nodes.Matcher) -> Clause:  # noqa: C901, PLR0911 - one return a kind
        match matcher:
            case matchers.Text(text, place, cased, number):
                return Text(field, text, place, cased, None if number is None else repr(number))
            case matchers.Wildcards(parts, cased):
                return Wildcards(field, parts, cased)
            case matchers.Regex(pattern):
                return Regex(field, pattern)
            case matchers.Number(number):
                return Number(field, repr(number))
            case matchers.Bool(flag):
                return Bool(field, flag)
            case matchers.Compare(order, number, part):
                return Compare(field, order, repr(number), part)
            case matchers.TimeIs(part, number):
                return TimeIs(field, part, repr(number))
            case matchers.Network(network):
                return Network(field, str(network))
            case matchers.SameAs(other, place, cased):
                return SameAs(field, self._field(other), place, cased)
            case matchers.Null():
                return Null(field)
            case matchers.Exists(wanted):
                return Exists(field, wanted)
        raise TypeError(f"{type(matcher).__name__} has no clause")

    def _field(self, name: str) -> int:
        return self.fields.setdefault(name, len(self.fields))


def _item(program: Program, clause: Clause) -> nodes.Item:
    field = None if clause.field == EVERYTHING else program.fields[clause.field]
    return nodes.Item(field, (matcher_of(program, clause),))


def _node(condition: Condition, made: Sequence[nodes.Item]) -> nodes.Node:
    match condition:
        case Is():
            return made[condition.clause]
        case And():
            return nodes.And(tuple(_node(part, made) for part in condition.parts))
        case Or():
            return nodes.Or(tuple(_node(part, made) for part in condition.parts))
        case AtLeast():
            return nodes.AtLeast(condition.count, tuple(_node(part, made) for part in condition.parts))
        case Not():
            return nodes.Not(_node(condition.part, made))


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
