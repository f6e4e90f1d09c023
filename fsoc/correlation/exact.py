"""Numbers without rounding: sums that are the same in any order. Pure; knows no rules."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

from fsoc.detection.event import number_of

Number = int | Fraction
"""A decimal number as written: 0.1 is a tenth, not the float next to it."""

NUMBER_MAX: Final[int] = 10**100
"""A text of more than this, or less than one part of this, is no number: a member may not send a sum to infinity."""

_TEXTS_MAX: Final = 1 << 14


@lru_cache(_TEXTS_MAX)
def number(text: str) -> Number | None:
    """The number a text is as a whole, as detections read it, but exactly; None where it is none."""
    if number_of(text) is None:
        return None
    read = Fraction(text)
    if read and not Fraction(1, NUMBER_MAX) <= abs(read) <= NUMBER_MAX:
        return None
    return read.numerator if read.denominator == 1 else read


@lru_cache(_TEXTS_MAX)
def exactly(written: float) -> Number:
    """A number of a document as its shortest text says it: 0.1 is a tenth."""
    return written if isinstance(written, int) else Fraction(repr(written))


def shown(measure: Number) -> str:
    """For people: six digits where it is not whole."""
    said = plain(measure)
    return str(said) if isinstance(said, int) else f"{said:g}"


def plain(measure: Number) -> int | float:
    """As JSON carries it: whole where it is whole and every reader keeps it so, else the nearest float."""
    if measure.denominator == 1 and -(2**53) < measure < 2**53:
        return int(measure)
    return float(measure)
