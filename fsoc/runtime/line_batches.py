"""Lines of a stream in batches: what is there is handed on at once, and little is ever held. Knows no events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

READ_BYTES: Final = 256 * 1024
"""Read at once, at most: some hundred events, so that each call of a detector is worth its while."""
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines without their ends, a byte order mark left out.

    first: the first line's number in the stream, from 0. read: bytes of the stream read so far.
    too_long: places in `lines` of lines longer than LINE_BYTES_MAX; they are left empty.
    """

    first: int
    lines: list[bytes]
    read: int
    too_long: tuple[int, ...] = ()


def batches(read: Callable[[int], bytes]) -> Iterator[Batch]:
    """The lines that each read ends, and at last what no line end follows.

    read: returns what is there, at most so many bytes; waits only where nothing is; b"" at the end.
    Of a line without end no more is held than is allowed.
    """
    held: list[bytes] = []
    held_bytes = first = taken = 0
    while True:
        chunk = read(READ_BYTES)
        taken += len(chunk)
        *lines, rest = chunk.split(b"\n") if chunk else (b"", b"")
        if lines:
            too_long = held_bytes + len(lines[0]) > LINE_BYTES_MAX
            lines[0] = b"" if too_long else b"".join((*held, lines[0]))
            if not first:
                lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
            yield Batch(first, lines, taken, (0,) if too_long else ())
            first += len(lines)
            held, held_bytes = [], 0
        if not chunk:
            return
        held_bytes += len(rest)
        if held_bytes <= LINE_BYTES_MAX:
            held.append(rest)
        else:
            held.clear()
