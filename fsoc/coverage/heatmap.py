"""Coverage as one HTML file that prints, in English and Traditional Chinese beside each other. Pure: text out.

It needs nothing from outside and runs no script; whatever is from a registry, a ticket or a baseline is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from fsoc.coverage.gaps import Gap
from fsoc.coverage.groups import Group
from fsoc.coverage.judge import DAY_MS, STATUSES, Member, Norm, Status
from fsoc.coverage.matrix import NOT_ASKED, OWN, STYLE, matrix
from fsoc.coverage.words import LOOKS, STEPS
from fsoc.feeds.words import NOT_MEASURED, share_said
from fsoc.tickets.times import rfc3339

GAPS_MAX: Final = 40
"""Gaps that are written out, the gravest."""

_STYLE: Final = (
    """
:root { color-scheme: light; }
body { font: 10pt/1.45 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif; color: #1a1a1a;
  background: #fff; margin: 1.5rem; }
h1 { font-size: 1.6em; margin: 0; } h2 { font-size: 1.2em; margin: 1.4em 0 .4em; border-bottom: 1px solid #999; }
.sub { color: #444; margin: .2em 0; } table { border-collapse: collapse; width: 100%; font-size: .85em; }
th, td { padding: .2em .45em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th { border-bottom: 1px solid #666; } th:first-child, td:first-child, td.text, th.text { text-align: left; }
.swatch { display: inline-block; min-width: 1.4em; text-align: center; border-radius: 2px; padding: 0 .2em; }
.legend { list-style: none; margin: .4em 0; padding: 0; } .legend li { margin: .15em 0; }
@page { size: A3 landscape; margin: 10mm; }
@media print { body { margin: 0; font-size: 8.5pt; } h2 { break-after: avoid; }
  tr, .tactic li { break-inside: avoid; } }
"""
    + STYLE
)


def html_of(
    group: Group, norm: Norm, gaps: Sequence[Gap], *, now_ms: int, window_ms: int, alerts_read: bool = True
) -> str:
    """The whole document. gaps: of this group, the gravest first. alerts_read: whether alerts ranked them."""
    title = f"ATT&CK coverage · ATT&CK 涵蓋熱圖: {group.title} · {group.title_zh}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(_basis(norm, now_ms, window_ms))}</p>',
        *_summary(group),
        *_legend(is_one=len(group.members) == 1),
        "<h2>Matrix · 矩陣</h2>",
        *matrix(group, norm),
        *(_members(group) if len(group.members) > 1 else ()),
        *_gaps(gaps, norm, alerts_read=alerts_read),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    meta = '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="zh-Hant"><head>{head}{meta}</head>\n<body>\n{text}\n</body></html>\n'


def _basis(norm: Norm, now_ms: int, window_ms: int) -> str:
    days, at = window_ms // DAY_MS, rfc3339(now_ms)
    baseline, attack = norm.baseline.version, norm.techniques.version
    return (
        f"Baseline {baseline}, ATT&CK {attack}, as of {at}, tickets of {days} days"
        f" · 監控組態基準 {baseline}、ATT&CK {attack}，截至 {at}，事件單期間 {days} 日"
    )


def _summary(group: Group) -> Iterator[str]:
    counts = group.counts
    asked = sum(counts.values())
    told = " &nbsp; ".join(
        f"{_swatch(status)} {LOOKS[status].word.both}: <b>{counts[status]:,}</b>" for status in STATUSES
    )
    share = escape(share_said(group.share))
    number = len(group.members)
    yield (
        f'<p class="sub">{number} institutions · {number} 家機構; {asked:,} items asked · 應部署項目 {asked:,} 項; '
        f"covered · 已涵蓋 <b>{share}</b></p><p>{told}</p>"
    )


def _legend(*, is_one: bool) -> Iterator[str]:
    yield '<h2>Legend · 圖例</h2><ul class="legend">'
    for status, look in LOOKS.items():
        yield f"<li>{_swatch(status)} <b>{look.word.both}</b>: {look.means.both}</li>"
    yield "</ul>"
    steps = "" if is_one else _steps()
    yield (
        f'<p>{steps}<span class="swatch">·</span> {NOT_ASKED.both} &nbsp; <span class="swatch">＋</span> {OWN.both}</p>'
    )


def _steps() -> str:
    told = (f'<span class="swatch s-{place}">{step.sign}</span> {step.word.both}' for place, step in enumerate(STEPS))
    return f"In the matrix · 矩陣圖例: {' &nbsp; '.join(told)} &nbsp; "


def _swatch(status: Status) -> str:
    return f'<span class="swatch s-{status}">{LOOKS[status].sign}</span>'


def _members(group: Group) -> Iterator[str]:
    yield "<h2>Institutions · 各機構</h2><table><tr>"
    heads = ["institution · 機構", "tier · 級別", "sector · 業別", "declares · 宣告版本"]
    yield "".join(f"<th>{head}</th>" for head in heads)
    yield "".join(f"<th>{LOOKS[status].sign} {LOOKS[status].word.both}</th>" for status in STATUSES)
    yield "<th>covered · 涵蓋率</th></tr>"
    for member in group.members:
        yield _member(member)
    yield "</table>"


def _member(member: Member) -> str:
    one = member.institution
    cells = [
        f"{escape(one.name)} · {escape(one.name_zh)} ({escape(one.id)})",
        str(one.tier),
        escape(one.sector),
        escape(member.version or NOT_MEASURED),
        *(f"{member.count(status):,}" for status in STATUSES),
        escape(share_said(member.share)),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _gaps(gaps: Sequence[Gap], norm: Norm, *, alerts_read: bool) -> Iterator[str]:
    yield "<h2>Gaps, the gravest first · 缺口排序</h2>"
    ranked = (
        "By how many joint alerts of the window used what the item would show. · 依期間內聯防告警實際使用之手法排序。"
        if alerts_read
        else "No alerts were read: by how many institutions lack it. · 未讀取告警，依缺少之機構數排序。"
    )
    yield f'<p class="sub">{ranked}</p>'
    if not gaps:
        yield "<p>None. · 無缺口。</p>"
        return
    heads = ["item · 項目", "technique · 技術", "joint alerts · 聯防告警", "institutions · 機構數", "lacking · 狀態"]
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for gap in gaps[:GAPS_MAX]:
        item = norm.baseline.items[gap.item]
        cells = [
            f"{escape(item.id)} {escape(item.title)} · {escape(item.title_zh)}",
            escape(f"{item.technique} ({item.tactic})"),
            f"{gap.alerts:,}",
            f"{gap.institutions:,} / {gap.asked:,}",
            _lacking(gap.lacking),
        ]
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</table>"
    if len(gaps) > GAPS_MAX:
        more = len(gaps) - GAPS_MAX
        yield f'<p class="sub">{more} more are in the CSV. · 其餘 {more} 項見 CSV。</p>'


def _lacking(lacking: Mapping[Status, Sequence[str]]) -> str:
    return " &nbsp; ".join(
        f"{_swatch(status)} {len(names):,} {LOOKS[status].word.both}" for status, names in lacking.items()
    )
