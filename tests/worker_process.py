"""`fsoc worker` as a process of its own: started, looked at, killed."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import urllib.request


class WorkerProcess:
    """`fsoc worker`, as a person starts it."""

    def __init__(self, environment, log):
        self._log = log.open("w+b")
        self._url = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fsoc", "worker"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def log(self):
        self._log.seek(0)
        return self._log.read().decode()

    def figure(self, name, **labels):
        """The sum of a metric over what this worker shows now; 0.0 while it does not answer."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self._answer("/metrics").splitlines()
            if re.match(rf"{name}[{{ ]", line) and all(pair in line for pair in wanted)
        )

    def sources(self):
        """What it owns and has state of: institutions, and `detections/<partition>`."""
        shown = self._answer("/metrics")
        numbers = re.findall(r'^fsoc_open_alerts{partition="(\d+)"}', shown, re.MULTILINE)
        institutions = re.findall(r'^fsoc_received_tickets{institution="(.+)"}', shown, re.MULTILINE)
        return frozenset([*institutions, *(f"detections/{number}" for number in numbers)])

    def is_ready(self):
        return self._answer("/readyz") == "ready\n"

    def _answer(self, path):
        """What it answers; nothing while it does not, or says no."""
        if self._url is None:
            where = re.search(r"fsoc worker at (http://[^/\s]+)", self.log)
            if where is None:
                return ""
            self._url = where[1]
        with contextlib.suppress(OSError), urllib.request.urlopen(self._url + path, timeout=5) as answer:  # noqa: S310
            return answer.read().decode()
        return ""

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)
