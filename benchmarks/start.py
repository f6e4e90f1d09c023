"""How long until rules match: `fsoc detect` on one event as a whole process, its rules compiled anew or kept before.

    python -m benchmarks.start [--rules DIR …] [--engine NAME …] [--rounds 5] [--json] [--save]

Without --rules: SigmaHQ's from ../shared/data where they are, else those that fsoc ships. A round starts every engine
cold (an empty cache) and warm, one after the other, and an interpreter that reads the same files as YAML by libyaml and
does nothing else: the yardstick. Seconds by the clock, and of CPU; memory is the most a process ever held. Medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from benchmarks.report import save
from fsoc.runtime.content import RULE_SUFFIXES, files_of, shipped

ROUNDS_MIN: Final = 5
SIGMAHQ: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "sigmahq-rules"
EVENT: Final = {
    "Image": "C:\\Windows\\explorer.exe",
    "logsource": {"product": "windows", "category": "process_creation"},
}
ENGINES: Final = ("auto", "native", "fast", "plain")
_YAML: Final = """\
import sys, yaml
for path in sys.stdin.read().split("\\0"):
    with open(path, "rb") as file:
        for document in yaml.load_all(file, Loader=yaml.CSafeLoader):
            pass
"""


class Run(TypedDict):
    """One process."""

    seconds: float
    cpu_seconds: float
    memory_mib: float


class Figures(TypedDict):
    """Medians over the rounds. starts: by engine, then cold or warm. yaml: the yardstick."""

    rules: int
    rounds: int
    yaml: Run
    starts: dict[str, dict[str, Run]]


def measure(rules: Sequence[Path], engines: Sequence[str], rounds: int) -> Figures:
    files = [file for path in rules for file in files_of(path, RULE_SUFFIXES)]
    yaml: list[Run] = []
    starts: dict[str, dict[str, list[Run]]] = {engine: {"cold": [], "warm": []} for engine in engines}
    for _ in range(rounds):
        yaml.append(_run([sys.executable, "-c", _YAML], "\0".join(map(str, files)), dict(os.environ)))
        for engine, of in starts.items():
            with tempfile.TemporaryDirectory() as cache:
                for kind in ("cold", "warm"):
                    of[kind].append(_detect(rules, engine, cache))
    return Figures(
        rules=len(files),
        rounds=rounds,
        yaml=_median(yaml),
        starts={
            engine: {kind: _median(runs) for kind, runs in of.items()} for engine, of in starts.items() if of["cold"]
        },
    )


def _detect(rules: Sequence[Path], engine: str, cache: str) -> Run:
    folder = Path(cache, "rules")
    command = ["-m", "fsoc", "detect", "--engine", engine, "--events", "-", "--rules", *map(str, rules)]
    environment = {**os.environ, "FSOC_RULES_CACHE": str(folder)}
    return _run([sys.executable, *command], json.dumps(EVENT), environment)


def _run(command: Sequence[str], given: str, environment: dict[str, str]) -> Run:
    """Raises: SystemExit: the process failed; what it said has been shown."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    process.stdin.write(given.encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[:6])} … ended with {process.returncode}")
    return Run(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, memory_mib=usage.ru_maxrss / 1024)


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        seconds=round(statistics.median(run["seconds"] for run in runs), 3),
        cpu_seconds=round(statistics.median(run["cpu_seconds"] for run in runs), 3),
        memory_mib=round(statistics.median(run["memory_mib"] for run in runs), 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=Path, nargs="+", help="rule files or folders")
    parser.add_argument("--engine", choices=ENGINES, nargs="+", default=["auto"], help="default: auto")
    parser.add_argument("--rounds", type=int, default=ROUNDS_MIN, help=f"at least {ROUNDS_MIN}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/start.json")
    asked = parser.parse_args()
    if asked.rounds < ROUNDS_MIN:
        parser.error(f"--rounds is {asked.rounds}, at least {ROUNDS_MIN}")
    figures = measure(asked.rules or [SIGMAHQ if SIGMAHQ.is_dir() else shipped("rules")], asked.engine, asked.rounds)
    if asked.save:
        save("start", figures)
    if asked.json:
        print(json.dumps(figures))
        return
    print(f"{figures['rules']:,} rule files, medians of {figures['rounds']} rounds")
    print(f"{'':24}{'seconds':>10}{'CPU s':>10}{'MiB':>10}")
    rows = {"YAML alone": figures["yaml"]}
    for engine, kinds in figures["starts"].items():
        rows |= {f"{engine}, {kind}": run for kind, run in kinds.items()}
    for name, run in rows.items():
        print(f"{name:24}{run['seconds']:>10.2f}{run['cpu_seconds']:>10.2f}{run['memory_mib']:>10.0f}")


if __name__ == "__main__":
    main()
