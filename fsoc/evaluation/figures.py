"""What an evaluation consists of, and its form for machines. Reckons nothing: that is evaluate.py's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from fsoc.evaluation.shares import Share, Spread
from fsoc.tickets.times import rfc3339

SCHEMA = "fsoc.evaluation/1"


class Note(NamedTuple):
    """What a reader must know of the figures: in English and in Traditional Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """The joint alerts of one rule that stand.

    precision: those on a label, of all. recall: labels that one of them is on, of all labels.
    only: labels that no other rule's alert is on.
    retracted: its joint alerts that were taken back; they are in no other figure.
    after_first_s: from a label's first ticket to the earliest alert of this rule on it, over its labels.
    """

    rule_id: str
    title: str
    title_zh: str
    precision: Share
    recall: Share
    f1: float | None
    only: tuple[str, ...]
    retracted: int
    tickets_per_alert: Spread
    after_first_s: Spread


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label that a joint alert could be on.

    alert_ids: joint alerts on it, the earliest first; none: it was missed. rule_ids: theirs, in order of the alerts.
    precision: of joint alerts that name one of its tickets, those on it. recall: of its tickets, those that an alert on
    it names. covered: how many of its institutions such an alert names; struck: how many it struck, as far as is known.
    after_first_s, after_third_s: event time from its first ticket, and from the first ticket of its third independent
        institution, to the earliest alert. The first is 0 where the alert stood before; the second is negative where a
        rule is content with two. None: not known.
    after_deciding_s: from when the deciding ticket of the earliest alert happened to when it came.
    """

    name: str
    alert_ids: tuple[str, ...]
    rule_ids: tuple[str, ...]
    precision: Share
    recall: Share
    covered: int
    struck: int
    after_first_s: float | None
    after_third_s: float | None
    after_deciding_s: float | None
    tickets_per_alert: Spread


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A joint alert on no label. group: what its tickets have in common; touched: labels of which it names a ticket."""

    alert_id: str
    rule_id: str
    title: str
    title_zh: str
    group: Mapping[str, str]
    raised_at: str
    institutions: int
    tickets: int
    touched: tuple[str, ...]


class Day(NamedTuple):
    """Joint alerts that were raised on one day, UTC."""

    date: str
    true: int
    false: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the alerts ask of analysts.

    days: of event time covered, at least one. stories: alerts folded by campaign, and with those they continue.
    by_day: every day from the first to the last.
    """

    from_ms: int
    to_ms: int
    days: float
    alerts: int
    stories: int
    by_day: tuple[Day, ...]

    @property
    def alerts_per_day(self) -> float:
        return self.alerts / self.days

    @property
    def stories_per_day(self) -> float:
        return self.stories / self.days


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures. fsoc/evaluation/README.md defines each.

    apart: alerts that are not judged, by why: retracted, merged, suppressed, local.
    local_labels: labels of one institution.
    load: None where there is neither a ticket nor a joint alert.
    """

    precision: Share
    recall: Share
    f1: float | None
    rules: tuple[RuleFigures, ...]
    labels: tuple[LabelFigures, ...]
    local_labels: tuple[str, ...]
    false_alarms: tuple[FalseAlarm, ...]
    apart: Mapping[str, int]
    tickets_per_alert: Spread
    after_first_s: Spread
    after_third_s: Spread
    after_deciding_s: Spread
    load: Load | None
    notes: tuple[Note, ...]

    @property
    def missed(self) -> list[str]:
        return [label.name for label in self.labels if not label.alert_ids]

    def as_json(self) -> dict[str, Any]:
        """For machines: `fsoc evaluate --json`."""
        load = self.load
        return {
            "schema": SCHEMA,
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "f1": self.f1,
            "apart": dict(self.apart),
            "missed": self.missed,
            "local_labels": list(self.local_labels),
            "tickets_per_alert": self.tickets_per_alert.as_json(),
            "after_first_s": self.after_first_s.as_json(),
            "after_third_s": self.after_third_s.as_json(),
            "after_deciding_s": self.after_deciding_s.as_json(),
            "load": load
            and {
                "from": rfc3339(load.from_ms),
                "to": rfc3339(load.to_ms),
                "days": load.days,
                "alerts": load.alerts,
                "alerts_per_day": load.alerts_per_day,
                "stories": load.stories,
                "stories_per_day": load.stories_per_day,
                "by_day": [day._asdict() for day in load.by_day],
            },
            "rules": [_plain(rule) for rule in self.rules],
            "labels": [_plain(label) for label in self.labels],
            "false_alarms": [_plain(alarm) for alarm in self.false_alarms],
            "notes": [note._asdict() for note in self.notes],
        }


def _plain(figures: RuleFigures | LabelFigures | FalseAlarm) -> dict[str, Any]:
    return {each.name: _value(getattr(figures, each.name)) for each in fields(figures)}


def _value(value: Any) -> Any:
    if isinstance(value, Share | Spread):
        return value.as_json()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
