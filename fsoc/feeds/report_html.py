"""A month's data-quality report as one HTML file, English and Traditional Chinese beside each other. Pure: text out.

It needs nothing from outside, runs no script, and whatever is from a registry, a ticket or a state is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from html import escape
from typing import Final

from fsoc.feeds.contract import Measure, Terms
from fsoc.feeds.figures import QUANTILES, Figures
from fsoc.feeds.overview import FeedView
from fsoc.feeds.report import Member, Report
from fsoc.feeds.words import (
    MEASURES,
    NOT_MEASURED,
    UNKNOWN_FEED,
    Word,
    breach_said,
    offset_said,
    ranges_said,
    roc,
    roc_month,
    share_said,
    span_said,
)

RANGES_MAX: Final = 60
"""Missing ranges of a feed that are written out."""

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 10.5pt/1.5 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif; color: #1a1a1a;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7em; margin: 0; } h2 { font-size: 1.25em; margin: 2em 0 .4em; border-bottom: 1px solid #999; }
h3 { font-size: 1.05em; margin: 1.4em 0 .3em; } .sub { color: #555; margin: .2em 0; }
table { border-collapse: collapse; width: 100%; margin: .6em 0; font-size: .88em; }
th, td { padding: .25em .5em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th { border-bottom: 1px solid #666; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.bad { color: #a40000; font-weight: 600; } .good { color: #1d6b2f; } ul { margin: .3em 0; padding-left: 1.3em; }
.bar { background: #0b5cad; height: .7em; min-width: 1px; print-color-adjust: exact; } td.wide { width: 45%; }
@page { size: A4; margin: 15mm; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 9pt; } h2 { break-after: avoid; }
  section.member { break-before: page; } tr { break-inside: avoid; } }
"""


def html_of(report: Report) -> str:
    """The whole document."""
    title = f"Data quality of feeds, {report.name} · 監控設備狀況單彙整（{roc_month(report.year, report.month)}）"
    whose = report.members[0] if report.only is not None and report.members else None
    subject = f"{whose.name} · {whose.name_zh} ({whose.id})" if whose else "The sector · 全體機構"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(subject)}</p>',
        f'<p class="sub">{escape(_period(report))}</p>',
        *(() if whose else _sector(report)),
        *_terms(report),
        *(part for member in report.members for part in _member(report, member)),
        *_notes(),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    meta = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="zh-Hant"><head>{head}{meta}</head>\n<body>\n{text}\n</body></html>\n'


def _period(report: Report) -> str:
    first, last = date.fromisoformat(report.days[0]), date.fromisoformat(report.until or report.days[-1])
    said = f"{first.isoformat()} to {last.isoformat()} · {roc(first)}至{roc(last)}"
    unfinished = "; the month is not over · 當月尚未結束" if report.until else ""
    return f"{said} (Asia/Taipei){unfinished}"


def _sector(report: Report) -> Iterator[str]:
    yield "<h2>Institutions at a glance · 各機構一覽</h2>"
    rows = [
        [
            f"{escape(member.name)} · {escape(member.name_zh)} ({escape(member.id)})",
            str(member.tier),
            *_figures(member.whole),
            f'<span class="bad">{member.breaches}</span>' if member.breaches else '<span class="good">0</span>',
        ]
        for member in report.members
    ]
    rows.append(["<b>All · 合計</b>", "", *_figures(report.sector), str(sum(one.breaches for one in report.members))])
    yield _table(["institution · 機構", "tier · 級別", *_FIGURE_HEADS, "breaches · 未達項數"], rows)


def _terms(report: Report) -> Iterator[str]:
    yield "<h2>Contract · 合約門檻</h2>"
    tiers = sorted({member.tier for member in report.members} or set(report.contract.tiers))
    rows = [
        [escape(word.both), *(_term(measure, report.contract.of(tier)) for tier in tiers)]
        for measure, word in MEASURES.items()
    ]
    yield _table(["term · 項目", *(f"tier {tier} · 第 {tier} 級" for tier in tiers)], rows)


def _term(measure: Measure, terms: Terms) -> str:
    allowed = getattr(terms, measure)
    if measure == "heartbeats":
        return f"≥ {share_said(allowed)} (1 / {span_said(terms.heartbeat_interval)})"
    return f"≤ {span_said(allowed) if isinstance(allowed, int) else share_said(allowed)}"


def _member(report: Report, member: Member) -> Iterator[str]:
    yield '<section class="member">'
    yield f"<h2>{escape(member.name)} · {escape(member.name_zh)} ({escape(member.id)}), tier {member.tier}</h2>"
    if not member.whole.by_day:
        yield '<p class="bad">Nothing was received in this month. · 本月未收到任何資料。</p>'
    yield _table(["feed · 資料來源", *_FIGURE_HEADS], [[_feed(view), *_figures(view.figures)] for view in member.feeds])
    yield _table(
        ["feed · 資料來源", *_STATUS_HEADS],
        [[_feed(view), *_status(view)] for view in member.feeds if view.figures.feed],
    )
    for view in member.feeds:
        yield from _findings(view)
    if member.whole.by_day:
        yield from _days(report, member.whole)
    yield "</section>"


def _feed(view: FeedView) -> str:
    return escape(view.figures.feed) or UNKNOWN_FEED.both


