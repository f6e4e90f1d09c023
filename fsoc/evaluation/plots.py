"""The pictures of an evaluation. Pure: figures in, SVG out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from math import ceil
from typing import Final

from fsoc.charts import Axes, Point, Range, counts, curve, ranges
from fsoc.evaluation.changes import shown
from fsoc.evaluation.figures import Day, Evaluation
from fsoc.evaluation.shares import Share
from fsoc.evaluation.sweep import Curve, Setting
from fsoc.evaluation.words import share_said

BARS_MAX: Final = 31
"""More days than this are drawn several to a bar."""

_BINS: Final[tuple[tuple[float, str], ...]] = (
    (-1, "before"),
    (60, "≤ 1 min"),
    (5 * 60, "5 min"),
    (15 * 60, "15 min"),
    (3_600, "1 h"),
    (4 * 3_600, "4 h"),
    (12 * 3_600, "12 h"),
    (86_400, "1 d"),
    (3 * 86_400, "3 d"),
    (7 * 86_400, "7 d"),
    (float("inf"), "longer"),
)
"""Up to how many seconds, and how that is called. What is less than a second early is at once."""


def precision_and_recall(evaluation: Evaluation) -> str:
    """A row for all rules together, and one for each rule."""
    rows = [("All rules", "全部規則", evaluation.precision, evaluation.recall)]
    rows += [(rule.title, rule.title_zh, rule.precision, rule.recall) for rule in evaluation.rules]
    axes = Axes(
        "Precision and recall by rule, 95 % intervals · 各規則之精確率與召回率",
        [name for name, *_ in rows],
        "share · 比率",
        "",
    )
    return ranges(
        axes,
        [name_zh for _, name_zh, *_ in rows],
        {
            "precision · 精確率": [_range(precision) for *_, precision, _ in rows],
            "recall of labels · 標籤召回率": [_range(recall) for *_, recall in rows],
        },
    )


def time_to_alert(evaluation: Evaluation) -> str:
    """How many labels were alerted how soon, and how many never. Empty bins at either end are left out."""
    missed = len(evaluation.missed)
    first = _binned(label.after_first_s for label in evaluation.labels)
    third = _binned(label.after_third_s for label in evaluation.labels)
    used = [place for place, (one, other) in enumerate(zip(first, third, strict=True)) if one or other]
    chosen = range(min(used, default=0), max(used, default=len(_BINS) - 1) + 1)
    names = [_BINS[place][1] for place in chosen]
    return counts(
        Axes(
            "Labels by time to the first joint alert · 各標籤至首次聯防告警之時間",
            [*names, "missed"],
            "event time, up to · 事件時間（以內）",
            "labels · 標籤數",
        ),
        {
            "from the first ticket · 自首張事件單": [*(first[place] for place in chosen), missed],
            "from the third institution · 自第三家機構": [*(third[place] for place in chosen), 0],
        },
        stacked=False,
    )


def alerts_per_day(days: Sequence[Day]) -> str:
    """True and false joint alerts of each day; of several days to a bar where there are many."""
    each = max(1, ceil(len(days) / BARS_MAX))
    parts = [days[start : start + each] for start in range(0, len(days), each)]
    names = [_date(part[0].date) for part in parts]
    unit = "day (UTC) · 日" if each == 1 else f"{each} days from (UTC) · 每 {each} 日，起日"
    return counts(
        Axes("Joint alerts raised · 聯防告警數", names, unit, "joint alerts · 聯防告警"),
        {
            "on a label · 正確": [sum(day.true for day in part) for part in parts],
            "on none · 誤報": [sum(day.false for day in part) for part in parts],
        },
        stacked=True,
    )


def trade_off(found: Curve) -> str:
    """Precision over recall of labels, of the rule's own alerts and of all; where nothing is raised is no point."""
    return curve(
        Axes(f"{found.axis.key} · {found.axis.title}", (), "recall of labels · 標籤召回率", "precision · 精確率"),
        {
            "this rule · 本規則": _points((each, each.precision, each.recall) for each in found.settings),
            "all rules · 全部規則": _points((each, each.all_precision, each.all_recall) for each in found.settings),
        },
        "as it stands · 現行設定",
    )


def _points(settings: Iterable[tuple[Setting, Share, Share]]) -> list[Point]:
    return [
        Point(shown(setting.value), recall.value, precision.value, setting.stands)
        for setting, precision, recall in settings
        if precision.value is not None and recall.value is not None
    ]


def _range(share: Share) -> Range | None:
    if share.value is None:
        return None
    return Range(share.value, *share.interval, f"{share_said(share)} ({share.hits}/{share.total})")


def _binned(times: Iterable[float | None]) -> list[int]:
    found = [0] * len(_BINS)
    for seconds in times:
        if seconds is not None:
            found[next(place for place, (most, _) in enumerate(_BINS) if seconds <= most)] += 1
    return found


def _date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.month}/{day.day}"
