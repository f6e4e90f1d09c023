"""The texts that a release adds to the tables there are, checked together with them before any is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fsoc.attack import defenses
from fsoc.attack.check import check
from fsoc.attack.release import COPYRIGHT, Release, render, walk
from fsoc.attack.tables import Table, Tables, read
from fsoc.errors import Problem, RefusedToStart


def texts_of(release: Release, known: Mapping[str, str], kept: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """File name → text of everything a release adds. known: what the folder has, by name; kept: a person's crosswalks.

    Raises:
        RefusedToStart: with every problem that the tables would have, the new among them; ids without a successor.
    """
    name = f"enterprise-{release.version}.tsv"
    table = render(release.version, release.tactics, release.entries)
    made = {name: table}
    if release.defenses is not None:
        for word, text in defenses.render(release.defenses, COPYRIGHT).items():
            made[f"defenses-{release.version}/{word}.tsv"] = text
    others = {place: text for place, text in known.items() if place not in made}
    made |= _crosswalks(release.version, read([*others.items(), *kept, (name, table)]))
    problems = check([*((place, text) for place, text in others.items() if place not in made), *made.items()])
    if problems:
        raise RefusedToStart(*problems)
    return made


def _crosswalks(version: str, tables: Tables) -> dict[str, str]:
    """From the version before, and to the one after: where ids would vanish without."""
    place = next(at for at, table in enumerate(tables.versions) if table.version == version)
    made: dict[str, str] = {}
    problems: list[Problem] = []
    for old, new in zip(tables.versions[:-1], tables.versions[1:], strict=True):
        if tables.versions[place] not in (old, new) or not _vanishing(old, new):
            continue
        kept = [
            crosswalk for crosswalk in tables.crosswalks if (crosswalk.old, crosswalk.new) == (old.version, new.version)
        ]
        try:
            made[f"crosswalk-{old.version}-{new.version}.tsv"] = walk(Tables([old, new], kept))
        except RefusedToStart as refused:
            problems += refused.problems
    if problems:
        raise RefusedToStart(*problems)
    return made


def _vanishing(old: Table, new: Table) -> bool:
    return any(not row.now and row.id not in new.rows for row in old.rows.values())
