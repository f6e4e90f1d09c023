"""An evaluation as a Markdown report, English and Traditional Chinese beside each other. Pure: text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsoc.evaluation.changes import shown
from fsoc.evaluation.comparison import Comparison
from fsoc.evaluation.definitions import DEFINITIONS
from fsoc.evaluation.figures import Evaluation, Load
from fsoc.evaluation.plots import alerts_per_day, precision_and_recall, time_to_alert, trade_off
from fsoc.evaluation.shares import Spread
from fsoc.evaluation.sweep import Curve
from fsoc.evaluation.words import (
    cell,
    count_said,
    group_said,
    interval_said,
    number_said,
    share_in_full,
    share_said,
    span_said,
)

ROWS_MAX: Final = 200
"""Of the false alarms; of the rest it is told how many there are."""


@dataclass(frozen=True, slots=True)
class Report:
    """The text, and the pictures beside it: file name → SVG."""

    text: str
    pictures: Mapping[str, str]


def report(
    stem: str,
    evaluation: Evaluation,
    *,
    given: Mapping[str, str],
    curves: Sequence[Curve] = (),
    comparison: Comparison | None = None,
) -> Report:
    """stem: what the pictures' names begin with. given: what was evaluated, in words: `truth` → its file."""
    pictures = {f"{stem}-precision-recall.svg": precision_and_recall(evaluation)}
    if evaluation.labels:
        pictures[f"{stem}-time-to-alert.svg"] = time_to_alert(evaluation)
    if evaluation.load is not None:
        pictures[f"{stem}-alerts-per-day.svg"] = alerts_per_day(evaluation.load.by_day)
    telling = [found for found in curves if not found.is_silent]
    swept = {f"{stem}-sweep-{number}.svg": found for number, found in enumerate(telling, 1)}
    pictures |= {name: trade_off(found) for name, found in swept.items()}
    sections = [
        ["# Evaluation of joint alerts · 聯防告警評估", *_given(given)],
        _summary(evaluation),
        _notes(evaluation),
        _comparison(comparison) if comparison is not None else [],
        _rules(evaluation, f"{stem}-precision-recall.svg"),
        _labels(evaluation, f"{stem}-time-to-alert.svg") if evaluation.labels else [],
        _load(evaluation.load, f"{stem}-alerts-per-day.svg") if evaluation.load is not None else [],
        _false_alarms(evaluation),
        ["## Trade-off · 門檻取捨", _TRADE_OFF, *_silent(curves)] if curves else [],
        *(_curve(name, found) for name, found in swept.items()),
        ["## How the figures are reckoned · 指標定義", DEFINITIONS],
    ]
    text = "\n\n".join("\n\n".join(section) for section in sections if section)
    return Report(text + "\n", pictures)


_TRADE_OFF: Final = (
    "One value of one rule is changed at a time, everything else stays. Precision and recall are those of the rule's "
    "own alerts; **bold** is how the rule stands.\n"
    "每次僅變更一條規則之一項設定，其餘不變；精確率與召回率為該規則自身告警之值，**粗體**為現行設定。"
)


def _given(given: Mapping[str, str]) -> Iterator[str]:
    yield "\n".join(f"- {name}: {cell(value)}" for name, value in given.items())


def _summary(evaluation: Evaluation) -> list[str]:
    precision, recall, load = evaluation.precision, evaluation.recall, evaluation.load
    rows = [
        [
            "Precision of joint alerts · 聯防告警精確率",
            share_said(precision),
            interval_said(precision),
            f"{precision.hits} of {precision.total} alerts on a label",
        ],
        [
            "Recall of labels · 標籤召回率",
            share_said(recall),
            interval_said(recall),
            f"{recall.hits} of {recall.total} labels alerted",
        ],
        ["F1", number_said(evaluation.f1), "", ""],
    ]
    if load is not None:
        days = f"{load.alerts} in {load.days:.1f} days"
        rows += [
            ["Joint alerts a day · 每日聯防告警", number_said(load.alerts_per_day, 1), "", days],
            ["Stories a day · 每日事件（併案後）", number_said(load.stories_per_day, 1), "", f"{load.stories} stories"],
        ]
    aside = ", ".join(f"{count} {why}" for why, count in evaluation.apart.items()) or "none"
    rows.append(["Not judged · 不列入評估", aside, "", ""])
    if evaluation.local_labels:
        told = f"{len(evaluation.local_labels)} labels"
        rows.append(["Of one institution · 僅涉單一機構", told, "", "no joint alert could be on them"])
    return [_table(["", "figure · 值", "95 % interval · 信賴區間", "of · 計數"], rows)]


