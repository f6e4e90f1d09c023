"""What a field of a ticket is made of: paths into an event, tables, lists. Pure; `mapping.py` reads them from YAML.

Scope ── event, the members that `each` is at ──► Node.value ──► value, or MISSING
                                                    └─ what does not fit is noted in the scope
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

LIST_MAX: Final = 1_000
"""Members of one list that are looked at; more than any list of a ticket may have."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""There is nothing: the field is left out."""


class Found(NamedTuple):
    """A value of an event. path: where it was found, without places in lists."""

    path: str
    value: Any


@dataclass(slots=True)
class Scope:
    """One event while it is mapped.

    members: those that `each` is at, the innermost last. used: paths of what went into the ticket.
    problems: JSON Pointer into the ticket → what was there and did not fit.
    """

    event: Mapping[str, Any]
    members: list[Found] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)

    def find(self, path: str) -> Iterator[Found]:
        """Every value at a path that is not null; lists are gone into."""
        dots = len(path) - len(path.lstrip("."))
        if not dots:
            return _find(self.event, path, "")
        if dots > len(self.members):
            return iter(())
        within = self.members[-dots]
        return _find(within.value, path[dots:], within.path)


class Node(Protocol):
    """Something that gives a value. at: JSON Pointer of the field that it is of."""

    def value(self, scope: Scope, at: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Constant:
    """The same for every event."""

    constant: Any

    def value(self, scope: Scope, at: str) -> Any:  # noqa: ARG002 - as the others
        return self.constant


@dataclass(frozen=True, slots=True)
class From:
    """The first value of these paths that is there, through its steps."""

    paths: tuple[str, ...]
    steps: tuple[Callable[[Any], Any], ...] = ()
    default: Any = MISSING

    def value(self, scope: Scope, at: str) -> Any:
        unfit: str | None = None
        for path in self.paths:
            for found in scope.find(path):
                try:
                    value = self._through(found.value)
                except ValueError as error:
                    unfit = unfit or f"{found.path} {error}"
                    continue
                if value is not MISSING:
                    scope.used.add(found.path)
                    return value
        if unfit is not None:
            scope.problems.setdefault(at, unfit)
        return self.default

    def _through(self, value: Any) -> Any:
        for step in self.steps:
            value = step(value)
            if value is None or value is MISSING:
                return MISSING
        return value


@dataclass(frozen=True, slots=True)
class Each:
    """Of a list, what `item` gives for each member."""

    path: str
    item: Node

    def value(self, scope: Scope, at: str) -> Any:
        given: list[Any] = []
        for number, found in enumerate(scope.find(self.path)):
            if number == LIST_MAX:
                break
            scope.members.append(found)
            _add(given, self.item.value(scope, at))
            scope.members.pop()
        return given or MISSING


@dataclass(frozen=True, slots=True)
class Several:
    """A list: what each gives, laid end to end, equal ones once."""

    nodes: tuple[Node, ...]

    def value(self, scope: Scope, at: str) -> Any:
        given: list[Any] = []
        for node in self.nodes:
            _add(given, node.value(scope, at))
        return given or MISSING


@dataclass(frozen=True, slots=True)
class Object:
    """Named fields. whole: it is not there where one of its fields is not, but for the optional ones."""

    fields: Mapping[str, Node]
    optional: frozenset[str] = frozenset()
    whole: bool = False

    def value(self, scope: Scope, at: str) -> Any:
        given: dict[str, Any] = {}
        for name, node in self.fields.items():
            value = node.value(scope, f"{at}/{name}")
            if value is not MISSING:
                given[name] = value
            elif self.whole and name not in self.optional:
                return MISSING
        return given or MISSING


def _add(given: list[Any], value: Any) -> None:
    for one in value if isinstance(value, list) else (value,):
        if one is not MISSING and one not in given:
            given.append(one)


def _find(node: Any, path: str, within: str) -> Iterator[Found]:
    if isinstance(node, list):
        for item in node[:LIST_MAX]:
            yield from _find(item, path, within)
    elif not path:
        if node is not None:
            yield Found(within, node)
    elif isinstance(node, Mapping):
        for head, rest in _splits(path):
            if head in node:
                yield from _find(node[head], rest, f"{within}.{head}" if within else head)
                return


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """`a.b.c`; then `a.b` and `c`; then `a` and `b.c`: a name may have dots itself, and the longest is meant."""
    yield path, ""
    end = path.rfind(".")
    while end > 0:
        yield path[:end], path[end + 1 :]
        end = path.rfind(".", 0, end)


def leaves(node: Any, within: str = "") -> Iterator[str]:
    """The path of every value of an event that is not null, each once for each place in a list."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from leaves(value, f"{within}.{name}" if within else str(name))
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item, within)
    elif node is not None:
        yield within


def left_over(event: Mapping[str, Any], used: set[str]) -> Sequence[str]:
    """Paths of an event that nothing was made of, in its order."""
    paths = dict.fromkeys(leaves(event))
    return [path for path in paths if not any(path == one or path.startswith(f"{one}.") for one in used)]
