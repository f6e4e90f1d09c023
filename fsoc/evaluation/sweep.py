"""Which settings a sweep tries, and what each of them comes to. Pure: runs nothing.

RULE[:KEY=VALUE,VALUE…|FROM..TO]…      phishing_kit:gte=2..6:timespan=1h,4h,24h
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fsoc.correlation.rules import TEMPORAL, timespan_ms
from fsoc.detection.documents import Document
from fsoc.evaluation.changes import Change, Path, is_called, path_of, shown, value_at, value_of
from fsoc.evaluation.figures import Evaluation, RuleFigures
from fsoc.evaluation.shares import Share, Spread

VALUES_MAX: Final = 50
"""Of one key: each is a run of the whole pipeline."""
DEFAULT_KEY: Final = "gte"
SMALL_MAX: Final = 20
"""Up to here a bound is a count of institutions or rules, and every count near it is tried."""
_FIRST: Final = 2
_BEYOND: Final = 3
_SCALES: Final = (0.5, 0.75, 1, 1.5, 2)


@dataclass(frozen=True, slots=True)
class Axis:
    """One key of one rule, and the values to try, the one that holds among them. given: whether a person named them.

    standing: what the rule says; None: nothing, so that its default holds.
    """

    rule_id: str
    title: str
    title_zh: str
    path: Path
    values: tuple[Any, ...]
    standing: Any
    given: bool

    @property
    def key(self) -> str:
        """The path as a person writes it."""
        return ".".join(self.path[1:] if len(self.path) > 1 and self.path[0] == "correlation" else self.path)

    def change(self, value: Any) -> Change:
        return Change(self.rule_id, ".".join(self.path), value)


@dataclass(frozen=True, slots=True)
class Setting:
    """What one value of an axis comes to.

    stands: the rule says so now. precision, recall, after_first_s: of the rule's own alerts; all_precision, all_recall:
    of the alerts of all rules.
    """

    value: Any
    stands: bool
    precision: Share
    recall: Share
    after_first_s: Spread
    all_precision: Share
    all_recall: Share
    all_per_day: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "stands": self.stands,
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "after_first_s": self.after_first_s.as_json(),
            "all_precision": self.all_precision.as_json(),
            "all_recall": self.all_recall.as_json(),
            "all_alerts_per_day": self.all_per_day,
        }


@dataclass(frozen=True, slots=True)
class Curve:
    """An axis with the settings that were tried, in its order."""

    axis: Axis
    settings: tuple[Setting, ...]

    @property
    def is_silent(self) -> bool:
        """The rule raises nothing under any setting."""
        return not any(setting.precision.total for setting in self.settings)

    def as_json(self) -> dict[str, Any]:
        return {
            "rule_id": self.axis.rule_id,
            "title": self.axis.title,
            "title_zh": self.axis.title_zh,
            "key": self.axis.key,
            "settings": [setting.as_json() for setting in self.settings],
        }


def setting(axis: Axis, value: Any, evaluation: Evaluation) -> Setting:
    """evaluation: of what came of the value."""
    own = next((rule for rule in evaluation.rules if rule.rule_id == axis.rule_id), None) or _silent(axis, evaluation)
    return Setting(
        value=value,
        stands=value == axis.standing,
        precision=own.precision,
        recall=own.recall,
        after_first_s=own.after_first_s,
        all_precision=evaluation.precision,
        all_recall=evaluation.recall,
        all_per_day=None if evaluation.load is None else evaluation.load.alerts_per_day,
    )


def _silent(axis: Axis, evaluation: Evaluation) -> RuleFigures:
    """The rule that raised nothing."""
    none = Spread.of(())
    recall = Share(0, evaluation.recall.total)
    return RuleFigures(axis.rule_id, axis.title, axis.title_zh, Share(0, 0), recall, None, (), 0, none, none)


def axes(documents: Sequence[Document], asked: Iterable[str]) -> list[Axis]:
    """What is asked for, in its order; "" is `gte` of every correlation across institutions.

    documents: the correlations.

    Raises:
        ValueError: with a line for each thing that is wrong with it.
    """
    found: dict[tuple[str, Path], Axis] = {}
    wrong: list[str] = []
    for text in asked:
        try:
            for axis in _asked(documents, text) if text else _by_default(documents):
                found.setdefault((axis.rule_id, axis.path), axis)
        except ValueError as error:
            wrong.append(f"{text}: {error}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return list(found.values())


def _asked(documents: Sequence[Document], text: str) -> list[Axis]:
    name, *keys = text.split(":")
    named = [document for document in documents if is_called(document, name)]
    if len(named) != 1:
        raise ValueError(f'{len(named) or "no"} correlations are called "{name}" — expected the id or name of one')
    (document,) = named
    if not keys:
        return [_default(document)]
    return [_axis(document, key, values) for key, values in map(_key_and_values, keys)]


def _key_and_values(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    if not key or not equals or not values:
        raise ValueError(f'"{text}" — expected KEY=VALUE,VALUE… or KEY=FROM..TO')
    first, dots, last = values.partition("..")
    if dots:
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            raise ValueError(f'"{values}" — expected two whole numbers, the lesser first')
        if int(last) - int(first) >= VALUES_MAX:
            raise ValueError(f"{int(last) - int(first) + 1} values, limit {VALUES_MAX}")
        return key, list(range(int(first), int(last) + 1))
    read = [value_of(value) for value in values.split(",")]
    if len(read) > VALUES_MAX:
        raise ValueError(f"{len(read)} values, limit {VALUES_MAX}")
    return key, read


def _by_default(documents: Sequence[Document]) -> list[Axis]:
    return [
        _default(document)
        for document in documents
        if value_at(document, ("fsoc", "scope")) in (None, "sector")
        and isinstance(value_at(document, ("correlation", "condition", DEFAULT_KEY)), int)
    ]


def _default(document: Document) -> Axis:
    standing = value_at(document, ("correlation", "condition", DEFAULT_KEY))
    if not isinstance(standing, int):
        name = document.data.get("name") or document.data.get("id")
        raise ValueError(f"{name} has no condition.{DEFAULT_KEY} — expected :KEY=VALUES")  # noqa: TRY004 - the caller's
    if standing > SMALL_MAX:
        return _axis(document, DEFAULT_KEY, [round(standing * scale) for scale in _SCALES], given=False)
    last = standing + _BEYOND
    rules = value_at(document, ("correlation", "rules"))
    if str(value_at(document, ("correlation", "type"))) in TEMPORAL and isinstance(rules, list):
        last = max(len(rules), standing)
    return _axis(document, DEFAULT_KEY, list(range(min(_FIRST, standing), last + 1)), given=False)


def _axis(document: Document, key: str, values: Iterable[Any], *, given: bool = True) -> Axis:
    path = path_of(document, key)
    standing = value_at(document, path)
    # The setting that stands is a point of the curve, whether it was asked for or not: in its place among numbers.
    every = _ordered(list(dict.fromkeys((*values, standing))))
    return Axis(
        rule_id=str(document.data.get("id") or document.data.get("name") or document.data.get("title")),
        title=str(document.data.get("title")),
        title_zh=str(value_at(document, ("fsoc", "title_zh")) or document.data.get("title")),
        path=path,
        values=tuple(every),
        standing=standing,
        given=given,
    )


def _ordered(values: list[Any]) -> list[Any]:
    """Numbers and timespans by size, so that a curve is drawn along them; others as they were given."""
    if all(isinstance(value, int | float) for value in values):
        return sorted(values)
    try:
        return sorted(values, key=timespan_ms)
    except ValueError:
        return values


def name_of(axis: Axis, value: Any) -> str:
    return f"{axis.key} = {shown(value)}"
