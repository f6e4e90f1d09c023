"""What institutions have answered, read from where intake tells it. Decides nothing."""

from __future__ import annotations

from typing import Self

from fsoc.feeds.answers import TOPIC
from fsoc.runtime.log import Log, Reader, UnknownTopic, read_to_end
from fsoc.sharing.acknowledged import Acknowledged


async def read_acknowledged(log: Log, prefix: str) -> Acknowledged:
    """All there is now; nothing where the cluster has no such topic yet.

    Raises:
        Retry: the log does not answer.
    """
    acknowledged = Acknowledged()
    try:
        async for records in read_to_end(log, prefix + TOPIC, 0):
            for record in records:
                if record.value is not None:
                    acknowledged.take(record.value)
    except UnknownTopic:
        return acknowledged
    return acknowledged


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
