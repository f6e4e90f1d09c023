"""How long a joint alert takes, through Kafka and two workers, while so many tickets a second come in.

    python -m benchmarks.latency [--rate 2000 …] [--seconds 60] [--institutions 40] [--workers 2] [--json] [--save]

Open loop: when each ticket is sent is planned, and no slowness of the system makes the sender wait. Among an exercise's
tickets, trios are planted: three institutions name one attacker, and the third one's ticket raises an alert. Latency is
from the broker's stamp of that ticket to its stamp of the alert's first revision: one clock. By it, too, how long
after that each institution is told of it: 99 of 100 are to be told within two seconds. The first ten seconds are left
out. A run whose sender was not in time itself says that it is not valid.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import timing
from benchmarks.machine import describe
from benchmarks.report import save
from benchmarks.under_load import Load, run
from fsoc.runtime.kafka import broker

TICKETS_MAX: Final = 1_000_000


def measure(asked: Load, brokers: str | None) -> dict[str, Any]:
    """One load on a broker of its own, thrown away afterwards, or on the one that is given."""
    print(f"{asked.rate:,.0f} tickets/s for {asked.all_seconds:.0f} s …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="fsoc-latency-") as name:
        folder = Path(name)
        if brokers:
            return asyncio.run(run(asked, brokers, None, folder))
        try:
            own = broker.start(folder / "kafka")
            return asyncio.run(run(asked, own.bootstrap, own.pid, folder))
        finally:
            broker.stop(folder / "kafka")


def show(figures: Sequence[dict[str, Any]]) -> None:
    """A table for people."""
    print("                              p50     p95     p99     max   ms")
    for one in figures:
        cpu = one["cpu_seconds"]
        print(
            f"{one['rate']:,.0f} tickets/s: {one['sent_per_second']:,.0f} sent, {one['worked_per_second']:,.0f} worked;"
            f" {one['backlog_at_end']:,} waiting at the end;"
            f" {one['raised']} of {one['planted']} trios alerted, {one['missed']} missed"
        )
        for title, name in (
            ("stamp to stamp", "latency_ms"),
            ("  ticket to detection", "intake_ms"),
            ("  detection to alert", "correlate_ms"),
            ("alert to feedback", "feedback_ms"),
            ("ticket to receipt", "receipt_ms"),
            ("ack to consumer", "consumer_latency_ms"),
            ("sender's own lag", "sender_lag_ms"),
        ):
            if one[name] is not None:
                print(f"  {title:<23}" + "".join(f"{one[name][rank]:>8,.0f}" for rank in timing.Ranks.__annotations__))
        print(
            f"  CPU s in {one['seconds']:.0f} s: workers {cpu['workers']}, broker {cpu['broker']}, sender"
            f" {cpu['sender']}, others on the machine {cpu['others']}"
        )
        if not one["told_in_time"]:
            print(f"  NOT TOLD IN TIME: {one['feedback']['untold']} alerts untold, or 1 in 100 told after 2 s")
        if not one["valid"]:
            print("  NOT VALID: the sender did not keep its pace, or the broker refused tickets")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, nargs="+", default=[2_000.0], help="tickets a second; one run each")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured, after ten of warming up")
    parser.add_argument("--institutions", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--brokers", metavar="HOST:PORT", help="default: a broker of its own, thrown away")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    asked = parser.parse_args()
    loads = [Load(rate, asked.seconds, asked.institutions, asked.workers) for rate in asked.rate]
    for one in loads:
        if one.rate * one.all_seconds > TICKETS_MAX or min(one.rate, one.seconds, one.workers) <= 0:
            parser.error(f"rate, seconds and workers above 0, and at most {TICKETS_MAX:,} tickets")
        if one.institutions < 3:
            parser.error("a trio needs three institutions")
    runs = [measure(one, asked.brokers) for one in loads]
    if asked.save:
        save("latency", {"runs": runs})
    if asked.json:
        print(json.dumps({"machine": describe(), "runs": runs}))
    else:
        show(runs)


if __name__ == "__main__":
    main()
