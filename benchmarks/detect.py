"""Sigma rules over flat events: bytes in, rule ids out, as `fsoc detect` does it. Not what reading a file costs.

    python -m benchmarks.detect [--rules DIR …] [--events FILE] [--passes 5] [--json] [--save]

Without --events, 2,000 events of the workload; without --rules, the rules that fsoc ships. After every batch the same
bytes go through `orjson.loads`, results thrown away, so that a busy machine slows both alike. CPU time; medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import orjson

from benchmarks.report import save
from benchmarks.workload import events as made_up
from fsoc.detection import Detector, LogsourceMap, PlainDetector, load_rules
from fsoc.runtime.content import LOGSOURCES, collector_paused, read_source, read_sources, shipped

BATCH_EVENTS = 200
EVENTS = 2_000
PASSES_MIN = 5


class Figures(TypedDict):
    """Per second means per second of CPU time; load_seconds is the one load there was, rules' texts to detector."""

    events_per_second: float
    orjson_per_second: float
    ratio: float
    ratios: list[float]
    rules: int
    refused: int
    events: int
    matches: int
    passes: int
    load_seconds: float


@dataclass(slots=True)
class _Pass:
    """What one pass cost, and how many (event, rule) matches it found."""

    detect_seconds: float = 0.0
    orjson_seconds: float = 0.0
    matches: int = 0


def measure(rules: Sequence[Path], events: Sequence[bytes], passes: int) -> Figures:
    """Load the rules once, run `passes` passes over the events."""
    started = time.process_time()
    with collector_paused():
        loaded = load_rules(read_sources(rules))
        mapping = LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES))
        detector = PlainDetector(loaded.rules, mapping)
    load_seconds = time.process_time() - started
    done = [_one_pass(detector, events) for _ in range(passes)]
    ratios = [one.orjson_seconds / one.detect_seconds for one in done]
    return Figures(
        events_per_second=round(statistics.median(len(events) / one.detect_seconds for one in done), 1),
        orjson_per_second=round(statistics.median(len(events) / one.orjson_seconds for one in done), 1),
        ratio=round(statistics.median(ratios), 6),
        ratios=[round(ratio, 6) for ratio in ratios],
        rules=len(loaded.rules),
        refused=loaded.refused,
        events=len(events),
        matches=done[0].matches,
        passes=passes,
        load_seconds=round(load_seconds, 3),
    )


def _one_pass(detector: Detector, events: Sequence[bytes]) -> _Pass:
    one = _Pass()
    for start in range(0, len(events), BATCH_EVENTS):
        batch = events[start : start + BATCH_EVENTS]
        began = time.process_time()
        for line in batch:
            event = orjson.loads(line)
            one.matches += len(detector.match_event(event, event.pop("logsource", None)))
        matched = time.process_time()
        for line in batch:
            orjson.loads(line)
        one.orjson_seconds += time.process_time() - matched
        one.detect_seconds += matched - began
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=Path, nargs="+", help="rule files or folders; default: fsoc's own")
    parser.add_argument("--events", type=Path, help=f"one JSON object a line; default: {EVENTS} of the workload")
    parser.add_argument("--passes", type=int, default=PASSES_MIN, help=f"at least {PASSES_MIN}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/detect.json")
    asked = parser.parse_args()
    if asked.passes < PASSES_MIN:
        parser.error(f"--passes is {asked.passes}, at least {PASSES_MIN}")
    if asked.events is not None and not asked.events.is_file():
        parser.error(f"--events: no such file: {asked.events}")
    given = asked.events.read_bytes().splitlines() if asked.events else made_up(EVENTS)
    events = [line for line in given if line.strip()]
    if not events:
        parser.error(f"--events: {asked.events} is empty")
    figures = measure(asked.rules or [shipped("rules")], events, asked.passes)
    if asked.save:
        save("detect", figures)
    if asked.json:
        print(json.dumps(figures))
        return
    print(f"{figures['rules']:,} rules, {figures['events']:,} events, {figures['matches']:,} matches")
    print(f"{figures['events_per_second']:>12,.0f} events per CPU second")
    print(f"{figures['orjson_per_second']:>12,.0f} orjson.loads per CPU second of the same bytes")
    print(f"{figures['ratio']:>12.5f} ratio ({min(figures['ratios']):.5f} – {max(figures['ratios']):.5f})")
    print(f"{figures['load_seconds']:>12.2f} seconds to load the rules")


if __name__ == "__main__":
    main()
