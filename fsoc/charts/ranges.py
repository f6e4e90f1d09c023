"""Rows of shares, 0 to 1: for each row and each of the series a point, and how far the truth may lie from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsoc.charts.frame import COLOURS, GRID, LEFT, RIGHT, TOP, WIDTH, Axes, chart, fitted, text

_NAME: Final = 22
"""What the row's name takes of its height, above the points."""
_APART: Final = 15
_ROOM: Final = 8
_FOOT: Final = 56
_INSET: Final = 8
_FIGURE: Final = 104
"""What the figures on the right take of the width."""


@dataclass(frozen=True, slots=True)
class Range:
    """low ≤ value ≤ high, all of 0 to 1. said: the figure in words."""

    value: float
    low: float
    high: float
    said: str


def ranges(axes: Axes, subtitles: Sequence[str], series: Mapping[str, Sequence[Range | None]]) -> str:
    """A row for each place, under each other: its name, the subtitle behind it, its points below. None: no point."""
    row_height = _NAME + _APART * len(series) + _ROOM
    height = TOP + row_height * len(axes.places) + _FOOT
    span = WIDTH - RIGHT - _FIGURE - LEFT - _INSET

    def across(share: float) -> float:
        return LEFT + _INSET + share * span

    ground = height - _FOOT
    body = [
        f'<line x1="{across(at / 4):.1f}" x2="{across(at / 4):.1f}" y1="{TOP}" y2="{ground}" stroke="{GRID}"/>'
        + text(across(at / 4), ground + 18, f"{at / 4:g}")
        for at in range(5)
    ]
    for row, (name, subtitle) in enumerate(zip(axes.places, subtitles, strict=True)):
        top = TOP + row * row_height
        words = fitted(f"{name} · {subtitle}" if subtitle else name, WIDTH - RIGHT - LEFT)
        body.append(text(LEFT, top + _NAME - 6, words, anchor="start"))
        for number, values in enumerate(series.values()):
            found = values[row]
            if found is not None:
                body += _drawn(found, across, top + _NAME + (number + 0.5) * _APART, COLOURS[number])
    return chart(axes, series, body, height=height)


def _drawn(found: Range, across: Callable[[float], float], at: float, colour: str) -> list[str]:
    ends = f'x1="{across(found.low):.1f}" x2="{across(found.high):.1f}" y1="{at:.1f}" y2="{at:.1f}"'
    return [
        f'<line {ends} stroke="{colour}" stroke-width="2" stroke-opacity="0.45"/>',
        f'<circle cx="{across(found.value):.1f}" cy="{at:.1f}" r="4.5" fill="{colour}"/>',
        text(WIDTH - RIGHT - _FIGURE + _ROOM + 4, at + 4, found.said, colour, anchor="start", size=11),
    ]
