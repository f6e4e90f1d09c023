"""What an institution would be told of an alert, were it told now. Pure; tells nobody."""

from __future__ import annotations

import msgspec

from fsoc.sharing.feedback import record
from fsoc.sharing.known import UNKNOWN, Known, heard
from fsoc.sharing.records import Decision, Shared
from fsoc.sharing.statement import Sector

_RELEASE = Decision(decision_id="preview", op="release", alert_id="-", by="-", reason="-", decided_at="-")


def preview(known: Known | None, shared: Shared, institution: str, at_ms: int, sector: Sector) -> bytes | None:
    """The record, held or not; None where nothing would be told.

    known: what was told of the alert before. at_ms: when it would be told.
    """
    before = msgspec.structs.replace(known or UNKNOWN, revision=0, decision=_RELEASE)
    after = heard(before, shared, 0, at_ms, sector)
    own = after.told.get(institution)
    if own is None:
        return None
    told = before.told.get(institution)
    if told is not None and told.revision == own.revision:  # nothing is new: what it was told last
        return record(after, msgspec.structs.replace(after, at_ms=before.at_ms), shared.alert_id, institution)
    return record(before, after, shared.alert_id, institution)
