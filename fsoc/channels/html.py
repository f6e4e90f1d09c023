"""Feedback as one HTML page that prints: nothing from outside, no script, everything escaped. Pure: text out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from fsoc.channels.content import Code, Facts, Items, Part, Queries, Rows, parts
from fsoc.channels.marks import Language, drill_said, marked
from fsoc.sharing.model import Feedback

_LEVELS: Final = {"critical": "#8b0000", "high": "#b3361b", "medium": "#8a6100", "low": "#1b5e8a"}
_STYLE: Final = """
:root { color-scheme: light; }
body { font: 10.5pt/1.55 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif;
  color: #1a1a1a; max-width: 50rem; margin: 2rem auto; padding: 0 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; line-height: 1.3; margin: 0 0 .5em; padding-left: .6em; border-left: .3em solid LEVEL; }
h2 { font-size: 1.1em; margin: 1.6em 0 .4em; border-bottom: 1px solid #999; }
p { margin: .4em 0; } .small { color: #555; font-size: .85em; } ul { margin: .3em 0; padding-left: 1.3em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1.2em; margin: .5em 0; }
dt { color: #555; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .6em 0; font-size: .92em; }
th, td { padding: .25em .6em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #666; } td.code, pre { font-family: ui-monospace, "Noto Sans Mono", monospace; }
td.code { font-size: .95em; } figure { margin: .8em 0; } figcaption { font-weight: 600; font-size: .92em; }
pre { background: #f5f5f2; border: 1px solid #ddd; padding: .7em; font-size: .82em; line-height: 1.4;
  white-space: pre-wrap; margin: .3em 0; }
.tlp { display: inline-block; background: #000; color: #ffc000; font-weight: 700; padding: .1em .6em;
  print-color-adjust: exact; }
.drill { background: #fff3c4; border: 3px solid #b8860b; padding: .6em 1em; font-weight: 700; font-size: 1.1em;
  print-color-adjust: exact; margin: 0 0 1em; }
.retracted { background: #eee; border: 2px solid #666; padding: .6em 1em; font-weight: 600; margin: 0 0 1em; }
@page { size: A4; margin: 15mm; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 9.5pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } }
"""


def html_of(feedback: Feedback, language: Language, queries: Queries | None = None) -> str:
    """The whole document, in one language."""
    title = marked(feedback.title_zh if language == "zh-TW" else feedback.title, feedback, language)
    body: list[str] = []
    drill = drill_said(feedback, language)
    if drill is not None:
        body.append(f'<p class="drill">【演練】 {escape(drill)}</p>')
    body += [f'<p><span class="tlp">TLP:{escape(feedback.tlp.upper())}</span></p>', f"<h1>{escape(title)}</h1>"]
    for heading, several in parts(feedback, language, queries):
        body.append(f"<h2>{escape(heading)}</h2>")
        body += [markup for part in several for markup in _markup(part)]
    style = _STYLE.replace("LEVEL", _LEVELS.get(feedback.level, "#555"))
    head = (
        f'<meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style>"
    )
    tongue = "zh-Hant-TW" if language == "zh-TW" else "en"
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="{tongue}"><head>{head}</head>\n<body>\n{text}\n</body></html>\n'


def _markup(part: Part) -> Iterator[str]:
    if isinstance(part, Facts):
        rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in part.rows)
        yield f"<dl>{rows}</dl>"
    elif isinstance(part, Rows):
        yield f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in part.heads)}</tr>"
        for row in part.rows:
            yield f"<tr>{''.join(_cell(value, place in part.code) for place, value in enumerate(row))}</tr>"
        yield "</table>"
    elif isinstance(part, Items):
        yield f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in part.texts)}</ul>"
    elif isinstance(part, Code):
        yield f"<figure><figcaption>{escape(part.title)}</figcaption><pre>{escape(part.text)}</pre></figure>"
    else:
        yield f"<p{' class=small' if part.is_small else ''}>{escape(part.text)}</p>"


def _cell(value: str, is_code: bool) -> str:
    return f"<td{' class=code' if is_code else ''}>{escape(value)}</td>"
