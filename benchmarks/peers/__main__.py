"""Other Sigma engines and ours: the same rules, the same lanes, the same run, one core. Not a test of equality.

    python -m benchmarks.peers [--lane NAME …] [--engine auto] [--events 60000] [--rounds 5] [--json] [--save]

A peer is its own command, as a user runs it: rules and a file of events in, matches out, thrown away. CPU seconds of
the process, net of starting. In turn with it our detector in this process, new in each round, and `orjson.loads`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

import orjson

from benchmarks import corpus
from benchmarks.detect import say
from benchmarks.lanes import LANES, Feed, Lane
from benchmarks.measure import BATCH_EVENTS, PASSES_MIN
from benchmarks.peers.agreement import agreement
from benchmarks.peers.install import NOT_TO_BE_HAD, QUICK, SLOW, Absent, Peer
from benchmarks.peers.rounds import Starts, net, on_one_core, run_once
from benchmarks.report import save
from fsoc.detection import Detector
from fsoc.detection.engine import EngineName, make_detector
from fsoc.detection.program import flatten
from fsoc.detection.rules import Rule

EVENTS: Final = 60_000
UNSTRUCTURED_TIMES: Final = 2
"""Events without named fields are short: so many times as many, that a run is long enough to be told from a start."""
COMPARED_EVENTS: Final = 5_000
SLOW_LANE: Final = "process"
SLOW_EVENTS: Final = 200
"""Engines that try every rule do tens of events a second."""


class Contest:
    """One set of rules, one engine of ours, and the peers that are there."""

    def __init__(self, folder: Path, engine: EngineName, rounds: int, work: Path) -> None:
        loaded, self.logsources = corpus.load([folder])
        self.rules: Sequence[Rule] = loaded.rules
        self.folder = folder
        self.engine = engine
        self.rounds = rounds
        self.work = work
        self.starts = Starts(rounds)
        self.one = work / "one.ndjson"
        self.one.write_bytes(Feed(LANES[SLOW_LANE], ()).take(1)[0] + b"\n")
        self.program = flatten(self.rules)

    def detector(self) -> Detector:
        return make_detector(self.rules, self.logsources, self.engine, program=self.program)

    def on_lane(self, lane: Lane, peers: Sequence[Peer], events: int) -> dict[str, Any]:
        """What each costs, by round; `rate` then makes rates of it."""
        events *= 1 if lane.structured else UNSTRUCTURED_TIMES
        say(f"{lane.name}: {events:,} events, {', '.join(peer.name for peer in peers)}")
        lines = Feed(lane, self.rules).take(events)
        file = self.work / f"{lane.name}.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        contestants = [self._quickest(peer, lines) for peer in peers]
        starts = {each.name: each.command(self.folder, self.one) for each in contestants}
        commands = {each.name: each.command(self.folder, file) for each in contestants}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        inside = []
        for command in starts.values():
            self.starts.measure(command)
        for _ in range(self.rounds):
            inside.append(_inside(self.detector(), lines))
            for name, command in commands.items():
                seconds[name].append(run_once(command).cpu_seconds)
        return {
            "lane": lane.name,
            "structured": lane.structured,
            "events": events,
            "rounds": self.rounds,
            "orjson_per_second": round(statistics.median(events / each for _, each in inside), 1),
            "in_process_per_second": round(statistics.median(events / each for each, _ in inside), 1),
            "in_process_seconds": [round(each, 3) for each, _ in inside],
            "by_engine": {name: {"start": starts[name], "seconds": seconds[name]} for name in commands},
        }

    def rate(self, lane: dict[str, Any]) -> dict[str, Any]:
        """The lane with rates, once all starts have been measured."""
        rated = {}
        for name, each in lane["by_engine"].items():
            start = self.starts.median(each["start"])
            seconds = net(each["seconds"], start)
            ratios = [theirs / ours for theirs, ours in zip(seconds, lane["in_process_seconds"], strict=True)]
            rated[name] = {
                "events_per_second": round(statistics.median(lane["events"] / each for each in seconds), 1),
                "start_seconds": round(start, 3),
                "net_seconds": [round(each, 3) for each in seconds],
                "fsoc_over_it": round(statistics.median(ratios), 3),
                "ratios": [round(ratio, 3) for ratio in ratios],
                "options": _options(each["start"]),
            }
        return lane | {"by_engine": rated}

    def agreement_on(self, lane: Lane) -> dict[str, Any]:
        say(f"{lane.name}: matches of {COMPARED_EVENTS:,} events")
        lines = Feed(lane, self.rules).take(COMPARED_EVENTS)
        file = self.work / "compared.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        return {"lane": lane.name, **agreement(self.rules, self.folder, self.detector(), lines, file)}

    def slowly_on(self, lane: Lane, peer: Peer) -> dict[str, Any]:
        """A peer that tries every rule: two runs, few events; no medians."""
        say(f"{lane.name}: {SLOW_EVENTS:,} events, {peer.name}")
        lines = Feed(lane, self.rules).take(SLOW_EVENTS)
        file = self.work / "few.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        start = run_once(peer.command(self.folder, self.one))
        whole = run_once(peer.command(self.folder, file))
        return {
            "lane": lane.name,
            "engine": peer.name,
            "events": SLOW_EVENTS,
            "events_per_second": round(SLOW_EVENTS / max(whole.cpu_seconds - start.cpu_seconds, 1e-3), 1),
            "start_seconds": round(start.cpu_seconds, 3),
            "loaded": whole.said,
        }

    def _quickest(self, peer: Peer, lines: Sequence[bytes]) -> Peer:
        """The way to run it that takes least on a tenth of the lane."""
        if not peer.variants:
            return peer
        sample = self.work / "sample.ndjson"
        sample.write_bytes(b"\n".join(lines[: max(1, len(lines) // 10)]) + b"\n")
        commands = (peer.command, *peer.variants)
        costs = [min(run_once(command(self.folder, sample)).cpu_seconds for _ in range(2)) for command in commands]
        return replace(peer, command=commands[costs.index(min(costs))])


def _inside(detector: Detector, lines: Sequence[bytes]) -> tuple[float, float]:
    """CPU seconds of our detector, and of orjson, batch by batch over the same lines; new to the detector."""
    ours = theirs = 0.0
    for start in range(0, len(lines), BATCH_EVENTS):
        batch = lines[start : start + BATCH_EVENTS]
        began = time.process_time()
        detector.match_lines(batch)
        between = time.process_time()
        for line in batch:
            orjson.loads(line)
        theirs += time.process_time() - between
        ours += between - began
    return ours, theirs


def _options(command: Sequence[str]) -> list[str]:
    """Those by which variants differ."""
    return [word for word in command if word.startswith("--bloom")]


def _installed(makers: Sequence[Callable[[], Peer | Absent]]) -> tuple[list[Peer], list[Absent]]:
    made = [make() for make in makers]
    return [each for each in made if isinstance(each, Peer)], [each for each in made if isinstance(each, Absent)]


def compete(contest: Contest, lanes: Sequence[Lane], events: int, *, slow: bool) -> dict[str, Any]:
    """slow: the peers that try every rule too, on few events of one lane."""
    quick, absent = _installed(QUICK)
    by_lane = [contest.on_lane(lane, quick, events) for lane in lanes]
    contest.starts.complete()
    figures: dict[str, Any] = {
        "rules": len(contest.rules),
        "engine": contest.engine,
        "lanes": [contest.rate(lane) for lane in by_lane],
        "agreement": [contest.agreement_on(lane) for lane in lanes] if quick else [],
    }
    peers = list(quick)
    if slow:
        others, missing = _installed(SLOW)
        absent += missing
        peers += others
        figures["slow"] = [contest.slowly_on(LANES[SLOW_LANE], peer) for peer in others]
    figures["peers"] = [{"name": peer.name, "version": peer.version, "what": peer.what} for peer in peers]
    figures["absent"] = [{"name": each.name, "reason": each.reason} for each in (*absent, *NOT_TO_BE_HAD)]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=Path, default=corpus.default_rules(), help="one folder; default: SigmaHQ's")
    parser.add_argument("--lane", nargs="+", choices=LANES, metavar="NAME", help=f"of {', '.join(LANES)}; default: all")
    parser.add_argument("--engine", choices=get_args(EngineName), default="auto", help="ours; default: auto")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of a lane")
    parser.add_argument("--rounds", type=int, default=PASSES_MIN, help=f"at least {PASSES_MIN}")
    parser.add_argument("--quick", action="store_true", help="leave out the peers that do tens of events a second")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/peers.json")
    asked = parser.parse_args()
    if asked.rounds < PASSES_MIN:
        parser.error(f"--rounds is {asked.rounds}, at least {PASSES_MIN}")
    on_one_core()
    with tempfile.TemporaryDirectory(prefix="fsoc-peers-") as work:
        contest = Contest(asked.rules, asked.engine, asked.rounds, Path(work))
        lanes = [LANES[name] for name in asked.lane or LANES]
        figures = compete(contest, lanes, asked.events, slow=not asked.quick)
    if asked.save:
        save("peers", figures)
    print(json.dumps(figures) if asked.json else _tables(figures))


def _tables(figures: dict[str, Any]) -> str:
    rows: list[tuple[str, ...]] = [("lane", "fsoc/s", "engine", "events/s", "start s", "fsoc is", "orjson/s")]
    for line in figures["lanes"]:
        ours, floor = f"{line['in_process_per_second']:,.0f}", f"{line['orjson_per_second']:,.0f}"
        for name, each in line["by_engine"].items():
            rate, start = f"{each['events_per_second']:,.0f}", f"{each['start_seconds']:.2f}"
            rows.append((line["lane"], ours, name, rate, start, f"{each['fsoc_over_it']:.2f} ×", floor))
    for each in figures.get("slow", ()):
        rate, start = f"{each['events_per_second']:,.0f}", f"{each['start_seconds']:.2f}"
        rows.append((each["lane"], "", each["engine"], rate, start, each["loaded"]))
    text = ["".join(f"{cell:>19}" for cell in row) for row in rows]
    for line in figures["agreement"]:
        text.append(
            f"{line['lane']}: {line['events']:,} events, matches: ours {line['ours']:,}, rsigma {line['theirs']:,}"
        )
        text += [f"    only ours   {count:>6} {why}" for why, count in line["only_ours"].items()]
        text += [f"    only rsigma {count:>6} {why}" for why, count in line["only_theirs"].items()]
        text += [f"    other: {', '.join(line['other'])}"] if line["other"] else []
    text += [f"{each['name']}: {each['reason']}" for each in figures["absent"]]
    return "\n".join(text)


if __name__ == "__main__":
    main()
