"""Reads the tables of attack_mappings/, every mistake with its line. What they mean is in techniques.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fsoc.errors import Problem

TECHNIQUE_ID = re.compile(r"T\d{4}(\.\d{3})?")
DEPRECATED = "deprecated"
VERSION = re.compile(r"\d{1,3}(\.\d{1,3})?")
_CATEGORY = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_KINDS = "'# attack<TAB>VERSION', '# crosswalk<TAB>FROM<TAB>TO' or '# categories<TAB>VERSION'"


@dataclass(frozen=True, slots=True)
class Row:
    """One technique of one ATT&CK version.

    tactics: short names, in the table's order of tactics.
    now: "" while it is in use, "deprecated", or the id that replaced it.
    """

    id: str
    name: str
    tactics: tuple[str, ...]
    now: str
    where: str


@dataclass(slots=True)
class Table:
    """One ATT&CK version: tactics in kill-chain order (short name → id and name), techniques by id."""

    version: str
    where: str
    tactics: dict[str, tuple[str, str]] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, ...]:
        """Sorts versions as numbers: 18.1 < 19 < 19.1."""
        return tuple(int(part) for part in self.version.split("."))


@dataclass(slots=True)
class Crosswalk:
    """What the ids of one version are called in the next, where they changed; id → (id, where)."""

    old: str
    new: str
    where: str
    moves: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a ticket of a category may be expected to name: a technique of these tactics, or one of these techniques.

    techniques: with their sub-techniques. version: the one in whose words it is written.
    """

    category: str
    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    version: str
    where: str


