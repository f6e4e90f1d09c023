"""pySigma's detections to nodes: which matcher stands for which value. Reads no YAML and matches nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import re2
from sigma.conditions import ConditionAND
from sigma.modifiers import (
    SigmaCaseSensitiveModifier,
    SigmaContainsModifier,
    SigmaEndswithModifier,
    SigmaStartswithModifier,
)
from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from fsoc.detection import matchers
from fsoc.detection.build import Line
from fsoc.detection.event import number_of
from fsoc.detection.nodes import Item, Matcher, Node, Not, all_of, any_of

_MANY: Final = SpecialChars.WILDCARD_MULTI
_ORDERS: Final[Mapping[Any, matchers.Order]] = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
}
_MAKERS: Final[Mapping[Any, Callable[[Any], Matcher]]] = {
    SigmaCompareExpression: lambda value: matchers.Compare(
        _ORDERS[value.op],
        value.number.number,
        _part(value.number) if isinstance(value.number, SigmaTimestampPart) else None,
    ),
    SigmaTimestampPart: lambda value: matchers.TimeIs(_part(value), value.number),
    SigmaNumber: lambda value: matchers.Number(value.number),
    SigmaBool: lambda value: matchers.Bool(value.boolean),
    SigmaNull: lambda _: matchers.Null(),
    SigmaRegularExpression: lambda value: _regex(value),  # noqa: PLW0108 - defined below
    SigmaCIDRExpression: lambda value: matchers.Network(value.network),
    SigmaExists: lambda value: matchers.Exists(value.exists),
}
"""In this order: the part of a time is a number too."""
_ENDS: Final = (SigmaContainsModifier, SigmaEndswithModifier, SigmaStartswithModifier)


class CannotEvaluateError(Exception):
    """line: of the item, where it is known."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


def compile_detection(detection: SigmaDetection) -> Node | None:
    """The node of one detection; None where a pipeline dropped all of it.

    Raises:
        CannotEvaluateError: a value has no meaning for an evaluator.
    """
    parts = [
        compile_detection(part) if isinstance(part, SigmaDetection) else _item(part)
        for part in detection.detection_items
    ]
    return all_of(parts) if detection.item_linking is ConditionAND else any_of(parts)


def _item(item: SigmaDetectionItem) -> Node:
    cased = any(issubclass(modifier, SigmaCaseSensitiveModifier) for modifier in item.modifiers)
    # A keyword is looked for anywhere in each value, unless its modifiers say at which end.
    loose = item.field is None and not any(issubclass(modifier, _ENDS) for modifier in item.modifiers)
    values = item.value or [SigmaNull()]
    found = []
    for place, value in enumerate(values):
        try:
            found.append(_matcher(value, cased=cased, loose=loose))
        except CannotEvaluateError as error:
            line = _line(item, place, len(values))
            raise CannotEvaluateError(f"{item.field or 'keyword'}: {error}", line) from error
    node = Item(item.field, tuple(found), every=item.value_linking is ConditionAND)
    return Not(node) if item.negated else node


def _line(item: SigmaDetectionItem, place: int, of: int) -> int | None:
    """Of the value at that place; of the item where a modifier made more of the values, or fewer."""
    if not isinstance(item.source, Line):
        return None
    return item.source.values[place][0] if len(item.source.values) == of else item.source.number


def _matcher(value: Any, *, cased: bool, loose: bool) -> Matcher:
    match value:
        case SigmaString():
            return _text(value, cased=cased or isinstance(value, SigmaCasedString), loose=loose)
        case SigmaNumber() if loose and not isinstance(value, SigmaTimestampPart):
            return matchers.Text(str(value.number), "anywhere")
        case SigmaFieldReference():
            return matchers.SameAs(value.field, _place(value), cased)
        case SigmaExpansion():
            return matchers.AnyOf(tuple(_matcher(each, cased=cased, loose=loose) for each in value.values))
    for kind, make in _MAKERS.items():
        if isinstance(value, kind):
            return make(value)
    raise CannotEvaluateError(f"{type(value).__name__} has no meaning without a backend's query language")


def _text(value: SigmaString, *, cased: bool, loose: bool) -> Matcher:
    """A text is matched at one place, or, with wildcards inside, as a pattern."""
    _refuse_placeholders(value)
    parts = value.s if cased else [part.casefold() if isinstance(part, str) else part for part in value.s]
    parts = _merged([_MANY, *parts, _MANY] if loose else parts)
    places: Mapping[tuple[bool, bool], matchers.Place] = {
        (False, False): "whole",
        (False, True): "start",
        (True, False): "end",
        (True, True): "anywhere",
    }
    before = parts[:1] == [_MANY]
    after = parts[before:][-1:] == [_MANY]
    inner = parts[before : len(parts) - after]
    if not inner or (len(inner) == 1 and isinstance(inner[0], str)):
        text, place = "".join(inner), places[before, after]
        return matchers.Text(text, place, cased, number_of(text) if place == "whole" else None)
    wild = {_MANY: matchers.MANY, SpecialChars.WILDCARD_SINGLE: matchers.ONE}
    try:
        return matchers.Wildcards(tuple(part if isinstance(part, str) else wild[part] for part in parts), cased)
    except re2.error as error:
        raise CannotEvaluateError(f"text with wildcards: {error.args[0]}") from error


def _merged(parts: list[Any]) -> list[Any]:
    """Neighbouring texts joined, a run of * made one."""
    merged: list[Any] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        elif part is not _MANY or not merged or merged[-1] is not _MANY:
            merged.append(part)
    return merged


def _regex(value: SigmaRegularExpression) -> Matcher:
    _refuse_placeholders(value.regexp)
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    try:
        return matchers.Regex(f"(?{flags}){value.regexp}" if flags else str(value.regexp))
    except re2.error as error:
        raise CannotEvaluateError(re2_reason(str(value.regexp), error)) from error


def re2_reason(text: str, error: re2.error) -> str:
    """Why RE2 refuses a pattern, in words a rule author can act on."""
    reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error.args[0])
    return f'regular expression "{text[:120]}": {reason} — expected RE2 syntax, without look-around and back-references'


def _refuse_placeholders(value: SigmaString) -> None:
    for part in value.s:
        if isinstance(part, Placeholder):
            raise CannotEvaluateError(f"placeholder %{part.name}% has no values; give them, or a pipeline that does")


def _place(value: SigmaFieldReference) -> matchers.Place:
    if value.starts_with:
        return "anywhere" if value.ends_with else "start"
    return "end" if value.ends_with else "whole"


def _part(value: SigmaTimestampPart) -> Any:
    return value.timestamp_part.name.lower()
