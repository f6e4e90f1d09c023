"""`fsoc worker` processes for a benchmark: started, asked how they are, their CPU time read, stopped. Linux alone."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

READY_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 30.0
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


class WorkerProcess:
    """`fsoc worker`, as a person starts it; its output goes to `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._url = ""
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fsoc", "worker"],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends us, and we end it in order
            )

    def figure(self, name: str, **labels: str) -> float:
        """The sum of a metric over what it shows now; 0.0 while it does not answer."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self._answer("/metrics").splitlines()
            if re.match(rf"{name}[{{ ]", line) and all(pair in line for pair in wanted)
        )

    def is_ready(self) -> bool:
        return self._answer("/readyz") == "ready\n"

    def check(self) -> None:
        """Raises: SystemExit: it has ended; how its log ends is shown."""
        if self.process.poll() is not None:
            sys.exit(f"a worker ended with code {self.process.returncode}:\n{self.log.read_text()[-2000:]}")

    def _answer(self, path: str) -> str:
        if not self._url:
            where = re.search(r"fsoc worker at (http://[^/\s]+)", self.log.read_text())
            if where is None:
                return ""
            self._url = where[1]
        with contextlib.suppress(OSError), urllib.request.urlopen(self._url + path, timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())
        return ""


def start(count: int, settings: Mapping[str, object], folder: Path, owned_total: int) -> list[WorkerProcess]:
    """Start so many, and return when they are ready and share all partitions.

    settings: by name; what the environment says of fsoc's settings is left out, but for the cache of rules.

    Raises:
        SystemExit: one ended, or they did not get ready in READY_SECONDS_MAX; none runs then.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FSOC_") or name in {"FSOC_CACHE", "FSOC_RULES_CACHE"}
    }
    environment = kept | {f"FSOC_{name.upper()}": str(value) for name, value in settings.items()}
    workers: list[WorkerProcess] = []
    try:
        workers.extend(WorkerProcess(environment, folder / f"worker-{number}.log") for number in range(count))
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            time.sleep(0.3)
            for worker in workers:
                worker.check()
            if all(worker.is_ready() for worker in workers):
                owned = [worker.figure("fsoc_owned_partitions") for worker in workers]
                if sum(owned) == owned_total and all(owned):
                    return workers
        sys.exit(f"workers were not ready within {READY_SECONDS_MAX:.0f} s:\n{workers[0].log.read_text()[-2000:]}")
    except BaseException:
        stop(workers)
        raise


def stop(workers: Sequence[WorkerProcess]) -> None:
    """Ask all to end, then wait for each; by force if it does not."""
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.terminate()
    for worker in workers:
        try:
            worker.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has had, its threads included."""
    # After the name in brackets, which may hold anything; utime and stime are the fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def cpu_seconds_of_all() -> float:
    """CPU time that all processes of the machine have had since it was started, all cores together."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS_A_SECOND
