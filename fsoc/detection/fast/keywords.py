"""Keywords: looked for in all values of an event together, which is one search however many of them are new.

What is found may lie across two values, or in a name, so that it is no more than a proposal: the tests of its rules
decide. Where the event is at hand as a line of JSON, the line is searched before anything is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fsoc.detection.fast.literals import SEARCHED_LENGTH_MAX, search_for, search_in_bytes
from fsoc.detection.program import Clause, Text, Wildcards

_BETWEEN: Final = "\n"
_AS_WRITTEN: Final = re.compile(r"""[^"\\/\x00-\x1f\x7f-\U0010ffff]{3,}""")
"""Characters that JSON writes as they are, or by their number."""
_OF_NUMBERS: Final = frozenset("0123456789+-.einfa")
"""A number may be written in another way than it is read."""
_ESCAPED: Final = b"\\\\"
_BY_NUMBER: Final = b"\\u"
FOLDED_TO_ASCII: Final = tuple(
    chr(code) for code in range(0x80, 0x10000) if re.search("[\0-\x7f]", chr(code).casefold())
)
"""Characters beyond ASCII that keywords of ASCII may be found in: in a line that has any, all values are folded."""


class Keywords:
    """always: clauses that cannot be looked for in all values together; their rules are tried on every event.

    not_in_lines: those that cannot be looked for in lines.
    """

    def __init__(self, clauses: Mapping[int, Clause]) -> None:
        self.always: list[int] = []
        self.not_in_lines: list[int] = []
        by_text: dict[str, list[int]] = {}
        by_run: dict[str, list[int]] = {}
        for index, clause in clauses.items():
            text = _certain_text(clause)
            if not text:
                self.always.append(index)
                continue
            by_text.setdefault(text[:SEARCHED_LENGTH_MAX], []).append(index)
            runs = [run for run in _AS_WRITTEN.findall(text) if not _OF_NUMBERS.issuperset(run)]
            if runs:
                by_run.setdefault(max(runs, key=len)[:SEARCHED_LENGTH_MAX], []).append(index)
            else:
                self.not_in_lines.append(index)
        self._of_text = list(by_text.values())
        self._of_run = list(by_run.values())
        self._search, _ = search_for({text: number for number, text in enumerate(by_text)}, {})
        self._search_line = search_in_bytes([*by_run, *FOLDED_TO_ASCII])

    def proposed(self, values: Iterable[object]) -> Sequence[int]:
        """The clauses that may hold for an event with these values, which are scalars all."""
        if self._search is None:
            return ()
        folded = _BETWEEN.join(map(str, values)).casefold()
        found = self._search(folded, folded.encode("utf-8", "surrogatepass"))
        return [index for number in found for index in self._of_text[number]] if found else ()

    def proposed_in(self, line: bytes) -> Sequence[int] | None:
        """The clauses that may hold for the event of a line, but for `not_in_lines`; None where the line hides them."""
        if _BY_NUMBER in line and _BY_NUMBER in line.replace(_ESCAPED, b""):
            return None
        found = self._search_line(line)
        if not found:
            return ()
        if max(found) >= len(self._of_run):
            return None
        return [index for number in found for index in self._of_run[number]]


def _certain_text(clause: Clause) -> str:
    """A folded text that is in every value for which the clause holds; empty where there is none."""
    match clause:
        case Text(text=text, number=None):
            return text.casefold()
        case Wildcards(parts=parts):
            return max((part for part in parts if isinstance(part, str)), key=len, default="").casefold()
    return ""
