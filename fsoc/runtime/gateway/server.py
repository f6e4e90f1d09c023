"""The gateway's process: opens the log, listens, looks at its files again, stops in order. Answers nothing itself."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn

from fsoc.errors import Problem, RefusedToStart, Retry, together
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway import metrics
from fsoc.runtime.gateway.app import Gateway, build
from fsoc.runtime.gateway.certificates import Protocol, context_of, load_pair
from fsoc.runtime.gateway.credentials import Credentials
from fsoc.runtime.gateway.limits import Limits
from fsoc.runtime.health import HealthServer
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.log import Log, UnknownTopic
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings

_log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
STOP_SECONDS_MAX: Final = 20
CONNECTIONS_MAX: Final = 2_000
BACKLOG: Final = 256

Say = Callable[[str], None]


def check(settings: Settings) -> None:
    """What a gateway needs is there.

    Raises:
        RefusedToStart: every problem at once.
    """
    problems = [
        Problem(f"--{name.removeprefix('gateway_')}", f"is needed (or FSOC_{name.upper()})")
        for name in ("brokers", "institutions", "gateway_credentials")
        if not getattr(settings, name)
    ]
    pair = (settings.gateway_certificate, settings.gateway_key)
    if (pair[0] is None) != (pair[1] is None):
        problems.append(Problem("--certificate", "and --key are given together, or neither"))
    elif pair[0] is None:
        if not _is_loopback(settings.gateway_host):
            text = f"and --key are needed: plain HTTP on {settings.gateway_host} would show tokens and tickets"
            problems.append(Problem("--certificate", text))
        if settings.gateway_client_ca is not None:
            problems.append(Problem("--client-ca", "is of no use without --certificate and --key"))
    if problems:
        raise RefusedToStart(*problems)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False  # a name may come to mean another address


async def run(settings: Settings, say: Say, opened: Log | None = None) -> int:
    """Run until SIGINT or SIGTERM; return 0. opened: a log instead of the cluster that the settings name.

    Raises:
        RefusedToStart: settings, files, brokers or addresses are not usable.
    """
    check(settings)
    files = _Files(settings)
    log = opened or await KafkaLog.of(settings)
    try:
        return await _serve(settings, log, files, say)
    finally:
        await log.close()


async def _serve(settings: Settings, log: Log, files: _Files, say: Say) -> int:
    gateway = Gateway(
        log,
        settings.topic_prefix,
        files.credentials,
        files.registry,
        Limits(settings.gateway_bytes_per_second, settings.gateway_requests_per_second),
        time.monotonic,
        lambda: dt.datetime.now(dt.UTC),
        settings.gateway_url,
        settings.exercise_id,
    )
    watch = _Watch(gateway, files, settings.registry_reload_seconds)
    await watch.look()
    health = HealthServer(metrics.REGISTRY, lambda: True, lambda: watch.answers and not gateway.stopping)
    server = _Server(_config(gateway, files.context))
    with _listening(settings.gateway_host, settings.gateway_port) as listener:
        port = await health.start(settings.http_host, settings.http_port)
        watching = asyncio.ensure_future(watch.go_on())
        loop = asyncio.get_running_loop()

        def stop() -> None:
            gateway.stopping = True
            server.should_exit = True

        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, stop)
        host, listens = listener.getsockname()[:2]
        scheme = "http" if files.context is None else "https"
        where = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listens}"
        say(f"fsoc gateway at {where}, its metrics at http://{settings.http_host}:{port}/metrics")
        _log.info("gateway_started", url=where, institutions=len(files.credentials.institutions))
        try:
            await server.serve(sockets=[listener])
        finally:
            for sign in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(sign)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await health.stop()
    _log.info("gateway_stopped")
    return 0


class _Server(uvicorn.Server):
    """uvicorn's, whose signals are ours: it would send itself the one that ended it once more."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(gateway: Gateway, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        build(gateway),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # a line for each malformed request would be for the sender to write
        access_log=False,
        proxy_headers=False,  # whoever connects could name any address
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        ssl_context_factory=None if context is None else lambda *_: context,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Raises: RefusedToStart: the address cannot be listened on."""
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        if listener is not None:
            listener.close()
        reason = error.strerror or str(error)
        raise RefusedToStart(Problem("--port", f"cannot listen on {host}:{port}: {reason}; 0 is any free")) from error
    try:
        yield listener
    finally:
        listener.close()


class _Files:
    """Credentials, registry and certificate as they were on disk when they could last be used.

    Raises:
        RefusedToStart: they cannot be used; everything that is wrong at once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path: Path = settings.gateway_credentials or Path()
        self._seen = self._stamps()
        self.credentials, self.registry, self.context = together(self._read, self._register, self._tls)

    @property
    def changed(self) -> bool:
        """Whether any is another than it was when it was last looked at."""
        return self._stamps() != self._seen

    def read_again(self) -> None:
        """Take up what is there now.

        Raises:
            RefusedToStart: it cannot be used; what was there before stays in use.
        """
        self._seen = self._stamps()
        credentials, registry = together(self._read, self._register)
        settings = self._settings
        if self.context is not None and settings.gateway_certificate and settings.gateway_key:
            load_pair(self.context, settings.gateway_certificate, settings.gateway_key)
        self.credentials, self.registry = credentials, registry

    def _register(self) -> Registry:
        return load_registry(self._settings.institutions or Path(), self._settings.allowed_lateness_ms)

    def _read(self) -> Credentials:
        try:
            text = self._path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise RefusedToStart(Problem(str(self._path), f"credentials cannot be read: {reason}")) from error
        return Credentials.parse(text, str(self._path))

    def _tls(self) -> ssl.SSLContext | None:
        certificate, key = self._settings.gateway_certificate, self._settings.gateway_key
        if certificate is None or key is None:
            return None
        return context_of(certificate, key, self._settings.gateway_client_ca)

    def _stamps(self) -> list[Any]:
        given = self._settings
        paths = (self._path, given.institutions, given.gateway_certificate, given.gateway_key)
        return [_stamp(path) for path in paths if path is not None]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class _Watch:
    """Asks Kafka every few seconds whether it answers, and looks at the files.

    answers: whether it did when it was last asked.
    """

    def __init__(self, gateway: Gateway, files: _Files, reload_seconds: int) -> None:
        self.answers = False
        self._gateway = gateway
        self._files = files
        self._reload_seconds = reload_seconds
        self._missing: set[str] = set()

    async def go_on(self) -> None:
        looked = self._gateway.clock()
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, self._reload_seconds))
            await self.look()
            if self._gateway.clock() - looked >= self._reload_seconds:
                looked = self._gateway.clock()
                self._read_again()

    async def look(self) -> None:
        """Ask for the topics of all who may send; of those that are missing, tell once."""
        log, prefix = self._gateway.log, self._gateway.prefix
        topics = [f"{prefix}tickets.{institution}" for institution in self._gateway.credentials.institutions]
        missing: set[str] = set()
        answers = True
        try:
            try:
                await log.partitions(*topics)
            except UnknownTopic as unknown:
                missing = {problem.where for problem in unknown.problems}
            if there := [topic for topic in topics if topic not in missing]:
                await log.end_offsets([(there[0], 0)])
        except Retry as error:
            answers = False
            if self.answers:
                _log.warning("log_does_not_answer", why=str(error))
        if new := sorted(missing - self._missing):
            _log.warning("topics_missing", topics=new[:20], count=len(new), mend="fsoc topics apply")
        self._missing, self.answers = missing, answers

    def _read_again(self) -> None:
        if not self._files.changed:
            return
        try:
            self._files.read_again()
        except RefusedToStart as error:
            metrics.CREDENTIALS_REFUSED.set(1)
            _log.error("credentials_refused", problems=[str(problem) for problem in error.problems[:20]])
            return
        metrics.CREDENTIALS_REFUSED.set(0)
        self._gateway.credentials, self._gateway.registry = self._files.credentials, self._files.registry
        _log.info("credentials_taken_up", institutions=len(self._files.credentials.institutions))
