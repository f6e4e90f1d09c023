"""What a sender reads back: receipts, and payloads that were refused. Decodes what `receipts.py` writes, no ticket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
import orjson

from fsoc.tickets.receipts import Told

REPLAYED_SCHEMA: Final = "fsoc.replayed/1"
TEXT_MAX: Final = 200


class ToldFault(msgspec.Struct, frozen=True):
    """One reason. hint: how to mend it; "" in records of an earlier fsoc."""

    pointer: str
    code: str
    reason: str
    reason_zh: str
    hint: str = ""
    hint_zh: str = ""


class ToldResend(msgspec.Struct, frozen=True):
    """What changes of the numbers that are missing; ranges, both ends included."""

    seq_epoch: str
    ask: tuple[tuple[int, int], ...] = ()
    closed: tuple[tuple[int, int], ...] = ()
    given_up: tuple[tuple[int, int], ...] = ()


class ToldReceipt(msgspec.Struct, frozen=True, tag_field="schema", tag="fsoc.receipt/1"):
    """What became of the message at `offset` of its institution's topic, as `fsoc.receipt/1` has it."""

    offset: int
    outcome: Told
    feed: str | None = None
    seq: int | None = None
    ticket_id: str | None = None
    revision: int | None = None
    faults: tuple[ToldFault, ...] = ()
    resend: ToldResend | None = None
    notes: tuple[ToldFault, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag_field="schema", tag="fsoc.quarantine/1"):
    """A payload that was refused. payload: the bytes that were sent, of very large ones the first.

    signature: as it came; None where none did.
    """

    institution: str
    offset: int
    received_at: str
    payload_bytes: int
    payload: bytes
    faults: tuple[ToldFault, ...] = ()
    signature: bytes | None = None

    @property
    def is_whole(self) -> bool:
        return len(self.payload) == self.payload_bytes

    @property
    def name(self) -> str:
        """What people call it: `fi-001/4711`."""
        return f"{self.institution}/{self.offset}"


class Replayed(msgspec.Struct, frozen=True, tag_field="schema", tag=REPLAYED_SCHEMA):
    """Somebody is about to send a refused payload again; written down before it is sent.

    mended: it is not the bytes that were refused. bytes_sent: how many there are.
    """

    institution: str
    offset: int
    at: str
    by: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
    mended: bool
    bytes_sent: int

    @property
    def name(self) -> str:
        return f"{self.institution}/{self.offset}"


Kept = Refused | Replayed

_receipt: Final = msgspec.json.Decoder(ToldReceipt).decode
_kept: Final[msgspec.json.Decoder[Kept]] = msgspec.json.Decoder(Kept)
_raw: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Wrapped(msgspec.Struct):
    institution: str
    receipts: list[msgspec.Raw]


_wrapped: Final = msgspec.json.Decoder(_Wrapped).decode


def read_receipts(record: bytes) -> Iterator[tuple[str | None, ToldReceipt, bytes]]:
    """Institution where the record says it, the receipt, and the receipt's own JSON, of one record or line.

    Takes what is on a receipts topic (an array), one receipt, and what `fsoc replay --receipts` writes.

    Raises:
        ValueError: it is none of these.
    """
    institution: str | None = None
    if record[:1] == b"[":
        parts = _raw(record)
    elif b'"receipts":' in record[:200]:
        wrapped = _wrapped(record)
        institution, parts = wrapped.institution, wrapped.receipts
    else:
        parts = [msgspec.Raw(record)]
    for part in parts:
        yield institution, _receipt(part), bytes(part)


def receipts_line(institution: str, record: bytes) -> bytes:
    """A receipts record with its institution: a line of a file that holds several institutions' receipts."""
    return orjson.dumps({"institution": institution, "receipts": orjson.Fragment(record)})


def read_kept(record: bytes) -> Kept:
    """A record of the quarantine topic.

    Raises:
        ValueError: it is none.
    """
    return _kept.decode(record)


def replayed_record(told: Replayed) -> bytes:
    return msgspec.json.encode(told)
