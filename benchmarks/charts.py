"""Two kinds of chart as SVG text: lines over places that are evenly apart, and groups of bars. Reads nothing.

Written out by hand: three small pictures are not worth a plotting library in the lock, and the same figures give the
same bytes, so that a change of a picture is a change of a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 20, 64, 56
_COLOURS: Final = ("#0b5cad", "#d1570a", "#2b8a3e", "#7048a8")
_DASHES: Final = ("", "7 4", "2 3", "9 3 2 3")
_ROOM: Final = 1.08  # for the figure above the highest point
_INK, _GRID = "#222", "#ddd"


@dataclass(frozen=True, slots=True)
class Axes:
    """places: what stands under the chart, from the left. values: what the height means."""

    title: str
    places: Sequence[str]
    places_are: str
    values_are: str


def lines(axes: Axes, series: Mapping[str, Sequence[float]]) -> str:
    """A line for each of the series, from zero up."""
    highest = max(max(values) for values in series.values())
    step = _step(highest)
    top = step * ceil(highest * _ROOM / step)
    height = HEIGHT - _TOP - _BOTTOM

    def across(place: int) -> float:
        return _LEFT + (place + 0.5) * (WIDTH - _LEFT - _RIGHT) / len(axes.places)

    def up(value: float) -> float:
        return HEIGHT - _BOTTOM - value / top * height

    ticks = [step * number for number in range(round(top / step) + 1)]
    body = [_tick(up(tick), f"{tick:g}") for tick in ticks]
    for number, values in enumerate(series.values()):
        colour, dash = _COLOURS[number], _DASHES[number]
        points = " ".join(f"{across(place):.1f},{up(value):.1f}" for place, value in enumerate(values))
        body.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        for place, value in enumerate(values):
            body.append(f'<circle cx="{across(place):.1f}" cy="{up(value):.1f}" r="3.5" fill="{colour}"/>')
            above = value >= max(others[place] for others in series.values())
            body.append(_text(across(place), up(value) + (-9 if above else 18), f"{value:.3g}", colour, size=11))
    body += [_text(across(place), HEIGHT - _BOTTOM + 18, label) for place, label in enumerate(axes.places)]
    return _chart(axes, series, body)


def bars(axes: Axes, series: Mapping[str, Sequence[float]]) -> str:
    """A group of bars for each place, a bar for each of the series; the height is logarithmic."""
    every = [value for values in series.values() for value in values]
    least, most = floor(log10(min(every))), ceil(log10(max(every)))
    height = HEIGHT - _TOP - _BOTTOM
    group = (WIDTH - _LEFT - _RIGHT) / len(axes.places)
    wide = group * 0.78 / len(series)

    def up(value: float) -> float:
        return HEIGHT - _BOTTOM - (log10(value) - least) / max(most - least, 1) * height

    body = [_tick(up(10.0**power), _short(10.0**power)) for power in range(least, most + 1)]
    for number, values in enumerate(series.values()):
        for place, value in enumerate(values):
            left = _LEFT + (place + 0.11) * group + number * wide
            body.append(
                f'<rect x="{left:.1f}" y="{up(value):.1f}" width="{wide - 2:.1f}"'
                f' height="{HEIGHT - _BOTTOM - up(value):.1f}" fill="{_COLOURS[number]}"/>'
            )
            body.append(_text(left + wide / 2 - 1, up(value) - 4, _short(value), _COLOURS[number], size=10))
    middle = (_LEFT + (place + 0.5) * group for place in range(len(axes.places)))
    body += [_text(at, HEIGHT - _BOTTOM + 18, label) for at, label in zip(middle, axes.places, strict=True)]
    return _chart(axes, series, body)


def _chart(axes: Axes, series: Iterable[str], body: Sequence[str]) -> str:
    legend: list[str] = []
    at = float(_LEFT)
    for number, name in enumerate(series):
        legend.append(f'<rect x="{at:.1f}" y="38" width="14" height="10" fill="{_COLOURS[number]}"/>')
        legend.append(_text(at + 20, 47, name, anchor="start"))
        at += 40 + 7.2 * len(name)
    middle, ground = (HEIGHT - _BOTTOM + _TOP) / 2, HEIGHT - _BOTTOM
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12">',
            f"<title>{escape(axes.title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            _text(_LEFT, 22, axes.title, anchor="start", size=15),
            *legend,
            *body,
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{ground}" y2="{ground}" stroke="{_INK}"/>',
            _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 14, axes.places_are),
            f'<g transform="rotate(-90 18 {middle:.0f})">{_text(18, middle, axes.values_are)}</g>',
            "</svg>\n",
        )
    )


def _tick(at: float, label: str) -> str:
    line = f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{_GRID}"/>'
    return line + _text(_LEFT - 8, at + 4, label, anchor="end")


def _text(x: float, y: float, text: str, colour: str = _INK, *, anchor: str = "middle", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
    )


def _step(highest: float) -> float:
    """A round step of which four to ten make the height."""
    power = 10.0 ** floor(log10(highest))
    return next(step for part in (0.1, 0.2, 0.25, 0.5, 1.0) if highest / (step := power * part) <= 8)


def _short(value: float) -> str:
    """12,345 as 12k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
