"""The charts of the manual, from the figures that were kept. Measures nothing.

python -m benchmarks.plots          results/{detect,peers}.json → plots/{rules,novelty,peers}.svg
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import report
from fsoc.charts import Axes, bars, lines

OURS: Final = "fsoc"
PLOTS: Final = Path(__file__).parent / "plots"
_RATIO: Final = "events for one orjson.loads of the same bytes"


def by_rules(figures: Mapping[str, Any]) -> str:
    rows = figures["by_rules"]
    places = [f"{count:,}" for count in sorted({row["rules"] for row in rows})]
    axes = Axes("Rate against rules of the same routes", places, "rules", _RATIO)
    return lines(axes, _by_lane(rows, "rules"))


def by_novelty(figures: Mapping[str, Any]) -> str:
    rows = figures["by_novelty"]
    places = [f"{share:.0%}" for share in sorted({row["novelty"] for row in rows})]
    title = f"Rate against novelty, {figures['lanes'][0]['rules']:,} rules"
    return lines(Axes(title, places, "events whose texts nobody has seen before", _RATIO), _by_lane(rows, "novelty"))


def by_peers(figures: Mapping[str, Any]) -> str:
    """Ours in a process that is running, others' commands net of their start."""
    rows = figures["lanes"]
    names = list(rows[0]["by_engine"])
    title = f"Engines on one core, {figures['rules']:,} rules, net of start"
    axes = Axes(title, [row["lane"] for row in rows], "lane", "events a CPU second (logarithmic)")
    theirs = {name: [row["by_engine"][name]["events_per_second"] for row in rows] for name in names}
    return bars(axes, {OURS: [row["in_process_per_second"] for row in rows], **theirs})


def _by_lane(rows: Sequence[Mapping[str, Any]], over: str) -> dict[str, list[float]]:
    series: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: row[over]):
        series.setdefault(row["lane"], []).append(row["ratio"])
    return series


CHARTS: Final[dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]]] = {
    "rules": ("detect", by_rules),
    "novelty": ("detect", by_novelty),
    "peers": ("peers", by_peers),
}


def main() -> None:
    PLOTS.mkdir(exist_ok=True)
    for name, (result, chart) in CHARTS.items():
        kept = json.loads((report.RESULTS / f"{result}.json").read_text(encoding="utf-8"))
        path = PLOTS / f"{name}.svg"
        path.write_text(chart(kept["figures"]), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
