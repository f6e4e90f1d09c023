"""Detections in, alerts out, of one partition, without a broker: what correlating costs. Not what detecting costs.

    python -m benchmarks.correlate [--groups 1000 …] [--institutions 40 …] [--detections 50000] [--passes 5]
                                   [--only groups] [--json] [--save]

Every group is touched once an hour of event time on average, whatever their number, so that windows are alike; alerts
are rare, and there are none where so many groups see less than an hour. Institutions lag behind each other by up to
ten minutes. Each group has an entry before anything is measured, and the collector has been told that it stays, as a
worker does after a restore. Slices are of 500 detections with a progress record for every fifty; what is measured is
all from these records to the state and alerts to be written.

What is compared lies in one process and takes turns, a pass each, going on where its last one ended. After every slice
the same bytes go through `orjson.loads`, results thrown away, so that a busy machine slows both alike. CPU time;
medians of the passes.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from multiprocessing import get_context
from operator import truediv
from pathlib import Path
from typing import TypedDict

import orjson

from benchmarks.report import save
from fsoc.attack.techniques import Techniques
from fsoc.correlation.entries import Entry, GroupKey, Version, entry_key, put_value
from fsoc.correlation.progress import Claim, progress_record
from fsoc.correlation.rules import NUMERIC, TEMPORAL, TYPES
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules
from fsoc.errors import RefusedToStart
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Correlate, Pipeline
from fsoc.runtime.content import shipped

HOUR_MS = 3_600_000
NOON_MS = 1_772_452_800_000
LAG_MS = 600_000
SLICE = 500
TICKETS_PER_PROGRESS = 50
GROUPS = (1_000, 10_000, 100_000, 1_000_000)
INSTITUTIONS = (40, 400)
STEPS = tuple(f"detection-{number}" for number in range(1, 6))
SEED = 7
VERSION = Version("2026-03-02", "0a")
BOUNDS = {"value_sum": 3_000, "value_avg": 990, "value_percentile": 998, "value_median": 990}


class Figures(TypedDict):
    """One measurement; per second means per second of CPU time."""

    type: str
    groups: int
    institutions: int
    rules: int
    timespan_hours: float
    detections: int
    detections_per_second: float
    fastest_per_second: float
    orjson_per_second: float
    ratio: float
    entries: int
    bytes_per_entry: float
    """What the process grew by while each group got its first entry: group, entry, and room on top."""
    alerts: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured. rules: how many of the same kind the detections are shared between. detections: in a pass."""

    type: str = "value_count"
    groups: int = 10_000
    institutions: int = 40
    rules: int = 1
    timespan_ms: int = HOUR_MS
    detections: int = 50_000
    passes: int = 5