def _notes(evaluation: Evaluation) -> list[str]:
    if not evaluation.notes:
        return []
    return ["## To be read with it · 判讀注意", "\n".join(f"- {note.en}\n  {note.zh}" for note in evaluation.notes)]


def _comparison(comparison: Comparison) -> list[str]:
    changes = ", ".join(f"`{change}`" if "`" not in change else cell(change) for change in comparison.changes)
    rows = [
        [
            _titles(row.title, row.title_zh),
            share_in_full(row.written.precision),
            share_in_full(row.changed.precision),
            share_in_full(row.written.recall),
            share_in_full(row.changed.recall),
            f"{row.written.false_alarms:,}",
            f"{row.changed.false_alarms:,}",
        ]
        for row in comparison.rows
    ]
    heads = [
        "rule · 規則",
        "precision, as written · 精確率（原設定）",
        "changed · 變更後",
        "recall, as written · 召回率（原設定）",
        "changed · 變更後",
        "false alarms, as written · 誤報（原設定）",
        "changed · 變更後",
    ]
    said = (
        f"Changed: {changes}. Everything else in this report is with the changes.\n"
        "變更設定如上；本報告其餘各節均為變更後之結果。"
    )
    return ["## As written, and changed · 原設定與變更後", said, _table(heads, rows)]


def _rules(evaluation: Evaluation, picture: str) -> list[str]:
    rows = [
        [
            _titles(rule.title, rule.title_zh),
            f"{rule.precision.total:,}",
            share_in_full(rule.precision),
            share_in_full(rule.recall),
            number_said(rule.f1),
            f"{len(rule.only)}",
            count_said(rule.tickets_per_alert.median),
            span_said(rule.after_first_s.median),
            f"{rule.retracted}",
        ]
        for rule in evaluation.rules
    ]
    heads = [
        "rule · 規則",
        "alerts · 告警",
        "precision · 精確率",
        "recall · 召回率",
        "F1",
        "labels it alone found · 僅由此規則發現",
        "tickets per alert, median · 每則事件單中位數",
        "from first ticket, median · 自首張事件單中位數",
        "retracted · 已撤回",
    ]
    return [
        "## By rule · 各規則",
        _picture("Precision and recall by rule · 各規則之精確率與召回率", picture),
        _table(heads, rows) if rows else "No joint alert was raised. 無聯防告警。",
    ]


def _labels(evaluation: Evaluation, picture: str) -> list[str]:
    titles = {rule.rule_id: rule.title for rule in evaluation.rules}
    rows = [
        [
            cell(label.name),
            "; ".join(cell(titles[rule]) for rule in label.rule_ids) or "**missed · 未告警**",
            f"{len(label.alert_ids)}",
            share_in_full(label.precision),
            share_in_full(label.recall),
            f"{label.covered} of {label.struck}",
            span_said(label.after_first_s),
            span_said(label.after_third_s),
            span_said(label.after_deciding_s),
        ]
        for label in evaluation.labels
    ]
    heads = [
        "label · 標籤",
        "found by · 發現規則",
        "alerts · 告警",
        "of alerts that touch it · 相關告警中正確者",
        "of its tickets · 事件單涵蓋",
        "institutions · 機構",
        "from first ticket · 自首張事件單",
        "from third institution · 自第三家機構",
        "deciding ticket came after · 關鍵事件單到達",
    ]
    spreads = [
        ["from the first ticket · 自首張事件單", *_spread(evaluation.after_first_s)],
        ["from the third institution · 自第三家機構", *_spread(evaluation.after_third_s)],
        ["deciding ticket, event to arrival · 關鍵事件單自發生至到達", *_spread(evaluation.after_deciding_s)],
    ]
    return [
        "## By label · 各標籤",
        _table(heads, rows, texts=2),
        "## Time to the joint alert · 告警時間",
        _picture("Labels by time to the first joint alert · 各標籤至首次聯防告警之時間", picture),
        _table(["", "figures · 筆數", "least · 最短", "median · 中位數", "p90", "most · 最長"], spreads),
    ]


