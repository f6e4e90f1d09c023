"""A log's records as the core sees them. Not Kafka's: the shell translates, so the in-process log speaks it too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

SIGNATURE: Final = "fsoc-signature"
"""The one record header that is read: what a ticket's batch is signed with. See `signatures.py`."""


def signature_of(headers: Iterable[tuple[str, bytes | None]]) -> bytes | None:
    """The signature among a record's headers; None where there is none, of several the last, as Kafka's clients do."""
    found = None
    for name, value in headers:
        if name == SIGNATURE:
            found = value or b""
    return found


class Record(NamedTuple):
    """One record of one partition.

    timestamp_ms: the record's own timestamp (LogAppendTime in production); the only time a stage ever learns.
    signature: as it came beside the value; None where none did.
    """

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    signature: bytes | None = None


class Outgoing(NamedTuple):
    """One record a stage wants written.

    topic: name without the prefix, such as `receipts.fi-001`; the shell adds the prefix.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes


@dataclass(slots=True)
class Outputs:
    """What one call of a stage decided, in the order the shell must make it durable.

    First `state` is flushed to the stage's state topic (None deletes the key), then `published`, then the keys that are
    `forgotten` are deleted from the state, and only then is the slice's offset committed. A crash between two of these
    steps repeats work and changes nothing: forgotten before it was published, an alert could not be said again.
    """

    state: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    published: list[Outgoing] = field(default_factory=list)
    forgotten: list[bytes] = field(default_factory=list)


class Stage(Protocol):
    """One partition's work: intake of one institution's tickets, or correlation of one detections partition."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic, in log order; None deletes. Called before any work."""

    def restored(self) -> Outputs:
        """End of restore: what must be published again (the newest alerts)."""

    def work(self, records: Sequence[Record]) -> Outputs:
        """Take the next records, in offset order. Offsets seen before are harmless. Never raises on content."""

    def idle(self) -> Outputs:
        """The log is read to its end and nothing is waiting. Called at start and then about once a second while so."""
