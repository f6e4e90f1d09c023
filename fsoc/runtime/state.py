"""Reads partitions of state topics to their ends, with one reader: a client costs more than what most of them hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence

from fsoc.feeds.record import Record
from fsoc.runtime.log import Log, Partition

_WAIT_MS = 100


async def read_all(log: Log, partitions: Collection[Partition]) -> AsyncGenerator[tuple[Partition, Sequence[Record]]]:
    """Yield every record from the first to the end as it is now, in order within each partition.

    What is appended meanwhile is left out.
    """
    ends = {name: end for name, end in (await log.end_offsets(list(partitions))).items() if end > 0}
    if not ends:
        return
    reader = await log.reader(dict.fromkeys(ends, 0))
    try:
        unread = set(ends)
        while unread:
            for name, records in (await reader.slices(wait_ms=_WAIT_MS)).items():
                end = ends[name]
                wanted = records if records[-1].offset < end else [record for record in records if record.offset < end]
                if wanted:
                    yield name, wanted
            unread = {name for name in unread if await reader.position(*name) < ends[name]}
    finally:
        await reader.close()
