"""Where a lane's events come from: shapes that repeat, what is new in every event, and how values become novel.

A shape is what a machine does over and over: the same image with the same command line, the same name asked for. Which
shape comes next follows Zipf's law. Times, numbers and identifiers are new in every event, as they are in life. Pure.
"""

from __future__ import annotations

import random
import re
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

Fields = dict[str, Any]
Logsource = Mapping[str, str]

ZIPF_EXPONENT: Final = 1.1
ROUTING: Final = frozenset({"Channel", "EventID", "Provider_Name", "EventType", "eventSource", "eventVersion"})
"""What tells an event's logsource; never made novel."""
_PARTS: Final = frozenset("\\/ .=-:@?")
"""A text with one of these is free text; one without is a word of a fixed list, such as an integrity level."""

_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of event.

    logsource: all three attributes, so that "the rule covers it" and "no attribute conflicts" mean the same.
    shape: draws what repeats. stamp: draws what is new in each event. shapes: size of the pool.
    """

    logsource: Logsource
    shape: Callable[[random.Random], Fields]
    stamp: Callable[[random.Random], Fields]
    shapes: int = 400


class Stream:
    """Events of several sources by weight; the same for the same `draw`."""

    def __init__(self, sources: Sequence[tuple[Source, float]], draw: random.Random, *, novelty: float = 0.0) -> None:
        """novelty: the share of events whose free text occurs nowhere else."""
        self._draw = draw
        self._novelty = novelty
        self._weights = list(accumulate(weight for _, weight in sources))
        self._pools = [_Pool(source, draw) for source, _ in sources]

    def next(self) -> Fields:
        """One event, its logsource under "logsource"."""
        draw = self._draw
        pool = self._pools[bisect(self._weights, draw.random() * self._weights[-1])]
        event = pool.next(draw)
        return novel(event, draw) if self._novelty and draw.random() < self._novelty else event


class _Pool:
    """Shapes drawn once and taken by Zipf's law: the first most often."""

    def __init__(self, source: Source, draw: random.Random) -> None:
        self._source = source
        self._shapes = [source.shape(draw) for _ in range(source.shapes)]
        self._weights = list(accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, source.shapes + 1)))

    def next(self, draw: random.Random) -> Fields:
        shape = self._shapes[bisect(self._weights, draw.random() * self._weights[-1])]
        return {"logsource": self._source.logsource, **self._source.stamp(draw), **shape}


def novel(event: Fields, draw: random.Random) -> Fields:
    """The event with a word of its own in each free text, however deep: in a path's last name, else behind."""
    return {
        name: value if name in ROUTING or name == "logsource" else _novel(value, draw) for name, value in event.items()
    }


def _novel(value: Any, draw: random.Random) -> Any:
    if isinstance(value, str):
        return _with_word(value, draw) if not _PARTS.isdisjoint(value) else value
    if isinstance(value, dict):
        return {name: _novel(each, draw) for name, each in value.items()}
    if isinstance(value, list):
        return [_novel(each, draw) for each in value]
    return value


def _with_word(value: str, draw: random.Random) -> str:
    if _ADDRESS.fullmatch(value):
        return f"10.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}"
    head, dot, tail = value.rpartition(".")
    word = f"{draw.getrandbits(40):x}"
    return f"{head}-{word}.{tail}" if dot and len(tail) <= 4 else f"{value}-{word}"
