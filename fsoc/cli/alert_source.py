"""Where `fsoc alerts` reads from: the cluster its options name, or a file. Shows nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Self

import click

from fsoc.cli.topic_source import STDIN, TopicSource, complain
from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.acknowledgements import read_acknowledged
from fsoc.runtime.alert_records import AlertRecord, Shelf, records_of_lines, records_to_end
from fsoc.sharing.acknowledged import Acknowledged


class Source(TopicSource):
    """Alerts, of a file or of a cluster."""

    @classmethod
    def of(cls, options: dict[str, Any]) -> Self:
        """As the base class; but it is one of the two."""
        if options["from_"] is not None and options["brokers"] is not None:
            raise click.UsageError("--from and --brokers cannot both be given.")
        return super().of(options)

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
        with self.opened() as stream:
            yield from records_of_lines(stream, "stdin" if self.file == STDIN else str(self.file))

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
            asyncio.run(self._read_cluster(shelf, None))
        except Retry as error:
            raise RefusedToStart(Problem("--brokers", f"could not be read to the end: {error}")) from error
        return shelf

    def read_answered(self, shelf: Shelf) -> Acknowledged:
        """Put all that is there now on the shelf; return what institutions answered, of which a file says nothing.

        Raises:
            RefusedToStart: it cannot be read.
        """
        acknowledged = Acknowledged()
        if self.file is not None:
            self.read_to_end(shelf)
            return acknowledged
        try:
            return asyncio.run(self._read_cluster(shelf, acknowledged))
        except Retry as error:
            raise RefusedToStart(Problem("--brokers", f"could not be read to the end: {error}")) from error

    async def _read_cluster(self, shelf: Shelf, acknowledged: Acknowledged | None) -> Acknowledged:
        from fsoc.runtime.kafka.client import KafkaLog  # late: it needs aiokafka

        log = await KafkaLog.of(self.settings)
        try:
            async for record in records_to_end(log, self.settings.topic_prefix, complain):
                shelf.take(record)
            if acknowledged is None:
                return Acknowledged()
            return await read_acknowledged(log, self.settings.topic_prefix)
        finally:
            await log.close()
