"""Everything wrong with ATT&CK tables of all kinds, together. Pure: the texts are handed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsoc.attack import defenses, tables
from fsoc.attack.tables import Tables
from fsoc.errors import Problem


def check(sources: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return everything wrong with the tables, given as (where, text) in any order.

    Of techniques: bad rows, targets that do not exist, ids lost between versions. Of defenses: bad rows, and what is in
    no table; techniques that their version has not, where that version's techniques are given too.
    """
    of_defenses: list[tuple[str, str]] = []
    of_techniques: list[tuple[str, str]] = []
    for where, text in sources:
        (of_defenses if defenses.is_defenses(text) else of_techniques).append((where, text))
    if not of_defenses:
        return tables.read(of_techniques).problems
    known = tables.read(of_techniques) if of_techniques else Tables()
    return [*known.problems, *_of_defenses(of_defenses, known)]


def _of_defenses(sources: Iterable[tuple[str, str]], known: Tables) -> Iterator[Problem]:
    versions, problems = defenses.read(sources)
    yield from problems
    techniques = {table.version: frozenset(table.rows) for table in known.versions}
    for version, found in versions.items():
        if version in techniques:
            for technique in defenses.techniques_missing(found, techniques[version]):
                yield Problem(f"defenses {version}", f"{technique} is not in ATT&CK {version}")
