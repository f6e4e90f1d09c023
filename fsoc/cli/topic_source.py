"""Where a command reads records from: the cluster its options name, or a file of them. Shows and decides nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self, TypeVar

import click

from fsoc.cli.printable import printable
from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.settings import Settings, load

if TYPE_CHECKING:
    from fsoc.runtime.log import Log

T = TypeVar("T")
STDIN: Final = "-"
LINE_BYTES_MAX: Final = 64 * 1024 * 1024

OPTIONS: Final = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Also FSOC_BROKERS. Kafka 叢集。"),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--environment", metavar="NAME", help="production (default), exercise or test."),
    click.option("--settings", "file", type=click.Path(path_type=Path), metavar="FILE", help="All of these, as YAML."),
)


def with_options(options: Sequence[Callable[..., Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that gives a command these options, in their order."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@dataclass(frozen=True, slots=True)
class TopicSource:
    """A file, or a cluster. file: `-` is standard input; None is the cluster that the settings name."""

    file: str | None
    settings: Settings

    @classmethod
    def of(cls, options: dict[str, Any]) -> Self:
        """Take the options of a command that say where to read.

        Raises:
            RefusedToStart: neither is named, or a setting is wrong.
        """
        file, settings_file = options.pop("from_", None), options.pop("file")
        given = {name: options.pop(name) for name in ("brokers", "topic_prefix", "environment")}
        settings = load(settings_file, options=given)
        if file is None and not settings.brokers:
            raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS), or --from FILE"))
        return cls(file, settings)

    @property
    def prefix(self) -> str:
        return self.settings.topic_prefix

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Each line of the file that is not empty, and where it stands.

        Raises:
            RefusedToStart: it cannot be read, or a line has no end.
        """
        name = "stdin" if self.file == STDIN else str(self.file)
        with self.opened() as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LINE_BYTES_MAX + 1), b""), 1):
                if len(line) > LINE_BYTES_MAX:
                    raise RefusedToStart(Problem(f"{name}:{number}", f"more than {LINE_BYTES_MAX} bytes in one line"))
                if stripped := line.strip():
                    yield f"{name}:{number}", stripped

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file, as bytes.

        Raises:
            RefusedToStart: it cannot be read.
        """
        if self.file == STDIN:
            yield sys.stdin.buffer
            return
        path = Path(self.file or "")
        try:
            with path.open("rb") as stream:
                yield stream
        except OSError as error:
            raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error

    def on_log(self, work: Callable[[Log, str], Awaitable[T]]) -> T:
        """As `on_cluster`, of the cluster that this names."""
        return on_cluster(self.settings, work)


def on_cluster(settings: Settings, work: Callable[[Log, str], Awaitable[T]]) -> T:
    """Open the cluster that the settings name, give it to `work` with the prefix of its topics, close it.

    Raises:
        RefusedToStart: it does not answer.
    """
    from fsoc.runtime.kafka.client import KafkaLog  # late: it needs aiokafka

    async def opened() -> T:
        log = await KafkaLog.of(settings)
        try:
            return await work(log, settings.topic_prefix)
        finally:
            await log.close()

    try:
        return asyncio.run(opened())
    except Retry as error:
        raise RefusedToStart(Problem("--brokers", f"does not answer: {error}")) from error


def write(content: bytes, out: Path | None) -> None:
    """To the file, or to stdout.

    Raises:
        RefusedToStart: the file cannot be written.
    """
    if out is None:
        stdout: IO[bytes] = sys.stdout.buffer
        stdout.write(content)
        stdout.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise RefusedToStart(Problem("--out", f"{out}: {error.strerror}")) from error


def complain(text: str) -> None:
    """Of a record that is passed over, on stderr."""
    click.echo(f"fsoc: {printable(text)}", err=True)
