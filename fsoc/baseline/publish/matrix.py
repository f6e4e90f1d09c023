"""The support matrix: what became of each rule in each SIEM's language. No cell is empty. Pure."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, Literal, Protocol

from fsoc.baseline.conversion.convert import Converted, NotExpressible, convert
from fsoc.baseline.conversion.targets import Note
from fsoc.baseline.model import Baseline
from fsoc.baseline.publish.profiles import DEFAULT, Profile
from fsoc.errors import Problem, RefusedToStart

Status = Literal["converted", "hand-written", "not expressible"]
STATUSES: Final[Mapping[Status, str]] = {
    "converted": "已轉換",
    "hand-written": "人工撰寫",
    "not expressible": "無法表達",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A rule of ours as it is published. text: the Sigma document as written."""

    id: str
    name: str
    title: str
    title_zh: str
    level: str
    text: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one rule for one target. query: "" where there is none; reason: why there is none.

    warnings: the backend's own.
    """

    status: Status
    query: str = ""
    reason: str = ""
    notes: tuple[Note, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """In one line: `converted (letter-case)`, `not expressible: a range of letters in any case`."""
        if self.status == "not expressible":
            return f"{self.status}: {self.reason}"
        return f"{self.status} ({', '.join(self.notes)})" if self.notes else self.status


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, and its cell for each profile by name."""

    rule: Published
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows in the order of rule names; profiles in the order of columns."""

    version: str
    profiles: tuple[Profile, ...]
    rows: tuple[Row, ...]

    def share(self, profile: str) -> tuple[int, int]:
        """How many rules there is a query for, converted or hand-written, and how many rules there are."""
        return sum(row.cells[profile].status != "not expressible" for row in self.rows), len(self.rows)

    def counts(self, profile: str) -> dict[Status, int]:
        """By status, those of none too."""
        found = [row.cells[profile].status for row in self.rows]
        return {status: found.count(status) for status in STATUSES}


class Fact(Protocol):
    """What is published of a rule beside its text."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def title(self) -> str: ...
    @property
    def level(self) -> str | None: ...
    @property
    def fsoc(self) -> Mapping[str, Any]: ...


def published(baseline: Baseline, facts: Iterable[Fact], texts: Mapping[str, str]) -> list[Published]:
    """The rules of the baseline's items, by name. texts: of each rule by id, as written."""
    known = {fact.id: fact for fact in facts}
    rules = [
        Published(
            id=rule,
            name=known[rule].name or rule,
            title=known[rule].title,
            title_zh=str(known[rule].fsoc.get("title_zh", "")),
            level=known[rule].level or "medium",
            text=texts[rule],
            items=tuple(item.id for item in baseline.of_rule(rule)),
        )
        for rule in baseline.rules
    ]
    return sorted(rules, key=lambda rule: rule.name)


def make_matrix(
    version: str,
    rules: Sequence[Published],
    profiles: Sequence[Profile] = DEFAULT,
    by_hand: Mapping[tuple[str, str], str] | None = None,
    tell: Callable[[Published], None] = lambda _: None,
) -> Matrix:
    """Convert every rule for every profile.

    by_hand: queries that people wrote, by (target, rule name); they stand instead of what a backend would write, under
    a target's own names only. tell: shown each rule that is done.

    Raises:
        RefusedToStart: a backend is not installed, or a query is for no rule or target that there is.
    """
    written = dict(by_hand or {})
    names, targets = {rule.name for rule in rules}, {profile.target for profile in profiles}
    strange = [key for key in written if key[0] not in targets or key[1] not in names]
    if strange:
        raise RefusedToStart(
            *(Problem(f"queries/{target}/{name}", "is for no rule and target") for target, name in strange)
        )
    rows = []
    for rule in rules:
        rows.append(Row(rule, {profile.name: _cell(rule, profile, written) for profile in profiles}))
        tell(rule)
    return Matrix(version, tuple(profiles), tuple(rows))


def _cell(rule: Published, profile: Profile, written: Mapping[tuple[str, str], str]) -> Cell:
    query = written.get((profile.target, rule.name))
    if query is not None and not profile.mapping:
        return Cell("hand-written", query.strip())
    match convert(rule.text, profile.target, profile.pipeline):
        case Converted() as found:
            return Cell("converted", found.text, notes=found.notes, warnings=found.warnings)
        case NotExpressible() as found:
            return Cell("not expressible", reason=found.reason or "the backend gave no reason")


def unlike(matrix: Matrix, committed: str) -> list[Problem]:
    """How a matrix differs from what was written down of it as CSV: rules and cells that are other, new or gone."""
    before = {row["name"]: row for row in csv.DictReader(StringIO(committed.removeprefix("\ufeff")))}
    problems: list[Problem] = []
    for row in matrix.rows:
        then = before.pop(row.rule.name, None)
        if then is None:
            problems.append(Problem(row.rule.name, "is not in the matrix that was written down"))
            continue
        for profile in matrix.profiles:
            now, was = row.cells[profile.name].told, then.get(profile.name) or "nothing"
            if now != was:
                problems.append(Problem(f"{row.rule.name}, {profile.name}", f"was {was!r}, is {now!r}"))
    problems += [Problem(name, "is written down, and in the baseline no more") for name in before]
    return problems
