"""Charts are well-formed whatever they are told, inside their picture, and the same for the same figures."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.charts import Axes, Point, Range, counts, curve, ranges
from fsoc.charts.frame import fitted, text_width

_words = st.text(max_size=40)
_shares = st.floats(0, 1)


def elements(svg):
    return list(ET.fromstring(svg).iter())  # noqa: S314 - our own text


def of(svg, tag):
    return [element for element in elements(svg) if element.tag.endswith(f"}}{tag}")]


def texts(svg):
    return [element.text for element in of(svg, "text")]


def inside(svg):
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        for name in ("x", "cx", "x1", "x2"):
            assert 0 <= float(element.get(name, "0")) <= width
        for name in ("y", "cy", "y1", "y2"):
            assert 0 <= float(element.get(name, "0")) <= height
    return True


@given(
    st.lists(st.tuples(_words, st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=40), st.booleans()
)
def test_counts_are_drawn_whatever_they_are_and_are_called(rows, stacked):
    axes = Axes("t", [name for name, *_ in rows], "x", "y")
    series = {"a": [one for _, one, _ in rows], "b": [other for *_, other in rows]}
    svg = counts(axes, series, stacked=stacked)

    assert inside(svg)
    assert svg == counts(axes, series, stacked=stacked)
    drawn = of(svg, "rect")[3:]  # after the ground and the legend
    assert len(drawn) == sum(value > 0 for values in series.values() for value in values)


def test_stacked_bars_stand_on_each_other_and_say_their_sum():
    svg = counts(Axes("t", ["monday"], "x", "y"), {"a": [3], "b": [2]}, stacked=True)
    lower, upper = of(svg, "rect")[-2:]

    assert float(upper.get("y")) + float(upper.get("height")) == pytest.approx(float(lower.get("y")), abs=0.2)
    assert float(lower.get("height")) / float(upper.get("height")) == pytest.approx(1.5, rel=0.01)
    assert {"5", "monday"} <= set(texts(svg))


@pytest.mark.parametrize(("most", "step"), [(1, 1), (8, 1), (9, 2), (17, 5), (400, 50), (401, 100)])
def test_counts_have_whole_steps(most, step):
    svg = counts(Axes("t", ["monday"], "", ""), {"a": [most]}, stacked=False)

    assert {"0", str(step), str(2 * step)} <= set(texts(svg))
    assert "2.5" not in texts(svg)


@given(st.lists(st.tuples(_words, st.tuples(_shares, _shares, _shares).map(sorted)), max_size=12))
def test_ranges_draw_a_point_and_its_reach_for_each_row(rows):
    found = [Range(value, low, high, f"{value:.2f}") for _, (low, value, high) in rows]
    svg = ranges(
        Axes("t", [name for name, _ in rows], "x", ""), ["zh" for _ in rows], {"a": found, "b": [None] * len(rows)}
    )

    assert inside(svg)
    assert len(of(svg, "circle")) == len(rows)


@given(st.lists(st.builds(Point, _words, _shares, _shares, st.booleans()), max_size=12))
def test_curves_draw_every_place_once_and_name_every_point(points):
    svg = curve(Axes("t", (), "x", "y"), {"a": points}, "now")

    assert inside(svg)
    filled = [circle for circle in of(svg, "circle") if circle.get("fill") != "none"]
    assert len(filled) == len({(point.recall, point.precision) for point in points})


def test_a_curve_marks_what_holds_now_and_keeps_names_apart():
    points = [Point("1h", 0.7, 1.0), Point("4h", 0.7, 0.95), Point("24h", 0.8, 0.7, marked=True)]
    svg = curve(Axes("t", (), "x", "y"), {"a": points}, "now")
    rings = [circle for circle in of(svg, "circle") if circle.get("fill") == "none"]
    places = {element.text: float(element.get("y")) for element in of(svg, "text") if element.text in {"1h", "4h"}}

    assert len(rings) == 2  # one around the point, one that says what it means
    assert "now" in texts(svg)
    assert abs(places["1h"] - places["4h"]) >= 13


@given(st.text(), st.integers(20, 400))
def test_a_text_that_is_fitted_fits(words, width):
    shortened = fitted(words, width)

    assert 0.9 * text_width(shortened) <= width or len(shortened) <= 1
    assert shortened == words or shortened.endswith("…")
