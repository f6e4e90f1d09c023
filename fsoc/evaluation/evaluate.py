"""Alerts against the truth: every figure of an evaluation. Pure: lines that were read in, figures out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from fsoc.correlation.rules import DAY_MS
from fsoc.evaluation.figures import Day, Evaluation, FalseAlarm, LabelFigures, Load, RuleFigures
from fsoc.evaluation.judging import JOINT, Judged, apart, judge, newest, stories
from fsoc.evaluation.notes import notes
from fsoc.evaluation.records import Alert
from fsoc.evaluation.shares import Share, Spread, f1
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.timing import Timing
from fsoc.evaluation.truth import Label, Truth
from fsoc.tickets.times import rfc3339


def evaluate(
    alerts: Iterable[Alert],
    truth: Truth,
    tickets: Tickets | None = None,
    independent_of: Callable[[str], str] = lambda institution: institution,
) -> Evaluation:
    """Judge the newest revision of every alert.

    tickets: what was sent; None: it is not known, and the figures that need it are None, which the notes say.
    independent_of: what of an institution counts once: its holding group, or itself.
    """
    current = newest(alerts)
    known = {key for alert in current for key in alert.keys}.union(tickets or ())
    labels = truth.labels(known)
    joint = {name: label for name, label in labels.items() if label.is_joint}
    judged = [judge(alert, truth, labels) for alert in current if apart(alert) is None]
    timing = Timing(tickets, independent_of)
    found = tuple(_label(label, judged, timing) for label in joint.values())
    true = sum(bool(each.on) for each in judged)
    precision = Share(true, len(judged))
    recall = Share(sum(bool(label.alert_ids) for label in found), len(found))
    return Evaluation(
        precision=precision,
        recall=recall,
        f1=f1(precision, recall),
        rules=_rules(current, judged, joint, timing),
        labels=found,
        local_labels=tuple(name for name in labels if name not in joint),
        false_alarms=tuple(_false_alarm(each) for each in judged if not each.on),
        apart=dict(sorted(Counter(why for alert in current if (why := apart(alert)) is not None).items())),
        tickets_per_alert=_sizes(judged),
        after_first_s=_known(label.after_first_s for label in found),
        after_third_s=_known(label.after_third_s for label in found),
        after_deciding_s=_known(timing.after_deciding_s(each.alert) for each in judged),
        load=_load(judged, tickets),
        notes=tuple(notes(truth, labels, known, tickets, judged)),
    )


def _label(label: Label, judged: Sequence[Judged], timing: Timing) -> LabelFigures:
    touching = [each for each in judged if label.name in each.touched]
    on = [each.alert for each in touching if label.name in each.on]
    named = label.tickets.intersection(key for alert in on for key in alert.keys)
    covered = label.institutions.intersection(name for alert in on for name in alert.institutions)
    return LabelFigures(
        name=label.name,
        alert_ids=tuple(alert.id for alert in on),
        rule_ids=tuple(dict.fromkeys(alert.rule_id for alert in on)),
        precision=Share(len(on), len(touching)),
        recall=Share(len(named), label.ticket_count),
        covered=len(covered),
        struck=len(label.institutions),
        after_first_s=timing.after_first_s(label, on),
        after_third_s=timing.after_third_s(label, on),
        after_deciding_s=timing.after_deciding_s(on[0]) if on else None,
        tickets_per_alert=Spread.of(len(alert.keys) for alert in on),
    )


def _rules(
    alerts: Sequence[Alert], judged: Sequence[Judged], labels: Mapping[str, Label], timing: Timing
) -> tuple[RuleFigures, ...]:
    """By title. A rule of which no joint alert was ever raised is not known here."""
    named = {alert.rule_id: alert for alert in alerts if alert.kind == JOINT}
    found_by: dict[str, set[str]] = {}
    for each in judged:
        for name in each.on:
            found_by.setdefault(name, set()).add(each.alert.rule_id)
    figures = []
    for alert in sorted(named.values(), key=lambda alert: (alert.rule_title, alert.rule_id)):
        own = [each for each in judged if each.alert.rule_id == alert.rule_id]
        found = [name for name, rules in sorted(found_by.items()) if alert.rule_id in rules]
        precision, recall = Share(sum(bool(each.on) for each in own), len(own)), Share(len(found), len(labels))
        on = {name: [each.alert for each in own if name in each.on] for name in found}
        figures.append(
            RuleFigures(
                rule_id=alert.rule_id,
                title=alert.rule_title,
                title_zh=alert.rule_title_zh,
                precision=precision,
                recall=recall,
                f1=f1(precision, recall),
                only=tuple(name for name in found if len(found_by[name]) == 1),
                retracted=sum(
                    other.rule_id == alert.rule_id and other.kind == JOINT and other.status == "retracted"
                    for other in alerts
                ),
                tickets_per_alert=_sizes(own),
                after_first_s=_known(timing.after_first_s(labels[name], on[name]) for name in found),
            )
        )
    return tuple(figures)


def _false_alarm(each: Judged) -> FalseAlarm:
    alert = each.alert
    return FalseAlarm(
        alert_id=alert.id,
        rule_id=alert.rule_id,
        title=alert.rule_title,
        title_zh=alert.rule_title_zh,
        group=alert.group,
        raised_at=rfc3339(alert.raised_ms),
        institutions=len(alert.institutions),
        tickets=len(alert.keys),
        touched=each.touched,
    )


def _load(judged: Sequence[Judged], tickets: Tickets | None) -> Load | None:
    spans = [(each.alert.first_ms, max(each.alert.last_ms, each.alert.raised_ms)) for each in judged]
    if tickets is not None and tickets.span_ms is not None:
        spans.append(tickets.span_ms)
    if not spans:
        return None
    from_ms, to_ms = min(first for first, _ in spans), max(last for _, last in spans)
    true, false = (
        Counter(_date(each.alert.raised_ms) for each in judged if bool(each.on) is on_one) for on_one in (True, False)
    )
    day, last = datetime.fromisoformat(_date(from_ms)), _date(to_ms)
    dates = [_date(from_ms)]
    while dates[-1] < last:
        day += timedelta(days=1)
        dates.append(day.date().isoformat())
    return Load(
        from_ms=from_ms,
        to_ms=to_ms,
        days=max((to_ms - from_ms) / DAY_MS, 1.0),
        alerts=len(judged),
        stories=len(stories([each.alert for each in judged])),
        by_day=tuple(Day(date, true[date], false[date]) for date in dates),
    )


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _sizes(judged: Iterable[Judged]) -> Spread:
    return Spread.of(len(each.alert.keys) for each in judged)


def _known(figures: Iterable[float | None]) -> Spread:
    return Spread.of(figure for figure in figures if figure is not None)