def _spread(spread: Spread) -> list[str]:
    return [f"{spread.count}", *(span_said(each) for each in (spread.least, spread.median, spread.p90, spread.most))]


def _load(load: Load, picture: str) -> list[str]:
    said = (
        f"{load.alerts:,} joint alerts in {load.days:.1f} days of event time are {load.alerts_per_day:.1f} a day; "
        f"folded by campaign and by what they continue, {load.stories:,} stories, {load.stories_per_day:.1f} a day.\n"
        f"事件時間 {load.days:.1f} 日內共 {load.alerts:,} 則聯防告警，每日 {load.alerts_per_day:.1f} 則；"
        f"依攻擊活動及延續關係併案後 {load.stories:,} 案，每日 {load.stories_per_day:.1f} 案。"
    )
    return ["## Load on analysts · 分析人員負荷", said, _picture("Joint alerts per day · 每日聯防告警", picture)]


def _false_alarms(evaluation: Evaluation) -> list[str]:
    alarms = evaluation.false_alarms
    if not alarms:
        return []
    rows = [
        [
            cell(alarm.raised_at),
            _titles(alarm.title, alarm.title_zh),
            cell(group_said(alarm.group)),
            "; ".join(map(cell, alarm.touched)) or "–",
            cell(alarm.alert_id),
            f"{alarm.institutions}",
            f"{alarm.tickets}",
        ]
        for alarm in alarms[:ROWS_MAX]
    ]
    heads = [
        "raised · 時間",
        "rule · 規則",
        "in common · 共同點",
        "labels it touches · 沾及標籤",
        "alert · 告警",
        "institutions · 機構",
        "tickets · 事件單",
    ]
    more = len(alarms) - len(rows)
    tail = [f"{more:,} more · 另有 {more:,} 則"] if more else []
    return ["## False alarms · 誤報", _table(heads, rows, texts=5), *tail]


def _silent(curves: Sequence[Curve]) -> Iterator[str]:
    silent = [
        f"- {_titles(found.axis.title, found.axis.title_zh, ' · ')}: {cell(found.axis.key)}, "
        + ", ".join(cell(shown(each.value)) for each in found.settings)
        for found in curves
        if found.is_silent
    ]
    if silent:
        yield "No joint alert under any of its settings · 各設定下均無聯防告警：\n\n" + "\n".join(silent)


def _curve(name: str, found: Curve) -> list[str]:
    rows = []
    for each in found.settings:
        row = [
            cell(shown(each.value)),
            share_in_full(each.precision),
            share_in_full(each.recall),
            span_said(each.after_first_s.median),
            share_in_full(each.all_precision),
            share_in_full(each.all_recall),
            number_said(each.all_per_day, 1),
        ]
        rows.append([f"**{text}**" for text in row] if each.stands else row)
    heads = [
        cell(found.axis.key),
        "precision · 精確率",
        "recall · 召回率",
        "from first ticket, median · 自首張事件單中位數",
        "all rules: precision · 全部規則精確率",
        "all rules: recall · 全部規則召回率",
        "all rules: alerts a day · 全部規則每日告警",
    ]
    title = f"{_titles(found.axis.title, found.axis.title_zh, ' · ')}: {cell(found.axis.key)}"
    return [f"### {title}", _picture(f"Trade-off of {cell(found.axis.key)}", name), _table(heads, rows)]


def _titles(title: str, title_zh: str, between: str = "<br>") -> str:
    return cell(title) if title == title_zh else f"{cell(title)}{between}{cell(title_zh)}"


def _picture(name: str, file: str) -> str:
    return f"![{name}](<{file}>)"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """texts: so many columns from the left are words, to the left; the rest are figures."""
    lines = [heads, [*[":--"] * texts, *["--:"] * (len(heads) - texts)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
