"""A version of the baseline as files, the same byte for byte for the same content, and what makes one believable. Pure.

manifest.json      every other file with its size and SHA-256
manifest.jws       a compact JWS (RFC 7515, Ed25519) over the manifest's SHA-256; where the version is signed
items.json         the items, as data
rules/             Sigma, as written
queries/PROFILE/   each rule in a SIEM's language; PROFILE is a target, or a target and a field mapping
matrix.*           what became of each rule for each target
CHANGELOG.md  RELEASE.en.md  RELEASE.zh-TW.md  NOTICE
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from fsoc.baseline.conversion.targets import TARGETS
from fsoc.baseline.model import Baseline, Item
from fsoc.baseline.publish import tables
from fsoc.baseline.publish.changes import changelog, changes
from fsoc.baseline.publish.matrix import Matrix
from fsoc.baseline.publish.notes import LANGUAGES, release_notes

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
SCHEMA: Final = "fsoc.baseline/1"

Files = dict[str, bytes]
"""By path within the bundle."""


def bundle(baseline: Baseline, matrix: Matrix, notice: str, before: Mapping[str, Any] | None = None) -> Files:
    """All files but the signature. before: items.json of the version before, for the changelog."""
    files: Files = {}
    items = items_of(baseline, matrix)
    found = changes(before, items) if before is not None else None
    files["items.json"] = _json(items)
    for row in matrix.rows:
        files[f"rules/{row.rule.name}.yml"] = row.rule.text.encode()
    for profile in matrix.profiles:
        index = {}
        for row in matrix.rows:
            cell = row.cells[profile.name]
            entry: dict[str, Any] = {"id": row.rule.id, "status": cell.status}
            if cell.query:
                entry["file"] = f"{row.rule.name}{TARGETS[profile.target].suffix}"
                files[f"queries/{profile.name}/{entry['file']}"] = cell.query.encode() + b"\n"
            if cell.reason:
                entry["reason"] = cell.reason
            if cell.notes:
                entry["notes"] = list(cell.notes)
            if cell.warnings:
                entry["warnings"] = list(cell.warnings)
            index[row.rule.name] = entry
        files[f"queries/{profile.name}/index.json"] = _json(index)
    files["matrix.csv"] = tables.csv_of(matrix).encode()
    files["matrix.json"] = tables.json_of(matrix).encode()
    files["matrix.md"] = tables.markdown_of(matrix).encode()
    files["matrix.html"] = tables.html_of(matrix).encode()
    files["CHANGELOG.md"] = changelog(found, items, before).encode()
    for language in LANGUAGES:
        files[f"RELEASE.{language}.md"] = release_notes(baseline, matrix, found, language).encode()
    files["NOTICE"] = notice.encode()
    files[MANIFEST] = _manifest(baseline, files)
    return files


def items_of(baseline: Baseline, matrix: Matrix) -> dict[str, Any]:
    """The content of items.json."""
    return {
        "schema": SCHEMA,
        "version": baseline.version,
        "attack_version": baseline.attack_version,
        "items": [_item(item) for item in baseline.items.values()],
        "rules": [
            {"id": row.rule.id, "name": row.rule.name, "sha256": sha256(row.rule.text.encode()).hexdigest()}
            for row in matrix.rows
        ],
    }


def _item(item: Item) -> dict[str, Any]:
    trigger = item.trigger
    return {
        "id": item.id,
        "title": item.title,
        "title_zh": item.title_zh,
        "technique": item.technique,
        "tactic": item.tactic,
        "why": item.why,
        "why_zh": item.why_zh,
        "themes": list(item.themes),
        "tiers": list(item.tiers),
        "sources": list(item.sources),
        "rules": list(item.rules),
        "references": list(item.references),
        "trigger": {
            "count": trigger.count,
            "within_seconds": trigger.within_ms // 1000,
            "per": trigger.per,
            "severity": trigger.severity,
            "category": trigger.category,
            "asset": trigger.asset,
            "carries": list(trigger.carries),
        },
    }


def _manifest(baseline: Baseline, files: Mapping[str, bytes]) -> bytes:
    return _json(
        {
            "schema": SCHEMA,
            "version": baseline.version,
            "attack_version": baseline.attack_version,
            "files": {
                path: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for path, data in sorted(files.items())
            },
        }
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
