"""One engine on one stream of events, beside `orjson.loads` of the same bytes. Knows neither lanes nor files.

Cold: a detector that has seen nothing, its first pass. Warm: after WARM_UP events, each pass over events not yet seen.
After every batch the same bytes go through `orjson.loads`, results thrown away, so that a busy machine slows both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

import orjson

from fsoc.detection import Detector

BATCH_EVENTS: Final = 500
PASSES_MIN: Final = 5

Take = Callable[[int], Sequence[bytes]]
"""The next so many lines of a stream."""


@dataclass(frozen=True, slots=True)
class Size:
    """events: in one pass. warm_up: before the first warm pass; engines plan their searches anew meanwhile."""

    events: int = 10_000
    warm_up: int = 20_000
    passes: int = PASSES_MIN


PLAIN: Final = Size(events=200, warm_up=0)
"""The plain evaluator remembers nothing, and tries every rule."""


class Figures(TypedDict):
    """Per second means per second of CPU time; medians over the passes. ratio: events over orjson's of that pass.

    matches: (event, rule) pairs of the first warm pass; matched: its events with any. build_seconds: the rules, read
    and compiled, to a detector.
    """

    events_per_second: float
    orjson_per_second: float
    ratio: float
    ratios: list[float]
    cold_events_per_second: NotRequired[float]
    cold_ratio: NotRequired[float]
    cold_ratios: NotRequired[list[float]]
    rules: int
    events: int
    matches: int
    matched: int
    passes: int
    bytes_per_event: int
    build_seconds: float


@dataclass(slots=True)
class _Pass:
    detect_seconds: float = 0.0
    orjson_seconds: float = 0.0
    matches: int = 0
    matched: int = 0

    @property
    def ratio(self) -> float:
        return self.orjson_seconds / self.detect_seconds


def measure(build: Callable[[], Detector], rules: int, take: Take, size: Size, *, with_cold: bool = True) -> Figures:
    """`size.passes` detectors for the cold figures, else one; the last of them goes on for the warm ones."""
    first = take(size.events)
    cold: list[_Pass] = []
    builds: list[float] = []
    for _ in range(size.passes if with_cold else 1):
        began = time.process_time()
        detector = build()
        builds.append(time.process_time() - began)
        cold.append(_one_pass(detector, first))
    if size.warm_up:
        warm_up = take(size.warm_up)
        for start in range(0, len(warm_up), BATCH_EVENTS):
            detector.match_lines(warm_up[start : start + BATCH_EVENTS])
    warm: list[_Pass] = []
    bytes_taken = 0
    for _ in range(size.passes):
        lines = take(size.events)
        bytes_taken += sum(map(len, lines))
        warm.append(_one_pass(detector, lines))
    events = len(lines)
    figures = Figures(
        events_per_second=round(statistics.median(events / one.detect_seconds for one in warm), 1),
        orjson_per_second=round(statistics.median(events / one.orjson_seconds for one in warm), 1),
        ratio=round(statistics.median(one.ratio for one in warm), 6),
        ratios=[round(one.ratio, 6) for one in warm],
        rules=rules,
        events=events,
        matches=warm[0].matches,
        matched=warm[0].matched,
        passes=size.passes,
        bytes_per_event=round(bytes_taken / (events * size.passes)),
        build_seconds=round(statistics.median(builds), 3),
    )
    if with_cold:
        figures["cold_events_per_second"] = round(statistics.median(len(first) / one.detect_seconds for one in cold), 1)
        figures["cold_ratio"] = round(statistics.median(one.ratio for one in cold), 6)
        figures["cold_ratios"] = [round(one.ratio, 6) for one in cold]
    return figures


def _one_pass(detector: Detector, lines: Sequence[bytes]) -> _Pass:
    one = _Pass()
    for start in range(0, len(lines), BATCH_EVENTS):
        batch = lines[start : start + BATCH_EVENTS]
        began = time.process_time()
        found = detector.match_lines(batch)
        between = time.process_time()
        for line in batch:
            orjson.loads(line)
        one.orjson_seconds += time.process_time() - between
        one.detect_seconds += between - began
        one.matched += len(found.matched)
        one.matches += sum(len(ids) for _, ids in found.matched)
    return one
