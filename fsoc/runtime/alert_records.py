"""Alerts from where they lie: the alerts topic of a cluster, or NDJSON as `fsoc replay` writes it. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from fsoc.alerts.read import ReadAlert, read_alert
from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.log import RECORD_BYTES_MAX, Log, read_to_end

TOPIC: Final = "alerts"
WAIT_MS: Final = 500
AGAIN_SECONDS: Final = 1.0


class AlertRecord(NamedTuple):
    """One revision, and the bytes that said it."""

    alert: ReadAlert
    value: bytes


class Shelf:
    """The newest revision of each alert, in the order in which they were first seen.

    wanted: ids of others are not kept; None keeps all. with_history: every revision of each, not the newest alone.
    alerts_max: past it those first seen longest ago are let go of, and counted.
    """

    def __init__(
        self, wanted: Callable[[str], bool] | None = None, *, with_history: bool = False, alerts_max: int | None = None
    ) -> None:
        self.newest: dict[str, AlertRecord] = {}
        self.read_total = self.let_go_total = 0
        self.now_ms = 0
        """The newest event time of all alerts."""
        self._wanted, self._alerts_max = wanted, alerts_max
        self._revisions: dict[str, dict[int, AlertRecord]] | None = {} if with_history else None

    def take(self, record: AlertRecord) -> bool:
        """Whether it is news: wanted, and a revision above the one that was known."""
        alert = record.alert
        self.read_total += 1
        self.now_ms = max(self.now_ms, alert.last_seen_ms, alert.raised_ms)
        if self._wanted is not None and not self._wanted(alert.alert_id):
            return False
        if self._revisions is not None:
            self._revisions.setdefault(alert.alert_id, {}).setdefault(alert.revision, record)
        known = self.newest.get(alert.alert_id)
        if known is not None and known.alert.revision >= alert.revision:
            return False
        self.newest[alert.alert_id] = record
        if self._alerts_max is not None and len(self.newest) > self._alerts_max:
            del self.newest[next(iter(self.newest))]
            self.let_go_total += 1
        return True

    def revisions(self, alert_id: str) -> list[AlertRecord]:
        """Those of it that were read, oldest first; without history, the newest."""
        if self._revisions is None:
            return [self.newest[alert_id]] if alert_id in self.newest else []
        of_it = self._revisions.get(alert_id, {})
        return [of_it[revision] for revision in sorted(of_it)]


def begins(prefix: str) -> Callable[[str], bool]:
    """Whether an id begins so, with or without its `al-`."""
    return lambda name: name.startswith(prefix) or name.removeprefix("al-").startswith(prefix)


def records_of_lines(lines: Iterable[bytes], where: str) -> Iterator[AlertRecord]:
    """One alert a line; empty lines are passed over. where: what to call it in errors.

    Also takes what `fsoc demo` writes in a pipe: `{"type": "alert", "alert": {…}}`; its other lines are passed over.

    Raises:
        RefusedToStart: at the first line that is no alert.
    """
    for number, line in enumerate(lines, 1):
        value = line.strip()
        if not value:
            continue
        if len(value) > RECORD_BYTES_MAX:
            raise RefusedToStart(Problem(f"{where}:{number}", f"{len(value)} bytes, limit {RECORD_BYTES_MAX}"))
        try:
            wrapped = _wrapped(value)
            if wrapped.type is not None:
                if wrapped.type == "alert":
                    value = bytes(wrapped.alert)
                    yield AlertRecord(read_alert(value), value)
                continue
            yield AlertRecord(read_alert(value), value)
        except ValueError as error:
            raise RefusedToStart(Problem(f"{where}:{number}", f"no alert: {error}")) from error


class _Wrapped(msgspec.Struct):
    type: str | None = None
    alert: msgspec.Raw = msgspec.Raw(b"null")


_wrapped: Final = msgspec.json.Decoder(_Wrapped).decode


async def records_to_end(log: Log, topic_prefix: str, unreadable: Callable[[str], None]) -> AsyncIterator[AlertRecord]:
    """Every revision that the topic still has. unreadable: told of a record that is no alert, and where it lies.

    Raises:
        UnknownTopic, Retry: as the log does.
    """
    topic = f"{topic_prefix}{TOPIC}"
    for number in range((await log.partitions(topic))[topic]):
        async for records in read_to_end(log, topic, number):
            for record in records:
                read = _read(topic, number, record.offset, record.value, unreadable)
                if read is not None:
                    yield read


async def followed(
    log: Log, topic_prefix: str, unreadable: Callable[[str], None], lost: Callable[[str], None]
) -> AsyncIterator[list[AlertRecord]]:
    """What the topic has, then what comes, for ever; [] when nothing came for a moment.

    lost: told when the cluster does not answer; it is asked again.

    Raises:
        UnknownTopic: there is no such topic.
    """
    topic = f"{topic_prefix}{TOPIC}"
    partitions = range((await log.partitions(topic))[topic])
    reader = await log.reader({(topic, number): 0 for number in partitions})
    try:
        while True:
            try:
                slices = await reader.slices(wait_ms=WAIT_MS)
            except Retry as error:
                lost(str(error))
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            read = [
                _read(topic, number, record.offset, record.value, unreadable)
                for (_, number), records in slices.items()
                for record in records
            ]
            yield [record for record in read if record is not None]
    finally:
        await reader.close()


def _read(
    topic: str, number: int, offset: int, value: bytes | None, unreadable: Callable[[str], None]
) -> AlertRecord | None:
    if value is None:
        return None
    try:
        return AlertRecord(read_alert(value), value)
    except ValueError as error:
        unreadable(f"{topic}, partition {number}, offset {offset}: no alert: {error}")
        return None
