"""Sigma rules over events: lines in, rule ids out, on lanes of differing shape. Not what reading a file costs.

    python -m benchmarks.detect                        every lane; by rule count; by novelty
    python -m benchmarks.detect --events FILE          one stream of one's own
    python -m benchmarks.detect --lane process novel --counts 100,3132 --engine fast
    python -m benchmarks.detect --check                no timing: every match compared with the plain evaluator's

Without --rules: SigmaHQ's from ../shared/data where they are, else those that fsoc ships. What is measured, and beside
what: measure.py. What the lanes are: lanes.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Final, get_args

from benchmarks import corpus
from benchmarks.equality import Equality, compare
from benchmarks.lanes import LANES, NOVELTY, Feed, Lane
from benchmarks.measure import PASSES_MIN, PLAIN, Figures, Size, Take, measure
from benchmarks.report import save
from fsoc.detection import Detector, LogsourceMap, PlainDetector
from fsoc.detection.engine import EngineName, make_detector
from fsoc.detection.program import flatten
from fsoc.detection.rules import Rule

COUNTS: Final = (100, 500, 1_000, 3_132)
NOVELTIES: Final = (0.0, 0.01, 0.1, 0.5, 1.0)
SERIES_LANES: Final = ("process", "mixed")
"""Lanes of which rule counts and novelty are drawn where no lane is named."""
ROUTED_EVENTS: Final = 2_000
"""So many events show all routes of a lane."""
CHECKED_EVENTS: Final = 1_000
BETWEEN_CHECKS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Bench:
    """Rules, engine and sizes that all measurements of a run share."""

    rules: Sequence[Rule]
    logsources: LogsourceMap
    engine: EngineName
    size: Size

    def on_lane(self, lane: Lane, *, count: int | None = None, novelty: float | None = None) -> dict[str, Any]:
        """count: so many rules of the lane's routes. The events are the same; no cold figures with either argument."""
        rules = self.rules if count is None else self._some_rules(lane, count)
        share = NOVELTY if novelty is None else novelty
        say(f"{lane.name}: {len(rules):,} rules, {share:.1%} novel")
        take = Feed(lane, self.rules, novelty=share).take
        figures = self.on(take, rules, with_cold=count is None and novelty is None)
        return {"lane": lane.name, "structured": lane.structured, "novelty": share, **figures}

    def on(self, take: Take, rules: Sequence[Rule], *, with_cold: bool = True) -> Figures:
        return measure(self.builder(rules), len(rules), take, self.size, with_cold=with_cold)

    def _some_rules(self, lane: Lane, count: int) -> Sequence[Rule]:
        if count >= len(self.rules):
            return self.rules
        routed = corpus.of_same_routes(self.rules, self.logsources, Feed(lane, self.rules).take(ROUTED_EVENTS))
        return corpus.sample(routed, count)

    def builder(self, rules: Sequence[Rule]) -> Callable[[], Detector]:
        """Flattened once: what is built again and again is what an engine makes of it."""
        program = flatten(rules)
        return lambda: make_detector(rules, self.logsources, self.engine, program=program)


def everything(
    bench: Bench, lanes: Sequence[Lane], counts: Sequence[int], novelties: Sequence[float]
) -> dict[str, Any]:
    """All lanes with all rules; then the series. The first lane's figures also stand at the top."""
    by_lane = [bench.on_lane(lane) for lane in lanes]
    series = [lane for lane in lanes if lane.name in SERIES_LANES] or list(lanes)
    by_count = [bench.on_lane(lane, count=count) for lane in series for count in counts]
    by_novelty = [bench.on_lane(lane, novelty=novelty) for lane in series for novelty in novelties]
    return {**by_lane[0], "engine": bench.engine, "lanes": by_lane, "by_rules": by_count, "by_novelty": by_novelty}


def check(bench: Bench, lanes: Sequence[Lane], given: Sequence[bytes], events: int) -> dict[str, Equality]:
    """Each lane, the events given and the recorded ones against the plain evaluator."""
    plain = PlainDetector(bench.rules, bench.logsources)
    build = bench.builder(bench.rules)
    streams: dict[str, Take] = {lane.name: Feed(lane, bench.rules).take for lane in lanes}
    if given:
        streams = {"given": lambda count: given[:count]}
    elif corpus.REGRESSION.is_file():
        recorded = corpus.REGRESSION.read_bytes().splitlines()
        streams["recorded"] = lambda count: recorded[:count]
    outcome: dict[str, Equality] = {}
    for name, take in streams.items():
        say(f"{name}: {events:,} events against the plain evaluator")
        between = 0 if bench.engine == "plain" else BETWEEN_CHECKS
        outcome[name] = compare(plain, build(), take(events), take(between))
    return outcome


