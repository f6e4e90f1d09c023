"""Where `fsoc alerts` reads from: the cluster its options name, or a file. Shows nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import click

from fsoc.cli.printable import printable
from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.alert_records import AlertRecord, Shelf, records_of_lines, records_to_end
from fsoc.settings import Settings, load

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a cluster. file: `-` is standard input; None is the cluster that the settings name."""

    file: str | None
    settings: Settings

    @classmethod
    def of(cls, options: dict[str, Any]) -> Source:
        """Take the options of a command that say where to read.

        Raises:
            RefusedToStart: neither is named, or a setting is wrong.
        """
        file, settings_file = options.pop("from_"), options.pop("file")
        given = {name: options.pop(name) for name in ("brokers", "topic_prefix", "environment")}
        if file is not None and given["brokers"] is not None:
            raise click.UsageError("--from and --brokers cannot both be given.")
        settings = load(settings_file, options=given)
        if file is None and not settings.brokers:
            raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS), or --from FILE"))
        return cls(file, settings)

    def now_ms(self, shelf: Shelf) -> int:
        """What ages and clocks are told against: the present where alerts are of the present, else their own time."""
        if self.file is None and self.settings.environment == "production":
            return time.time_ns() // 1_000_000
        return shelf.now_ms

    def records(self) -> Iterator[AlertRecord]:
        """Those of the file, as they are read.

        Raises:
            RefusedToStart: it cannot be read, or a line is no alert.
        """
        with self._opened() as stream:
            yield from records_of_lines(stream, "stdin" if self.file == STDIN else str(self.file))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.file == STDIN:
            yield sys.stdin.buffer
            return
        path = Path(self.file or "")
        try:
            with path.open("rb") as stream:
                yield stream
        except OSError as error:
            raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error

    def read_to_end(self, shelf: Shelf) -> Shelf:
        """Put all that is there now on the shelf.

        Raises:
            RefusedToStart: it cannot be read.
        """
        if self.file is not None:
            for record in self.records():
                shelf.take(record)
            return shelf
        try:
            asyncio.run(self._read_cluster(shelf))
        except Retry as error:
            raise RefusedToStart(Problem("--brokers", f"could not be read to the end: {error}")) from error
        return shelf

    async def _read_cluster(self, shelf: Shelf) -> None:
        from fsoc.runtime.kafka.client import KafkaLog  # late: it needs aiokafka

        log = await KafkaLog.of(self.settings)
        try:
            async for record in records_to_end(log, self.settings.topic_prefix, complain):
                shelf.take(record)
        finally:
            await log.close()


def complain(text: str) -> None:
    """Of a record that is passed over."""
    click.echo(f"fsoc: {printable(text)}", err=True)
