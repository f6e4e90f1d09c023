"""Tickets through Kafka and Faust: what carrying them costs, beside a bare consumer and stock Faust, and the whole.

    python -m benchmarks.end_to_end [--rounds 5] [--tickets 50000] [--brokers HOST:PORT] [--json] [--save]

Each lane is a process of its own, one after another, in turn each round; the three carriage lanes read the same topics
and do the same work. Rates are tickets per second of CPU time of that process, its threads included; medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from benchmarks.carriage import LANES
from benchmarks.machine import describe
from benchmarks.report import save
from benchmarks.workload import deliveries, institutions
from fsoc.runtime.kafka import broker
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table

INSTITUTIONS = 40
# What a round takes of each lane: about a second or two of CPU time.
SHARES = {"bare": 1.0, "stock": 0.12, "ours": 1.0, "pipeline": 0.1}
OURS_OVER_STOCK_MIN = 10.0
OURS_OVER_BARE_MIN = 0.5


class Lane(TypedDict):
    """One lane's figures. per second of CPU time; all: of every round."""

    tickets: int
    tickets_per_cpu_second: float
    tickets_per_second: float
    all: list[float]


async def load(brokers: str, prefix: str, tickets: int) -> None:
    """Make all topics under `prefix` and put the workload on the ticket topics."""
    log = await KafkaLog.open(brokers)
    try:
        await log.create(table(prefix, institutions(INSTITUTIONS), environment="test"))
        for delivery in deliveries(tickets, INSTITUTIONS):
            topic = f"{prefix}tickets.{delivery.institution}"
            await log.append(topic, 0, None, delivery.payload, delivery.timestamp_ms)
        await log.flush()
    finally:
        await log.close()


def run_lane(lane: str, brokers: str, prefix: str, tickets: int) -> dict[str, float]:
    """Run one lane once, in a process of its own.

    Raises:
        SystemExit: it failed; what it said is shown.
    """
    arguments = {"lane": lane, "brokers": brokers, "prefix": prefix, "institutions": INSTITUTIONS, "tickets": tickets}
    options = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.carriage", *options], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"lane {lane} failed with code {done.returncode}:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(brokers: str, rounds: int, tickets: int) -> dict[str, Any]:
    """Run all lanes in turn, `rounds` times; figures as in the JSON."""
    prefix = f"bench-{time.time_ns() // 1_000_000}"
    asyncio.run(load(brokers, f"{prefix}.", tickets))
    runs: dict[str, list[dict[str, float]]] = {lane: [] for lane in LANES}
    for number in range(rounds):
        for lane in (*LANES[number % len(LANES) :], *LANES[: number % len(LANES)]):
            share = max(1, int(tickets * SHARES[lane]))
            own = f"{prefix}."
            if lane == "pipeline":
                own = f"{prefix}-{number}."  # else it would restore what the round before has worked
                asyncio.run(load(brokers, own, share))
            runs[lane].append(run_lane(lane, brokers, own, share))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return figures_of(runs, rounds)


def figures_of(runs: dict[str, list[dict[str, float]]], rounds: int) -> dict[str, Any]:
    """Medians; ratios are medians of the rounds' own ratios."""
    rates = {lane: [run["tickets"] / run["cpu_seconds"] for run in done] for lane, done in runs.items()}
    over_stock = statistics.median(a / b for a, b in zip(rates["ours"], rates["stock"], strict=True))
    over_bare = statistics.median(a / b for a, b in zip(rates["ours"], rates["bare"], strict=True))
    return {
        "rounds": rounds,
        "institutions": INSTITUTIONS,
        "lanes": {lane: _lane(done, rates[lane]) for lane, done in runs.items()},
        "ours_over_stock": round(over_stock, 2),
        "ours_over_stock_min": OURS_OVER_STOCK_MIN,
        "ours_over_bare": round(over_bare, 3),
        "ours_over_bare_min": OURS_OVER_BARE_MIN,
        "met": over_stock >= OURS_OVER_STOCK_MIN and over_bare >= OURS_OVER_BARE_MIN,
    }


def _lane(done: Sequence[dict[str, float]], rates: Sequence[float]) -> Lane:
    return Lane(
        tickets=int(done[0]["tickets"]),
        tickets_per_cpu_second=round(statistics.median(rates), 1),
        tickets_per_second=round(statistics.median(run["tickets"] / run["wall_seconds"] for run in done), 1),
        all=[round(rate, 1) for rate in rates],
    )


def show(figures: dict[str, Any]) -> None:
    """A table for people."""
    what = {
        "bare": "bare aiokafka loop, decode and count",
        "stock": "stock Faust agent, decode and count",
        "ours": "Faust agent on slices, decode and count",
        "pipeline": "the whole: intake and correlation",
    }
    print(f"{'tickets/CPU-s':>15}  {'tickets/s':>10}  lane")
    for lane, values in figures["lanes"].items():
        print(f"{values['tickets_per_cpu_second']:>15,.0f}  {values['tickets_per_second']:>10,.0f}  {what[lane]}")
    print(
        f"ours is {figures['ours_over_stock']:.1f} × stock Faust (at least {OURS_OVER_STOCK_MIN:.0f} wanted) and"
        f" {figures['ours_over_bare']:.2f} × the bare loop (at least {OURS_OVER_BARE_MIN})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tickets", type=int, default=50_000, help="per round of the bare lane; others take a share")
    parser.add_argument("--brokers", metavar="HOST:PORT", help="default: a broker of its own, thrown away")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    asked = parser.parse_args()
    if asked.brokers:
        figures = measure(asked.brokers, asked.rounds, asked.tickets)
    else:
        with tempfile.TemporaryDirectory(prefix="fsoc-bench-") as folder:
            try:
                figures = measure(broker.start(Path(folder)).bootstrap, asked.rounds, asked.tickets)
            finally:
                broker.stop(Path(folder))
    if asked.save:
        save("end_to_end", figures)
    if asked.json:
        print(json.dumps({"machine": describe(), **figures}))
    else:
        show(figures)


if __name__ == "__main__":
    main()
