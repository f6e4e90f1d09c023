"""This machine's own single-node Kafka: format, start, wait until ready, stop by pid. Not for production."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.jvm import find_java, keep_archive
from fsoc.runtime.kafka.maven import jars, locked, quiet
from fsoc.runtime.kafka.properties import read_port, secure_properties, server_properties
from fsoc.runtime.kafka.secured import ADMIN, Secured
from fsoc.runtime.kafka.security import OPEN, Security

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LOG_BYTES_MAX = 10_000_000
_POLL_SECONDS = 0.05

# Brokers this process started: kept so that they are waited for and leave no zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker of ours. `data_dir` is all that is needed to find it again.

    is_secure: it knows its clients by name and password; see `secured`.
    """

    data_dir: Path
    pid: int
    port: int
    is_secure: bool = False

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def secured(self) -> Secured:
        return Secured(self.data_dir)

    @property
    def security(self) -> Security:
        """How its administrator speaks to it."""
        return self.secured.security(ADMIN) if self.is_secure else OPEN


def default_data_dir() -> Path:
    """$FSOC_DATA/kafka, else $XDG_DATA_HOME/fsoc/kafka, else ~/.local/share/fsoc/kafka."""
    if chosen := os.environ.get("FSOC_DATA"):
        return Path(chosen).expanduser().absolute() / "kafka"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fsoc" / "kafka"


def running(data_dir: Path) -> Broker | None:
    """The broker that runs on this data directory, or None."""
    try:
        pid = int((data_dir / "kafka.pid").read_text("ascii"))
        port = read_port(data_dir / "server.properties")
    except (OSError, ValueError):
        return None
    # The pid may have been given to another program since: ours names its properties file in its arguments.
    if str(data_dir / "server.properties") not in _arguments(pid):
        return None
    return Broker(data_dir, pid, port, Secured(data_dir).exists)


def start(
    data_dir: Path,
    *,
    port: int | None = None,
    fresh: bool = False,
    secure: bool = False,
    say: Callable[[str], None] = quiet,
) -> Broker:
    """Start a broker on `data_dir` and return once a client was answered; one that already runs is returned as it is.

    port: for clients; None takes the one used last on this directory, else any free one.
    fresh: forget all topics and records first, and all keys and users.
    secure: TLS, passwords and access rules; a directory that was begun so stays so, asked or not.

    Raises:
        KafkaUnavailable: Java, Maven or the artifacts are missing.
        RefusedToStart: the port is taken, the data directory is not usable, or the broker ended; its log says why.
    """
    data_dir = data_dir.absolute()
    if "," in str(data_dir):
        raise RefusedToStart(Problem("--data-dir", f"{data_dir} has a comma, at which Kafka would split it"))
    try:
        # Tickets are nobody else's business.
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(data_dir / "lock"):
            return _start(data_dir, port, fresh, secure, say)
    except OSError as error:
        place = str(error.filename or data_dir)
        raise RefusedToStart(Problem(place, f"cannot be used for a broker's data: {error.strerror}")) from error


