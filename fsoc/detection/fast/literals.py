"""Many texts looked for in one text at once. Exact for texts; what it says of patterns is a proposal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import hyperscan

from fsoc.detection.fast.proposals import literal

SEARCHED_LENGTH_MAX: Final = 256
"""Of a longer text only so much is looked for; its finder must look at the rest."""
_SEARCH_MIN: Final = 12
"""Fewer texts are looked for one by one."""
_FLAGS: Final = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
_FLAGS_OF_PATTERNS: Final = _FLAGS | hyperscan.HS_FLAG_PREFILTER

_Expression = tuple[str, int, int]
"""What is searched for, its number, its flags."""

Search = Callable[[str, bytes], Sequence[int]]
"""A folded text and its UTF-8 → the numbers of what was found in it, in no order."""


def search_for(texts: Mapping[str, int], patterns: Mapping[str, int]) -> tuple[Search | None, frozenset[int]]:
    """Something that finds texts, by their numbers, and patterns as `propose` writes them; None where there is nothing.

    Also the numbers of the patterns that Hyperscan would not have: they are never found.
    """
    if len(texts) < _SEARCH_MIN and not patterns:
        pairs = tuple(texts.items())
        if not pairs:
            return None, frozenset()
        return (lambda folded, _: [number for text, number in pairs if text in folded]), frozenset()
    sure = [(literal(text), number, _FLAGS) for text, number in texts.items()]
    wanted = [(pattern, number, _FLAGS_OF_PATTERNS) for pattern, number in patterns.items()]
    refused: frozenset[int] = frozenset()
    try:
        database = _compile(sure + wanted)
    except hyperscan.HyperscanError:
        fit = [each for each in wanted if _is_accepted(each)]
        refused = frozenset(patterns.values()) - {number for _, number, _ in fit}
        if not fit and not sure:
            return None, refused
        database = _compile(sure + fit)

    def search(_: str, utf8: bytes) -> Sequence[int]:
        found: list[int] = []
        database.scan(utf8, _found, 0, found)
        return found

    return search, refused


def search_in_bytes(texts: Sequence[str]) -> Callable[[bytes], Sequence[int]]:
    """Finds texts, by their places, in UTF-8, whatever the case of letters that are ASCII."""
    database = _compile(
        [(literal(text), number, _FLAGS | hyperscan.HS_FLAG_CASELESS) for number, text in enumerate(texts)]
    )

    def search(subject: bytes) -> Sequence[int]:
        found: list[int] = []
        database.scan(subject, _found, 0, found)
        return found

    return search


def any_of(texts: Iterable[str]) -> Callable[[str], bool]:
    """Whether any of the texts, none of them empty or longer than SEARCHED_LENGTH_MAX, is in a folded text."""
    database = _compile([(literal(text), 0, _FLAGS) for text in texts])

    def is_in(folded: str) -> bool:
        found: list[int] = []
        database.scan(folded.encode("utf-8", "surrogatepass"), _found, 0, found)
        return bool(found)

    return is_in


def _found(number: int, _from: int, _to: int, _flags: int, found: list[int]) -> None:
    found.append(number)


def _compile(expressions: Sequence[_Expression]) -> Any:
    written, numbers, flags = zip(*expressions, strict=True)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.encode() for each in written], ids=list(numbers), elements=len(numbers), flags=list(flags)
    )
    return database


def _is_accepted(expression: _Expression) -> bool:
    try:
        _compile([expression])
    except hyperscan.HyperscanError:
        return False
    return True
