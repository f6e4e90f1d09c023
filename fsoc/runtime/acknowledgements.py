"""What institutions have answered, read from where intake tells it. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Self

import orjson

from fsoc.feeds.answers import TOPIC
from fsoc.runtime.log import Log, Reader, UnknownTopic, read_to_end
from fsoc.sharing.acknowledged import Acknowledged
from fsoc.tickets.times import milliseconds

AUDIT: Final = "audit"


async def read_acknowledged(log: Log, prefix: str) -> Acknowledged:
    """All there is now, and by the audit when each was first told; nothing where there is no such topic yet.

    Raises:
        Retry: the log does not answer.
    """
    acknowledged = Acknowledged()
    try:
        async for records in read_to_end(log, prefix + TOPIC, 0):
            for record in records:
                if record.value is not None:
                    acknowledged.take(record.value)
        async for records in read_to_end(log, prefix + AUDIT, 0):
            for record in records:
                for alert_id, institution, at_ms in _told(record.value or b""):
                    acknowledged.told(alert_id, institution, at_ms)
    except UnknownTopic:
        return acknowledged
    return acknowledged


def _told(line: bytes) -> Iterator[tuple[str, str, int]]:
    """Who was told of which alert, and when, by a record of the audit. Whether it is sound is `fsoc audit verify`'s."""
    try:
        said = orjson.loads(line)
        if said["what"] == "told":
            at_ms = milliseconds(said["at"])
            yield from ((said["alert_id"], institution, at_ms) for institution in said["told"])
    except (ValueError, KeyError, TypeError):
        return


class Answers:
    """What is answered, kept up to date by asking now and then."""

    def __init__(self, reader: Reader | None) -> None:
        self.acknowledged = Acknowledged()
        self._reader = reader

    @classmethod
    async def follow(cls, log: Log, prefix: str) -> Self:
        """From the beginning of the topic; of a cluster that has none, nothing for ever."""
        topic = prefix + TOPIC
        try:
            await log.partitions(topic)
        except UnknownTopic:
            return cls(None)
        return cls(await log.reader({(topic, 0): 0}))

    async def hear(self) -> None:
        """Take what has come.

        Raises:
            Retry: the log does not answer; ask again.
        """
        while self._reader is not None:
            slices = await self._reader.slices(wait_ms=0)
            if not slices:
                return
            for records in slices.values():
                for record in records:
                    if record.value is not None:
                        self.acknowledged.take(record.value)

    async def close(self) -> None:
        if self._reader is not None:
            await self._reader.close()
