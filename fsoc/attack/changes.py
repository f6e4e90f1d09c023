"""What became of techniques and tactics from one ATT&CK version to another. Pure: the tables are handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from fsoc.attack.tables import Row, Table, Tables
from fsoc.attack.techniques import end, steps
from fsoc.errors import Problem, RefusedToStart

What = Literal["added", "renamed", "revoked", "split", "deprecated", "moved"]

MEANING: Final[Mapping[What, str]] = {
    "added": "in use in the later one, and not in the earlier one, where it replaces nothing",
    "renamed": "the same id has another name",
    "revoked": "another id stands for it now",
    "split": "revoked, and it and its sub-techniques went to more than one technique",
    "deprecated": "out of use, and nothing stands for it",
    "moved": "the same id is under other tactics; a tactic that was only renamed is the same",
}
"""By what became of a technique that is in use in at least one of the two."""


class Change(NamedTuple):
    """Of one id. before, now: its name, successors or tactics, as `what` has it; "" where there is none."""

    what: What
    id: str
    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Changes:
    """old, new: the versions. tactics: (TA id, name before, name now), "" for one that there was not or is no more."""

    old: str
    new: str
    techniques: tuple[Change, ...]
    tactics: tuple[tuple[str, str, str], ...]

    def of(self, what: What) -> tuple[Change, ...]:
        return tuple(change for change in self.techniques if change.what == what)


def version_of(tables: Tables, text: str) -> Table:
    """The table that a person means by a version: 19, 18.1, or 17 where there is 17.0 alone.

    Raises:
        RefusedToStart: there is none, or there are several.
    """
    known = [table for table in tables.versions if text in (table.version, table.version.partition(".")[0])]
    exact = [table for table in known if table.version == text]
    if len(exact or known) == 1:
        return (exact or known)[0]
    there = ", ".join(table.version for table in tables.versions)
    raise RefusedToStart(Problem("ATT&CK version", f"found {text[:20]!r}, expected one of {there}"))


def changes(tables: Tables, old: Table, new: Table) -> Changes:
    """What changed from old to new; told forwards whichever is given first.

    Revocations are followed through the versions between the two, and through their crosswalks.
    """
    if old.order > new.order:
        old, new = new, old
    between = Tables(
        [table for table in tables.versions if old.order <= table.order <= new.order],
        [walk for walk in tables.crosswalks if _within(walk.old, old, new) and _within(walk.new, old, new)],
    )
    step = steps(between)
    techniques = sorted(_techniques(old, new, step), key=lambda change: (list(MEANING).index(change.what), change.id))
    return Changes(old.version, new.version, tuple(techniques), tuple(_tactics(old, new)))


def _within(version: str, old: Table, new: Table) -> bool:
    return old.order <= tuple(int(part) for part in version.split(".")) <= new.order


def _techniques(old: Table, new: Table, step: Mapping[str, str]) -> Iterator[Change]:
    before = {row.id: row for row in old.rows.values() if not row.now}
    now = {row.id: row for row in new.rows.values() if not row.now}
    gone = {technique: end(technique, step) for technique in before if technique not in now}
    heirs = set(gone.values())
    for technique, row in now.items():
        earlier = before.get(technique)
        if earlier is None:
            if technique not in heirs:
                yield Change("added", technique, row.name, "", ", ".join(row.tactics))
            continue
        if earlier.name != row.name:
            yield Change("renamed", technique, row.name, earlier.name, row.name)
        if _ids(earlier, old) != _ids(row, new):
            yield Change("moved", technique, row.name, ", ".join(earlier.tactics), ", ".join(row.tactics))
    for technique, heir in gone.items():
        name = before[technique].name
        if heir == technique or heir not in now:
            yield Change("deprecated", technique, name, name, "")
            continue
        bases = dict.fromkeys([heir, *(gone[each] for each in sorted(gone) if each.startswith(f"{technique}."))])
        if len({each.partition(".")[0] for each in bases}) > 1:
            yield Change("split", technique, name, name, ", ".join(bases))
        else:
            yield Change("revoked", technique, name, name, f"{heir} {now[heir].name}")


def _ids(row: Row, table: Table) -> frozenset[str]:
    """The TA ids of its tactics, which a rename leaves alone."""
    return frozenset(table.tactics[tactic][0] for tactic in row.tactics if tactic in table.tactics)


def _tactics(old: Table, new: Table) -> Iterator[tuple[str, str, str]]:
    before, now = (dict(table.tactics.values()) for table in (old, new))
    for tactic in sorted({*before, *now}):
        if before.get(tactic) != now.get(tactic):
            yield tactic, before.get(tactic, ""), now.get(tactic, "")
