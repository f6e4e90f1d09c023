"""The condition of a rule: its text to a node. pySigma's own parser is not used, and here is why.

It takes `notepad` for `not epad`, wants no hyphen in patterns, drops `1 of filter_*` in silence when nothing is called
so (`not` included: the rest then matches alone), and takes several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fsoc.detection.nodes import AtLeast, Node, Not, all_of, any_of

DEPTH_MAX: Final = 50
_TOKEN: Final = re.compile(r"\s*([()|]|[^\s()|]+)")
_IDENTIFIER: Final = re.compile(r"[\w.-]+")
_PATTERN: Final = re.compile(r"[\w.*-]+")


class BadConditionError(Exception):
    """The text says what was found and what was expected."""


def parse(condition: str, detections: Mapping[str, Node | None]) -> Node | None:
    """The node of a condition over named detections. One that is None was dropped by a pipeline, and drops out here.

    Raises:
        BadConditionError: not a condition, or it names what is not defined.
    """
    parser = _Parser(condition, detections)
    node = parser.either(0)
    if parser.token is not None:
        raise parser.unexpected('"and", "or" or the end')
    return node


class _Parser:
    """Recursive descent, loosest first: or, and, not, x of y, parentheses."""

    def __init__(self, condition: str, detections: Mapping[str, Node | None]) -> None:
        self._condition = condition
        self._detections = detections
        self._tokens = _TOKEN.findall(condition)
        self._at = 0

    @property
    def token(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def either(self, depth: int) -> Node | None:
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return any_of(parts)

    def _both(self, depth: int) -> Node | None:
        parts = [self._negated(depth)]
        while self._take("and"):
            parts.append(self._negated(depth))
        return all_of(parts)

    def _negated(self, depth: int) -> Node | None:
        if not self._take("not"):
            return self._single(depth)
        node = self._negated(self._deeper(depth))
        return None if node is None else Not(node)

    def _single(self, depth: int) -> Node | None:
        if self._take("("):
            node = self.either(self._deeper(depth))
            if not self._take(")"):
                raise self.unexpected('")"')
            return node
        token = self.token
        if token is None or not _IDENTIFIER.fullmatch(token) or token.lower() in {"and", "or", "not"}:
            raise self.unexpected("a search identifier")
        self._at += 1
        if self._take("of"):
            return self._selected(token)
        if token not in self._detections:
            raise BadConditionError(f'condition "{self._condition}": "{token}" is not defined; {self._defined()}')
        return self._detections[token]

    def _selected(self, quantifier: str) -> Node | None:
        pattern = self.token
        if pattern is None or not _PATTERN.fullmatch(pattern):
            raise self.unexpected('"them" or a pattern of search identifiers')
        self._at += 1
        names = self._names("*" if pattern.lower() == "them" else pattern)
        if not names:
            raise BadConditionError(f'condition "{self._condition}": no "{pattern}" is defined; {self._defined()}')
        parts = [self._detections[name] for name in names]
        if quantifier in {"1", "any"}:
            return any_of(parts)
        if quantifier == "all":
            return all_of(parts)
        if not quantifier.isdecimal() or not 1 <= int(quantifier) <= len(names):
            text = f'"{quantifier} of {pattern}" — expected 1, any, all or a number up to {len(names)}'
            raise BadConditionError(f'condition "{self._condition}": {text}')
        return AtLeast(int(quantifier), tuple(part for part in parts if part is not None))

    def _names(self, pattern: str) -> list[str]:
        """Names starting with _ are for patterns that start so themselves (specification, "1/all of them")."""
        shape = re.compile(".*".join(map(re.escape, pattern.split("*"))))
        hidden = pattern.startswith("_")
        return [name for name in self._detections if shape.fullmatch(name) and (hidden or not name.startswith("_"))]

    def _take(self, word: str) -> bool:
        if self.token is not None and self.token.lower() == word:
            self._at += 1
            return True
        return False

    def _deeper(self, depth: int) -> int:
        if depth >= DEPTH_MAX:
            raise BadConditionError(f"condition is nested deeper than {DEPTH_MAX}")
        return depth + 1

    def unexpected(self, expected: str) -> BadConditionError:
        if self.token == "|":  # noqa: S105 - a token of the grammar
            return BadConditionError(
                f'condition "{self._condition}": aggregations after | are no longer part of Sigma; write a correlation'
            )
        found = "the end" if self.token is None else f'"{self.token}"'
        return BadConditionError(f'condition "{self._condition}": {found} where {expected} was expected')

    def _defined(self) -> str:
        return f"defined: {', '.join(self._detections) or 'nothing'}"
