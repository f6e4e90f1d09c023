"""One name for each ATT&CK technique and tactic, whatever version a sender uses. Pure: the tables are handed in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fsoc.attack.tables import DEPRECATED, TECHNIQUE_ID, Expected, Row, Table, Tables, read
from fsoc.errors import RefusedToStart

PAIRS_MAX: Final = 8_192
"""How many (tactic, technique) pairs are remembered, as they were written; past it all are forgotten."""

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


class Tactic(NamedTuple):
    """One tactic of the newest version: TA id, short name, name."""

    id: str
    short: str
    name: str


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
        self.versions = tuple(table.version for table in tables.versions)
        self.expected: Mapping[str, Expected] = tables.categories
        self._named_tactics = tuple(Tactic(tactic, short, name) for short, (tactic, name) in newest.tactics.items())
        self._order = {tactic: place for place, tactic in enumerate(newest.tactics)}
        self._tactics = _tactic_names(tables.versions)
        shorts = {short: self._tactics.get(_plain(short)) for table in tables.versions for short in table.tactics}
        self._short = {short: meant for short, meant in shorts.items() if meant is not None}
        self._techniques = self._settle(tables, newest)
        self._was = {
            name: was
            for name, was in self._written_under(tables, newest)
            if not was <= {*self._techniques[name].tactics}
        }
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}

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

    def under(self, tactic: str, technique: str) -> str | None:
        """The tactic that is meant where a technique is said to be under one, in the newest version's words.

        None where no version has that technique under that tactic. Where the technique has moved since: the earliest of
        the tactics that it has come under, so that a member of an earlier version says the same as one of the newest.
        """
        named, known = self.tactic(tactic), self.resolve(technique)
        if named is None or known is None:
            return None
        if named in known.tactics:
            return named
        was = self._was.get(technique.strip().upper(), frozenset())
        if named not in was:
            return None
        return next((each for each in known.tactics if each not in was), next(iter(known.tactics), named))

    def pair(self, tactic: str, technique: str) -> tuple[str, str]:
        """Tactic and technique in the newest version's words; what no version knows stays as it was written."""
        asked = tactic, technique
        found = self._pairs.get(asked)
        if found is None:
            known = self.resolve(technique)
            meant = self.under(tactic, technique) or self.tactic(tactic) or tactic
            if len(self._pairs) >= PAIRS_MAX:
                self._pairs.clear()
            found = self._pairs[asked] = meant, known.id if known is not None else technique
        return found

    def tactic_order(self) -> tuple[str, ...]:
        """Short names of all tactics in kill-chain order, as the newest version draws its matrix."""
        return tuple(self._order)

    def tactics(self) -> tuple[Tactic, ...]:
        """Of the newest version, in kill-chain order."""
        return self._named_tactics

    def of_tactic(self, tactic: str) -> tuple[Technique, ...]:
        """The techniques in use under a tactic, by its newest short name, in the order of their ids."""
        found = (self._techniques[each] for each in self.ids_in_use())
        return tuple(technique for technique in found if tactic in technique.tactics)

    def techniques(self, tags: Iterable[str]) -> tuple[Technique, ...]:
        """The techniques a Sigma rule's tags name, each once, earliest tactic first; other tags are passed over."""
        named = (self.resolve(_untagged(tag)) for tag in tags if _is_attack(tag))
        found = {technique.id: technique for technique in named if technique is not None}
        return tuple(sorted(found.values(), key=self._place))

    def named_tactics(self, tags: Sequence[str], technique: Technique) -> frozenset[str]:
        """Of the tactics that a rule's tags name, those that this technique of its is under."""
        names = [_untagged(tag) for tag in tags if _is_attack(tag)]
        written = [name for name in names if (same := self.resolve(name)) is not None and same.id == technique.id]
        meant = (self.under(tactic, each) for tactic in names for each in (*written, technique.id))
        return frozenset(tactic for tactic in meant if tactic is not None)

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

    def misplaced(self, tags: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Of a rule's tags, by their places: techniques under none of the tactics it names, and the other way round.

        A rule that names no tactic or no technique says nothing wrong. Tags that are wrong themselves are passed over.
        """
        names = [_untagged(tag) if _is_attack(tag) else "" for tag in tags]
        tactics = {place: name for place, name in enumerate(names) if self.tactic(name) is not None}
        techniques = {place: known for place, name in enumerate(names) if (known := self.resolve(name)) is not None}
        if not tactics or not techniques:
            return
        of_rule = {place: self.named_tactics(tags, technique) for place, technique in techniques.items()}
        for place, technique in techniques.items():
            if not of_rule[place]:
                text = f"{technique.id} {technique.name} is of {', '.join(technique.tactics) or 'no tactic'}"
                yield place, f"tag {tags[place][:_TEXT_MAX]!r}: {text}; the rule names {', '.join(tactics.values())}"
        for place, name in tactics.items():
            if not any(self.under(name, names[other]) is not None for other in techniques):
                yield place, f"tag {tags[place][:_TEXT_MAX]!r}: none of the rule's techniques is of this tactic"

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
        ends = {technique: end(technique, step) for technique in rows}
        told = {name: self._describe(rows[name], newest) for name in set(ends.values())}
        return {technique: told[name] for technique, name in ends.items()}

    def _written_under(self, tables: Tables, newest: Table) -> Iterator[tuple[str, frozenset[str]]]:
        """Each id → the tactics it was under before the newest version, or before it was replaced."""
        under: dict[str, set[str]] = {}
        for table in tables.versions:
            for row in table.rows.values():
                if row.now or table is not newest:
                    under.setdefault(row.id, set()).update(row.tactics)
        for technique, tactics in under.items():
            yield technique, frozenset(self._short[short] for short in tactics if short in self._short)

    def _describe(self, row: Row, newest: Table) -> Technique:
        tactics = {self._short[tactic] for tactic in row.tactics if tactic in self._short}
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
