"""What one institution's flood costs the others: their receipts and joint alerts with it and without it.

    python -m benchmarks.fairness [--rate 40] [--flood 100] [--seconds 20] [--rounds 5] [--institutions 40] [--json]

Open loop, as `benchmarks.latency`, on one broker, with two workers: a load without the flood and the same with it, in
turns. The flood is the last institution's: so many times the mean rate of one, on top of what all send. Nobody is
throttled: the broker's quotas are not set here, so that what is seen is intake's own taking turns. What is told is the
median over the rounds of the others' 99th percentile with the flood over that without it, and how many of the others'
tickets were not accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import describe
from benchmarks.report import save
from benchmarks.under_load import Load, run
from fsoc.runtime.kafka import broker

MEASURED: Final = (("ticket to receipt", "receipt_ms"), ("ticket to joint alert", "latency_ms"))


def measure(calm: Load, flood: float, rounds: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Of each round the figures without the flood and with it."""
    found = []
    with tempfile.TemporaryDirectory(prefix="fsoc-fairness-") as name:
        folder = Path(name)
        try:
            own = broker.start(folder / "kafka")
            for number in range(1, rounds + 1):
                print(f"round {number} of {rounds} …", file=sys.stderr, flush=True)
                without, flooded = (
                    asyncio.run(run(load, own.bootstrap, own.pid, folder))
                    for load in (calm, replace(calm, flood=flood))
                )
                found.append((without, flooded))
        finally:
            broker.stop(folder / "kafka")
    return found


def summary(rounds: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Medians of the rounds that are valid; `ratio` of each round's own two, None where no round is."""
    valid = [pair for pair in rounds if all(one["valid"] for one in pair)]
    found: dict[str, Any] = {"rounds": len(rounds), "valid": len(valid)}
    for _, name in MEASURED:
        p99s = [(without[name]["p99"], flooded[name]["p99"]) for without, flooded in valid if without[name]]
        found[name] = {
            "without": statistics.median([without for without, _ in p99s]) if p99s else None,
            "flooded": statistics.median([flooded for _, flooded in p99s]) if p99s else None,
            "ratio": round(statistics.median([b / a for a, b in p99s]), 2) if p99s else None,
        }
    found["not_accepted"] = sum(_not_accepted(flooded) for _, flooded in rounds)
    found["not_accepted_without"] = sum(_not_accepted(without) for without, _ in rounds)
    return found


def _not_accepted(figures: dict[str, Any]) -> int:
    return sum(count for told, count in figures["calm"].items() if told != "accepted")


def show(calm: Load, flood: float, rounds: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """A table for people."""
    told = summary(rounds)
    per_second = calm.rate * flood / calm.institutions
    print(f"{calm.institutions} institutions, {calm.rate:,.0f} tickets/s; one sends {per_second:,.0f}/s more")
    print(f"{told['valid']} of {told['rounds']} rounds valid; p99 of the others, ms, median of rounds:")
    print("                         without    flooded      ratio")
    for title, name in MEASURED:
        one = told[name]
        if one["ratio"] is not None:
            print(f"  {title:<22}{one['without']:>8,.0f}   {one['flooded']:>8,.0f}   {one['ratio']:>8.2f}")
    print(
        f"  others' tickets not accepted: {told['not_accepted']} with the flood,"
        f" {told['not_accepted_without']} without (an exercise sends some twice, and some late)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=40.0, help="tickets a second of all without the flood")
    parser.add_argument("--flood", type=float, default=100.0, help="times an institution's mean rate")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured, after ten of warming up")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--institutions", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    asked = parser.parse_args()
    if min(asked.rate, asked.seconds, asked.flood, asked.rounds, asked.workers) <= 0 or asked.institutions < 4:
        parser.error("rate, seconds, flood, rounds and workers above 0, and four institutions at least")
    calm = Load(asked.rate, asked.seconds, asked.institutions, asked.workers)
    rounds = measure(calm, asked.flood, asked.rounds)
    figures = {"flood": asked.flood, "summary": summary(rounds), "rounds": rounds}
    if asked.save:
        save("fairness", figures)
    if asked.json:
        print(json.dumps({"machine": describe(), "figures": figures}))
    else:
        show(calm, asked.flood, rounds)


if __name__ == "__main__":
    main()
