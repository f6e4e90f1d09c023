"""Which of some clauses on one field hold for a value: all looked for at once. Their matchers have the last word.

whole texts and numbers    a table each
texts at the end           a table by what follows their last separator, then one by one
texts at the start         one by one, after one test for all
texts anywhere, wildcards' longest text, regular expressions that can be proposed    one Hyperscan database
all else                   its matcher
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from fsoc.detection.event import Value, is_number
from fsoc.detection.fast.literals import SEARCHED_LENGTH_MAX, search_for
from fsoc.detection.fast.proposals import UnsureError, propose
from fsoc.detection.program import Bool, Clause, Number, Regex, Text, Wildcards

Holds = Callable[[Value], bool]
Matchers = Callable[[int], Any]
"""The matcher of a clause, by its index; it is made when it is asked for."""

_SEPARATORS: Final = ("\\", "/")


class Ends:
    """Which of many texts a text ends with."""

    def __init__(self, texts: dict[str, list[int]]) -> None:
        self._by_tail: dict[str, list[tuple[str, list[int]]]] = {}
        rest = []
        for text, clauses in texts.items():
            if any(separator in text for separator in _SEPARATORS):
                self._by_tail.setdefault(_tail(text), []).append((text, clauses))
            else:
                rest.append((text, clauses))
        self._rest = tuple(rest)
        self._any = tuple(text for text, _ in rest)

    def search(self, folded: str, found: list[int]) -> None:
        if self._by_tail:
            for text, clauses in self._by_tail.get(_tail(folded), ()):
                if folded.endswith(text):
                    found += clauses
        if folded.endswith(self._any):
            for text, clauses in self._rest:
                if folded.endswith(text):
                    found += clauses


class FieldSearch:
    """The clauses are all on one field, or all keywords, and none of them is Null, Exists or SameAs."""

    def __init__(self, clauses: dict[int, Clause], matchers: Matchers) -> None:
        self._matchers = matchers
        self._whole: dict[str, list[int]] = {}
        self._starts: dict[str, list[int]] = {}
        ends: dict[str, list[int]] = {}
        anywhere: dict[str, list[int]] = {}
        self._numbers: dict[int | float, list[int]] = {}
        self._of_numbers: dict[int | float, list[int]] = {}
        self._proposed: set[int] = set()
        self._tried: list[int] = []
        patterns: dict[str, list[int]] = {}
        places = {"whole": self._whole, "start": self._starts, "end": ends, "anywhere": anywhere}
        for index, clause in clauses.items():
            match clause:
                case Text(text=text, place=place, cased=cased):
                    if cased:
                        self._proposed.add(index)
                    self._put(places[place], text.casefold() if cased else text, index)
                    if clause.number is not None:
                        self._of_numbers.setdefault(matchers(index).number, []).append(index)
                case Wildcards(parts=parts):
                    longest = max((part for part in parts if isinstance(part, str)), key=len, default="")
                    self._proposed.add(index)
                    self._put(anywhere, longest.casefold(), index)
                case Number():
                    self._numbers.setdefault(matchers(index).number, []).append(index)
                case Bool(flag=flag):
                    self._put(self._whole, "true" if flag else "false", index)
                case Regex(pattern=pattern):
                    self._proposed.add(index)
                    try:
                        patterns.setdefault(propose(pattern), []).append(index)
                    except UnsureError:
                        self._tried.append(index)
                case _:
                    self._tried.append(index)
        self._tried += anywhere.pop("", [])
        self._any_start = tuple(self._starts)
        self._ends = Ends(ends) if ends else None
        self._find_parts(anywhere, patterns)

    def _find_parts(self, anywhere: dict[str, list[int]], patterns: dict[str, list[int]]) -> None:
        """Number what is searched for; what is longer than that is, or shares its beginning, is a proposal."""
        parts: dict[str, list[int]] = {}
        for text, clauses in anywhere.items():
            parts.setdefault(text[:SEARCHED_LENGTH_MAX], []).extend(clauses)
            if len(text) > SEARCHED_LENGTH_MAX:
                self._proposed.update(clauses)
        groups = [*parts.values(), *patterns.values()]
        texts = {text: number for number, text in enumerate(parts)}
        numbered = {pattern: number for number, pattern in enumerate(patterns, len(parts))}
        self._search, refused = search_for(texts, numbered)
        self._groups = groups
        self._tried += [index for number in refused for index in groups[number]]
        # Proposals are made for ASCII alone.
        self._uncertain = frozenset((*self._proposed, *self._tried))
        self._beyond_ascii = tuple({index for clauses in patterns.values() for index in clauses} - set(self._tried))

    @staticmethod
    def _put(table: dict[str, list[int]], text: str, index: int) -> None:
        table.setdefault(text, []).append(index)

    def clauses_of(self, raw: Any) -> Sequence[int]:
        """The clauses that hold for one value, in no order."""
        value = Value(raw)
        if value.folded is None:
            return ()
        found = list(self._whole.get(value.folded, ()))
        if self._numbers or self._of_numbers:
            self._add_numbers(value, found)
        self._add_parts(value, value.folded, found)
        if self._tried:
            found = list(dict.fromkeys((*found, *self._tried)))
        uncertain = self._uncertain
        return [index for index in found if index not in uncertain or self._matchers(index).holds(value)]

    def _add_numbers(self, value: Value, found: list[int]) -> None:
        number = value.number
        if number is not None:
            found += self._numbers.get(number, ())
            if is_number(value.raw):
                found += self._of_numbers.get(number, ())

    def _add_parts(self, value: Value, folded: str, found: list[int]) -> None:
        if self._ends is not None:
            self._ends.search(folded, found)
        if self._any_start and folded.startswith(self._any_start):
            for text, clauses in self._starts.items():
                if folded.startswith(text):
                    found += clauses
        if self._search is not None:
            for number in self._search(folded, value.folded_utf8):
                found += self._groups[number]
        # What is folded may be ASCII where the text is not.
        if self._beyond_ascii and not str(value.text).isascii():
            found += self._beyond_ascii


def _tail(text: str) -> str:
    return text[max(text.rfind("\\"), text.rfind("/")) + 1 :]
