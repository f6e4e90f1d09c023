"""The first question to a record: is it a ticket, and of whom? Pure; what becomes of it is the ledger's to judge."""

from __future__ import annotations

from fsoc.errors import Fault, InvalidTicket
from fsoc.feeds.outcomes import Outcome
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import Message, decode


def admit(
    payload: bytes,
    institution: str,
    registry: Registry,
    decided: Outcome | None,
    unsigned: Fault | None = None,
    drill: str | None = None,
) -> Message:
    """Decode one message of `institution`'s topic, and see that it is signed where it must be, and sent by who may.

    decided: what became of this offset before, where it is read again. A delegation or a key that was taken back
    meanwhile does not change that (law 10). unsigned: what is wrong with its signature, by `Signatures.fault`.
    drill: the exercise that these topics are of, and that everything on them must belong to.

    Raises:
        InvalidTicket: every reason at once; or, of what is a ticket, that it is of no such exercise, or that
            `submitted_by` is not registered.
    """
    stands = decided is not None and decided is not Outcome.QUARANTINED
    try:
        message = decode(payload, institution=institution)
    except InvalidTicket as refused:
        if unsigned is None or stands:
            raise
        raise InvalidTicket(unsigned, *refused.faults) from refused
    if unsigned is not None and not stands:
        raise InvalidTicket(unsigned)
    if (
        drill is not None
        and not stands
        and (message.environment, message.body.get("exercise_id")) != ("exercise", drill)
    ):
        # Above all a real incident, sent to the wrong place: nobody may take it for a part of the drill.
        text = f'these are the topics of drill "{drill}"; what is of no exercise, or of another, belongs elsewhere'
        raise InvalidTicket(Fault("identity.exercise", "/exercise_id", text))
    submitter = message.body.get("submitted_by")
    if submitter is None or registry.may_submit(submitter, institution):
        return message
    if stands:
        return message
    text = f'"{submitter}" is not registered to send on behalf of "{institution}"'
    raise InvalidTicket(Fault("identity.delegation", "/submitted_by", text))
