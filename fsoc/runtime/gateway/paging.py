"""An institution's receipts, a page at a time. Reads whole records of its topic; says nothing of its own."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

from fsoc.runtime.log import Log
from fsoc.tickets.told import read_receipts

RECEIPTS_MAX: Final = 1_000
RECEIPTS_DEFAULT: Final = 500
_WAIT_MS: Final = 250
_RECORDS_AT_ONCE: Final = 20


class Page(NamedTuple):
    """receipts: each as it is on the wire. next: where to ask on. end: there is no more for now."""

    receipts: list[bytes]
    next: int
    end: bool

    def body(self, institution: str) -> dict[str, Any]:
        """As `models.ReceiptsPage` has it."""
        receipts = [orjson.Fragment(receipt) for receipt in self.receipts]
        return {"institution": institution, "receipts": receipts, "next": self.next, "end": self.end}


async def page(log: Log, topic: str, begin: int, limit: int) -> Page:
    """Read from the record at `begin` until there are `limit` receipts, by whole records, or no more.

    What is no receipts record is passed over.

    Raises:
        UnknownTopic, Retry: as the log does.
    """
    await log.partitions(topic)
    end = (await log.end_offsets([(topic, 0)]))[topic, 0]
    if begin >= end:
        return Page([], end, end=True)
    receipts: list[bytes] = []
    at = begin
    reader = await log.reader({(topic, 0): begin})
    try:
        while at < end and len(receipts) < limit:
            slices = await reader.slices(records_max=_RECORDS_AT_ONCE, wait_ms=_WAIT_MS)
            if not slices:
                at = max(at, await reader.position(topic, 0))  # past what retention took away
            for record in slices.get((topic, 0), ()):
                receipts += _of(record.value)
                at = record.offset + 1
                if len(receipts) >= limit:
                    break
    finally:
        await reader.close()
    return Page(receipts, at, at >= end)


def _of(value: bytes | None) -> list[bytes]:
    try:
        return [wire for _, _, wire in read_receipts(value or b"")]
    except ValueError:
        return []
