"""A drill's score as a report, HTML or Markdown, English and Traditional Chinese beside each other. Pure: text out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Final

from fsoc.drills.score import DrillScore, MemberScore, middle

_TAIPEI: Final = timezone(timedelta(hours=8))
_HEADS: Final = (
    "institution · 機構",
    "injects · 狀況數",
    "missed · 未通報",
    "time to ticket, median · 通報時間中位數",
    "longest · 最長",
    "told · 收到回饋",
    "unanswered · 未回復",
    "time to acknowledge, median · 回復時間中位數",
    "longest · 最長",
)
_DETAIL: Final = (
    "institution · 機構",
    "scenario · 情境",
    "inject · 狀況",
    "ticket · 事件單",
    "time to ticket · 通報時間",
)
_STYLE: Final = """
body { font: 10.5pt/1.5 system-ui, "Noto Sans CJK TC", "Microsoft JhengHei", sans-serif; color: #1a1a1a;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6em; margin: 0; } h2 { font-size: 1.2em; margin: 1.8em 0 .4em; border-bottom: 1px solid #999; }
table { border-collapse: collapse; width: 100%; margin: .6em 0; font-size: .88em; }
th, td { padding: .25em .5em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th { border-bottom: 1px solid #666; } th:first-child, td:first-child, .text td { text-align: left; }
td:first-child { white-space: nowrap; }
.drill { background: #fff3c4; border: 3px solid #b8860b; padding: .5em 1em; font-weight: 700;
  print-color-adjust: exact; }
.bad { color: #a40000; font-weight: 600; } @page { size: A4 landscape; margin: 15mm; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 9pt; } tr { break-inside: avoid; } }
"""


def span(seconds: float | None) -> str:
    """`4 min 05 s`, `1 h 20 min`; `–` where nothing was measured."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


def title_of(score: DrillScore) -> str:
    return f"【演練】 Drill {score.exercise_id} · 演練成績"


def markdown_of(score: DrillScore) -> str:
    """The whole report as GitHub's Markdown."""
    lines = [
        f"# {_plain(title_of(score))}",
        "",
        _plain(_period(score)),
        "",
        *(f"- {_plain(one)}" for one in _sums(score)),
    ]
    lines += ["", "## Institutions · 各機構", "", *_pipes(_HEADS, [_row(score, one) for one in score.members])]
    lines += ["", "## Injects · 各狀況", "", *_pipes(_DETAIL, _details(score))]
    return "\n".join(lines) + "\n"


def html_of(score: DrillScore) -> str:
    """The whole report as one page that needs nothing from outside."""
    title = escape(title_of(score))
    sums = "".join(f"<li>{escape(one)}</li>" for one in _sums(score))
    body = [
        '<p class="drill">【演練】 This was a drill; nothing of it has happened. 本報告為演練成績，並無實際事件。</p>',
        f"<h1>{title}</h1><p>{escape(_period(score))}</p><ul>{sums}</ul>",
        "<h2>Institutions · 各機構</h2>",
        _table(_HEADS, [_row(score, one) for one in score.members], missed={2, 6}),
        '<h2>Injects · 各狀況</h2><div class="text">',
        _table(_DETAIL, _details(score)),
        "</div>",
    ]
    text = "\n".join(body)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="zh-Hant"><head>{head}</head>\n<body>\n{text}\n</body></html>\n'


def _period(score: DrillScore) -> str:
    until = "goes on · 進行中" if score.stopped_at_ms is None else _time(score.stopped_at_ms)
    return f"{_time(score.started_at_ms)} – {until} (Asia/Taipei)"


def _sums(score: DrillScore) -> list[str]:
    injects = sum(len(one.injects) for one in score.members)
    missed = sum(one.missed for one in score.members)
    told, unanswered = sum(len(one.told) for one in score.members), sum(one.unanswered for one in score.members)
    return [
        f"injects · 狀況: {injects}; missed · 未通報: {missed}",
        f"time to ticket, median · 通報時間中位數: {span(middle(score.all_ticket_seconds))}",
        f"joint alerts · 聯防告警: {score.alerts}; told · 回饋: {told}; unanswered · 未回復: {unanswered}",
        f"time to acknowledge, median · 回復時間中位數: {span(middle(score.all_answer_seconds))}",
    ]


def _row(score: DrillScore, member: MemberScore) -> list[str]:
    name, name_zh = score.names.get(member.institution, ("", ""))
    called = " · ".join(dict.fromkeys(part for part in (name, name_zh) if part and part != member.institution))
    return [
        f"{called} ({member.institution})" if called else member.institution,
        str(len(member.injects)),
        str(member.missed),
        span(middle(member.ticket_seconds)),
        span(max(member.ticket_seconds, default=None)),
        str(len(member.told)),
        str(member.unanswered),
        span(middle(member.answer_seconds)),
        span(max(member.answer_seconds, default=None)),
    ]


def _details(score: DrillScore) -> list[list[str]]:
    return [
        [
            member.institution,
            one.posed.scenario,
            f"{one.posed.title} ({one.posed.inject_id})",
            one.ticket_id or "missed · 未通報",
            span(one.after_s),
        ]
        for member in score.members
        for one in member.injects
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], missed: frozenset[int] | set[int] = frozenset()) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    lines = [
        "".join(
            f"<td{' class=bad' if place in missed and cell != '0' else ''}>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        for row in rows
    ]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _pipes(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    one_line = " ".join(text.split())
    return (
        "".join(f"\\{char}" if char in "\\`*_{}[]<>|#!" else char for char in one_line)
        if one_line != "---"
        else one_line
    )


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(_TAIPEI).strftime("%Y-%m-%d %H:%M")
