"""Which of some clauses on one field hold for a value: all looked for at once. Their matchers have the last word.

whole texts and numbers    a table each
texts at the end           a table by what follows their last separator, then one by one
texts at the start         one by one, after one test for all
texts anywhere, wildcards' longest text, regular expressions that can be proposed    one Hyperscan database
all else                   its matcher
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fsoc.detection.event import Value, is_number, text_of
from fsoc.detection.fast.literals import SEARCHED_LENGTH_MAX, search_for
from fsoc.detection.fast.proposals import UnsureError, propose
from fsoc.detection.program import Bool, Clause, Number, Regex, Text, Wildcards

Matchers = Callable[[int], Any]
"""The matcher of a clause, by its index; it is made when it is asked for."""

_SEPARATORS: Final = ("\\", "/")


class _Ends:
    """Which of many texts, none of them empty, a text ends with."""

    def __init__(self, texts: Mapping[str, list[int]]) -> None:
        self._by_tail: dict[str, list[tuple[str, list[int]]]] = {}
        rest = []
        for text, clauses in texts.items():
            if any(separator in text for separator in _SEPARATORS):
                self._by_tail.setdefault(_tail(text), []).append((text, clauses))
            else:
                rest.append((text, clauses))
        self._any = tuple(text for text, _ in rest)
        by_length: dict[int, dict[str, list[int]]] = {}
        for text, clauses in rest:
            by_length.setdefault(len(text), {})[text] = clauses
        self._by_length = tuple(by_length.items())

    def search(self, folded: str, found: list[int]) -> None:
        if self._by_tail:
            for text, clauses in self._by_tail.get(_tail(folded), ()):
                if folded.endswith(text):
                    found += clauses
        if self._any and folded.endswith(self._any):
            for length, table in self._by_length:
                found += table.get(folded[-length:], ())


class _Parts:
    """Texts and patterns that may stand anywhere, by clause.

    uncertain: clauses whose texts were cut. refused: clauses that are not looked for at all.
    """

    def __init__(self, texts: Mapping[str, list[int]], patterns: Mapping[str, list[int]]) -> None:
        cut: dict[str, list[int]] = {}
        self.uncertain: set[int] = set()
        for text, clauses in texts.items():
            cut.setdefault(text[:SEARCHED_LENGTH_MAX], []).extend(clauses)
            if len(text) > SEARCHED_LENGTH_MAX:
                self.uncertain.update(clauses)
        self.groups = [*cut.values(), *patterns.values()]
        numbers = {text: number for number, text in enumerate(cut)}
        self.search, refused = search_for(numbers, {pattern: n for n, pattern in enumerate(patterns, len(cut))})
        self.refused = [index for number in refused for index in self.groups[number]]


class FieldSearch:
    """The clauses are all on one field, and none of them is Null, Exists or SameAs."""

    def __init__(self, clauses: Mapping[int, Clause], matchers: Matchers) -> None:
        self._matchers = matchers
        self._uncertain: set[int] = set()
        self._tried: list[int] = []
        self._numbers: dict[int | float, list[int]] = {}
        self._of_numbers: dict[int | float, list[int]] = {}
        self._texts: dict[str, dict[str, list[int]]] = {"whole": {}, "start": {}, "end": {}, "anywhere": {}}
        self._patterns: dict[str, list[int]] = {}
        for index, clause in clauses.items():
            self._add(index, clause)
        self._whole = self._texts["whole"]
        self._starts = tuple(self._texts["start"].items())
        self._any_start = tuple(self._texts["start"])
        self._tried += self._texts["end"].pop("", [])
        self._ends = _Ends(self._texts["end"]) if self._texts["end"] else None
        anywhere = self._texts["anywhere"]
        self._tried += anywhere.pop("", [])
        parts = _Parts(anywhere, self._patterns)
        self._search = parts.search
        self._groups = parts.groups
        self._tried += parts.refused
        self._uncertain.update(parts.uncertain, self._tried)
        self._beyond_ascii = tuple({index for several in self._patterns.values() for index in several})
        """Tried on what is not ASCII, for which no pattern is proposed."""

        self.is_table = not (self._uncertain or self._tried or self._numbers or self._of_numbers) and not any(
            several for place, several in self._texts.items() if place != "whole"
        )
        """Whether a value is one of some texts or leads nowhere."""

    @property
    def table(self) -> Mapping[str, Sequence[int]]:
        """The clauses on whole texts."""
        return self._whole

    def _add(self, index: int, clause: Clause) -> None:
        match clause:
            case Text(text=text, place=place, cased=cased, number=number):
                self._put(place, text.casefold() if cased else text, index, certain=not cased)
                if number is not None:
                    self._of_numbers.setdefault(self._matchers(index).number, []).append(index)
            case Wildcards(parts=parts):
                longest = max((part for part in parts if isinstance(part, str)), key=len, default="")
                self._put("anywhere", longest.casefold(), index, certain=False)
            case Number():
                self._numbers.setdefault(self._matchers(index).number, []).append(index)
            case Bool(flag=flag):
                self._put("whole", "true" if flag else "false", index, certain=True)
            case Regex(pattern=pattern):
                self._uncertain.add(index)
                try:
                    self._patterns.setdefault(propose(pattern), []).append(index)
                except UnsureError:
                    self._tried.append(index)
            case _:
                self._tried.append(index)

    def _put(self, place: str, text: str, index: int, *, certain: bool) -> None:
        self._texts[place].setdefault(text, []).append(index)
        if not certain:
            self._uncertain.add(index)

    def clauses_of(self, raw: Any) -> Sequence[int]:
        """The clauses that hold for one value, in no order; some twice."""
        text = raw if type(raw) is str else text_of(raw)
        if text is None:
            return ()
        folded = text.casefold()
        found = [*self._whole.get(folded, ())]
        if self._numbers or self._of_numbers:
            self._add_numbers(Value(raw), found)
        if self._ends is not None:
            self._ends.search(folded, found)
        if self._any_start and folded.startswith(self._any_start):
            for start, clauses in self._starts:
                if folded.startswith(start):
                    found += clauses
        if self._search is not None:
            for number in self._search(folded, folded.encode("utf-8", "surrogatepass")):
                found += self._groups[number]
        # What is folded may be ASCII where the text is not.
        if self._beyond_ascii and not text.isascii():
            found += self._beyond_ascii
        found += self._tried
        return self._certain(Value(raw), found) if found and self._uncertain else found

    def _certain(self, value: Value, found: Sequence[int]) -> Sequence[int]:
        uncertain = self._uncertain
        return [index for index in found if index not in uncertain or self._matchers(index).holds(value)]

    def _add_numbers(self, value: Value, found: list[int]) -> None:
        number = value.number
        if number is not None:
            found += self._numbers.get(number, ())
            if is_number(value.raw):
                found += self._of_numbers.get(number, ())


def _tail(text: str) -> str:
    return text[max(text.rfind("\\"), text.rfind("/")) + 1 :]