_FIGURE_HEADS: Final = (
    "tickets · 事件單",
    "used · 採用",
    *(f"detected→sent p{per_cent} · 偵測→送出" for per_cent in QUANTILES),
    *(f"sent→received p{per_cent} · 送出→收到" for per_cent in QUANTILES),
    *(MEASURES[measure].both for measure in ("rejected", "duplicate", "late", "missing")),
)
_STATUS_HEADS: Final = (
    "heartbeats · 心跳",
    "clock offset · 時鐘偏差",
    "sensors up / total · 運作／設備數",
    "least up · 最低運作率",
    "events seen · 事件量",
    "tickets opened · 開單數",
    "baseline · 監控基準",
)


def _figures(figures: Figures) -> list[str]:
    day = figures.day
    return [
        f"{day.tickets:,}",
        f"{day.used:,}",
        *(span_said(day.sent.quantile(per_cent)) for per_cent in QUANTILES),
        *(span_said(day.received.quantile(per_cent)) for per_cent in QUANTILES),
        share_said(figures.rejected),
        share_said(figures.duplicate),
        share_said(figures.late),
        share_said(figures.missing_share),
    ]


def _status(view: FeedView) -> list[str]:
    day = view.figures.day
    least = None if day.sensors_up_per_mille is None else day.sensors_up_per_mille / 1000
    return [
        f"{day.heartbeats:,}",
        offset_said(view.figures.clock_offset_ms),
        NOT_MEASURED if day.sensors is None else f"{day.sensors[1]:,} / {day.sensors[0]:,}",
        share_said(least),
        f"{day.events:,}",
        f"{day.tickets_opened:,}",
        escape(day.baseline or NOT_MEASURED),
    ]


def _findings(view: FeedView) -> Iterator[str]:
    figures = view.figures
    told = [
        f'<span class="bad">{escape(breach_said(breach, "en"))}</span> · {escape(breach_said(breach, "zh-TW"))}'
        for breach in view.breaches
    ]
    if figures.day.asked or figures.day.closed:
        asked, closed = f"{figures.day.asked:,}", f"{figures.day.closed:,}"
        told.append(f"{asked} numbers asked for, {closed} came · 請求重送 {asked} 筆，已補 {closed} 筆")
    if figures.missing:
        ranges = escape(ranges_said(figures.missing, RANGES_MAX))
        total = f"{figures.missing_total:,}"
        told.append(f"{total} missing as of now · 目前仍缺 {total} 筆: {ranges}")
    if figures.day.ahead:
        ahead = f"{figures.day.ahead:,}"
        told.append(
            f"{ahead} tickets sent after they were received, by their own clock · {ahead} 張送出時間晚於收到時間"
        )
    if figures.day.noted:
        noted, share = f"{figures.day.noted:,}", escape(share_said(figures.noted))
        told.append(
            f"{noted} tickets ({share}) whose category and ATT&CK techniques do not fit together · "
            f"{noted} 張（{share}）事件類別與 ATT&CK 技術不甚相符"
        )
    if not view.is_known:
        told.append("not in the registry · 未登錄於機構名冊")
    if told:
        yield f"<h3>{_feed(view)}</h3><ul>{''.join(f'<li>{each}</li>' for each in told)}</ul>"


def _days(report: Report, whole: Figures) -> Iterator[str]:
    yield "<h3>Day by day · 每日</h3>"
    most = max((tickets for tickets, _ in whole.by_day.values()), default=0) or 1
    rows: list[list[str]] = []
    for name in report.days:
        if report.until is not None and name > report.until:
            break
        tickets, heartbeats = whole.by_day.get(name, (0, 0))
        bar = f'<div class="bar" style="width:{100 * tickets / most:.1f}%"></div>' if tickets else ""
        rows.append([name, roc(date.fromisoformat(name)), f"{tickets:,}", f"{heartbeats:,}", bar])
    yield _table(["day · 日期", "民國", "tickets · 事件單", "heartbeats · 心跳", ""], rows, last="wide")


def _notes() -> Iterator[str]:
    yield "<h2>How the figures are reckoned · 指標定義</h2>"
    yield "<ul>"
    for note in _NOTES:
        yield f"<li>{note.both}</li>"
    yield "</ul>"


_NOTES: Final = (
    Word(
        "Delays are of tickets' first messages that were used or late; a quantile is at most a quarter too long.",
        "延遲僅計事件單首次送件（採用或逾時）；分位數至多高估四分之一。",
    ),
    Word(
        "Rejected, duplicate and late are shares of all tickets received; heartbeats are left out.",
        "退件、重複、逾時以收到之事件單總數為分母，不含心跳。",
    ),
    Word(
        "Missing: sequence numbers found missing in this month less those that came in it, of all that were to come.",
        "缺漏率：當月發現缺號減去當月補到者，除以當月應到數。",
    ),
    Word(
        "A day belongs to the month by the time its record was received, in Taipei.",
        "日期依收到時間（臺北時間）歸屬。",
    ),
    Word(
        "Heartbeats are judged over whole days; a feed's first day and the present one are left out.",
        "心跳到達率僅計完整日，首日與當日不計。",
    ),
)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], last: str = "") -> str:
    """A table; heads and rows are HTML already. last: the class of each row's last cell."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    lines = [f"<table><thead><tr>{head}</tr></thead><tbody>"]
    for row in rows:
        cells = [f"<td>{each}</td>" for each in row]
        if last:
            cells[-1] = f'<td class="{last}">{row[-1]}</td>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])
