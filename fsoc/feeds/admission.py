"""The first question to a record: is it a ticket, and of whom? Pure; what becomes of it is the ledger's to judge."""

from __future__ import annotations

from fsoc.errors import Fault, InvalidTicket
from fsoc.feeds.outcomes import Outcome
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import Message, decode


def admit(payload: bytes, institution: str, registry: Registry, decided: Outcome | None) -> Message:
    """Decode one message of `institution`'s topic, and see that whoever sent it on its behalf may.

    decided: what became of this offset before, where it is read again. A delegation that was taken back
    meanwhile does not change that (law 10).

    Raises:
        InvalidTicket: every reason at once, or that `submitted_by` is not registered.
    """
    message = decode(payload, institution=institution)
    submitter = message.body.get("submitted_by")
    if submitter is None or registry.may_submit(submitter, institution):
        return message
    if decided is not None and decided is not Outcome.QUARANTINED:
        return message
    text = f'"{submitter}" is not registered to send on behalf of "{institution}"'
    raise InvalidTicket(Fault("identity.delegation", "/submitted_by", text))
