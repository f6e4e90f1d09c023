"""Texts that a regular expression finds: drawn from its parsed form. Proposes only; whether it was found, RE2 says."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable
from typing import Any, Final

# The standard library's own parser; private, and the only one there is. What it does not know, nothing is drawn for.
from re import _parser as parser  # type: ignore[attr-defined] # isort: skip

_REPEATS_MORE_MAX: Final = 3
_ANY: Final = string.ascii_letters + string.digits + " _-./\\=:"
_OF_CATEGORY: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_NOT_DIGIT": string.ascii_letters,
    "CATEGORY_SPACE": " \t",
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_NOT_WORD": " -./\\=:",
}


def text_for(pattern: str, draw: random.Random) -> str | None:
    """A text that `pattern` is likely to find somewhere in; None where the pattern is not understood."""
    try:
        parsed = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
    return _sequence(parsed, draw)


def _sequence(parsed: Iterable[tuple[Any, Any]], draw: random.Random) -> str:
    return "".join(_one(str(operation), argument, draw) for operation, argument in parsed)


def _one(operation: str, argument: Any, draw: random.Random) -> str:  # noqa: PLR0911 - one return a kind
    match operation:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return draw.choice([char for char in _ANY if ord(char) != argument])
        case "ANY":
            return draw.choice(_ANY)
        case "IN":
            return _of_class(argument, draw)
        case "BRANCH":
            return _sequence(draw.choice(argument[1]), draw)
        case "SUBPATTERN":
            return _sequence(argument[-1], draw)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            times = draw.randint(least, min(most, least + _REPEATS_MORE_MAX))
            return "".join(_sequence(inner, draw) for _ in range(times))
        case _:
            return ""  # places such as ^ and \b take no characters


def _of_class(members: Iterable[tuple[Any, Any]], draw: random.Random) -> str:
    wanted: list[str] = []
    negated = False
    for operation, argument in members:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                wanted.append(chr(argument))
            case "RANGE":
                low, high = argument
                wanted += [chr(low), chr(high), chr(draw.randint(low, high))]
            case "CATEGORY":
                wanted += _OF_CATEGORY.get(str(argument), "")
    if not negated:
        return draw.choice(wanted) if wanted else ""
    left = [char for char in _ANY if not re.fullmatch(f"[{''.join(map(re.escape, wanted))}]", char)] if wanted else _ANY
    return draw.choice(left) if left else ""
