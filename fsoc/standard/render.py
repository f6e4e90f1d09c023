"""The operating standard as Markdown and as HTML, both languages beside each other. Pure: text out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from fsoc.feeds.words import Word
from fsoc.standard.document import Example, Part, Standard, Table

_STYLE: Final = """
body { font: 11pt/1.55 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif; color: #1a1a1a;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem; }
h2 { margin-top: 2em; border-bottom: 1px solid #999; } h3 { margin: 1.4em 0 .4em; font-size: 1em; }
table { border-collapse: collapse; width: 100%; margin: 1em 0; font-size: .85em; }
th, td { text-align: left; vertical-align: top; padding: .25em .5em; border-bottom: 1px solid #ddd;
  overflow-wrap: anywhere; }
th { border-bottom: 1px solid #666; }
pre { background: #f4f4f4; padding: .8em; font-size: .8em; white-space: pre-wrap; }
@page { size: A4; margin: 15mm; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 9pt; } tr, pre { break-inside: avoid; } }
"""


def markdown(standard: Standard) -> str:
    """GitHub's dialect."""
    lines = [f"# {standard.title.both}", "", f"fsoc {standard.version}", ""]
    for number, section in enumerate(standard.sections, 1):
        lines += [f"## {number}. {section.title.both}", ""]
        for part in section.parts:
            lines += [*_markdown_part(part), ""]
    return "\n".join(lines)


def _markdown_part(part: Part) -> Iterator[str]:
    if isinstance(part, Word):
        yield from (part.en, "", part.zh)
    elif isinstance(part, Example):
        yield from (f"### {part.title.both}", "", "```json", part.body, "```")
    else:
        heads = [_cell(_head(head)) for head in part.heads]
        yield from (f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}")
        for row in part.rows:
            cells = [_code(cell) if place in part.code else _cell(cell) for place, cell in enumerate(row)]
            yield f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    """In a table's cell a bar must be escaped, also in code; all else is as it is."""
    text = text.replace("|", "\\|")
    return f"`{text}`" if text else ""


def _head(head: Word) -> str:
    return head.both if head.en else ""


def html(standard: Standard) -> str:
    """One file that needs nothing else."""
    body = [f"<h1>{escape(standard.title.both)}</h1>", f"<p>fsoc {escape(standard.version)}</p>"]
    for number, section in enumerate(standard.sections, 1):
        body.append(f"<h2>{number}. {escape(section.title.both)}</h2>")
        body += [_html_part(part) for part in section.parts]
    head = f'<meta charset="utf-8"><title>{escape(standard.title.both)}</title><style>{_STYLE}</style>'
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="zh-Hant"><head>{head}</head>\n<body>\n{text}\n</body></html>\n'


def _html_part(part: Part) -> str:
    if isinstance(part, Word):
        return f"<p>{escape(part.en)}</p>\n<p>{escape(part.zh)}</p>"
    if isinstance(part, Example):
        return f"<h3>{escape(part.title.both)}</h3>\n<pre>{escape(part.body)}</pre>"
    return _html_table(part)


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(_head(each))}</th>" for each in table.heads)
    rows = [
        "".join(
            f"<td><code>{escape(cell)}</code></td>" if place in table.code else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        for row in table.rows
    ]
    lines = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{lines}\n</tbody></table>"
