"""Groups of bars: logarithmic for rates, and from zero for counts, which may stand on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Final

from fsoc.charts.frame import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axes,
    chart,
    short,
    text,
    tick,
    top_of,
)

_ROOM: Final = 1.1  # for the figure above the highest bar
_LABEL_ROOM: Final = 6
_BAR_MAX: Final = 90


def bars(axes: Axes, series: Mapping[str, Sequence[float]]) -> str:
    """A group of bars for each place, a bar for each of the series; the height is logarithmic."""
    every = [value for values in series.values() for value in values]
    least, most = floor(log10(min(every))), ceil(log10(max(every)))
    height = HEIGHT - TOP - BOTTOM
    group = (WIDTH - LEFT - RIGHT) / len(axes.places)
    wide = group * 0.78 / len(series)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - least) / max(most - least, 1) * height

    body = [tick(up(10.0**power), short(10.0**power)) for power in range(least, most + 1)]
    for number, values in enumerate(series.values()):
        for place, value in enumerate(values):
            left = LEFT + (place + 0.11) * group + number * wide
            body.append(
                f'<rect x="{left:.1f}" y="{up(value):.1f}" width="{wide - 2:.1f}"'
                f' height="{HEIGHT - BOTTOM - up(value):.1f}" fill="{COLOURS[number]}"/>'
            )
            body.append(text(left + wide / 2 - 1, up(value) - 4, short(value), COLOURS[number], size=10))
    middle = (LEFT + (place + 0.5) * group for place in range(len(axes.places)))
    body += [text(at, HEIGHT - BOTTOM + 18, label) for at, label in zip(middle, axes.places, strict=True)]
    return chart(axes, series, body)


def counts(axes: Axes, series: Mapping[str, Sequence[int]], *, stacked: bool) -> str:
    """Bars from zero for each place: one for each of the series side by side, or on each other. None is drawn for 0."""
    columns = list(zip(*series.values(), strict=True))
    highest = max([sum(column) if stacked else max(column) for column in columns] + [1])
    step = _whole_step(highest)
    top = top_of(highest, _ROOM, step)
    height = HEIGHT - TOP - BOTTOM
    group = (WIDTH - LEFT - RIGHT) / len(axes.places)
    wide = min(group * 0.78 / (1 if stacked else len(series)), _BAR_MAX)
    first = -wide * (1 if stacked else len(series)) / 2  # from the middle of the place

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * height

    body = [tick(up(at), f"{at:g}") for at in (step * number for number in range(round(top / step) + 1))]
    for place, column in enumerate(columns):
        below = 0
        for number, value in enumerate(column):
            left = LEFT + (place + 0.5) * group + first + (0 if stacked else number * wide)
            if value:
                body.append(
                    f'<rect x="{left:.1f}" y="{up(below + value):.1f}" width="{max(wide - 2, 1):.1f}"'
                    f' height="{value / top * height:.1f}" fill="{COLOURS[number]}"/>'
                )
            if value and not stacked:
                body.append(text(left + wide / 2 - 1, up(value) - 4, f"{value:,}", COLOURS[number], size=11))
            below += value if stacked else 0
        if stacked and below:
            body.append(text(LEFT + (place + 0.5) * group, up(below) - 4, f"{below:,}", size=11))
    return chart(axes, series, [*body, *_named(axes.places, group)])


def _whole_step(highest: int) -> int:
    """A step for counts: 1, 2, 5, 10, 20, …, of which at most eight make the height."""
    power = 1
    while True:
        for part in (1, 2, 5):
            if highest <= 8 * part * power:
                return part * power
        power *= 10


def _named(places: Sequence[str], group: float) -> list[str]:
    """The places' names, as many of them as do not run into each other."""
    widest = max(len(name) for name in places) * _LABEL_ROOM + 8
    each = max(1, ceil(widest / group))
    return [
        text(LEFT + (place + 0.5) * group, HEIGHT - BOTTOM + 18, name, size=11)
        for place, name in enumerate(places)
        if place % each == 0
    ]
