"""Simulates seeds: `--seed 17` one, with what happened in it; `--seeds 1-5000` many. Exits with 1 if one failed."""

# ruff: noqa: T201 - it is a command, and prints

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable

from tests.simulation.check import check
from tests.simulation.faults import KINDS
from tests.simulation.simulate import Run, simulate


def replay_command(seed: int, *, zombies: bool = False) -> str:
    return f".venv/bin/python -m tests.simulation --seed {seed}{' --zombies' if zombies else ''}"


def outcome(seed: int, *, zombies: bool = False) -> tuple[Run | None, str]:
    """What a seed came to, and why it failed; "" if it did not."""
    run: Run | None = None
    gc.unfreeze()  # workers mean what they restore to stay for ever: the sector before must be able to go
    try:
        run = simulate(seed, zombies=zombies)
        check(run)
    except Exception:  # noqa: BLE001 - whatever it is, it is told with the seed
        return run, f"seed {seed} failed: {replay_command(seed, zombies=zombies)}\n{traceback.format_exc(limit=-3)}"
    return run, ""


def _counted(job: tuple[int, bool]) -> tuple[int, Counter[str], str]:
    seed, zombies = job
    run, failure = outcome(seed, zombies=zombies)
    return seed, run.faults if run is not None else Counter(), failure


def one(seed: int, *, verbose: bool, zombies: bool) -> int:
    run, failure = outcome(seed, zombies=zombies)
    if verbose and run is not None:
        sector = run.sector
        print(
            f"{len(sector.traffic)} messages, {sector.partitions} partitions, {run.seconds / 3600:.0f} hours simulated"
        )
        for member in sector.members:
            print(f"  {member.name} {member.holding or ''} {', '.join(sorted(member.traits))}")
        print("rules:", ", ".join(rule.id for rule in sector.rules))
        print("faults:", ", ".join(f"{kind} {count}" for kind, count in sorted(run.faults.items())) or "none")
        print("alert revisions:", sum(map(len, run.of("alerts"))))
    print(failure or f"seed {seed}: everything holds")
    return bool(failure)


def many(seeds: Iterable[int], *, jobs: int, zombies: bool) -> int:
    faults: Counter[str] = Counter()
    failures: list[str] = []
    began, done = time.monotonic(), 0
    with multiprocessing.Pool(jobs) as pool:
        for _, counted, failure in pool.imap_unordered(_counted, [(seed, zombies) for seed in seeds], chunksize=5):
            done += 1
            faults += counted
            if failure:
                failures.append(failure)
                print(failure, flush=True)
            if done % 100 == 0:
                print(f"{done} done, {len(failures)} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{done} seeds, {len(failures)} failed, {time.monotonic() - began:.0f} s")
    for kind in (*KINDS, "zombie"):
        print(f"{faults[kind]:8} × {kind}")
    return bool(failures)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", help="many, such as 1-5000")
    parser.add_argument("--verbose", action="store_true", help="say what happened in the one")
    parser.add_argument("--jobs", type=int, default=1, help="processes for many")
    parser.add_argument("--zombies", action="store_true", help="let an expelled worker finish the write it was in")
    asked = parser.parse_args()
    if (asked.seed is None) == (asked.seeds is None):
        parser.error("one of --seed and --seeds is needed")
    if asked.seed is not None:
        return one(asked.seed, verbose=asked.verbose, zombies=asked.zombies)
    first, _, last = asked.seeds.partition("-")
    return many(range(int(first), int(last or first) + 1), jobs=asked.jobs, zombies=asked.zombies)


if __name__ == "__main__":
    sys.exit(main())
