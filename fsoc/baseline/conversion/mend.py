"""What is put otherwise before a backend sees a rule, because the backend would say something else, or nothing.

Found by reading what each wrote: parts of times compared with the whole time, searched expressions as whole values,
names with hyphens read as subtractions. Each is mended here or refused; none is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sigma.conditions import ConditionNOT
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import PreprocessingTransformation
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import (
    SigmaBool,
    SigmaCompareExpression,
    SigmaFieldReference,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    TimestampPart,
)

from fsoc.baseline.conversion.regex import CannotSayError, lucene, whole
from fsoc.baseline.conversion.targets import Note, Target

_WHERE: Final = {
    TimestampPart.YEAR: (0, 4),
    TimestampPart.MONTH: (5, 2),
    TimestampPart.DAY: (8, 2),
    TimestampPart.HOUR: (11, 2),
    TimestampPart.MINUTE: (14, 2),
}
"""Of a part: where its text begins in RFC 3339, and how long it is."""
_not_plain = re.compile(r"[^A-Za-z0-9_]")


class CannotMendError(Exception):
    """The rule asks for what the target cannot say."""


def mend(rule: SigmaRule, target: Target) -> set[Note]:
    """Change the rule so that the target's backend says what it means; return what its reader must know.

    Raises:
        CannotMendError: with the reason.
    """
    notes: set[Note] = set(target.notes)
    for item in items(rule):
        item.value = [_value(value, target, notes) for value in item.value]
    if target.three_valued and _has_not(rule):
        notes.add("missing-fields")
    if target.id == "loki":
        rule.custom_attributes.setdefault("loki_parser", "json")
    return notes


def names_of(target: Target) -> ProcessingPipeline:
    """What is done with field names once an institution's own mapping has been applied."""
    return ProcessingPipeline([ProcessingItem(_Names())] if target.plain_names else [])


def items(rule: SigmaRule) -> Iterator[SigmaDetectionItem]:
    """Every line of every selection, however deep."""

    def below(detection: SigmaDetection) -> Iterator[SigmaDetectionItem]:
        for each in detection.detection_items:
            if isinstance(each, SigmaDetection):
                yield from below(each)
            else:
                yield each

    for detection in rule.detection.detections.values():
        yield from below(detection)


class _Names(PreprocessingTransformation):  # type: ignore[misc]
    """Names as an unquoted name may be: Splunk, Loki and log shippers write `cs-method` as `cs_method` themselves."""

    def apply(self, rule: SigmaRule) -> None:
        super().apply(rule)
        for item in items(rule):
            if item.field:
                item.field = _plain(item.field)
            item.value = [
                SigmaFieldReference(_plain(value.field), value.starts_with, value.ends_with)
                if isinstance(value, SigmaFieldReference)
                else value
                for value in item.value
            ]


def _plain(name: str) -> str:
    return str(_not_plain.sub("_", name))


def _value(value: Any, target: Target, notes: set[Note]) -> Any:
    if isinstance(value, SigmaTimestampPart):
        value = _part_of_text(value)
        notes.add("time-as-text")
    if isinstance(value, SigmaCompareExpression) and isinstance(value.number, SigmaTimestampPart):
        raise CannotMendError("a part of a time is compared by size; name its values")
    if isinstance(value, SigmaRegularExpression) and target.regex != "searched":
        return _of_whole_value(value, target, notes)
    if isinstance(value, SigmaBool) and target.booleans_as_text:
        return SigmaString("true" if value.boolean else "false")
    return value


def _part_of_text(value: SigmaTimestampPart) -> SigmaRegularExpression:
    if value.timestamp_part not in _WHERE:
        raise CannotMendError(f"{value.timestamp_part.name.lower()} of a time is not part of its text")
    begins, length = _WHERE[value.timestamp_part]
    return SigmaRegularExpression(f"^.{{{begins}}}{int(value.number):0{length}}")


def _of_whole_value(value: SigmaRegularExpression, target: Target, notes: set[Note]) -> SigmaRegularExpression:
    pattern = str(value.regexp)
    notes.add("regex-anchored")
    if target.regex == "whole":
        return SigmaRegularExpression(whole(pattern), value.flags)
    if value.flags - {SigmaRegularExpressionFlag.IGNORECASE}:
        raise CannotMendError("Lucene's regular expressions have no flags")
    try:
        return SigmaRegularExpression(lucene(f"(?i){pattern}" if value.flags else pattern))
    except CannotSayError as error:
        raise CannotMendError(f"Lucene's regular expressions do not have {error}") from error


def _has_not(rule: SigmaRule) -> bool:
    def below(node: Any) -> bool:
        return isinstance(node, ConditionNOT) or any(map(below, getattr(node, "args", ())))

    return any(below(condition.parsed) for condition in rule.detection.parsed_condition)