def say(text: str) -> None:
    """Progress, for who waits."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rules", type=Path, nargs="+", help="rule files or folders; default: SigmaHQ's, else fsoc's own"
    )
    parser.add_argument("--events", type=Path, help="one JSON object a line, instead of lanes")
    parser.add_argument("--lane", nargs="+", choices=LANES, metavar="NAME", help=f"of {', '.join(LANES)}; default: all")
    parser.add_argument(
        "--engine", choices=get_args(EngineName), default="auto", help="default: auto, the fastest there is"
    )
    parser.add_argument("--counts", type=_numbers, help="compare so many rules, as 100,500,3132")
    parser.add_argument("--novelty", type=_numbers, help="compare such shares of novel events, in %%, as 0,10,100")
    parser.add_argument("--passes", type=int, default=PASSES_MIN, help=f"at least {PASSES_MIN}")
    parser.add_argument("--pass-events", type=int, help="events of a pass")
    parser.add_argument(
        "--check", action="store_true", help="compare matches with the plain evaluator's; exit 1 on any"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--save", action="store_true", help="keep the figures in results/detect.json, --check's in equality.json"
    )
    asked = parser.parse_args()
    if asked.passes < PASSES_MIN:
        parser.error(f"--passes is {asked.passes}, at least {PASSES_MIN}")
    if asked.events is not None and not asked.events.is_file():
        parser.error(f"--events: no such file: {asked.events}")
    given = [line for line in asked.events.read_bytes().splitlines() if line.strip()] if asked.events else []
    if asked.events and not given:
        parser.error(f"--events: {asked.events} is empty")
    loaded, logsources = corpus.load(asked.rules or [corpus.default_rules()])
    bench = Bench(loaded.rules, logsources, asked.engine, _size(asked, len(given)))
    lanes = [LANES[name] for name in asked.lane or LANES]
    if asked.check:
        outcome = check(bench, lanes, given, asked.pass_events or CHECKED_EVENTS)
        if asked.save:
            save("equality", outcome)
        _tell_check(outcome, as_json=asked.json)
        return
    if given:
        figures = {"engine": asked.engine, **bench.on(_repeated(given), loaded.rules)}
    else:
        alone = asked.lane is not None
        counts = asked.counts or (() if alone else COUNTS)
        novelties = [share / 100 for share in asked.novelty] if asked.novelty else (() if alone else NOVELTIES)
        figures = everything(bench, lanes, counts, novelties)
    figures["refused"] = loaded.refused
    if asked.save:
        save("detect", figures)
    print(json.dumps(figures) if asked.json else _table([figures] if given else _rows(figures)))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _size(asked: argparse.Namespace, given: int) -> Size:
    usual = PLAIN if asked.engine == "plain" else Size()
    return Size(asked.pass_events or given or usual.events, usual.warm_up, asked.passes)


def _repeated(lines: Sequence[bytes]) -> Take:
    """The same lines over and over: a pass is once through the file, whatever came before it."""
    return lambda count: list(islice(cycle(lines), count))


def _rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    return list(chain(figures["lanes"], figures["by_rules"], figures["by_novelty"]))


def _table(rows: Sequence[dict[str, Any]]) -> str:
    columns = ("lane", "rules", "novel", "events/s", "cold", "orjson/s", "ratio", "cold ratio", "matches", "bytes")
    cells = [columns]
    cells += [
        (
            str(row.get("lane", "given")),
            f"{row['rules']:,}",
            f"{row['novelty']:.1%}" if "novelty" in row else "",
            f"{row['events_per_second']:,.0f}",
            f"{row['cold_events_per_second']:,.0f}" if "cold_ratio" in row else "",
            f"{row['orjson_per_second']:,.0f}",
            f"{row['ratio']:.4f}",
            f"{row['cold_ratio']:.4f}" if "cold_ratio" in row else "",
            f"{row['matches']:,}",
            f"{row['bytes_per_event']:,}",
        )
        for row in rows
    ]
    return "\n".join("".join(f"{cell:>11}" for cell in row) for row in cells)


def _tell_check(outcome: dict[str, Equality], *, as_json: bool) -> None:
    different = sum(each["different"] for each in outcome.values())
    if as_json:
        print(json.dumps({"different": different, "streams": outcome}))
    else:
        for name, each in outcome.items():
            print(
                f"{name:>10}{each['events']:>8,} events{each['matches']:>8,} matches{each['different']:>6,} different"
            )
            print("".join(f"  {example}\n" for example in each["examples"]), end="")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
