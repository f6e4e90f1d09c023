"""Tables for a terminal: names to the left, figures to the right. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import click
from rich.cells import cell_len, set_cell_size

Column = tuple[str, Callable[[Any], str]]
"""The head, and what stands in a row's cell."""

NAME_MIN: Final = 20
_BETWEEN: Final = "  "


def table(
    columns: Sequence[Column],
    rows: Sequence[Any],
    colour: str,
    is_marked: Callable[[Any], bool],
    room: int | None = None,
) -> Iterator[str]:
    """A line of heads and one for each row, each column as wide as its widest; marked rows have the colour.

    room: cells in a line. Names give way to figures, down to NAME_MIN; None: as much as it takes.
    """
    cells = [[name for name, _ in columns], *([text(row) for _, text in columns] for row in rows)]
    widths = [max(cell_len(line[place]) for line in cells) for place in range(len(columns))]
    if room is not None:
        widths[0] = min(
            widths[0], max(NAME_MIN, room - sum(len(_BETWEEN) + width for width in widths[1:]) - len(_BETWEEN))
        )
    for number, line in enumerate(cells):
        text = _BETWEEN + _BETWEEN.join(
            _left(cell, width) if place == 0 else _right(cell, width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        if number == 0:
            yield click.style(text, dim=True)
        else:
            yield click.style(text, fg=colour) if is_marked(rows[number - 1]) else text


def _left(cell: str, width: int) -> str:
    return set_cell_size(cell if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…", width)


def _right(cell: str, width: int) -> str:
    return " " * (width - cell_len(cell)) + cell
