"""Names of what is measured, and figures as people read them, in English and Traditional Chinese. Pure text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from fsoc.feeds.contract import Breach, Measure
from fsoc.tickets.times import rfc3339

Language = Literal["en", "zh-TW"]


class Word(NamedTuple):
    """One thing in both languages."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        return self.en if language == "en" else self.zh

    @property
    def both(self) -> str:
        return f"{self.en} · {self.zh}"


MEASURES: Final[dict[Measure, Word]] = {
    "detected_to_sent_p95": Word("detected → sent, p95", "偵測至送出 p95"),
    "sent_to_received_p95": Word("sent → received, p95", "送出至收到 p95"),
    "rejected": Word("rejected", "退件率"),
    "duplicate": Word("duplicate", "重複率"),
    "late": Word("late", "逾時率"),
    "missing": Word("missing", "缺漏率"),
    "clock_offset": Word("clock offset", "時鐘偏差"),
    "silence": Word("silence", "靜默時間"),
    "heartbeats": Word("heartbeats", "心跳到達率"),
}
UNKNOWN_FEED: Final = Word("(no feed)", "（無法歸屬）")
NOT_MEASURED: Final = "–"
ROC_BEGINS: Final = 1911


def span_said(span_ms: float | None) -> str:
    """`12 ms`, `3.4 s`, `5 min`, `2 h 10 min`, `3 d 4 h`; ∞ for ever; – not measured."""
    if span_ms is None or span_ms == math.inf:
        return NOT_MEASURED if span_ms is None else "∞"
    if span_ms < 120_000:
        seconds = span_ms / 1000
        return f"{span_ms:.0f} ms" if seconds < 1 else f"{seconds:.{1 if seconds < 10 else 0}f} s"
    hours, minutes = divmod(round(span_ms / 60_000), 60)
    days, hours_of_day = divmod(hours, 24)
    if hours < 2:
        return f"{60 * hours + minutes} min"
    parts = (
        (f"{hours} h", f"{minutes} min", minutes) if hours < 48 else (f"{days} d", f"{hours_of_day} h", hours_of_day)
    )
    return f"{parts[0]} {parts[1]}" if parts[2] else parts[0]


def share_said(share: float | None) -> str:
    """`0.12 %`; what is not nothing is not said to be: `< 0.01 %`."""
    if share is None:
        return NOT_MEASURED
    if 0 < share < 0.0001:
        return "< 0.01 %"
    return f"{100 * share:.2f} %"


def offset_said(offset_ms: tuple[int, int] | None) -> str:
    """The greater of both ends: `-12 ms`; below 0 the sender's clock is behind."""
    if offset_ms is None:
        return NOT_MEASURED
    worst = max(offset_ms, key=abs)
    return f"{'-' if worst < 0 else '+'}{span_said(abs(worst))}"


def breach_said(breach: Breach, language: Language) -> str:
    """`late 2.00 % > 0.50 %`"""
    said = span_said if breach.is_time else share_said
    sign = "<" if breach.measure == "heartbeats" else ">"
    return f"{MEASURES[breach.measure].of(language)} {said(breach.seen)} {sign} {said(breach.allowed)}"


def ranges_said(missing: Sequence[tuple[str, int, int]], shown_max: int) -> str:
    """`2026-03: 10-12, 17; 2026-04: 3 … 5 more`: by epoch, the first ranges."""
    by_epoch: dict[str, list[str]] = {}
    for epoch, first, last in missing[:shown_max]:
        by_epoch.setdefault(epoch, []).append(str(first) if first == last else f"{first}-{last}")
    said = "; ".join(f"{epoch}: {', '.join(ranges)}" for epoch, ranges in by_epoch.items())
    more = len(missing) - shown_max
    return f"{said} … +{more}" if more > 0 else said


def roc(day: date) -> str:
    """`民國115年3月14日`; years before the first are 民國前."""
    return f"{roc_month(day.year, day.month)}{day.day}日"


def roc_month(year: int, month: int) -> str:
    """`民國115年3月`"""
    if year > ROC_BEGINS:
        return f"民國{year - ROC_BEGINS}年{month}月"
    return f"民國前{ROC_BEGINS + 1 - year}年{month}月"


def time_said(at_ms: int | None) -> str:
    return NOT_MEASURED if at_ms is None else rfc3339(at_ms)
