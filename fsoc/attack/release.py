"""One ATT&CK release as a source gives it, and how it is written down: tables and crosswalks. Pure; reads no source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fsoc.attack.defenses import Defenses
from fsoc.attack.tables import Tables
from fsoc.errors import Problem, RefusedToStart

COPYRIGHT: Final = "© The MITRE Corporation; reproduced with its permission, terms in NOTICE"
KILL_CHAIN: Final = (43, 42, 1, 2, 3, 4, 5, 112, 6, 7, 8, 9, 11, 10, 40)
"""Order of the matrix, for sources that do not say it. TA0112 came with 19 and stands after TA0005."""


class Entry(NamedTuple):
    """One technique as a source gives it; now: "", "deprecated" or the id that replaced it."""

    id: str
    name: str
    tactics: tuple[str, ...]
    now: str


class Tactic(NamedTuple):
    """One tactic: TA id, short name, name."""

    id: str
    short: str
    name: str


@dataclass(frozen=True, slots=True)
class Release:
    """tactics: as the matrix has them where the source says so."""

    version: str
    tactics: Sequence[Tactic]
    entries: Sequence[Entry]
    defenses: Defenses | None = None


def in_kill_chain(tactics: Iterable[Tactic]) -> list[Tactic]:
    """In the matrix' order, for sources that do not say it; one that is not known last."""
    return sorted(tactics, key=_place)


def render(version: str, tactics: Iterable[Tactic], entries: Iterable[Entry]) -> str:
    """Write one table: tactics as they are given, which is to be kill-chain order; techniques by id."""
    ordered = list(tactics)
    place = {tactic.short: index for index, tactic in enumerate(ordered)}
    lines = [f"# attack\t{version}\t{COPYRIGHT}"]
    lines += [f"# tactic\t{tactic.id}\t{tactic.short}\t{tactic.name}" for tactic in ordered]
    for entry in sorted(entries):
        phases = ",".join(sorted(entry.tactics, key=lambda tactic: place.get(tactic, len(place))))
        lines.append(f"{entry.id}\t{entry.name}\t{phases}\t{entry.now}")
    return "\n".join([*lines, ""])


def _place(tactic: Tactic) -> int:
    number = int(tactic.id[2:]) if tactic.id[2:].isdigit() else -1
    return KILL_CHAIN.index(number) if number in KILL_CHAIN else len(KILL_CHAIN)


def walk(tables: Tables) -> str:
    """Write the crosswalk of two tables.

    Raises:
        RefusedToStart: naming each id that has no successor by name and none in the kept crosswalk.
    """
    before, after = tables.versions
    by_name = {row.name: row.id for row in after.rows.values() if row.id not in before.rows}
    kept = {source: target for walk in tables.crosswalks for source, (target, _) in walk.moves.items()}
    lines, problems = [f"# crosswalk\t{before.version}\t{after.version}\t{COPYRIGHT}"], []
    for row in sorted(before.rows.values(), key=lambda row: row.id):
        if row.now or row.id in after.rows:
            continue
        if row.name in by_name:
            lines.append(f"{row.id}\t{by_name[row.name]}\tsame name")
        elif row.id in kept:
            heir = after.rows.get(kept[row.id])
            lines.append(f"{row.id}\t{kept[row.id]}\t{row.name} → {heir.name if heir else 'unknown'}")
        else:
            problems.append(
                Problem(row.where, f"{row.id} {row.name}: no successor by name; add it to the kept crosswalk")
            )
    if problems:
        raise RefusedToStart(*problems)
    return "\n".join([*lines, ""])
