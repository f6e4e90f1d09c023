"""CPU seconds of whole processes, net of what it takes them to start. Knows no engine.

What it costs to start (read and compile the rules) is the median of runs over one event, and is taken off.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple


class Starts:
    """What it costs to start each command: measured once beside its runs, and at the end until it was often enough."""

    def __init__(self, runs_min: int) -> None:
        self._runs_min = runs_min
        self._seconds: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)

    def measure(self, command: Sequence[str]) -> None:
        self._seconds[tuple(command)].append(run_once(command).cpu_seconds)

    def complete(self) -> None:
        """In turn, until each has been measured often enough."""
        while few := [command for command, seconds in self._seconds.items() if len(seconds) < self._runs_min]:
            for command in few:
                self.measure(command)

    def median(self, command: Sequence[str]) -> float:
        return statistics.median(self._seconds[tuple(command)])


def net(whole: Sequence[float], start: float) -> list[float]:
    """Each run less the start; it cannot cost less than a hundredth of what is taken off."""
    return [max(seconds - start, start / 100) for seconds in whole]


def on_one_core() -> None:
    """This process, and those it starts, use one core from now on, where the system can be told so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


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
        error = subprocess.CalledProcessError(process.returncode, command, stderr=last)
        error.add_note(last)
        raise error
    return Ran(used.ru_utime + used.ru_stime, last.rpartition("\n")[2])
