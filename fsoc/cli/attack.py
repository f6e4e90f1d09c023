"""`fsoc attack import|diff|show`: ATT&CK's tables for people: a new release, its changes, what is known of ids."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from fsoc.attack.changes import changes, version_of
from fsoc.attack.defenses import Defenses
from fsoc.cli.attack_shown import changes_as, facts_of, told
from fsoc.cli.progress import ProgressLine
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.attack_files import TABLES, defenses_versions, known_tables, read_defenses, read_tables_of
from fsoc.runtime.content import shipped

_path = click.Path(path_type=Path)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_tables = click.option(
    "--tables",
    "folder",
    type=_path,
    metavar="DIR",
    help="The folder of tables. Default: what fsoc ships. 對照表資料夾。",
)


@click.group("attack", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """MITRE ATT&CK as fsoc knows it: import a release, compare two, look an id up.

    \b
    MITRE ATT&CK 對照表：匯入新版、比較兩版、查詢代號。
    """


@command.command("import")
@click.argument("bundle", type=_path)
@click.option("--version", metavar="VERSION", help="As 20.0. Default: what the bundle says of itself.")
@click.option("--into", type=_path, metavar="DIR", help=f"Default: the {TABLES} that fsoc reads.")
@click.option(
    "--crosswalk", type=_path, metavar="FILE", help="Successors that a person has looked up: OLD-ID<TAB>NEW-ID lines."
)
@click.option("--force", is_flag=True, help="Write over a version that is there.")
@_as_json
def import_command(
    bundle: Path, version: str | None, into: Path | None, crosswalk: Path | None, force: bool, as_json: bool
) -> None:
    """Make tables of a STIX 2.1 bundle as MITRE publishes it: enterprise-attack-20.0.json.

    Techniques with their revocations, the crosswalk from the version before, mitigations, data components, log sources,
    detection strategies and analytics. All is checked with what is there before anything is written.

    \b
    Examples:
      fsoc attack import enterprise-attack-20.0.json
      fsoc attack import enterprise-attack.json --version 20.0 --into attack_mappings --crosswalk looked-up.tsv
    """
    from fsoc.attack.importing import texts_of  # late, as the bundle's library: only this needs them
    from fsoc.runtime.attack_bundle import read_bundle
    from fsoc.runtime.attack_files import write_tables
    from fsoc.runtime.content import read_source

    progress = ProgressLine()
    release = read_bundle(bundle, version, lambda text: progress.show(lambda: text))
    progress.clear()
    place = into or shipped(TABLES)
    if (place / f"enterprise-{release.version}.tsv").exists() and not force:
        raise RefusedToStart(Problem("--force", f"{place} has ATT&CK {release.version}; this writes over it"))
    kept = [(source.path, source.text) for source in [read_source(crosswalk)]] if crosswalk else []
    texts = texts_of(release, known_tables(place), kept)
    written = write_tables(texts, place)
    counts = {
        "version": release.version,
        "techniques": sum(not entry.now for entry in release.entries),
        "revoked_or_deprecated": sum(bool(entry.now) for entry in release.entries),
        "tactics": len(release.tactics),
        "mitigations": len(release.defenses.mitigations) if release.defenses else 0,
        "data_components": len(release.defenses.components) if release.defenses else 0,
        "strategies": len(release.defenses.strategies) if release.defenses else 0,
        "analytics": len(release.defenses.analytics) if release.defenses else 0,
    }
    if as_json:
        click.echo(orjson.dumps({**counts, "written": list(map(str, written))}))
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if name != "version"))


@command.command("diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@_tables
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", help="Default: table."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def diff_command(old: str, new: str, folder: Path | None, form: str, as_json: bool) -> None:
    """What became of techniques from A to B: added, renamed, revoked, split, deprecated, moved to other tactics.

    \b
    Examples:
      fsoc attack diff 18.1 19
      fsoc attack diff 17 19 --format markdown
      fsoc attack diff 18 19 --json | jq -r '.techniques[] | select(.what == "revoked") | .id'
    """
    tables = read_tables_of(folder)
    found = changes(tables, version_of(tables, old), version_of(tables, new))
    click.echo(changes_as("json" if as_json else form, found))


@command.command("show")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@_tables
@_as_json
def show_command(ids: Sequence[str], folder: Path | None, as_json: bool) -> None:
    """What is known of techniques: their names, tactics, past, what counters them and what shows them.

    An id of any version will do; exit code 1 if one of them is in none.

    \b
    Examples:
      fsoc attack show T1059
      fsoc attack show T1070.001 T1562.001
      fsoc attack show T1490 --json | jq -r '.data_components[].name'
    """
    tables = read_tables_of(folder)
    defenses = read_defenses(folder=folder) if defenses_versions(folder) else Defenses.none()
    found: list[dict[str, Any] | None] = [facts_of(each, tables, defenses) for each in ids]
    for each, facts in zip(ids, found, strict=True):
        if as_json:
            click.echo(orjson.dumps(facts if facts is not None else {"asked": each, "id": None}))
        else:
            click.echo(told(each, facts, tables))
    if None in found:
        sys.exit(1)
