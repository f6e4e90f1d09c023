"""What `fsoc attack` says, as text, Markdown or JSON. Reads no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click
import orjson

from fsoc.attack.changes import MEANING, Change, Changes
from fsoc.attack.defenses import Defenses
from fsoc.attack.tables import Tables
from fsoc.attack.techniques import Techniques
from fsoc.cli.printable import printable

SOURCES_SHOWN_MAX: Final = 8


def changes_as(form: str, found: Changes) -> str:
    """form: table, json or markdown."""
    if form == "json":
        told = {"old": found.old, "new": found.new, "counts": _counts(found)}
        techniques = [change._asdict() for change in found.techniques]
        tactics = [{"id": tactic, "before": before, "now": now} for tactic, before, now in found.tactics]
        return orjson.dumps({**told, "tactics": tactics, "techniques": techniques}).decode()
    return "\n".join(_markdown(found) if form == "markdown" else _table(found))


def _counts(found: Changes) -> dict[str, int]:
    return {what: len(found.of(what)) for what in MEANING}


def _table(found: Changes) -> Iterator[str]:
    yield click.style(f"ATT&CK {found.old} → {found.new}", bold=True)
    for tactic, before, now in found.tactics:
        yield f"  tactic   {tactic}  {before or '(new)'} → {now or '(gone)'}"
    for what in MEANING:
        several = found.of(what)
        if several:
            yield click.style(f"{what}: {len(several)}", bold=True) + click.style(f"  {MEANING[what]}", dim=True)
        for change in several:
            yield f"  {change.id:<10} {printable(change.name)}{_beside(change)}"
    if not found.techniques and not found.tactics:
        yield "nothing changed"


def _beside(change: Change) -> str:
    match change.what:
        case "added":
            return f"  ({change.now})"
        case "renamed":
            return f"  (was {printable(change.before)})"
        case "moved":
            return f"  ({change.before} → {change.now})"
        case "deprecated":
            return ""
        case _:
            return f" → {printable(change.now)}"


def _markdown(found: Changes) -> Iterator[str]:
    yield f"# ATT&CK {found.old} → {found.new}"
    if found.tactics:
        yield "\n## Tactics\n\n| id | before | now |\n|---|---|---|"
        for row in found.tactics:
            yield "| " + " | ".join(map(_cell, row)) + " |"
    for what in MEANING:
        several = found.of(what)
        if several:
            yield f"\n## {what.capitalize()} ({len(several)})\n\n{MEANING[what].capitalize()}.\n"
            yield "| id | name | before | now |\n|---|---|---|---|"
        for change in several:
            yield "| " + " | ".join(map(_cell, change[1:])) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def facts_of(asked: str, tables: Tables, defenses: Defenses) -> dict[str, Any] | None:
    """What is known of an id of any version; None where none knows it.

    Defenses are looked up by every id that the technique has had: theirs may be of an older version.
    """
    techniques = Techniques(tables)
    found = techniques.resolve(asked)
    if found is None:
        return None
    former = [each for each in techniques.ids() if (same := techniques.resolve(each)) and same.id == found.id]
    known = [each for each in former if defenses.strategies_of(each) or defenses.mitigations_of(each)]
    # What stands under its own id is said of it; of those that it replaced, only where there is nothing else.
    named = [found.id] if found.id in known else known
    return {
        "asked": asked,
        "id": found.id,
        "name": found.name,
        "tactics": list(found.tactics),
        "in_use": found.in_use,
        "attack_version": techniques.version,
        "formerly": sorted({*former} - {found.id}),
        "versions": [
            {"version": table.version, "id": row.id, "name": row.name, "tactics": list(row.tactics), "now": row.now}
            for table in tables.versions
            for each in sorted(former)
            if (row := table.rows.get(each)) is not None
        ],
        "sub_techniques": [each for each in techniques.ids_in_use() if each.startswith(f"{found.id}.")],
        "defenses_version": defenses.version,
        "mitigations": _distinct(row._asdict() for each in named for row in defenses.mitigations_of(each)),
        "data_components": _distinct(row._asdict() for each in named for row in defenses.components_of(each)),
        "strategies": _distinct(row._asdict() for each in named for row in defenses.strategies_of(each)),
        "log_sources": sorted({log for each in named for row in defenses.analytics_of(each) for log in row.sources}),
    }


def _distinct(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {row["id"]: {"id": row["id"], "name": row["name"]} for row in rows}
    return [found[each] for each in sorted(found)]


def told(asked: str, facts: dict[str, Any] | None, tables: Tables) -> str:
    """The same for people."""
    if facts is None:
        return f"{printable(asked[:64])}: in no version; {Techniques(tables).hint(asked)}"
    lines = [click.style(f"{facts['id']} {facts['name']}", bold=True)]
    lines[0] += "" if facts["in_use"] else click.style("  out of use, without a successor", fg="yellow")
    lines.append(f"  tactics        {', '.join(facts['tactics']) or 'none'}  (ATT&CK {facts['attack_version']})")
    for row in facts["versions"]:
        became = f" → {row['now']}" if row["now"] else ""
        lines.append(f"  in {row['version']:<11} {row['id']} {row['name']}{became}  ({', '.join(row['tactics'])})")
    for name, title in (("sub_techniques", "sub-techniques"), ("log_sources", "log sources")):
        shown = facts[name][:SOURCES_SHOWN_MAX]
        more = f", and {len(facts[name]) - len(shown)} more" if len(facts[name]) > len(shown) else ""
        if shown:
            lines.append(f"  {title:<14} {', '.join(shown)}{more}")
    of = f"  (ATT&CK {facts['defenses_version']})"
    for name, title in (("strategies", "detected by"), ("data_components", "seen by"), ("mitigations", "countered by")):
        for place, row in enumerate(facts[name]):
            lines.append(f"  {title if place == 0 else '':<14} {row['id']} {row['name']}{of if place == 0 else ''}")
    return "\n".join(lines)
