"""The newest record of every key of a state, whoever wrote it last. Pure.

A worker that has lost a partition and does not know it yet may write its old state over what the next owner wrote. So
restoring goes by what records say of themselves, and what is right becomes the last word again before compaction drops
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec


class Newest:
    """What a state comes to, record by record. overtaken: whether a record of a key says less than an earlier one."""

    def __init__(self, overtaken: Callable[[bytes, bytes, bytes], bool]) -> None:
        self.records: dict[bytes, bytes] = {}
        self._overtaken = overtaken
        self._written_over: set[bytes] = set()

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take the next record of the log; None deletes the key."""
        known = self.records.get(key)
        if value is None:
            self.records.pop(key, None)
            self._written_over.discard(key)
        elif known is not None and self._overtaken(key, value, known):
            self._written_over.add(key)
        else:
            self.records[key] = value
            self._written_over.discard(key)

    def written_over(self) -> Iterator[tuple[bytes, bytes]]:
        """What must be written again."""
        return ((key, self.records[key]) for key in sorted(self._written_over))

    def clear(self) -> None:
        self.records.clear()
        self._written_over.clear()


class _Word(msgspec.Struct):
    """How new a state record is: a header by the offset it has come to, a ticket by its revision first."""

    offset: int
    revision: int = 0


_word = msgspec.json.Decoder(_Word).decode


def overtaken(record: bytes, by: bytes) -> bool:
    """Whether a state record says less than one of the same key that was written before it.

    Then a worker wrote it that had lost the institution and did not know yet.
    """
    late, known = _word(record), _word(by)
    return (late.revision, late.offset) < (known.revision, known.offset)
