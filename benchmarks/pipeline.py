"""Tickets in, alerts out, in one process and without a broker: what the pure core costs. Not what carrying them costs.

    python -m benchmarks.pipeline [--tickets 20000] [--passes 5] [--institutions 40 …] [--rules DIR …] [--json] [--save]

Each pass is a new pipeline over the same records. After every batch the same bytes go through `orjson.loads`, results
thrown away, so that a busy machine slows both alike; the ratio is of the two sums of one pass. CPU time; medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import orjson

from benchmarks.report import save
from benchmarks.workload import Delivery, deliveries, registry
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset

BATCH_TICKETS = 2_000  # about what lies in a broker when a worker fetches: 50 tickets of each of 40 institutions
INSTITUTIONS = (40, 400)
PASSES_MIN = 5


class Figures(TypedDict):
    """Figures of one number of institutions; per second means per second of CPU time."""

    institutions: int
    tickets: int
    passes: int
    detection_rules: int
    correlation_rules: int
    tickets_per_second: float
    orjson_per_second: float
    ratio: float
    ratios: list[float]
    payload_bytes_mean: float
    received: int
    used: int
    duplicate: int
    late: int
    quarantined: int
    detections: int
    alerts: int


@dataclass(slots=True)
class _Pass:
    """What one pass cost."""

    pipeline_seconds: float = 0.0
    orjson_seconds: float = 0.0


def measure(rules: RuleSet, institution_count: int, tickets: int, passes: int) -> Figures:
    """Run `passes` passes; medians of their rates, and counts, which are the same in each."""
    sent = list(deliveries(tickets, institution_count))
    batches = [_by_institution(sent, start) for start in range(0, len(sent), BATCH_TICKETS)]
    who = Registry.parse(registry(institution_count), "benchmarks/workload.py")
    done: list[_Pass] = []
    for _ in range(passes):
        direct = Direct(Pipeline(rules, who))
        done.append(_one_pass(direct, batches))
    ratios = [one.orjson_seconds / one.pipeline_seconds for one in done]
    counts = direct.counts()
    return Figures(
        institutions=institution_count,
        tickets=tickets,
        passes=passes,
        detection_rules=rules.detections,
        correlation_rules=len(rules.correlations),
        tickets_per_second=round(statistics.median(tickets / one.pipeline_seconds for one in done), 1),
        orjson_per_second=round(statistics.median(tickets / one.orjson_seconds for one in done), 1),
        ratio=round(statistics.median(ratios), 4),
        ratios=[round(ratio, 4) for ratio in ratios],
        payload_bytes_mean=round(statistics.mean(len(delivery.payload) for delivery in sent), 1),
        received=counts.received,
        used=counts.used,
        duplicate=counts.duplicate,
        late=counts.late,
        quarantined=counts.quarantined,
        detections=sum(intake.ledger.detections for intake in direct.intakes.values()),
        alerts=len(direct.alerts),
    )


def _by_institution(sent: Sequence[Delivery], start: int) -> dict[str, list[Record]]:
    # An institution's offsets need only ascend, so the place in the whole stream will do.
    batch: defaultdict[str, list[Record]] = defaultdict(list)
    for offset, delivery in enumerate(sent[start : start + BATCH_TICKETS], start):
        batch[delivery.institution].append(Record(offset, delivery.timestamp_ms, None, delivery.payload))
    return dict(batch)


def _one_pass(direct: Direct, batches: Iterable[Mapping[str, Sequence[Record]]]) -> _Pass:
    done = _Pass()
    for batch in batches:
        began = time.process_time()
        direct.work(batch)
        between = time.process_time()
        for records in batch.values():
            for record in records:
                orjson.loads(record.value or b"")
        done.pipeline_seconds += between - began
        done.orjson_seconds += time.process_time() - between
    return done


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--tickets", type=int, default=20_000, help="tickets in one pass")
    options.add_argument("--passes", type=int, default=PASSES_MIN, help=f"at least {PASSES_MIN}")
    options.add_argument("--institutions", type=int, nargs="+", default=INSTITUTIONS, help="one measurement for each")
    options.add_argument("--rules", type=Path, nargs="+", help="folders of rules; default: fsoc's own")
    options.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    options.add_argument("--save", action="store_true", help="write results/pipeline.json as well")
    given = options.parse_args()
    if given.passes < PASSES_MIN:
        options.error(f"--passes: {given.passes}, at least {PASSES_MIN}")
    if min(given.tickets, *given.institutions) < 1:
        options.error("--tickets and --institutions: at least 1")
    rules = load_ruleset(given.rules or ())
    figures = {"pipeline": [measure(rules, count, given.tickets, given.passes) for count in given.institutions]}
    if given.save:
        save("pipeline", figures)
    print(json.dumps(figures) if given.json else _table(figures["pipeline"]))


def _table(lines: Sequence[Figures]) -> str:
    columns = ("institutions", "tickets/s", "orjson/s", "ratio", "used", "detections", "alerts")
    rows = [
        (
            line["institutions"],
            line["tickets_per_second"],
            line["orjson_per_second"],
            line["ratio"],
            line["used"],
            line["detections"],
            line["alerts"],
        )
        for line in lines
    ]
    cells = [columns, *([f"{value:,}" for value in row] for row in rows)]
    return "\n".join("".join(f"{cell:>14}" for cell in row) for row in cells)


if __name__ == "__main__":
    main()
