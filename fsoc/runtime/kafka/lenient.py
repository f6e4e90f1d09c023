"""Reads records whose header names are not UTF-8, as aiokafka does not: it raises, and its reader goes no further.

Whoever may write to a topic may write such a record, brokers take it, and every worker that came to it would end there,
again and again. Here the fetched bytes are kept beside what reads them. Where a name cannot be read the rest is read
once more, by aiokafka's reader in Python, with what is no UTF-8 replaced (U+FFFD): a message is its value, and of
headers only those count that are called what we know.

Overrides private parts of aiokafka, whose version is pinned; `tests/runtime/kafka/test_lenient.py` holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records

_MAGIC_OF_HEADERS = 2  # older batches have none


class _Replacing(bytearray):
    """Bytes of which every part is text."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Replacing(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return bytes(self).decode(encoding, errors)


class _Batch(default_records._DefaultRecordBatchPy):  # type: ignore[misc] # noqa: SLF001
    """A batch of records, of headers called anything."""

    def __iter__(self) -> Iterator[Any]:
        super().__iter__()  # which unpacks it
        self._buffer: Any = _Replacing(self._buffer)
        return self


class _Batches(memory_records._MemoryRecordsPy):  # type: ignore[misc] # noqa: SLF001
    """All batches of a fetch."""

    def next_batch(self) -> Any:
        raw = self._next_slice
        batch = super().next_batch()
        return _Batch(raw) if batch is not None and raw[self.MAGIC_OFFSET] >= _MAGIC_OF_HEADERS else batch


class Kept(memory_records.MemoryRecords):  # type: ignore[misc]
    """aiokafka's own, and what it was made of."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class Lenient(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch of one partition: aiokafka's own, until that comes to one that it cannot read."""

    def _unpack_records(self) -> Iterator[Any]:
        raw = self._records.raw
        self._records: Any
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            given = self.next_fetch_offset
            self._records = _Batches(raw)
            yield from (record for record in super()._unpack_records() if record.offset >= given)


def install() -> None:
    """Have every consumer of this process read so."""
    fetcher.MemoryRecords, fetcher.PartitionRecords = Kept, Lenient
