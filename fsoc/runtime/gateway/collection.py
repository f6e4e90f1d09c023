"""One institution's feedback as STIX objects in the order in which they came, kept in memory. Answers no request.

It follows from the institution's feedback topic alone, and is read on when it is asked for. When an object was added is
when its record was written. A restart, or another gateway, has what the topic still has, under the same ids and
versions. Once the topic was compacted that is the newest revision of each alert: versions before it are gone; what it
withdrew is there, revoked, for the newest revision names it; what is the same for all alerts may be dated later.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import structlog

from fsoc.feeds.record import Record
from fsoc.runtime.gateway import metrics
from fsoc.runtime.log import Log

_log = structlog.get_logger(__name__)

VERSIONS_MAX: Final = 50_000
"""Versions of objects of one institution; past it those added first leave, and are counted."""
BYTES_MAX: Final = 256 * 1024 * 1024
"""Of all collections in memory; past it those not asked for longest leave, and are read again when they are."""
RECORDS_AT_ONCE: Final = 50
WAIT_MS: Final = 250
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """Where an object was met: the offset of its record, and its number in it. In the order in which they are told."""

    offset: int
    number: int

    def __str__(self) -> str:
        return f"{self.offset}.{self.number}"


class Version(NamedTuple):
    """One version of one object. added_us: when, in microseconds; no two have the same."""

    place: Place
    added_us: int
    id: str
    type: str
    version: str
    body: bytes

    @property
    def added(self) -> str:
        return timestamp(self.added_us)


class Collection:
    """What the topic came to. Its versions are in the order in which they were added."""

    def __init__(self, log: Log, topic: str) -> None:
        self.versions: list[Version] = []
        self.bytes = 0
        self._log, self._topic = log, topic
        self._offset = 0
        self._known: set[tuple[str, str]] = set()
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what has come since.

        Raises:
            UnknownTopic, Retry: as the log does.
        """
        async with self._reading:
            await self._log.partitions(self._topic)
            end = (await self._log.end_offsets([(self._topic, 0)]))[self._topic, 0]
            if self._offset >= end:
                return
            reader = await self._log.reader({(self._topic, 0): self._offset})
            try:
                while self._offset < end:
                    slices = await reader.slices(records_max=RECORDS_AT_ONCE, wait_ms=WAIT_MS)
                    records = slices.get((self._topic, 0), ())
                    # In a thread: the strict checks of stix2 take some ten milliseconds a record.
                    self._take(await asyncio.to_thread(_read, records, self._topic))
                    self._offset = max(self._offset, await reader.position(self._topic, 0))
            finally:
                await reader.close()

    def _take(self, found: Sequence[tuple[Record, Sequence[tuple[str, str, str, bytes]]]]) -> None:
        for record, objects in found:
            for number, (name, kind, version, body) in enumerate(objects):
                if (name, version) in self._known:
                    continue
                last = self.versions[-1].added_us + 1 if self.versions else 0
                # By its place in the record, so that it does not depend on what was there before.
                added_us = max(last, record.timestamp_ms * 1000 + number)
                self._known.add((name, version))
                self.versions.append(Version(Place(record.offset, number), added_us, name, kind, version, body))
                self.bytes += len(body)
        if (excess := len(self.versions) - VERSIONS_MAX) > 0:
            for gone in self.versions[:excess]:
                self._known.discard((gone.id, gone.version))
                self.bytes -= len(gone.body)
            del self.versions[:excess]
            metrics.TAXII_LET_GO.inc(excess)


class Collections:
    """Those that were asked for, the one asked for last at the end."""

    def __init__(self, log: Log, prefix: str) -> None:
        self._log, self._prefix = log, prefix
        self._held: OrderedDict[str, Collection] = OrderedDict()

    async def of(self, institution: str) -> Collection:
        """The institution's, as its topic is now.

        Raises:
            UnknownTopic, Retry: as the log does.
        """
        found = self._held.get(institution)
        if found is None:
            found = self._held[institution] = Collection(self._log, f"{self._prefix}feedback.{institution}")
        self._held.move_to_end(institution)
        await found.refresh()
        while len(self._held) > 1 and sum(one.bytes for one in self._held.values()) > BYTES_MAX:
            name, _ = self._held.popitem(last=False)
            if name == institution:  # it alone is as large: it is kept while it is asked for
                self._held[name] = found
                break
        return found


def timestamp(at_us: int) -> str:
    """RFC 3339, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _read(records: Sequence[Record], topic: str) -> Sequence[tuple[Record, Sequence[tuple[str, str, str, bytes]]]]:
    return [(record, list(_objects(record, topic))) for record in records if record.value is not None]


def _objects(record: Record, topic: str) -> Iterator[tuple[str, str, str, bytes]]:
    """Id, type, version and body of each; none of a record that is no feedback: only fsoc may write there."""
    from stix2.exceptions import STIXError  # late: it takes half a second

    from fsoc.channels.read import read_feedback
    from fsoc.channels.stix import objects_of

    try:
        objects = objects_of(read_feedback(record.value or b""))
        for one in objects:
            body: str = one.serialize(ensure_ascii=False)
            version = str(_stamp(one.get("modified") or one["created"]))
            yield one["id"], one["type"], version, body.encode()
    except (ValueError, STIXError) as error:
        metrics.TAXII_UNREADABLE.inc()
        _log.error("feedback_unreadable", topic=topic, offset=record.offset, why=str(error)[:500])


def _stamp(at: datetime) -> str:
    """As STIX has it: to the millisecond at least."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return (text[:-3] if text.endswith("000") else text) + "Z"
