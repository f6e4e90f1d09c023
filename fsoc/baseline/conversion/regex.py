r"""A regular expression that is searched for, as one that must match the whole value. Pure.

Lucene's has no `(?:…)`, no `(?i)`, no `\d`, no look-around, no `^` and no `$`; what it cannot say is refused: a query
that finds something else is worse than none. Loki's is RE2's, and needs but the ends.
"""

from __future__ import annotations

import re
from typing import Final

# A line break is white space too; in these languages a query is one line, and so are the fields of our rules.
_CLASSES: Final = {"d": "[0-9]", "w": "[A-Za-z0-9_]", "s": "[ \t]"}
_NO_WORD: Final = "([^A-Za-z0-9_].*)?"
_RESERVED: Final = frozenset('~<>&@#"')
"""Operators of Lucene's that are letters elsewhere."""
_ANY_CASE: Final = "(?i)"
_FLAGS: Final = re.compile(r"\(\?[imsU]+\)")


class CannotSayError(ValueError):
    """Lucene's regular expressions have no such thing."""


def whole(pattern: str) -> str:
    """The same of RE2's, to be matched with whole values."""
    flags = _FLAGS.match(pattern)
    first = flags[0] if flags else ""
    return f"{first}(?s:.*)(?:{pattern.removeprefix(first)})(?s:.*)"


def lucene(pattern: str) -> str:
    """The same of Lucene's, to be matched with whole values.

    Raises:
        CannotSayError: with what it is that cannot be said.
    """
    any_case = pattern.startswith(_ANY_CASE)
    body = pattern.removeprefix(_ANY_CASE)
    begins = body.startswith("^")
    body = body.removeprefix("^")
    end = next((end for end in ("\\b", "$") if body.endswith(end) and not body.endswith(f"\\{end}")), "")
    body = body.removesuffix(end)
    choice = _has_top_level_choice(body)
    if choice and (begins or end):
        raise CannotSayError("an anchor in one branch of a choice")
    written = _written(body, any_case=any_case)
    after = {"": ".*", "$": "", "\\b": _NO_WORD}[end]
    return f"{'' if begins else '.*'}{f'({written})' if choice else written}{after}"


def _written(body: str, *, any_case: bool) -> str:
    parts: list[str] = []
    at, in_class = 0, False
    while at < len(body):
        char = body[at]
        if char == "\\":
            parts.append(_escape(body[at + 1 : at + 2], in_class=in_class))
            at += 2
            continue
        if body.startswith("(?:", at) and not in_class:
            parts.append("(")
            at += 3
            continue
        if in_class:
            in_class = char != "]"
            parts.append(_in_class(char, any_case=any_case, spans=body[at - 1] == "-" or body[at + 1 : at + 2] == "-"))
        else:
            in_class = char == "["
            parts.append(_outside(char, body[at : at + 4], parts, any_case=any_case))
        at += 1
    return "".join(parts)


def _in_class(char: str, *, any_case: bool, spans: bool) -> str:
    """One letter of a class; of ranges only those that are the same in both cases can be said in any case."""
    if not any_case or not char.isalpha():
        return char
    if spans:
        return {"a": "A-Za", "z": "z"}.get(char) or _refuse(f"a range of letters in any case at {char}")
    return f"{char.lower()}{char.upper()}"


def _outside(char: str, near: str, parts: list[str], *, any_case: bool) -> str:
    if near.startswith("(?"):
        _refuse(f"the group {near}…")
    if char in "^$":
        _refuse(f"{char} that is not at an end")
    if char == "?" and parts and parts[-1] in {"*", "+", "?", "}"}:
        _refuse("a lazy repetition")
    if any_case and char.isalpha():
        return f"[{char.lower()}{char.upper()}]"
    return f"\\{char}" if char in _RESERVED else char


def _escape(letter: str, *, in_class: bool) -> str:
    if letter in _CLASSES:
        found = _CLASSES[letter]
        return found[1:-1] if in_class else found
    return _refuse(f"\\{letter}") if letter.isalnum() else f"\\{letter}"


def _refuse(what: str) -> str:
    raise CannotSayError(what)


def _has_top_level_choice(body: str) -> bool:
    depth = 0
    for char in re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "", body):
        depth += (char == "(") - (char == ")")
        if char == "|" and not depth:
            return True
    return False