@dataclass(slots=True)
class Tables:
    """All that was read: versions ascending, crosswalks, expectations by category, and what is wrong with them."""

    versions: list[Table] = field(default_factory=list)
    crosswalks: list[Crosswalk] = field(default_factory=list)
    categories: dict[str, Expected] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(sources: Iterable[tuple[str, str]]) -> Tables:
    """Read tables and crosswalks from (where, text) pairs, in any order. Wrong lines are left out and reported."""
    tables = Tables()
    for where, text in sources:
        lines = [(f"{where}:{number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        kind = lines[0][1].split("\t") if lines else [""]
        if kind[0] == "# attack" and len(kind) >= 2 and VERSION.fullmatch(kind[1]):
            tables.versions.append(_table(Table(kind[1], where), lines[1:], tables.problems))
        elif kind[0] == "# crosswalk" and len(kind) >= 3:
            tables.crosswalks.append(_crosswalk(Crosswalk(kind[1], kind[2], where), lines[1:], tables.problems))
        elif kind[0] == "# categories" and len(kind) >= 2:
            tables.problems.extend(_categories(kind[1], lines[1:], tables.categories))
        else:
            tables.problems.append(Problem(f"{where}:1", f"found {kind[0][:40]!r}, expected {_KINDS}"))
    tables.versions.sort(key=lambda table: table.order)
    if not tables.versions:
        tables.problems.append(Problem("attack tables", "found none, expected at least one '# attack' table"))
    tables.problems.extend(_disagreements(tables))
    tables.problems.extend(_unexpectable(tables))
    return tables


def _table(table: Table, lines: list[tuple[str, str]], problems: list[Problem]) -> Table:
    for where, line in lines:
        cells = line.split("\t")
        if cells[0] == "# tactic" and len(cells) == 4:
            table.tactics[cells[2]] = (cells[1], cells[3])
        elif line.startswith("#"):
            continue
        elif len(cells) != 4 or not TECHNIQUE_ID.fullmatch(cells[0]):
            problems.append(Problem(where, f"found {line[:60]!r}, expected four cells: id, name, tactics, now"))
        elif cells[0] in table.rows:
            problems.append(Problem(where, f"{cells[0]} is already at {table.rows[cells[0]].where}"))
        else:
            tactics = tuple(cells[2].split(",")) if cells[2] else ()
            problems.extend(_bad_tactics(where, tactics, table))
            table.rows[cells[0]] = Row(cells[0], cells[1], tactics, cells[3], where)
    return table


def _bad_tactics(where: str, tactics: tuple[str, ...], table: Table) -> Iterator[Problem]:
    for tactic in tactics:
        if tactic not in table.tactics:
            yield Problem(where, f"tactic {tactic!r} is not in this table's header ({', '.join(table.tactics)})")


def _crosswalk(crosswalk: Crosswalk, lines: list[tuple[str, str]], problems: list[Problem]) -> Crosswalk:
    for where, line in lines:
        cells = line.split("\t")
        if line.startswith("#"):
            continue
        if len(cells) < 2 or not TECHNIQUE_ID.fullmatch(cells[0]) or not TECHNIQUE_ID.fullmatch(cells[1]):
            problems.append(Problem(where, f"found {line[:60]!r}, expected an old id, a new id and a reason"))
        elif cells[0] in crosswalk.moves:
            problems.append(Problem(where, f"{cells[0]} is already at {crosswalk.moves[cells[0]][1]}"))
        else:
            crosswalk.moves[cells[0]] = (cells[1], where)
    return crosswalk


def _categories(version: str, lines: list[tuple[str, str]], categories: dict[str, Expected]) -> Iterator[Problem]:
    for where, line in lines:
        cells = line.split("\t")
        if line.startswith("#"):
            continue
        if len(cells) != 3 or not _CATEGORY.fullmatch(cells[0]) or not (cells[1] or cells[2]):
            yield Problem(where, f"found {line[:60]!r}, expected three cells: category, tactics, techniques")
        elif cells[0] in categories:
            yield Problem(where, f"{cells[0]} is already at {categories[cells[0]].where}")
        else:
            several = [tuple(cell.split(",")) if cell else () for cell in cells[1:]]
            categories[cells[0]] = Expected(cells[0], several[0], several[1], version, where)


def _unexpectable(tables: Tables) -> Iterator[Problem]:
    """Yield what an expectation names that its version does not have in use."""
    by_version = {table.version: table for table in tables.versions}
    for expected in tables.categories.values():
        table = by_version.get(expected.version)
        if table is None:
            there = ", ".join(by_version) or "none"
            yield Problem(expected.where, f"of ATT&CK {expected.version}, but the tables are: {there}")
            continue
        yield from _bad_tactics(expected.where, expected.tactics, table)
        for technique in expected.techniques:
            row = table.rows.get(technique)
            if row is None or row.now:
                yield Problem(expected.where, f"{technique[:20]!r} is not in use in ATT&CK {expected.version}")


def _disagreements(tables: Tables) -> Iterator[Problem]:
    """Yield what no single line shows: ids that lead nowhere, and ids that vanish between two versions."""
    by_version = {table.version: table for table in tables.versions}
    for table in tables.versions:
        yield from _dead_ends(table)
    moved: set[str] = set()
    for walk in tables.crosswalks:
        old, new = by_version.get(walk.old), by_version.get(walk.new)
        if old is None or new is None:
            known = ", ".join(by_version) or "none"
            yield Problem(f"{walk.where}:1", f"crosswalk {walk.old} → {walk.new}, but the tables are: {known}")
            continue
        moved.update(walk.moves)
        for source, (target, where) in walk.moves.items():
            if source not in old.rows:
                yield Problem(where, f"{source} is not in ATT&CK {walk.old}")
            if target not in new.rows:
                yield Problem(where, f"{target} is not in ATT&CK {walk.new}")
    for old, new in zip(tables.versions, tables.versions[1:], strict=False):
        for row in old.rows.values():
            if not row.now and row.id not in new.rows and row.id not in moved:
                yield Problem(
                    row.where, f"{row.id} is in ATT&CK {old.version}, not in {new.version}, and in no crosswalk"
                )


def _dead_ends(table: Table) -> Iterator[Problem]:
    for row in table.rows.values():
        seen = {row.id}
        now = row.now
        while now and now != DEPRECATED:
            if now in seen or now not in table.rows:
                why = "comes back to itself" if now in seen else f"leads to {now!r}, which is not in this table"
                yield Problem(row.where, f"{row.id} {why}")
                break
            seen.add(now)
            now = table.rows[now].now
        parent = row.id.partition(".")[0]
        if parent not in table.rows:
            yield Problem(row.where, f"{row.id} has no parent {parent} in this table")
