"""Feed health as a grid: a cell an institution, as many columns as fit. Pure drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from fsoc.runtime.demo.picture import FeedHealth


class _Column(NamedTuple):
    """heading, width with the space before it, what it shows, its style where that is not nought."""

    heading: str
    width: int
    name: str
    style: str


_FULL = (
    _Column("recv", 6, "received", ""),
    _Column("used", 6, "used", "green"),
    _Column("dup", 5, "duplicate", ""),
    _Column("late", 5, "late", "yellow"),
    _Column("quar", 5, "quarantined", "red"),
    _Column("gap", 4, "missing", "magenta"),
)
_COMPACT = (
    _Column("recv", 5, "received", ""),
    _Column("d", 3, "duplicate", ""),
    _Column("l", 3, "late", "yellow"),
    _Column("q", 3, "quarantined", "red"),
    _Column("g", 3, "missing", "magenta"),
)
_ID_WIDTH = 6
_GUTTER = 2


def feed_grid(feeds: Sequence[FeedHealth], width: int, *, lines_max: int) -> list[Text]:
    """A heading and the institutions below it, column by column, in at most `lines_max` lines (three or more).

    Names are spelled out where all fit so. Where not all institutions fit, those in trouble come first.
    """
    columns = _FULL if _rows(len(feeds), width, _FULL) <= lines_max - 2 else _COMPACT
    across = _across(width, columns)
    rows = min(_rows(len(feeds), width, columns), lines_max - 2)
    shown = list(feeds)
    if rows * across < len(feeds):
        shown = sorted(feeds, key=lambda feed: (-_trouble(feed), feed.institution))[: rows * across]
    title = Text.assemble((" Feeds", "bold"), ("  d duplicate · l late · q quarantined · g gap", "dim"))
    if columns is _FULL:
        title = Text(" Feeds", "bold")
    if len(shown) < len(feeds):
        title.append(f"  ·  {len(shown)} of {len(feeds)}, those in trouble first", "dim")
    heading = Text(" " * _ID_WIDTH + "".join(column.heading.rjust(column.width) for column in columns), "dim")
    lines = [title, _join([heading] * -(-len(shown) // rows))]
    lines.extend(_join([_cell(feed, columns) for feed in shown[row::rows]]) for row in range(rows))
    return lines


def _cell(feed: FeedHealth, columns: Sequence[_Column]) -> Text:
    cell = Text(feed.institution.ljust(_ID_WIDTH), "dim" if feed.ended else "")
    for column in columns:
        number = getattr(feed, column.name)
        cell.append(_short(number, column.width - 1).rjust(column.width), column.style if number else "dim")
    return cell


def _short(number: int, width: int) -> str:
    """Never wider than width: `9+` is ten or more where one digit and a sign fit."""
    if not number:
        return "·"
    text = str(number)
    return text if len(text) <= width else "9" * (width - 1) + "+"


def _trouble(feed: FeedHealth) -> int:
    return 100 * feed.missing + 10 * feed.quarantined + feed.late


def _across(width: int, columns: Sequence[_Column]) -> int:
    cell = _ID_WIDTH + sum(column.width for column in columns)
    return max(1, (width - 1 + _GUTTER) // (cell + _GUTTER))


def _rows(count: int, width: int, columns: Sequence[_Column]) -> int:
    return -(-count // _across(width, columns))


def _join(cells: Sequence[Text]) -> Text:
    return Text(" ") + Text(" " * _GUTTER).join(cells)
