"""Two evaluations of the same tickets beside each other, rule by rule: own past on and off. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fsoc.evaluation.figures import Evaluation, RuleFigures
from fsoc.evaluation.shares import Share


@dataclass(frozen=True, slots=True)
class Side:
    """What a rule, or all of them, come to on one of the two sides."""

    precision: Share
    recall: Share

    @property
    def false_alarms(self) -> int:
        return self.precision.total - self.precision.hits

    def as_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "false_alarms": self.false_alarms,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """rule_id: None is all rules together."""

    rule_id: str | None
    title: str
    title_zh: str
    written: Side
    changed: Side


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rules as they are written, and with changes. changes: as a person wrote them."""

    changes: tuple[str, ...]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "changes": list(self.changes),
            "rows": [
                {
                    "rule_id": row.rule_id,
                    "title": row.title,
                    "title_zh": row.title_zh,
                    "as_written": row.written.as_json(),
                    "changed": row.changed.as_json(),
                }
                for row in self.rows
            ],
        }


def compare(changes: Iterable[str], written: Evaluation, changed: Evaluation) -> Comparison:
    """All rules first, then each rule that raised an alert on either side, by title."""
    titles = {rule.rule_id: (rule.title, rule.title_zh) for each in (written, changed) for rule in each.rules}
    rows = [Row(None, "All rules", "全部規則", *(Side(each.precision, each.recall) for each in (written, changed)))]
    rows += [
        Row(rule_id, *titles[rule_id], _side(written, rule_id), _side(changed, rule_id))
        for rule_id in sorted(titles, key=lambda rule_id: (titles[rule_id], rule_id))
    ]
    return Comparison(tuple(changes), tuple(rows))


def _side(evaluation: Evaluation, rule_id: str) -> Side:
    found: RuleFigures | None = next((rule for rule in evaluation.rules if rule.rule_id == rule_id), None)
    if found is None:
        return Side(Share(0, 0), Share(0, evaluation.recall.total))
    return Side(found.precision, found.recall)
