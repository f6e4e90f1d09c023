"""The support matrix as CSV, JSON, Markdown and HTML: the same cells in each. Pure text."""

from __future__ import annotations

import csv
import json
from html import escape
from io import StringIO
from typing import Final

from fsoc.baseline.conversion.targets import NOTES, TARGETS
from fsoc.baseline.publish.matrix import STATUSES, Cell, Matrix

_FORMULA: Final = frozenset("=+-@\t\r")
_MARKS: Final = {"converted": "✓", "hand-written": "✎", "not expressible": "✗"}

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 10pt/1.5 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif; color: #1a1a1a;
  margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .85em; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #bbb; padding: .2em .4em; vertical-align: top; text-align: left; }
thead th { background: #eee; position: sticky; top: 0; } tbody th { font-weight: 400; }
td.converted { background: #e6f4ea; } td.hand-written { background: #e8f0fe; }
td.not-expressible { background: #fce8e6; }
small { color: #444; display: block; } @page { size: A4 landscape; margin: 10mm; }
@media print { body { margin: 0; max-width: none; } thead { display: table-header-group; } tr { break-inside: avoid; } }
"""


def csv_of(matrix: Matrix) -> str:
    """A line a rule, a column a profile."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [profile.name for profile in matrix.profiles]
    writer.writerow(["name", "id", "items", *names])
    for row in matrix.rows:
        cells = [row.cells[name].told for name in names]
        writer.writerow(map(_safe, [row.rule.name, row.rule.id, " ".join(row.rule.items), *cells]))
    return out.getvalue()


def json_of(matrix: Matrix) -> str:
    """Counts by profile, and every cell."""
    told = {
        "schema": "fsoc.support-matrix/1",
        "version": matrix.version,
        "profiles": {
            profile.name: {"target": profile.target, "mapping": profile.mapping, **matrix.counts(profile.name)}
            for profile in matrix.profiles
        },
        "notes": {name: {"en": en, "zh": zh} for name, (en, zh) in NOTES.items()},
        "rules": [
            {
                "id": row.rule.id,
                "name": row.rule.name,
                "title": row.rule.title,
                "title_zh": row.rule.title_zh,
                "items": list(row.rule.items),
                "cells": {name: _as_json(cell) for name, cell in row.cells.items()},
            }
            for row in matrix.rows
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def markdown_of(matrix: Matrix) -> str:
    """Marks in a table; reasons and notes below it."""
    names = [profile.name for profile in matrix.profiles]
    lines = [
        f"# Support matrix 支援矩陣 {matrix.version}",
        "",
        " · ".join(f"{_MARKS[status]} {status} {zh}" for status, zh in STATUSES.items()),
        "",
        f"| rule 規則 | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
        f"| **rules with a query 有查詢之規則** | {' | '.join(_share(name, matrix) for name in names)} |",
    ]
    for row in matrix.rows:
        marks = " | ".join(_MARKS[row.cells[name].status] for name in names)
        lines.append(f"| `{row.rule.name}`<br>{_line(row.rule.title)} {_line(row.rule.title_zh)} | {marks} |")
    reasons = [
        f"- `{row.rule.name}`, {name}: {_line(cell.reason)}"
        for row in matrix.rows
        for name, cell in row.cells.items()
        if cell.status == "not expressible"
    ]
    if reasons:
        lines += ["", "## Not expressible, and why 無法表達及其原因", "", *reasons]
    lines += ["", "## Notes 注意事項", ""]
    for note, (en, zh) in NOTES.items():
        where = [name for name in names if any(note in row.cells[name].notes for row in matrix.rows)]
        if where:
            lines.append(f"- **{note}** ({', '.join(where)}): {en} {zh}")
    return "\n".join(lines) + "\n"


def html_of(matrix: Matrix) -> str:
    """One page, nothing from outside; status by word and mark, not by colour alone."""
    names = [profile.name for profile in matrix.profiles]
    head = "".join(f'<th scope="col">{escape(_column(name, matrix))}</th>' for name in names)
    body = []
    for row in matrix.rows:
        title = f"{escape(row.rule.title)}<br>{escape(row.rule.title_zh)}"
        rule = f"<code>{escape(row.rule.name)}</code><small>{title}</small>"
        cells = "".join(_td(row.cells[name]) for name in names)
        body.append(f'<tr><th scope="row">{rule}</th>{cells}</tr>')
    notes = "".join(f"<dt>{note}</dt><dd>{escape(en)}<br>{escape(zh)}</dd>" for note, (en, zh) in NOTES.items())
    heading = f"Support matrix · 支援矩陣 {escape(matrix.version)}"
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="zh-Hant"><head>{meta}<title>{heading}</title><style>{_STYLE}</style></head>\n'
        f'<body><h1>{heading}</h1>\n<table><thead><tr><th scope="col">Rule 規則</th>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(body)
        + f"\n</tbody></table>\n<h2>Notes · 注意事項</h2><dl>{notes}</dl></body></html>\n"
    )


def _column(name: str, matrix: Matrix) -> str:
    target, _, mapping = name.partition("+")
    return f"{TARGETS[target].name}{f' ({mapping})' if mapping else ''} {_share(name, matrix)}"


def _share(name: str, matrix: Matrix) -> str:
    with_query, of = matrix.share(name)
    return f"{with_query}/{of}"


def _td(cell: Cell) -> str:
    more = cell.reason or ", ".join(cell.notes)
    small = f"<small>{escape(more)}</small>" if more else ""
    told = f"{_MARKS[cell.status]} {cell.status} {STATUSES[cell.status]}"
    return f'<td class="{cell.status.replace(" ", "-")}">{told}{small}</td>'


def _as_json(cell: Cell) -> dict[str, object]:
    told: dict[str, object] = {"status": cell.status}
    if cell.reason:
        told["reason"] = cell.reason
    if cell.notes:
        told["notes"] = list(cell.notes)
    return told


def _safe(text: str) -> str:
    """Nothing that a spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in _FORMULA else text


def _line(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
