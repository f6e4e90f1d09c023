"""CPU seconds of whole processes, in turn, net of what it takes them to start. Knows no engine.

The runs of a round follow each other, so that a busy machine slows all alike; all of them share one core. What it costs
to start (read and compile the rules) is the median of runs over one event, and is taken off.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

RoundsOf = Mapping[str, Sequence[str]]
"""The command of each contestant."""


@dataclass(slots=True)
class Runs:
    """CPU seconds of one contestant's runs, by round."""

    start: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    @property
    def start_seconds(self) -> float:
        return statistics.median(self.start)

    @property
    def net_seconds(self) -> list[float]:
        """By round; a run cannot cost less than a hundredth of the start it is compared with."""
        least = self.start_seconds / 100
        return [max(seconds - self.start_seconds, least) for seconds in self.whole]


def on_one_core() -> None:
    """This process, and those it starts, use one core from now on, where the system can be told so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def run_rounds(starts: RoundsOf, wholes: RoundsOf, rounds: int) -> dict[str, Runs]:
    """Every round runs every contestant on one event and on all."""
    runs = {name: Runs() for name in wholes}
    for _ in range(rounds):
        for name, run in runs.items():
            run.start.append(run_once(starts[name]).cpu_seconds)
            run.whole.append(run_once(wholes[name]).cpu_seconds)
    return runs


class Ran(NamedTuple):
    """said: the last line of stderr."""

    cpu_seconds: float
    said: str


def run_once(command: Sequence[str]) -> Ran:
    """One run, its output thrown away.

    Raises:
        subprocess.CalledProcessError: it did not end with 0; stderr has its last lines.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        last = said.read()[-2_000:].decode(errors="replace").strip()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=last)
    return Ran(used.ru_utime + used.ru_stime, last.rpartition("\n")[2])
