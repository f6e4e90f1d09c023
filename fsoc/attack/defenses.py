"""How techniques are countered and seen, as one ATT&CK version tells it: not the techniques themselves. Pure.

Mitigations; data components and the log sources that carry them; detection strategies and their analytics (since 18).
No worker reads these tables: only what people ask, and what is made of the baseline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, TypeVar

from fsoc.attack.tables import TECHNIQUE_ID
from fsoc.errors import Problem, RefusedToStart

_Row = TypeVar("_Row", bound=NamedTuple)
_Named = TypeVar("_Named", bound="Mitigation | Strategy")


class Mitigation(NamedTuple):
    """What counters techniques: those that this version says it does."""

    id: str
    name: str
    techniques: tuple[str, ...]


class DataComponent(NamedTuple):
    """What a sensor can tell: `DC0032 Process Creation`."""

    id: str
    name: str


class LogSource(NamedTuple):
    """Where data components are logged: a name and, within it, a channel or events; "" where it is all of it."""

    name: str
    channel: str
    components: tuple[str, ...]


class Strategy(NamedTuple):
    """How a technique may be detected; its analytics say by what."""

    id: str
    name: str
    techniques: tuple[str, ...]


class Analytic(NamedTuple):
    """One way of a strategy: on which platforms, from which data components, in logs of which names."""

    id: str
    strategy: str
    platforms: tuple[str, ...]
    components: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Table:
    """Rows of one kind of one version, by what names them, with the place each stands at."""

    rows: dict[str, tuple[NamedTuple, str]] = field(default_factory=dict)


class Kind(NamedTuple):
    """One kind of table: its heading's word, its cells, how a row is made of them, and what names it."""

    word: str
    cells: int
    made: Callable[[list[str]], NamedTuple]
    named: re.Pattern[str]
    shape: str


