"""Feedback as plain text, for mail and terminals. Pure: whatever would move a cursor is written out."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category, east_asian_width

from fsoc.channels.content import Code, Facts, Items, Part, Queries, Rows, parts
from fsoc.channels.marks import DRILL, Language, drill_said, marked
from fsoc.sharing.model import Feedback


def text_of(feedback: Feedback, language: Language, queries: Queries | None = None) -> str:
    """The whole text, in one language; its first line is its title."""
    title = marked(feedback.title_zh if language == "zh-TW" else feedback.title, feedback, language)
    lines = [shown(title), "=" * _width(title), f"TLP:{feedback.tlp.upper()}"]
    drill = drill_said(feedback, language)
    if drill is not None:
        lines += ["", f"{DRILL} {drill}"]
    for heading, several in parts(feedback, language, queries):
        lines += ["", heading, "-" * _width(heading)]
        lines += [line for part in several for line in _lines(part)]
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """One line of text in which nothing is taken for a control: what is no mark, letter or space is written out."""
    return "".join(
        char if char == " " or category(char)[0] not in "CZ" else char.encode("unicode_escape").decode()
        for char in text
    )


def _lines(part: Part) -> Iterator[str]:
    if isinstance(part, Facts):
        widest = max((_width(name) for name, _ in part.rows), default=0)
        for name, value in part.rows:
            yield f"  {_padded(name, widest)}  {shown(value)}"
    elif isinstance(part, Rows):
        rows = [list(part.heads), *([shown(value) for value in row] for row in part.rows)]
        widths = [max(_width(row[place]) for row in rows) for place in range(len(part.heads))]
        for row in rows:
            padded = [_padded(value, width) for value, width in zip(row, widths, strict=True)]
            yield f"  {'  '.join(padded)}".rstrip()
    elif isinstance(part, Items):
        yield from (f"  - {shown(text)}" for text in part.texts)
    elif isinstance(part, Code):
        yield f"  {shown(part.title)}"
        yield ""
        yield from (f"    {shown(line)}".rstrip() for line in part.text.split("\n"))
    else:
        yield f"  {shown(part.text)}"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character has two."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
