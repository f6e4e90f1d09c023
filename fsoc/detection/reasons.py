"""A matcher in words, and why a field does not satisfy it. Decides nothing: the matcher has done that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Final

from fsoc.detection.event import Event, Found, Value, is_number
from fsoc.detection.matchers import (
    MANY,
    AnyOf,
    Bool,
    Compare,
    Exists,
    Network,
    Null,
    Number,
    Order,
    Place,
    Regex,
    SameAs,
    Text,
    TimeIs,
    Wildcards,
    time_part,
)
from fsoc.detection.nodes import Matcher

ANOTHER_VALUE: Final = "another value"
_ORDERS: Final[Mapping[Order, str]] = {"lt": "<", "lte": "≤", "gt": ">", "gte": "≥"}
_MISPLACED: Final[Mapping[Place, str]] = {
    "whole": "it is in the value, but is not the whole of it",
    "start": "it is in the value, but not at its start",
    "end": "it is in the value, but not at its end",
    "anywhere": ANOTHER_VALUE,
}


def described(matcher: Matcher) -> str:  # noqa: C901, PLR0911 - one return a kind
    """What it asks for."""
    match matcher:
        case Text(text, place):
            return f"{'*' * (place in ('end', 'anywhere'))}{text}{'*' * (place in ('start', 'anywhere'))}"
        case Wildcards(parts):
            return "".join(part if isinstance(part, str) else "*" if part == MANY else "?" for part in parts)
        case Regex(pattern):
            return pattern
        case Number(number):
            return str(number)
        case Bool(flag):
            return "true" if flag else "false"
        case Compare(order, number, part):
            return f"{part or ''} {_ORDERS[order]} {number}".strip()
        case TimeIs(part, number):
            return f"{part} {number}"
        case Network(network):
            return str(network)
        case SameAs(field):
            return f"the field {field}"
        case Null():
            return "null"
        case Exists(wanted):
            return "true" if wanted else "false"
        case AnyOf(matchers):
            return " or ".join(map(described, matchers))
    raise TypeError(type(matcher).__name__)


def reason(matcher: Matcher, found: Found, event: Event) -> str:  # noqa: PLR0911 - one return a reason
    """Why what was found of a field does not satisfy it."""
    match matcher:
        case Exists(wanted):
            return "there is no such field" if wanted else "there is such a field"
        case Null():
            return "there is a value"
    if found is None:
        return "there is no such field"
    if not found:
        return "the field is an empty list"
    if all(value.raw is None for value in found):
        return "the field is null"
    if isinstance(matcher, SameAs):
        return _difference(matcher, event)
    texts = [value for value in found if value.text is not None]
    if not texts:
        return "the field is an object, and only its parts have values"
    if isinstance(matcher, AnyOf):
        reasons = {_of_values(each, texts, event) for each in matcher.matchers}
        return reasons.pop() if len(reasons) == 1 else ANOTHER_VALUE
    return _of_values(matcher, texts, event)


def _of_values(matcher: Matcher, values: list[Value], event: Event) -> str:  # noqa: PLR0911 - one return a kind
    found = tuple(values)
    if isinstance(matcher, Text | Wildcards | Regex) and _caseless(matcher)(found, event):
        return "only the letter case differs"
    match matcher:
        case Text(_, place) if place != "anywhere" and replace(matcher, place="anywhere")(found, event):
            return _MISPLACED[place]
        case Compare(part=None) | Number() if all(value.number is None for value in values):
            return "not a number"
        case Compare(part=str(part)) | TimeIs(part) if all(time_part(value, part) is None for value in values):
            return "not a time"
        case Network() if not any(_is_address(value.raw) for value in values):
            return "not an IP address"
        case Text(number=None) if all(is_number(value.raw) for value in values):
            return "a number, and another one as text"
    return ANOTHER_VALUE


def _caseless(matcher: Text | Wildcards | Regex) -> Matcher:
    match matcher:
        case Regex(pattern):
            return Regex(f"(?i:{pattern})") if not pattern.startswith("(?") else matcher
        case Text(text):
            return replace(matcher, text=text.casefold(), cased=False)
    folded = tuple(part.casefold() if isinstance(part, str) else part for part in matcher.parts)
    return Wildcards(folded, cased=False)


def _difference(matcher: SameAs, event: Event) -> str:
    others = event.find(matcher.field)
    if not others:
        return f"there is no field {matcher.field} to compare it with"
    shown = ", ".join("null" if value.text is None else value.text for value in others[:3])
    return f"not as {matcher.field}: {shown[:200]}"


def _is_address(raw: Any) -> bool:
    try:
        ip_address(raw if isinstance(raw, str) else "")
    except ValueError:
        return False
    return True
