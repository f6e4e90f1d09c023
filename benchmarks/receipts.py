"""What the receipts of some institutions say: how long after each ticket, and of none none. Reads, afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from fsoc.runtime.log import Log, read_to_end


@dataclass(slots=True)
class Received:
    """told: outcome → how many tickets. missing: tickets without a receipt.

    waits_ms: from the broker's stamp of a ticket to its stamp of the record with its receipt; the first one counts.
    """

    waits_ms: list[int] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    missing: int = 0


async def of_institutions(log: Log, prefix: str, institutions: Iterable[str], from_ms: float) -> Received:
    """All that were stamped from that time on, in milliseconds since 1970."""
    found = Received()
    for institution in institutions:
        sent: dict[int, int] = {}
        async for records in read_to_end(log, f"{prefix}tickets.{institution}", 0):
            sent.update((record.offset, record.timestamp_ms) for record in records if record.timestamp_ms >= from_ms)
        async for records in read_to_end(log, f"{prefix}receipts.{institution}", 0):
            for record in records:
                for receipt in orjson.loads(record.value or b"[]"):
                    if (stamp := sent.pop(receipt["offset"], None)) is not None:
                        found.waits_ms.append(record.timestamp_ms - stamp)
                        found.told[receipt["outcome"]] += 1
        found.missing += len(sent)
    return found
