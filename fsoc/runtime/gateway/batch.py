"""A body as the lines it has, and each line as intake will find it. Pure: writes nothing, knows no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fsoc.errors import Fault, InvalidTicket
from fsoc.feeds.admission import admit
from fsoc.feeds.signatures import SIGNATURE_BYTES_MAX, TICKETS_MAX, Signatures
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.problems import Refusal
from fsoc.tickets.decode import Message
from fsoc.tickets.receipts import faults_wire

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
# As many tickets of a kilobyte as a shipper that batches by size has in one go (Fluent Bit: 2 MB).
LINES_MAX: Final = 2_000
# Of the topic's batches of 1 MiB, with room for what Kafka adds. Above 512 KiB it is no ticket, and receipted as such.
LINE_BYTES_MAX: Final = 1_000_000


class Line(NamedTuple):
    """number: in the body, from 1. payload: its bytes, without the end of line."""

    number: int
    payload: bytes


def lines_of(body: bytes, *, single: bool, signature: bytes | None = None) -> list[Line]:
    """Take a body apart. single: it is one ticket, however many lines it is written in.

    signature: as it came with them. It goes beside each on Kafka, and so has bounds of its own; it is not verified.

    Raises:
        Refusal: there is no line, there are too many, one is no Kafka record, or the signature is none.
    """
    if signature is not None and len(signature) > SIGNATURE_BYTES_MAX:
        raise Refusal("signature-too-large", bytes=len(signature), limit=SIGNATURE_BYTES_MAX)
    lines_max = LINES_MAX if signature is None else TICKETS_MAX
    parts = [body] if single else body.split(b"\n")
    lines = [Line(number, payload) for number, part in enumerate(parts, 1) if (payload := part.strip())]
    if not lines:
        raise Refusal("no-tickets")
    if len(lines) > lines_max:
        raise Refusal("too-many-lines", limit=lines_max)
    for line in lines:
        if len(line.payload) > LINE_BYTES_MAX:
            raise Refusal("line-too-large", line=line.number, bytes=len(line.payload), limit=LINE_BYTES_MAX)
    return lines


class Signed:
    """What lines of one institution came with. signature: None where nothing. at_ms: about when the log has taken them.

    Intake judges by the log's own time: of a key that ends in between it may say otherwise, and the receipt holds.
    drill: whose topics they go to, if a drill's.
    """

    def __init__(self, institution: str, signature: bytes | None, at_ms: int, drill: str | None = None) -> None:
        self.drill = drill
        self._signatures = Signatures(institution)
        self._signature = signature
        self._at_ms = at_ms

    def fault(self, registry: Registry, payload: bytes) -> Fault | None:
        return self._signatures.fault(registry, self._signature, payload, self._at_ms)


def checked(
    payload: bytes, institution: str, registry: Registry, signed: Signed
) -> tuple[Message | None, Sequence[Fault]]:
    """Ask of one line what intake asks before it looks at what came earlier: is it a ticket, and this sender's?"""
    try:
        return admit(payload, institution, registry, None, signed.fault(registry, payload), signed.drill), ()
    except InvalidTicket as refused:
        return None, refused.faults


def entry(line: Line, institution: str, registry: Registry, offset: int | None, signed: Signed) -> dict[str, Any]:
    """What the sender is told of one line, as `models.Entry` has it."""
    message, faults = checked(line.payload, institution, registry, signed)
    return {
        "line": line.number,
        "outcome": "quarantined" if message is None else "taken",
        "offset": offset,
        "ticket_id": None if message is None else message.ticket_id or None,
        "revision": None if message is None else message.revision or None,
        "faults": faults_wire(faults),
    }
