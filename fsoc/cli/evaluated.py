"""An evaluation as a terminal shows it. Pure text; reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table
from fsoc.evaluation.changes import shown
from fsoc.evaluation.comparison import Comparison
from fsoc.evaluation.figures import Evaluation
from fsoc.evaluation.sweep import Curve
from fsoc.evaluation.words import count_said, group_said, number_said, share_in_full, span_said

ROWS_MAX: Final = 40
"""Of labels and of false alarms; the report and --json have all of them."""
_NAME_MAX: Final = 70


def lines(evaluation: Evaluation, room: int | None = None) -> Iterator[str]:
    """The whole first, then by rule, by label, and what was false. room: cells in a line, as `table` takes it."""
    yield click.style("joint alerts against labels", bold=True)
    for name, text in _summary(evaluation):
        yield f"  {name:<28}{text}"
    if evaluation.rules:
        yield click.style("by rule", bold=True)
        yield from table(
            _RULE, evaluation.rules, "yellow", lambda rule: rule.precision.hits < rule.precision.total, room
        )
    if evaluation.labels:
        yield click.style("by label", bold=True)
        # Those that were missed first: nobody should have to look for them.
        rows = sorted(evaluation.labels, key=lambda label: bool(label.alert_ids))
        yield from table(_LABEL, rows[:ROWS_MAX], "red", lambda label: not label.alert_ids, room)
        yield from _rest(len(rows))
    if evaluation.false_alarms:
        yield click.style("false alarms", bold=True)
        yield from table(_FALSE, evaluation.false_alarms[:ROWS_MAX], "red", lambda _: False, room)
        yield from _rest(len(evaluation.false_alarms))
    for note in evaluation.notes:
        yield click.style(f"note: {note.en}", dim=True)


def curve_lines(curve: Curve, room: int | None = None) -> Iterator[str]:
    """A line for each setting; the one that stands is marked."""
    yield click.style(f"{_name(curve.axis.title)}: {printable(curve.axis.key)}", bold=True)
    if curve.is_silent:
        values = printable(", ".join(shown(setting.value) for setting in curve.settings))
        yield click.style(f"  no joint alert under any of {values}", dim=True)
        return
    yield from table(_SETTING, curve.settings, "green", lambda setting: setting.stands, room)


def comparison_lines(comparison: Comparison, room: int | None = None) -> Iterator[str]:
    """As written beside changed; rules that differ are marked."""
    yield click.style(f"as written, and with {printable(', '.join(comparison.changes))}", bold=True)
    yield from table(_ROW, comparison.rows, "yellow", lambda row: row.written != row.changed, room)


def _summary(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    yield "precision", f"{share_in_full(evaluation.precision)}   of joint alerts, on a label"
    yield "recall", f"{share_in_full(evaluation.recall)}   of labels, alerted"
    yield "F1", number_said(evaluation.f1)
    if evaluation.load is not None:
        load = evaluation.load
        yield "joint alerts a day", f"{load.alerts_per_day:.1f}   {load.alerts:,} in {load.days:.1f} days"
        yield "stories a day", f"{load.stories_per_day:.1f}   folded by campaign and continuation"
    spreads = {
        "from first ticket": evaluation.after_first_s,
        "from third institution": evaluation.after_third_s,
        "deciding ticket came after": evaluation.after_deciding_s,
    }
    for name, spread in spreads.items():
        text = f"median {span_said(spread.median)}, p90 {span_said(spread.p90)}, most {span_said(spread.most)}"
        yield name, text if spread.count else "–"
    yield "not judged", ", ".join(f"{count} {printable(why)}" for why, count in evaluation.apart.items()) or "none"
    if evaluation.local_labels:
        yield "labels of one institution", f"{len(evaluation.local_labels)}"


def _rest(count: int) -> Iterator[str]:
    if count > ROWS_MAX:
        yield click.style(f"  … {count - ROWS_MAX:,} more: --report or --json has all of them", dim=True)


def _name(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _NAME_MAX else text[: _NAME_MAX - 1] + "…"


_RULE: Final[tuple[Column, ...]] = (
    ("rule", lambda rule: _name(rule.title)),
    ("alerts", lambda rule: f"{rule.precision.total:,}"),
    ("precision", lambda rule: share_in_full(rule.precision)),
    ("recall", lambda rule: share_in_full(rule.recall)),
    ("F1", lambda rule: number_said(rule.f1)),
    ("alone", lambda rule: f"{len(rule.only)}"),
    ("tickets", lambda rule: count_said(rule.tickets_per_alert.median)),
    ("from first", lambda rule: span_said(rule.after_first_s.median)),
    ("retracted", lambda rule: f"{rule.retracted}"),
)

_LABEL: Final[tuple[Column, ...]] = (
    ("label", lambda label: _name(label.name)),
    ("alerts", lambda label: f"{len(label.alert_ids)}" if label.alert_ids else "missed"),
    ("institutions", lambda label: f"{label.covered} of {label.struck}"),
    ("its tickets", lambda label: share_in_full(label.recall)),
    ("of alerts touching", lambda label: share_in_full(label.precision)),
    ("from first", lambda label: span_said(label.after_first_s)),
    ("from third", lambda label: span_said(label.after_third_s)),
    ("deciding came", lambda label: span_said(label.after_deciding_s)),
)

_FALSE: Final[tuple[Column, ...]] = (
    ("rule", lambda alarm: _name(alarm.title)),
    ("in common", lambda alarm: _name(group_said(alarm.group))),
    ("raised", lambda alarm: alarm.raised_at[:16].replace("T", " ")),
    ("institutions", lambda alarm: f"{alarm.institutions}"),
    ("tickets", lambda alarm: f"{alarm.tickets}"),
    ("alert", lambda alarm: printable(alarm.alert_id)),
)

_SETTING: Final[tuple[Column, ...]] = (
    ("value", lambda setting: printable(shown(setting.value)) + ("  as it stands" if setting.stands else "")),
    ("precision", lambda setting: share_in_full(setting.precision)),
    ("recall", lambda setting: share_in_full(setting.recall)),
    ("from first", lambda setting: span_said(setting.after_first_s.median)),
    ("all: precision", lambda setting: share_in_full(setting.all_precision)),
    ("all: recall", lambda setting: share_in_full(setting.all_recall)),
    ("all: a day", lambda setting: number_said(setting.all_per_day, 1)),
)

_ROW: Final[tuple[Column, ...]] = (
    ("rule", lambda row: _name(row.title)),
    ("precision", lambda row: share_in_full(row.written.precision)),
    ("→", lambda row: share_in_full(row.changed.precision)),
    ("recall", lambda row: share_in_full(row.written.recall)),
    ("→", lambda row: share_in_full(row.changed.recall)),
    ("false alarms", lambda row: f"{row.written.false_alarms:,}"),
    ("→", lambda row: f"{row.changed.false_alarms:,}"),
)
