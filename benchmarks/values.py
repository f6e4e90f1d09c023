"""A value that satisfies several clauses of one field, as far as that can be made. Draws; judges nothing."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, Final, NamedTuple

from benchmarks.patterns import text_for
from fsoc.detection.program import Bool, Clause, Compare, Network, Number, Regex, Text, TimeIs, Wildcards

_MANY: Final = 0
_CASE_AS_WRITTEN: Final = 0.6
_AS_NUMBER: Final = 0.5


class Style:
    """How values are drawn. lists: one value a clause, in a list, instead of one value for all."""

    def __init__(self, draw: random.Random, *, lists: bool) -> None:
        self.draw = draw
        self.lists = lists
        self._case = str if (lot := draw.random()) < _CASE_AS_WRITTEN else str.upper if lot < 0.8 else str.title

    def word(self) -> str:
        return "".join(self.draw.choices(string.ascii_lowercase + string.digits, k=self.draw.randint(3, 9)))

    def cased(self, text: str) -> str:
        """The text in another letter case, where that folds back to the same."""
        changed: str = self._case(text)
        return changed if changed.casefold() == text.casefold() else text


class _Piece(NamedTuple):
    """Text that is to stand at the start, at the end, at both, or anywhere."""

    text: str
    start: bool
    end: bool


def value_for(clauses: Sequence[Clause], style: Style) -> Any:
    """None where no value is known to be made."""
    texts = [clause for clause in clauses if isinstance(clause, Text | Wildcards | Regex)]
    others = [clause for clause in clauses if not isinstance(clause, Text | Wildcards | Regex)]
    pieces = [_piece(clause, style) for clause in texts]
    if None in pieces:
        return None
    made = [piece for piece in pieces if piece is not None]
    if style.lists:
        return [*(_other(clause, style) for clause in others), *(piece.text for piece in made)]
    if others:
        return _other(style.draw.choice(others), style)
    return _joined(made, style)


def _joined(pieces: Sequence[_Piece], style: Style) -> Any:
    whole = [piece.text for piece in pieces if piece.start and piece.end]
    if whole:
        return style.draw.choice(whole)
    starts = sorted((piece.text for piece in pieces if piece.start), key=len)
    ends = sorted((piece.text for piece in pieces if piece.end), key=len)
    text = starts[-1] if starts else ""
    end = ends[-1] if ends else ""
    middle = [piece.text for piece in pieces if not piece.start and not piece.end]
    style.draw.shuffle(middle)
    for each in middle:
        if each.casefold() not in (text + end).casefold():
            text += style.draw.choice(["", " ", " "]) + each
    if not starts and style.draw.random() < 0.5:
        # What begins with a backslash is the end of a path.
        text = style.word() + (style.draw.choice(["", " "]) if text[:1] != "\\" else "") + text
    if not ends and style.draw.random() < 0.5:
        text += style.draw.choice(["", " "]) + style.word()
    return text + end


def _piece(clause: Text | Wildcards | Regex, style: Style) -> _Piece | None:
    match clause:
        case Text(text=text, place=place):
            shown = text if clause.cased else style.cased(text)
            return _Piece(shown, place in {"whole", "start"}, place in {"whole", "end"})
        case Wildcards(parts=parts):
            filled = "".join(_filled(part, clause.cased, style) for part in parts)
            return _Piece(filled, parts[:1] != (_MANY,), parts[-1:] != (_MANY,))
        case Regex(pattern=pattern):
            drawn = text_for(pattern, style.draw)
            return None if drawn is None else _Piece(drawn, "^" in pattern, "$" in pattern)


def _filled(part: str | int, cased: bool, style: Style) -> str:
    if isinstance(part, str):
        return part if cased else style.cased(part)
    if part == _MANY:
        return style.draw.choice(["", "", style.word()])
    return style.draw.choice(string.ascii_lowercase)


def _other(clause: Clause, style: Style) -> Any:
    draw = style.draw
    match clause:
        case Number(number=number):
            return _number(number) if draw.random() < _AS_NUMBER else number
        case Bool(flag=flag):
            return flag if draw.random() < _AS_NUMBER else style.cased(str(flag))
        case Compare(order=order, number=number, part=part):
            bound = _number(number)
            step = {"lt": -1, "lte": draw.choice([0, -1]), "gt": 1, "gte": draw.choice([0, 1])}[order]
            value = bound + step
            return _time(part, int(value)) if part is not None else value if draw.random() < _AS_NUMBER else str(value)
        case TimeIs(part=part, number=number):
            return _time(part, int(_number(number)))
        case Network(network=network):
            addresses = ip_network(network)
            return str(addresses[draw.randrange(min(addresses.num_addresses, 1 << 62))])
        case _:
            return None


def _time(part: str, value: int) -> str:
    """An ISO 8601 time with this part; a week's Monday."""
    if part == "week":
        return f"2026-W{value:02d}-1"
    parts = {"year": 2026, "month": 3, "day": 2, "hour": 8, "minute": 30, part: value}
    return f"{parts['year']:04d}-{parts['month']:02d}-{parts['day']:02d}T{parts['hour']:02d}:{parts['minute']:02d}:00Z"


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
