"""Charts are well-formed, show every figure they are given, and are the same for the same figures."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks import plots
from fsoc.charts import Axes, bars, lines

DETECT = {
    "lanes": [{"rules": 3132}],
    "by_rules": [
        {"lane": lane, "rules": rules, "ratio": ratio}
        for lane, ratios in {"process": (1.2, 0.9, 0.6), "mixed": (1.4, 1.1, 0.7)}.items()
        for rules, ratio in zip((100, 1000, 3132), ratios, strict=True)
    ],
    "by_novelty": [
        {"lane": "process", "novelty": novelty, "ratio": ratio}
        for novelty, ratio in ((0.0, 0.8), (0.01, 0.7), (1.0, 0.1))
    ],
}
PEERS = {
    "rules": 3132,
    "lanes": [
        {
            "lane": lane,
            "in_process_per_second": 40_000.0,
            "by_engine": {"rsigma": {"events_per_second": 9e3}},
        }
        for lane in ("process", "mixed", "a < b")
    ],
}


def elements(svg):
    return list(ET.fromstring(svg).iter())  # noqa: S314 - our own text


def texts(svg):
    return [element.text for element in elements(svg) if element.tag.endswith("}text")]


@pytest.mark.parametrize(
    ("chart", "figures", "shown"),
    [
        (plots.by_rules, DETECT, {"100", "1,000", "3,132", "1.2", "0.6", "1.4", "process", "mixed"}),
        (plots.by_novelty, DETECT, {"0%", "1%", "100%", "0.8", "0.1", "process"}),
        (plots.by_peers, PEERS, {"fsoc", "rsigma", "40k", "9k", "a < b"}),
    ],
)
def test_every_figure_and_every_name_is_in_the_chart(chart, figures, shown):
    assert shown <= set(texts(chart(figures)))
    assert chart(figures) == chart(figures)


@pytest.mark.parametrize("values", [(0.003, 0.004), (0.9, 1.0), (7.0, 123_456.0)])
@pytest.mark.parametrize("draw", [lines, bars])
def test_nothing_is_drawn_outside_the_picture(draw, values):
    svg = draw(Axes("t", ["a", "b"], "x", "y"), {"one": values, "two": values[::-1]})
    heights = [float(element.get("y", element.get("cy", "0"))) for element in elements(svg)]

    assert all(0 <= height <= 400 for height in heights)


def test_the_charts_are_made_of_the_results_that_were_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.report.RESULTS", tmp_path)
    monkeypatch.setattr(plots, "PLOTS", tmp_path / "plots")
    from benchmarks.report import save

    save("detect", DETECT)
    save("peers", PEERS)
    plots.main()

    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["novelty.svg", "peers.svg", "rules.svg"]