class Run:
    """One setting's partition, each group with an entry, and what its passes came to."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._stage = _stage(setting)
        records = _records(setting)
        self._records = chain([next(records)], records)  # what it prepares before its first record is not the stage's
        self._rates: list[float] = []
        self._yardsticks: list[float] = []
        before = _resident_bytes()
        for _ in range(0, setting.groups, SLICE):
            self._stage.work(list(islice(self._records, SLICE)))
        self._bytes_per_entry = (_resident_bytes() - before) / self._entries

    @property
    def _entries(self) -> int:
        return sum(len(level.groups) for level in self._stage.levels)

    def turn(self) -> None:
        """Measure one pass."""
        spent = yardstick = 0.0
        for _ in range(0, self._setting.detections, SLICE):
            batch = list(islice(self._records, SLICE + SLICE // TICKETS_PER_PROGRESS))
            began = time.process_time()
            self._stage.work(batch)
            between = time.process_time()
            for record in batch:
                orjson.loads(record.key or b"[]")
                orjson.loads(record.value or b"")
            spent += between - began
            yardstick += time.process_time() - between
        self._rates.append(self._setting.detections / spent)
        self._yardsticks.append(self._setting.detections / yardstick)

    def figures(self) -> Figures:
        """Medians over the passes."""
        setting = self._setting
        return Figures(
            type=setting.type,
            groups=setting.groups,
            institutions=setting.institutions,
            rules=setting.rules,
            timespan_hours=setting.timespan_ms / HOUR_MS,
            detections=setting.detections * len(self._rates),
            detections_per_second=round(statistics.median(self._rates)),
            fastest_per_second=round(max(self._rates)),
            orjson_per_second=round(statistics.median(self._yardsticks)),
            ratio=round(statistics.median(map(truediv, self._rates, self._yardsticks)), 4),
            entries=self._entries,
            bytes_per_entry=round(self._bytes_per_entry),
            alerts=self._stage.book.raised_total,
        )


def measure(settings: Sequence[Setting]) -> list[Figures]:
    """Measure what is to be compared, in turns."""
    runs = [Run(setting) for setting in settings]
    gc.freeze()
    for _ in range(max(setting.passes for setting in settings)):
        for run in runs:
            run.turn()
    return [run.figures() for run in runs]


def _records(setting: Setting) -> Iterator[Record]:
    """First one put for every group, then puts and, between them, progress; seeded, so the same in every pass."""
    chance = random.Random(SEED)
    names = _names(setting.institutions)
    rules = [f"rule {number}" for number in range(setting.rules)]
    counts, numeric, temporal = setting.type == "value_count", setting.type in NUMERIC, setting.type in TEMPORAL
    lags = [chance.randrange(LAG_MS) for _ in names]
    groups = [orjson.dumps([f"198.51.{n >> 8}.{n & 255}"]).decode() for n in range(setting.groups)]
    texts = [((str(chance.randrange(1_000)),),) for _ in range(997)]
    for number in range(setting.groups + setting.passes * setting.detections):
        known = number < setting.groups
        at = NOON_MS + (number - setting.groups) * HOUR_MS // setting.groups
        who = chance.randrange(len(names))
        group = number if known else chance.randrange(setting.groups)
        rule = rules[group % len(rules)]
        name = names[who]
        values = ((name,),) if counts else texts[number % 997] if numeric else ()
        matched = (STEPS[chance.randrange(len(STEPS))],) if temporal else STEPS[:1]
        entry = Entry(
            at - lags[who], name, f"T-{number:08}", 1, values, name, 3, (("initial-access", "T1566.002"),), matched
        )
        key = entry_key((GroupKey(rule, "production", groups[group]), entry.name))
        yield Record(number, NOON_MS, key, put_value(entry, VERSION))
        if not known and number % TICKETS_PER_PROGRESS == 0:
            name = names[number // TICKETS_PER_PROGRESS % len(names)]
            claim = Claim(at, number, LAG_MS, idle=False)
            yield Record(number, NOON_MS, None, progress_record({name: claim}, VERSION))


def _names(institutions: int) -> list[str]:
    return [f"fi-{number:03}" for number in range(institutions)]


def _sources(setting: Setting) -> Iterator[Source]:
    """Detections that nothing matches, and correlations whose conditions about one window in a few hundred meets."""
    for step in STEPS:
        logsource, detection = {"product": "fsoc"}, {"selection": {"category": "x"}, "condition": "selection"}
        rule = {"title": step, "name": step, "logsource": logsource, "detection": detection}
        yield Source(f"{step}.yml", json.dumps(rule))
    temporal = setting.type in TEMPORAL
    counted = int(6 * (setting.timespan_ms / HOUR_MS) ** 0.5)  # of one an hour on average
    condition: dict[str, object] = {"gte": len(STEPS) - 1 if temporal else BOUNDS.get(setting.type, counted)}
    if setting.type.startswith("value_"):
        condition["field"] = "institution" if setting.type == "value_count" else "n"
    if setting.type == "value_percentile":
        condition["percentile"] = 95
    for number in range(setting.rules):
        correlation = {
            "type": setting.type,
            "rules": STEPS if temporal else STEPS[:1],
            "group-by": ["indicator"],
            "timespan": f"{setting.timespan_ms // 1_000}s",
            "condition": condition,
        }
        yield Source(f"{number}.yml", json.dumps({"title": f"rule {number}", "correlation": correlation}))


def _stage(setting: Setting) -> Correlate:
    loaded = load_rules(_sources(setting))
    tables = shipped("attack_mappings").glob("*.tsv")
    techniques = Techniques.parse((path.name, path.read_text("utf-8")) for path in tables)
    detector = PlainDetector(loaded.rules, LogsourceMap())
    ruleset = RuleSet.of(detector, loaded.rules, loaded.correlations, techniques, VERSION, loaded.problems)
    if ruleset.problems:
        raise RefusedToStart(*ruleset.problems)
    registry = Registry.open()
    for name in _names(setting.institutions):
        registry.get(name)
    return Pipeline(ruleset, registry, detections_partitions=1).correlate(0)


def _resident_bytes() -> int:
    """What the process holds of memory; 0 where the system does not say it so."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4_096
    except OSError:
        return 0


def settings(given: argparse.Namespace) -> Mapping[str, Sequence[Setting]]:
    """What is varied, one thing at a time."""
    base = Setting(detections=given.detections, passes=given.passes)
    return {
        "groups": [replace(base, groups=groups) for groups in given.groups],
        "institutions": [replace(base, institutions=count) for count in given.institutions],
        "types": [replace(base, type=kind) for kind in TYPES],
        "timespans": [replace(base, timespan_ms=hours * HOUR_MS) for hours in (1, 6, 24)],
        "rules": [replace(base, rules=rules) for rules in (1, 100)],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--groups", type=int, nargs="+", default=GROUPS, help="live groups, one measurement for each")
    options.add_argument("--institutions", type=int, nargs="+", default=INSTITUTIONS, help="one measurement for each")
    options.add_argument("--detections", type=int, default=50_000, help="in one pass, after each group has one")
    options.add_argument("--passes", type=int, default=5)
    options.add_argument("--only", choices=("groups", "institutions", "types", "timespans", "rules"), help="one table")
    options.add_argument("--json", action="store_true", help="one JSON object on stdout instead of tables")
    options.add_argument("--save", action="store_true", help="write results/correlate.json as well")
    given = options.parse_args()
    if min(given.detections, given.passes, *given.groups, *given.institutions) < 1:
        options.error("--detections, --passes, --groups and --institutions: at least 1")
    chosen = {name: varied for name, varied in settings(given).items() if given.only in {None, name}}
    # A process for each table: what one freed would hide what the next one holds.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        figures = dict(zip(chosen, processes.map(measure, chosen.values()), strict=True))
    if given.save:
        save("correlate", figures)
    print(json.dumps(figures) if given.json else "\n\n".join(map(_table, figures.values())))


def _table(lines: Sequence[Figures]) -> str:
    columns = ("type", "groups", "institutions", "rules", "hours", "detections/s", "ratio", "bytes/entry", "alerts")
    rows = [
        (
            line["type"],
            line["groups"],
            line["institutions"],
            line["rules"],
            line["timespan_hours"],
            line["detections_per_second"],
            line["ratio"],
            line["bytes_per_entry"],
            line["alerts"],
        )
        for line in lines
    ]
    cells = [columns, *([value if isinstance(value, str) else f"{value:,}" for value in row] for row in rows)]
    return "\n".join("".join(f"{cell:>17}" for cell in row) for row in cells)


if __name__ == "__main__":
    main()
