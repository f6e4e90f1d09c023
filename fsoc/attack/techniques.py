"""One name for each ATT&CK technique and tactic, whatever version a sender uses. Pure: the tables are handed in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fsoc.attack.tables import DEPRECATED, TECHNIQUE_ID, Row, Table, Tables, read
from fsoc.errors import RefusedToStart

_TEXT_MAX = 64  # longer than any id, tag or tactic name; hints never work on more
# Groups, software, data sources, mitigations, campaigns (`attack.g0016`, `attack.ds0029`): no table of these here.
_NO_TECHNIQUE = re.compile(r"([GSMC]|DS)\d{4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique as the newest table knows it.

    id, name: the newest; a technique dropped without a successor keeps its last.
    tactics: short names, in kill-chain order.
    in_use: False for one that ATT&CK dropped without a successor.
    """

    id: str
    name: str
    tactics: tuple[str, ...]
    in_use: bool = True


class Complaint(NamedTuple):
    """understood: the tag stands for a technique nevertheless, and a rule that has it means that one."""

    text: str
    understood: bool


class Techniques:
    """Look-ups over all tables at once; every answer is in the words of the newest version.

    ATT&CK never gives an id a second meaning, so a sender's version is not needed to understand it: a member that
    updated its rules before its ticket header is still joined with the others.
    """

    def __init__(self, tables: Tables) -> None:
        newest = tables.versions[-1]
        self.version = newest.version
        self._order = {tactic: place for place, tactic in enumerate(newest.tactics)}
        self._tactics = _tactic_names(tables.versions)
        self._techniques = self._settle(tables, newest)

    @classmethod
    def parse(cls, sources: Iterable[tuple[str, str]]) -> Techniques:
        """Read the tables of attack_mappings/, given as (where, text).

        Raises:
            RefusedToStart: with every problem of every table.
        """
        tables = read(sources)
        if tables.problems:
            raise RefusedToStart(*tables.problems)
        return cls(tables)

    def resolve(self, technique: str) -> Technique | None:
        """The technique behind an id of any known version, upper or lower case; None if no version knows it."""
        found = self._techniques.get(technique)
        if found is not None or len(technique) > _TEXT_MAX:
            return found
        return self._techniques.get(technique.strip().upper())

    def ids(self) -> Collection[str]:
        """Every id of every version."""
        return self._techniques.keys()

    def ids_in_use(self) -> tuple[str, ...]:
        """The ids that the newest version has in use, in their order."""
        return tuple(sorted(each for each, found in self._techniques.items() if found.in_use and found.id == each))

    def tactic(self, text: str) -> str | None:
        """The newest short name of a tactic: `defense_evasion`, `Defense Evasion`, `TA0005` and `stealth` are one."""
        return self._tactics.get(_plain(text))

    def tactic_order(self) -> tuple[str, ...]:
        """Short names of all tactics in kill-chain order, as the newest version draws its matrix."""
        return tuple(self._order)

    def techniques(self, tags: Iterable[str]) -> tuple[Technique, ...]:
        """The techniques a Sigma rule's tags name, each once, earliest tactic first; other tags are passed over."""
        named = (self.resolve(_untagged(tag)) for tag in tags if _is_attack(tag))
        found = {technique.id: technique for technique in named if technique is not None}
        return tuple(sorted(found.values(), key=self._place))

    def complaint(self, tag: str) -> Complaint | None:
        """What is wrong with one tag, if it is an `attack.` tag and something is."""
        name = _untagged(tag)
        if not _is_attack(tag) or _NO_TECHNIQUE.fullmatch(name) or self.tactic(name) is not None:
            return None
        technique = self.resolve(name)
        named = f"tag {tag[:_TEXT_MAX]!r}"
        if technique is None:
            return Complaint(f"{named} is not in ATT&CK {self.version}; {self.hint(name)}", understood=False)
        if not technique.in_use:
            return Complaint(
                f"{named}: in ATT&CK {self.version} it is out of use, without a successor", understood=True
            )
        if technique.id != name:
            text = f"{named}: in ATT&CK {self.version} it is {technique.id} {technique.name}"
            return Complaint(text, understood=True)
        return None

    def hint(self, text: str) -> str:
        """What an unknown id or tactic was probably meant to be; for messages to people."""
        wanted = text[:_TEXT_MAX].strip().upper()
        parent = self.resolve(wanted.partition(".")[0])
        if parent is not None:
            return f"its parent is known: {parent.id} {parent.name}"
        if wanted[:1] == "T" and wanted[1:2].isdigit():
            near = difflib.get_close_matches(wanted, self._techniques, n=3)
        else:
            near = difflib.get_close_matches(_plain(text), self._order, n=3)
        return (
            f"near: {', '.join(near)}" if near else f"tactics are: {', '.join(self._order)}; techniques look like T1490"
        )

    def _settle(self, tables: Tables, newest: Table) -> dict[str, Technique]:
        """Follow every id of every version to its end, once."""
        rows: dict[str, Row] = {}
        for table in tables.versions:
            rows.update(table.rows)
        step = steps(tables)
        return {technique: self._describe(rows[end(technique, step)], newest) for technique in rows}

    def _describe(self, row: Row, newest: Table) -> Technique:
        tactics = {self._tactics[_plain(tactic)] for tactic in row.tactics if _plain(tactic) in self._tactics}
        in_use = row.now != DEPRECATED and row.id in newest.rows
        return Technique(row.id, row.name, tuple(sorted(tactics, key=self._order.__getitem__)), in_use)

    def _place(self, technique: Technique) -> tuple[int, str]:
        return (self._order[technique.tactics[0]] if technique.tactics else len(self._order), technique.id)


def steps(tables: Tables) -> dict[str, str]:
    """Each id that was replaced → the id that stands for it next, in any of these versions and crosswalks."""
    step: dict[str, str] = {}
    for table in tables.versions:
        step.update((row.id, row.now) for row in table.rows.values() if row.now and row.now != DEPRECATED)
    for walk in tables.crosswalks:
        step.update((source, target) for source, (target, _) in walk.moves.items())
    return step


def end(technique: str, step: Mapping[str, str]) -> str:
    """Where the steps from an id lead; itself where there is none."""
    seen = set()
    while technique in step and technique not in seen:
        seen.add(technique)
        technique = step[technique]
    return technique


def _tactic_names(versions: Iterable[Table]) -> dict[str, str]:
    """Every spelling of every version → newest short name. The TA id joins a renamed tactic with its old name."""
    spellings: list[tuple[str, str]] = []
    for table in versions:
        newest = {tactic_id: short for short, (tactic_id, _) in table.tactics.items()}
        for short, (tactic_id, name) in table.tactics.items():
            spellings += [(short, tactic_id), (name, tactic_id), (tactic_id, tactic_id)]
    return {_plain(spelling): newest[tactic_id] for spelling, tactic_id in spellings if tactic_id in newest}


def _plain(text: str) -> str:
    return text[:_TEXT_MAX].strip().lower().replace("_", "-").replace(" ", "-")


def _is_attack(tag: str) -> bool:
    return tag[:7].lower() == "attack."


def _untagged(tag: str) -> str:
    name = tag[7 : 7 + _TEXT_MAX]
    return name.upper() if TECHNIQUE_ID.fullmatch(name.upper()) else name
