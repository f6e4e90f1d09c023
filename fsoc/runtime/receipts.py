"""Receipts from where they lie: an institution's topic, or lines of a file. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final, NamedTuple

from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.log import Log, read_to_end
from fsoc.tickets.told import ToldReceipt, read_receipts

WAIT_MS: Final = 500
AGAIN_SECONDS: Final = 1.0


class Received(NamedTuple):
    """A receipt. institution: whose, where that is known. wire: its own JSON."""

    institution: str | None
    receipt: ToldReceipt
    wire: bytes


class Once:
    """Lets each receipt through once, however often it was told.

    Receipts are told in the order of the ticket topic, and a worker that was stopped tells its last ones again, from
    an offset that was told before: so what is not above the highest offset yet is a repetition.
    """

    def __init__(self) -> None:
        self._highest: dict[str | None, int] = {}
        self.repeated_total = 0

    def new(self, received: Iterable[Received]) -> Iterator[Received]:
        for one in received:
            if one.receipt.offset > self._highest.get(one.institution, -1):
                self._highest[one.institution] = one.receipt.offset
                yield one
            else:
                self.repeated_total += 1


class Asked:
    """What a sender is still asked to send again, as its receipts say, each taken once and in their order."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, str], list[tuple[int, int]]] = {}

    def take(self, one: Received) -> None:
        resend = one.receipt.resend
        if resend is None:
            return
        name = (one.institution or "", one.receipt.feed or "", resend.seq_epoch)
        ranges = self._open.setdefault(name, [])
        ranges.extend(resend.ask)
        for gone in (*resend.closed, *resend.given_up):
            ranges[:] = [rest for kept in ranges for rest in _without(kept, gone)]

    def missing(self) -> Iterator[tuple[str, str, str, int, int]]:
        """Institution (where it is known), feed, epoch, first and last number."""
        for name in sorted(self._open):
            for first, last in sorted(self._open[name]):
                yield *name, first, last


def _without(kept: tuple[int, int], gone: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """What is left of one range when another has come."""
    if gone[1] < kept[0] or kept[1] < gone[0]:
        yield kept
        return
    if kept[0] < gone[0]:
        yield kept[0], gone[0] - 1
    if gone[1] < kept[1]:
        yield gone[1] + 1, kept[1]


def topic_of(prefix: str, institution: str) -> str:
    return f"{prefix}receipts.{institution}"


def of_lines(lines: Iterable[tuple[str, bytes]]) -> Iterator[Received]:
    """Those of a file: arrays as on the topic, single receipts, or what `fsoc replay --receipts` writes.

    Raises:
        RefusedToStart: at the first line that is none of these.
    """
    for where, line in lines:
        try:
            for found in read_receipts(line):
                yield Received(*found)
        except ValueError as error:
            raise RefusedToStart(Problem(where, f"no receipt: {error}")) from error


async def on_topic(
    log: Log, prefix: str, institution: str, unreadable: Callable[[str], None]
) -> AsyncIterator[list[Received]]:
    """All that the topic has now.

    Raises:
        UnknownTopic, Retry: as the log does.
    """
    topic = topic_of(prefix, institution)
    await log.partitions(topic)
    async for records in read_to_end(log, topic, 0):
        yield [one for record in records for one in _read(topic, institution, record.offset, record.value, unreadable)]


async def followed(
    log: Log, prefix: str, institution: str, unreadable: Callable[[str], None]
) -> AsyncIterator[list[Received]]:
    """What the topic has, then what comes, for ever; [] when nothing came for a moment.

    unreadable: told of a record that is none, and when the cluster does not answer; it is asked again.

    Raises:
        UnknownTopic: there is no such topic.
    """
    topic = topic_of(prefix, institution)
    await log.partitions(topic)
    reader = await log.reader({(topic, 0): 0})
    try:
        while True:
            try:
                slices = await reader.slices(wait_ms=WAIT_MS)
            except Retry as error:
                unreadable(str(error))
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            yield [
                one
                for records in slices.values()
                for record in records
                for one in _read(topic, institution, record.offset, record.value, unreadable)
            ]
    finally:
        await reader.close()


def _read(
    topic: str, institution: str, offset: int, value: bytes | None, unreadable: Callable[[str], None]
) -> list[Received]:
    try:
        return [Received(institution, receipt, wire) for _, receipt, wire in read_receipts(value or b"")]
    except ValueError as error:
        unreadable(f"{topic}, offset {offset}: no receipts: {error}")
        return []
