"""What a sender is told of each message, and how a refused or late payload is kept. Decides no outcome.

Receipts are `fsoc.receipt/1`: one record is a JSON array. Refused and late payloads are kept whole, byte for byte.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

import orjson

from fsoc.errors import Fault
from fsoc.tickets.codes import CODES
from fsoc.tickets.decode import Message
from fsoc.tickets.times import rfc3339

RECEIPT_SCHEMA: Final = "fsoc.receipt/1"
QUARANTINE_SCHEMA: Final = "fsoc.quarantine/1"
LATE_SCHEMA: Final = "fsoc.late/1"
RECORD_BYTES_MAX: Final = 512 * 1024  # a slice's receipts are cut into records of at most about this

Told = Literal["accepted", "duplicate", "late", "quarantined"]
_TOLD: Final[dict[str, Told]] = {
    "USED": "accepted",
    "DUPLICATE": "duplicate",
    "LATE": "late",
    "QUARANTINED": "quarantined",
}
KEPT_BYTES_MAX: Final = 1024 * 1024
"""Twice the largest payload that can be a ticket. What unpacks to more is kept up to here, and its size told."""
SIGNATURE_KEPT_BYTES_MAX: Final = 16 * 1024
"""Twice what can be a signature: of a larger one the beginning, which is refused as the whole was."""
_LATE = Fault("time.late", "/detected_at", CODES["time.late"].en)


Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Resend:
    """What a message changes of the numbers that are missing of its feed and epoch: ranges, both ends included.

    ask: they are missing; please send them again. closed: they were asked for and are here. given_up: nobody looks for
    them any more, because the feed has too many gaps.
    """

    seq_epoch: str
    ask: Ranges = ()
    closed: Ranges = ()
    given_up: Ranges = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the message at `offset` of the institution's own topic; what could not be read of it is None.

    notes: hints about a ticket that is used all the same.
    """

    offset: int
    outcome: Told
    feed: str | None = None
    seq: int | None = None
    ticket_id: str | None = None
    revision: int | None = None
    faults: Sequence[Fault] = ()
    resend: Resend | None = None
    notes: Sequence[Fault] = ()

    @classmethod
    def of(
        cls,
        offset: int,
        message: Message | None,
        outcome: Enum,
        faults: Sequence[Fault],
        resend: Resend | None = None,
        notes: Sequence[Fault] = (),
    ) -> Receipt:
        """Make the receipt of a message, None if it could not be decoded; `outcome` is intake's own word."""
        told = _TOLD[outcome.name]
        if told == "late" and not faults:
            faults = (_LATE,)
        if message is None:
            return cls(offset, told, faults=faults)
        ticket_id = message.ticket_id or None
        revision = message.revision or None
        return cls(offset, told, message.feed or None, message.seq, ticket_id, revision, faults, resend, notes)

    def wire(self) -> dict[str, Any]:
        told = {
            "schema": RECEIPT_SCHEMA,
            "offset": self.offset,
            "outcome": self.outcome,
            "feed": self.feed,
            "seq": self.seq,
            "ticket_id": self.ticket_id,
            "revision": self.revision,
            "faults": faults_wire(self.faults),
            "resend": self.resend,
        }
        return {**told, "notes": faults_wire(self.notes)} if self.notes else told


def faults_wire(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Each fault as its sender reads it: where, which, what was found, and how to mend it."""
    return [_fault_wire(fault) for fault in faults]


def _fault_wire(fault: Fault) -> dict[str, str]:
    words = CODES.get(fault.code)
    return {
        "pointer": fault.pointer,
        "code": fault.code,
        "reason": fault.text,
        "reason_zh": words.zh if words else fault.text,
        "hint": words.hint if words else "",
        "hint_zh": words.hint_zh if words else "",
    }


def receipts_records(receipts: Iterable[Receipt]) -> Iterator[bytes]:
    """The receipts of a slice, in order, as few records as RECORD_BYTES_MAX allows; none for no receipts."""
    lines: list[bytes] = []
    size = 0
    for receipt in receipts:
        line = orjson.dumps(receipt.wire())
        if lines and size + len(line) > RECORD_BYTES_MAX:
            yield _array(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield _array(lines)


def quarantine_record(
    institution: str,
    offset: int,
    received_at_ms: int,
    faults: Iterable[Fault],
    payload: bytes,
    signature: bytes | None = None,
) -> bytes:
    """A refused payload, whole, with where it came from and why it was refused; with its signature if it had one."""
    kept = _kept(QUARANTINE_SCHEMA, institution, offset, received_at_ms, payload)
    if signature is not None:
        kept["signature"] = b64encode(signature[:SIGNATURE_KEPT_BYTES_MAX]).decode()
    return orjson.dumps({**kept, "faults": faults_wire(faults)})


def late_record(institution: str, offset: int, received_at_ms: int, payload: bytes) -> bytes:
    """A late ticket, whole, for `fsoc replay --late use`."""
    return orjson.dumps(_kept(LATE_SCHEMA, institution, offset, received_at_ms, payload))


def original_payload(record: bytes) -> bytes:
    """Return the bytes that were sent, of a quarantine or late record: whole, but for those above KEPT_BYTES_MAX."""
    return b64decode(orjson.loads(record)["payload"])


def _kept(schema: str, institution: str, offset: int, received_at_ms: int, payload: bytes) -> dict[str, Any]:
    return {
        "schema": schema,
        "institution": institution,
        "offset": offset,
        "received_at": rfc3339(received_at_ms),
        "payload_bytes": len(payload),
        "payload": b64encode(payload[:KEPT_BYTES_MAX]).decode(),
    }


def _array(lines: list[bytes]) -> bytes:
    return b"[" + b",".join(lines) + b"]"
