"""Lines over places that are evenly apart, from zero up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fsoc.charts.frame import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, chart, step_of, text, tick, top_of

_DASHES: Final = ("", "7 4", "2 3", "9 3 2 3")
_ROOM: Final = 1.08  # for the figure above the highest point


def lines(axes: Axes, series: Mapping[str, Sequence[float]]) -> str:
    """A line for each of the series, from zero up."""
    highest = max(max(values) for values in series.values())
    step = step_of(highest)
    top = top_of(highest, _ROOM, step)
    height = HEIGHT - TOP - BOTTOM

    def across(place: int) -> float:
        return LEFT + (place + 0.5) * (WIDTH - LEFT - RIGHT) / len(axes.places)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * height

    ticks = [step * number for number in range(round(top / step) + 1)]
    body = [tick(up(at), f"{at:g}") for at in ticks]
    for number, values in enumerate(series.values()):
        colour, dash = COLOURS[number], _DASHES[number]
        points = " ".join(f"{across(place):.1f},{up(value):.1f}" for place, value in enumerate(values))
        body.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        for place, value in enumerate(values):
            body.append(f'<circle cx="{across(place):.1f}" cy="{up(value):.1f}" r="3.5" fill="{colour}"/>')
            above = value >= max(others[place] for others in series.values())
            body.append(text(across(place), up(value) + (-9 if above else 18), f"{value:.3g}", colour, size=11))
    body += [text(across(place), HEIGHT - BOTTOM + 18, label) for place, label in enumerate(axes.places)]
    return chart(axes, series, body)