def _several(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


def _names(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("; ")) if cell else ()


KINDS: Final[Mapping[str, Kind]] = {
    kind.word: kind
    for kind in (
        Kind(
            "mitigations",
            3,
            lambda row: Mitigation(row[0], row[1], _several(row[2])),
            re.compile(r"M\d{4}"),
            "id, name, techniques",
        ),
        Kind("data-components", 2, lambda row: DataComponent(*row), re.compile(r"DC\d{4}"), "id, name"),
        Kind(
            "log-sources",
            3,
            lambda row: LogSource(row[0], row[1], _several(row[2])),
            re.compile(r"\S.*"),
            "name, channel, data components",
        ),
        Kind(
            "strategies",
            3,
            lambda row: Strategy(row[0], row[1], _several(row[2])),
            re.compile(r"DET\d{4}"),
            "id, name, techniques",
        ),
        Kind(
            "analytics",
            5,
            lambda row: Analytic(row[0], row[1], _names(row[2]), _several(row[3]), _names(row[4])),
            re.compile(r"AN\d{4}"),
            "id, strategy, platforms, data components, log sources",
        ),
    )
}
"""By the word of the first line, in the order of their reading."""


@dataclass(frozen=True)
class Defenses:
    """All tables of one version; techniques are in that version's words."""

    version: str
    mitigations: Mapping[str, Mitigation]
    components: Mapping[str, DataComponent]
    sources: tuple[LogSource, ...]
    strategies: Mapping[str, Strategy]
    analytics: Mapping[str, Analytic]

    @classmethod
    def parse(cls, tables: Iterable[tuple[str, str]]) -> Defenses:
        """Of the tables of one version, as (where, text).

        Raises:
            RefusedToStart: with every problem; or they are of several versions, or of none.
        """
        versions, problems = read(tables)
        if not problems and len(versions) != 1:
            found = ", ".join(versions) or "none"
            problems = [Problem("defenses", f"found tables of {found}, expected those of one ATT&CK version")]
        if problems:
            raise RefusedToStart(*problems)
        return next(iter(versions.values()))

    @classmethod
    def none(cls) -> Defenses:
        """Of no version: where there are no tables, nothing is known of any technique."""
        return cls("", {}, {}, (), {}, {})

    def component(self, text: str) -> DataComponent | None:
        """By id or by name, in upper or lower case."""
        return self._components.get(text.strip().lower())

    def mitigations_of(self, technique: str) -> tuple[Mitigation, ...]:
        """What counters a technique of this version, by id."""
        return self._mitigations.get(technique, ())

    def strategies_of(self, technique: str) -> tuple[Strategy, ...]:
        """How a technique of this version is detected, by id."""
        return self._strategies.get(technique, ())

    def analytics_of(self, technique: str) -> tuple[Analytic, ...]:
        """The analytics of its strategies, by id."""
        named = {strategy.id for strategy in self.strategies_of(technique)}
        return tuple(analytic for analytic in self.analytics.values() if analytic.strategy in named)

    def components_of(self, technique: str) -> tuple[DataComponent, ...]:
        """What a technique of this version can be seen by: the data components of its analytics, by id."""
        named = {component for analytic in self.analytics_of(technique) for component in analytic.components}
        return tuple(self.components[component] for component in sorted(named))

    def sources_of(self, component: str) -> tuple[LogSource, ...]:
        """Where a data component, by its id, is logged."""
        return tuple(source for source in self.sources if component in source.components)

    @cached_property
    def _components(self) -> dict[str, DataComponent]:
        return {key.lower(): each for each in self.components.values() for key in (each.id, each.name)}

    @cached_property
    def _mitigations(self) -> dict[str, tuple[Mitigation, ...]]:
        return _by_technique(self.mitigations.values())

    @cached_property
    def _strategies(self) -> dict[str, tuple[Strategy, ...]]:
        return _by_technique(self.strategies.values())


def is_defenses(text: str) -> bool:
    """Whether a table is one of these, by its first line."""
    return text.partition("\n")[0].removeprefix("# ").partition("\t")[0] in KINDS


def read(tables: Iterable[tuple[str, str]]) -> tuple[dict[str, Defenses], list[Problem]]:
    """Read tables of any versions, given as (where, text) in any order; wrong lines are left out and reported."""
    problems: list[Problem] = []
    found: dict[str, dict[str, _Table]] = {}
    for where, text in tables:
        head, *lines = text.splitlines() or [""]
        word, version = (*head.removeprefix("# ").split("\t"), "")[:2]
        if word not in KINDS or not version:
            expected = ", ".join(f"'# {kind}<TAB>VERSION'" for kind in KINDS)
            problems.append(Problem(f"{where}:1", f"found {head[:40]!r}, expected one of {expected}"))
            continue
        table = found.setdefault(version, {}).setdefault(word, _Table())
        problems.extend(_rows(KINDS[word], where, lines, table))
    problems.extend(problem for of_one in found.values() for problem in _dead_ends(of_one))
    return {version: _together(version, of_one) for version, of_one in found.items()}, problems


def techniques_missing(defenses: Defenses, known: frozenset[str]) -> Iterator[str]:
    """Techniques that these tables name and their version has not."""
    rows: list[Mitigation | Strategy] = [*defenses.mitigations.values(), *defenses.strategies.values()]
    yield from sorted({technique for row in rows for technique in row.techniques} - known)


def _rows(kind: Kind, where: str, lines: Iterable[str], table: _Table) -> Iterator[Problem]:
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if not line or line.startswith("#"):
            continue
        if len(cells) != kind.cells or not kind.named.fullmatch(cells[0]):
            yield Problem(f"{where}:{number}", f"found {line[:60]!r}, expected {kind.cells} cells: {kind.shape}")
            continue
        name = "\t".join(cells[:2]) if kind.word == "log-sources" else cells[0]
        if name in table.rows:
            yield Problem(f"{where}:{number}", f"{name} is already at {table.rows[name][1]}")
        else:
            table.rows[name] = kind.made(cells), f"{where}:{number}"


def _dead_ends(tables: Mapping[str, _Table]) -> Iterator[Problem]:
    """What leads nowhere: data components and strategies that are in no table, techniques that are none."""
    components, strategies = (
        frozenset(tables[word].rows) if word in tables else frozenset[str]()
        for word in ("data-components", "strategies")
    )
    for table in tables.values():
        for row, where in table.rows.values():
            match row:
                case LogSource(_, _, named) | Analytic(_, _, _, named, _) if lost := sorted({*named} - components):
                    yield Problem(where, f"data components that are in no table: {', '.join(lost)}")
                case Analytic(_, strategy) if strategy not in strategies:
                    yield Problem(where, f"strategy {strategy!r} is in no table")
                case Mitigation(_, _, named) | Strategy(_, _, named):
                    for technique in named:
                        if not TECHNIQUE_ID.fullmatch(technique):
                            yield Problem(
                                where, f"found {technique[:20]!r}, expected a technique, as T1490 or T1059.001"
                            )


def _together(version: str, tables: Mapping[str, _Table]) -> Defenses:
    def rows(word: str, of: type[_Row]) -> dict[str, _Row]:
        found = tables[word].rows if word in tables else {}
        return {name: row for name, (row, _) in found.items() if isinstance(row, of)}

    return Defenses(
        version,
        rows("mitigations", Mitigation),
        rows("data-components", DataComponent),
        tuple(rows("log-sources", LogSource).values()),
        rows("strategies", Strategy),
        rows("analytics", Analytic),
    )


def _by_technique(rows: Iterable[_Named]) -> dict[str, tuple[_Named, ...]]:
    found: dict[str, tuple[_Named, ...]] = {}
    for row in rows:
        for technique in row.techniques:
            found[technique] = (*found.get(technique, ()), row)
    return found


def render(defenses: Defenses, copyright_line: str) -> dict[str, str]:
    """Each table's text by its kind, rows by id; a kind of which there is nothing has no table."""
    written: dict[str, list[str]] = {
        "mitigations": [f"{row.id}\t{row.name}\t{','.join(row.techniques)}" for row in defenses.mitigations.values()],
        "data-components": ["\t".join(row) for row in defenses.components.values()],
        "log-sources": [f"{row.name}\t{row.channel}\t{','.join(row.components)}" for row in defenses.sources],
        "strategies": [f"{row.id}\t{row.name}\t{','.join(row.techniques)}" for row in defenses.strategies.values()],
        "analytics": list(map(_written, defenses.analytics.values())),
    }
    return {
        word: "\n".join([f"# {word}\t{defenses.version}\t{copyright_line}", *sorted(lines), ""])
        for word, lines in written.items()
        if lines
    }


def _written(row: Analytic) -> str:
    platforms, sources = "; ".join(row.platforms), "; ".join(row.sources)
    return f"{row.id}\t{row.strategy}\t{platforms}\t{','.join(row.components)}\t{sources}"
