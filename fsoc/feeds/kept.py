"""What is not used, kept whole: where refused and late payloads go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsoc.errors import Fault
from fsoc.feeds.outcomes import Outcome
from fsoc.feeds.record import Outgoing, Record
from fsoc.tickets.receipts import late_record, quarantine_record


def kept(outcome: Outcome, institution: str, record: Record, faults: Sequence[Fault]) -> Iterator[Outgoing]:
    """One record of what was refused or late; nothing of what was used, or there before."""
    source, payload = (institution, record.offset, record.timestamp_ms), record.value or b""
    if outcome is Outcome.QUARANTINED:
        value = quarantine_record(*source, faults, payload, record.signature)
        yield Outgoing("quarantine", 0, institution.encode(), value)
    elif outcome is Outcome.LATE:
        yield Outgoing("late", 0, institution.encode(), late_record(*source, payload))
