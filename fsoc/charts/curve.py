"""A trade-off: points of two shares, recall to the right and precision upwards, joined in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsoc.charts.frame import BOTTOM, COLOURS, GRID, HEIGHT, INK, LEFT, RIGHT, TOP, WIDTH, Axes, chart, text, tick

_LABELS_WIDE: Final = 90
_LINE: Final = 13
"""What a name takes of the height."""
_BESIDE: Final = (-8, 20, 5, -21, 33)
"""Where a name may stand, from its point down, the best first."""
_INSET: Final = 12
_KEY_AT: Final = 540
_WIDTH: Final = WIDTH - LEFT - RIGHT - 2 * _INSET
_HEIGHT: Final = HEIGHT - TOP - BOTTOM - _INSET


@dataclass(frozen=True, slots=True)
class Point:
    """One setting. marked: the one that holds now."""

    name: str
    recall: float
    precision: float
    marked: bool = False


def curve(axes: Axes, series: Mapping[str, Sequence[Point]], marked: str) -> str:
    """A line for each of the series through its points in the order given, each with its name; several points of a
    series at one place are named together.

    marked: what the ring around a point means. axes.places is not looked at: both axes go from 0 to 1.
    """
    quarters = [at / 4 for at in range(5)]
    body = [tick(_up(at), f"{at:g}") for at in quarters]
    for at in quarters:
        across = f'x1="{_across(at):.1f}" x2="{_across(at):.1f}" y1="{_up(1):.1f}" y2="{_up(0):.1f}"'
        body.append(f'<line {across} stroke="{GRID}"/>')
        body.append(text(_across(at), HEIGHT - BOTTOM + 18, f"{at:g}"))
    taken: list[tuple[float, float]] = []
    for number, points in enumerate(series.values()):
        body += _line(points, COLOURS[number], taken)
    ring = f'<circle cx="{_KEY_AT + 7}" cy="43" r="7" fill="none" stroke="{INK}" stroke-width="1.5"/>'
    return chart(axes, series, [ring, text(_KEY_AT + 20, 47, marked, anchor="start"), *body])


def _line(points: Sequence[Point], colour: str, taken: list[tuple[float, float]]) -> Iterator[str]:
    """taken: where names stand already; those of this line are added."""
    joined = " ".join(f"{_across(point.recall):.1f},{_up(point.precision):.1f}" for point in points)
    yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2" stroke-opacity="0.6"/>'
    places: dict[tuple[float, float], list[Point]] = {}
    for point in points:
        places.setdefault((point.recall, point.precision), []).append(point)
    for (recall, precision), here in places.items():
        x, y = _across(recall), _up(precision)
        if any(point.marked for point in here):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{INK}" stroke-width="1.5"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        anchor, beside = ("end", -12) if x > WIDTH - RIGHT - _LABELS_WIDE else ("start", 12)
        at = next((y + down for down in _BESIDE if _is_free(x, y + down, taken)), y + _BESIDE[0])
        taken.append((x, at))
        yield text(x + beside, at, ", ".join(point.name for point in here), colour, anchor=anchor)


def _is_free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> bool:
    inside = TOP + _LINE < y < HEIGHT - BOTTOM
    return inside and not any(abs(x - other) < _LABELS_WIDE and abs(y - at) < _LINE for other, at in taken)


def _across(share: float) -> float:
    return LEFT + _INSET + share * _WIDTH


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * _HEIGHT
