"""A broker, two workers and a gateway as processes that may be killed at any moment and are started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.credentials import digest_of, new_token
from fsoc.runtime.kafka import broker
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from tests.worker_process import WorkerProcess

# One rule: what they find is not looked at here, and each start compiles or loads them.
RULES = Path(__file__).resolve().parents[2] / "rules" / "detection" / "fsoc" / "ticket_any.yml"
REGISTRY = "institutions:\n" + "".join(
    f"  - {{id: fi-00{number}, name: Bank {number}, sector: bank, tier: 1, feeds: [siem]}}\n" for number in (1, 2, 3)
)
INSTITUTIONS = tuple(Registry.parse(REGISTRY, "institutions.yml").institutions)
PREFIX = "fsoc-test."
WORKERS = 2
WAIT_SECONDS = 120
LOOK_SECONDS = 0.2
LOOK_SHARPLY_SECONDS = 0.005


class Site:
    """What the joint SOC runs. Its broker is its own: who kills it kills nobody else's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = broker.start(folder / "kafka")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        tokens = {name: new_token(name) for name in INSTITUTIONS}
        credentials = [
            f'  - {{institution: {name}, token_sha256: "{digest_of(token.encode())}"}}\n'
            for name, token in tokens.items()
        ]
        (folder / "institutions.yml").write_text(REGISTRY, encoding="utf-8")
        (folder / "credentials.yml").write_text("credentials:\n" + "".join(credentials), encoding="utf-8")
        for name, token in tokens.items():
            (folder / f"{name}.token").write_text(token, encoding="ascii")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FSOC_")},
            "FSOC_RULES_CACHE": os.environ["FSOC_RULES_CACHE"],
            "FSOC_BROKERS": self.broker.bootstrap,
            "FSOC_ENVIRONMENT": "test",
            "FSOC_INSTITUTIONS": str(folder / "institutions.yml"),
            "FSOC_RULES": str(RULES),
            "FSOC_DETECTIONS_PARTITIONS": "2",
            "FSOC_GATEWAY_CREDENTIALS": str(folder / "credentials.yml"),
            "FSOC_GATEWAY_PORT": str(self.port),
            "FSOC_GATEWAY_BYTES_PER_SECOND": str(2**29),
            "FSOC_GATEWAY_REQUESTS_PER_SECOND": "10000",
        }
        asyncio.run(self._make_topics())
        self.workers: list[WorkerProcess] = []
        self.gateway: subprocess.Popen[bytes] | None = None
        self._logs = 0

    async def _make_topics(self) -> None:
        log = await KafkaLog.open(self.bootstrap)
        await log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
        await log.close()

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *arguments: str, out: str) -> subprocess.Popen[bytes]:
        """A command in a process of its own; what it prints is added to a file, what it complains of to another."""
        with (self.folder / out).open("ab") as stdout, (self.folder / f"{out}.errors").open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "fsoc", name, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=errors,
            )

    def tend(self) -> None:
        """Start what has ended, as whoever keeps services running does."""
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        while len(self.workers) < WORKERS:
            self._logs += 1
            self.workers.append(WorkerProcess(self.environment, self.folder / f"worker-{self._logs}.log"))
        if self.gateway is None or self.gateway.poll() is not None:
            self.gateway = self.start("gateway", out="gateway.log")

    def until(
        self, what: Callable[[], object], seconds: float = WAIT_SECONDS, look_seconds: float = LOOK_SECONDS
    ) -> None:
        """Tend it until this holds."""
        deadline = monotonic() + seconds
        while not what():
            assert monotonic() < deadline, self.said()
            self.tend()
            sleep(look_seconds)

    def gateway_answers(self) -> bool:
        """401 is an answer."""
        try:
            urllib.request.urlopen(f"{self.url}/v1/receipts", timeout=10)  # noqa: S310
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def wait_for_owner(self, institution: str) -> WorkerProcess:
        """The worker that has its state, once there is one."""
        owners: list[WorkerProcess] = []

        def is_owned() -> bool:
            owners[:] = [worker for worker in self.workers if institution in worker.sources()]
            return bool(owners)

        self.until(is_owned)
        return owners[0]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def kill_broker(self) -> None:
        os.kill(self.broker.pid, signal.SIGKILL)
        deadline = monotonic() + WAIT_SECONDS
        while broker.running(self.broker.data_dir) is not None:
            assert monotonic() < deadline
            sleep(LOOK_SECONDS)

    def start_broker(self) -> None:
        self.broker = broker.start(self.broker.data_dir)

    def said(self) -> str:
        """The ends of all logs."""
        logs = [*self.folder.glob("*.errors"), *self.folder.glob("worker-*.log")]
        return "\n".join(f"--- {log.name}\n{log.read_text(encoding='utf-8')[-2000:]}" for log in sorted(logs))

    def stop_workers(self) -> list[int]:
        """In order; their exit codes."""
        return [worker.stop() for worker in self.workers]

    def close(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        if self.gateway is not None and self.gateway.poll() is None:
            self.kill(self.gateway)
        broker.stop(self.broker.data_dir)