def _start(data_dir: Path, port: int | None, fresh: bool, secure: bool, say: Callable[[str], None]) -> Broker:
    if already := running(data_dir):
        _refuse_another(already, port, fresh, secure)
        return already
    java, classpath = find_java(), jars(say)
    secured = Secured(data_dir)
    if fresh:
        shutil.rmtree(data_dir / "data", ignore_errors=True)
        secured.forget()
    is_new = not (data_dir / "data" / "meta.properties").exists()
    if secure and not is_new and not secured.exists:
        raise RefusedToStart(
            Problem("--secure", f"the records of {data_dir} are an open broker's; --fresh forgets them")
        )
    properties = data_dir / "server.properties"
    _configure(properties, secured, _client_port(properties, port), makes_secure=secure and not secured.exists)
    _keep_one_old_log(data_dir / "kafka.log")
    with (data_dir / "kafka.log").open("ab") as log:
        if is_new:
            _format(java.command(classpath), properties, secured)
        process = subprocess.Popen(
            [*java.command_that_leaves_classes(classpath, data_dir), "kafka.Kafka", str(properties)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Its own session: Ctrl-C in the terminal ends us, and we end the broker in order.
            start_new_session=True,
        )
    _children[process.pid] = process
    (data_dir / "kafka.pid").write_text(f"{process.pid}\n", "ascii")
    broker = Broker(data_dir, process.pid, read_port(properties), secured.exists)
    try:
        _wait_until_ready(broker, process)
    except BaseException:
        # Interrupted, too: what was not handed to anyone must not go on running.
        stop(data_dir)
        raise
    return broker


def _refuse_another(already: Broker, port: int | None, fresh: bool, secure: bool) -> None:
    """Raises: RefusedToStart: the broker that runs is not the one that is asked for."""
    runs = f"a broker (pid {already.pid}) runs on {already.data_dir}"
    if fresh:
        raise RefusedToStart(Problem("--fresh", f"{runs}; stop it first"))
    if port not in (None, already.port):
        raise RefusedToStart(Problem("--port", f"{runs} at port {already.port}; stop it first"))
    if secure and not already.is_secure:
        raise RefusedToStart(Problem("--secure", f"{runs}, an open one; stop it first"))


def _configure(properties: Path, secured: Secured, port: int, *, makes_secure: bool) -> None:
    """Write what the broker is started with."""
    now = dt.datetime.now(dt.UTC)
    data = properties.parent / "data"
    if makes_secure:
        secured.make(now)
    if not secured.exists:
        properties.write_text(server_properties(data, port, _free_port()), "utf-8")
        return
    secured.renew(now, f"127.0.0.1:{port}")
    properties.write_text(secure_properties(data, secured, port, _free_port(), _free_port()), "utf-8")


def stop(data_dir: Path) -> Broker | None:
    """Stop the broker of this data directory in order, by force if it does not end; None when none runs."""
    data_dir = data_dir.absolute()
    broker = running(data_dir)
    if broker is None:
        return None
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS_MAX), (signal.SIGKILL, 5)):
        try:
            os.kill(broker.pid, sign)
        except ProcessLookupError:
            break
        if _ended_within(data_dir, seconds):
            if sign == signal.SIGTERM:
                keep_archive(data_dir)
            break
    else:
        raise Retry(f"the broker (pid {broker.pid}) of {data_dir} did not end")
    (data_dir / "kafka.pid").unlink(missing_ok=True)
    return broker


def _ended_within(data_dir: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while broker := running(data_dir):
        if child := _children.get(broker.pid):
            child.poll()
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _format(run: list[str], properties: Path, secured: Secured) -> None:
    """Give the empty data directory its cluster id, make this node its only voter, and make the first users."""
    data_dir = properties.parent
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = [*run, "kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={cluster_id}"]
    tool += ["-c", str(properties)]
    with secured.format_arguments() if secured.exists else nullcontext() as arguments:
        more = [f"@{arguments}"] if arguments else []
        done = subprocess.run([*tool, *more], capture_output=True, text=True, check=False)
    with (data_dir / "kafka.log").open("a", encoding="utf-8") as log:
        # It tells every record it begins with, those of the users' keys among them.
        said = (done.stdout + done.stderr).splitlines(keepends=True)
        log.writelines(line for line in said if "SCRAM" not in line.upper())
    if done.returncode != 0:
        raise RefusedToStart(Problem(str(data_dir), f"could not be formatted: {_last_line(data_dir / 'kafka.log')}"))


def _wait_until_ready(broker: Broker, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    log = broker.data_dir / "kafka.log"
    while process.poll() is None:
        if _listens(broker.port) and _answers(broker):
            return
        if time.monotonic() > deadline:
            raise RefusedToStart(Problem(str(log), f"the broker did not answer within {READY_SECONDS_MAX} s"))
        time.sleep(_POLL_SECONDS)
    (broker.data_dir / "kafka.pid").unlink(missing_ok=True)
    raise RefusedToStart(Problem(str(log), f"the broker ended with code {process.returncode}: {_last_line(log)}"))


def _answers(broker: Broker) -> bool:
    """Whether a client is told of a broker; a listening port alone does not mean the node has joined."""
    # A thread of its own: the caller's may have a running event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _is_told_of_a_broker(broker)).result()


async def _is_told_of_a_broker(broker: Broker) -> bool:
    try:
        async with connected(broker.bootstrap, broker.security, request_timeout_ms=5_000) as client:
            return bool((await client.describe_cluster())["brokers"])
    except (RefusedToStart, Retry):
        return False


def _client_port(properties: Path, wanted: int | None) -> int:
    if wanted is not None:
        if not _is_free(wanted):
            raise RefusedToStart(
                Problem("--port", f"{wanted} is taken by another program; leave it out for a free one")
            )
        return wanted
    try:
        last = read_port(properties)
    except (OSError, ValueError):
        return _free_port()
    return last if _is_free(last) else _free_port()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _arguments(pid: int) -> str:
    """A process's command line; "" when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    # No /proc (macOS).
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def _keep_one_old_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))


def _last_line(log: Path) -> str:
    """The line that says why: the last error or exception, else the last line; bounded."""
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace")[-20_000:].splitlines() if line.strip()]
    causes = [line for line in lines if ("ERROR" in line or "Exception" in line) and not line.startswith("at ")]
    return (causes or lines or ["its log is empty"])[-1][:400]
