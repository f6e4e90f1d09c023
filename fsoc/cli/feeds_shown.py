"""Feeds at a glance as people read them: a line a feed, below it what it falls short of. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click

from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table
from fsoc.feeds.overview import FeedView
from fsoc.feeds.words import (
    NOT_MEASURED,
    UNKNOWN_FEED,
    Language,
    Word,
    breach_said,
    offset_said,
    ranges_said,
    share_said,
    span_said,
)

RANGES_MAX: Final = 12
_HEADS: Final = (
    Word("feed", "資料來源"),
    Word("tier", "級別"),
    Word("silent", "靜默"),
    Word("tickets", "事件單"),
    Word("detected→sent p50", "偵測→送出 p50"),
    Word("p95", "p95"),
    Word("sent→received p50", "送出→收到 p50"),
    Word("p95", "p95"),
    Word("rejected", "退件"),
    Word("duplicate", "重複"),
    Word("late", "逾時"),
    Word("missing", "缺漏"),
    Word("clock", "時鐘"),
    Word("heartbeats", "心跳"),
)


def lines(views: Sequence[FeedView], language: Language, *, days: int) -> Iterator[str]:
    """The table; then a section for each feed that something is to be said of."""
    if not views:
        yield Word("no institution has sent anything", "尚無任何機構送件").of(language)
        return
    heads = [word.of(language) for word in _HEADS]
    rows = (
        lambda row: f"{row.figures.institution} {_name(row, language)}",
        lambda row: str(row.tier),
        lambda row: span_said(row.silent_ms),
        lambda row: f"{row.figures.day.tickets:,}",
        lambda row: span_said(row.figures.detected_to_sent(50)),
        lambda row: span_said(row.figures.detected_to_sent(95)),
        lambda row: span_said(row.figures.sent_to_received(50)),
        lambda row: span_said(row.figures.sent_to_received(95)),
        lambda row: share_said(row.figures.rejected),
        lambda row: share_said(row.figures.duplicate),
        lambda row: share_said(row.figures.late),
        lambda row: f"{row.figures.missing_total:,}" if row.figures.feed else NOT_MEASURED,
        lambda row: offset_said(row.figures.clock_offset_ms),
        lambda row: f"{row.figures.day.heartbeats:,}",
    )
    columns: list[Column] = list(zip(heads, rows, strict=True))
    yield from table(columns, views, "yellow", lambda row: not row.is_well)
    ill = [view for view in views if not view.is_well or not view.is_known]
    for view in ill:
        yield from _section(view, language)
    well = len(views) - len([view for view in views if not view.is_well])
    span = Word(f"{days} days", f"{days} 日").of(language)
    counted = Word(f"{well} of {len(views)} feeds are well", f"{len(views)} 個資料來源中 {well} 個正常").of(language)
    yield f"{counted} ({span})" if language == "en" else f"{counted}（{span}）"


def _section(view: FeedView, language: Language) -> Iterator[str]:
    yield click.style(printable(f"{view.figures.institution} {_name(view, language)}"), bold=True)
    for breach in view.breaches:
        yield f"  {click.style(breach_said(breach, language), fg='yellow')}"
    for title in view.alerts:
        yield f"  {click.style(printable(title), fg='red')}"
    if view.figures.missing:
        total = f"{view.figures.missing_total:,}"
        head = Word(f"{total} missing, asked for", f"缺漏 {total} 筆，已請求重送").of(language)
        yield f"  {head}: {printable(ranges_said(view.figures.missing, RANGES_MAX))}"
    if view.figures.forgotten:
        given_up = f"{view.figures.forgotten:,}"
        yield "  " + Word(f"{given_up} missing and given up", f"缺漏 {given_up} 筆，已不再追蹤").of(language)
    if not view.is_known:
        yield "  " + Word("is not in the registry", "未登錄於機構名冊").of(language)


def _name(view: FeedView, language: Language) -> str:
    return printable(view.figures.feed) or UNKNOWN_FEED.of(language)
