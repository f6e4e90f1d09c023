"""What every chart has: its size, title, legend, axes, and text that is safe in SVG. Draws no figures."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 400
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 64, 56
COLOURS: Final = ("#0b5cad", "#d1570a", "#2b8a3e", "#7048a8")
INK, GRID = "#222", "#ddd"

_LEGEND_GAP: Final = 40
_PROPORTIONAL: Final = 0.9
"""Sentences take less than `text_width` has it, which must do for capitals too."""
_WIDE: Final = frozenset("WF")


@dataclass(frozen=True, slots=True)
class Axes:
    """places: what stands under the chart, from the left. values: what the height means."""

    title: str
    places: Sequence[str]
    places_are: str
    values_are: str


def chart(axes: Axes, series: Iterable[str], body: Sequence[str], *, height: int = HEIGHT) -> str:
    """The picture: title, a legend of the series in their colours, what was drawn, and the names of both axes."""
    middle, ground = (height - BOTTOM + TOP) / 2, height - BOTTOM
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12">',
            f"<title>{escape(axes.title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            text(LEFT, 22, fitted(axes.title, WIDTH - RIGHT - LEFT, 14), anchor="start", size=15),
            *_legend(series),
            *body,
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{ground}" y2="{ground}" stroke="{INK}"/>',
            text((LEFT + WIDTH - RIGHT) / 2, height - 14, axes.places_are),
            f'<g transform="rotate(-90 18 {middle:.0f})">{text(18, middle, axes.values_are)}</g>',
            "</svg>\n",
        )
    )


def tick(at: float, label: str) -> str:
    """A line across, with what height it is."""
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>'
    return line + text(LEFT - 8, at + 4, label, anchor="end")


def text(x: float, y: float, words: str, colour: str = INK, *, anchor: str = "middle", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(_drawable(words))}</text>"
    )


def text_width(words: str, size: int = 12) -> float:
    """About how wide it is drawn: Chinese characters take the place of a square."""
    return sum(size * (1.0 if unicodedata.east_asian_width(each) in _WIDE else 0.6) for each in words)


def fitted(words: str, width: float, size: int = 12) -> str:
    """The text, shortened with … where it would be wider than that."""
    while text_width(words, size) * _PROPORTIONAL > width:
        words = words[:-2].rstrip() + "…"
    return words


def step_of(highest: float) -> float:
    """A round step of which four to ten make the height."""
    power = 10.0 ** floor(log10(highest))
    return next(step for part in (0.1, 0.2, 0.25, 0.5, 1.0) if highest / (step := power * part) <= 8)


def top_of(highest: float, room: float, step: float) -> float:
    """The height of the chart in values: whole steps, with room above the highest."""
    return step * ceil(highest * room / step)


def short(value: float) -> str:
    """12,345 as 12k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _legend(series: Iterable[str]) -> Iterable[str]:
    at = float(LEFT)
    for number, name in enumerate(series):
        yield f'<rect x="{at:.1f}" y="38" width="14" height="10" fill="{COLOURS[number]}"/>'
        yield text(at + 20, 47, name, anchor="start")
        at += _LEGEND_GAP + text_width(name)


def _drawable(words: str) -> str:
    """Without the characters that XML cannot hold: what is drawn may come from a file that others wrote."""
    return "".join(each if each.isprintable() else " " for each in words)
