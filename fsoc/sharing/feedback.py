"""One institution's record: its own part, the statement, and what changed since it was told last. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from fsoc.sharing import words
from fsoc.sharing.known import Front, Known, Own
from fsoc.sharing.model import SCHEMA
from fsoc.sharing.statement import Statement
from fsoc.sharing.withdrawn import wire
from fsoc.tickets.times import rfc3339


def record(before: Known, after: Known, alert_id: str, institution: str) -> bytes:
    """What this institution is told by `after`, having been told `before`; it is told something by it.

    Of others it reads nothing but the statement.
    """
    own, front, said = after.told[institution], after.front, after.statement
    assert front is not None  # noqa: S101 - whoever is told is told that too
    retracted = own.status == "retracted"
    by_supplier = front.by_supplier and (own.concern == "own_tickets" or bool(said and said["suppliers"]))
    why = words.TAKEN_BACK if retracted else words.why(front.kind, own.concern, own.total, by_supplier=by_supplier)
    tlp = "amber" if said is None else said["tlp"]
    exercise = front.environment != "production"
    value = {
        "schema": SCHEMA,
        "alert_id": alert_id,
        "revision": own.revision,
        "status": own.status,
        "environment": front.environment,
        "exercise": exercise,
        "institution": institution,
        "told_at": rfc3339(after.at_ms),
        "first_told_at": rfc3339(own.since_ms),
        "kind": front.kind,
        "title": front.title,
        "title_zh": front.title_zh,
        "level": front.level,
        "concern": own.concern,
        "why": why._asdict(),
        "ticket_ids": own.tickets,
        "ticket_count": own.total,
        "feed": front.feed,
        "trigger_rule_id": front.trigger_rule_id if own.concern == "own_tickets" else None,
        "statement": said,
        "withdrawn": list(wire(after.withdrawn, own.standing_ms)),
        "retractions": own.retractions,
        "changes": list(_changes(before, after, institution)),
        "tlp": tlp,
        "handling": words.handling(tlp, exercise=exercise)._asdict(),
    }
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _changes(before: Known, after: Known, institution: str) -> Iterator[dict[str, Any]]:
    """What is otherwise than in the revision before; nothing in the first."""
    known, own = before.told.get(institution), after.told[institution]
    if known is None:
        return
    yield from _own_changes(known, own)
    if before.front is not None and after.front is not None:
        yield from _front_changes(before.front, after.front)
    if before.statement is not None and after.statement is not None and own.status != "retracted":
        yield from _statement_changes(before.statement, after.statement)


def _own_changes(before: Own, after: Own) -> Iterator[dict[str, Any]]:
    if before.status != after.status:
        yield _change("status", [after.status], before.status, after.status)
    if after.status == "retracted":
        return
    if before.concern != after.concern:
        yield _change("concern", [after.concern], before.concern, after.concern)
    if (before.tickets, before.total) != (after.tickets, after.total):
        yield _change("own_tickets", sorted({*before.tickets} ^ {*after.tickets}))


def _front_changes(before: Front, after: Front) -> Iterator[dict[str, Any]]:
    if before.level != after.level:
        yield _change("level", [after.level], before.level, after.level)


def _statement_changes(before: Statement, after: Statement) -> Iterator[dict[str, Any]]:
    count = after["institution_count_at_least"]
    if before["institution_count_at_least"] != count:
        yield _change("count", [] if count is None else [str(count)], after="" if count is None else str(count))
    for what, of in (("indicators", _indicators), ("techniques", _techniques)):
        known, now = of(before), of(after)
        if added := [value for value in now if value not in known]:
            yield _change(f"{what}_added", added)
        if gone := [value for value in known if value not in now]:
            yield _change(f"{what}_gone", gone)
    if suppliers := [name for name in after["suppliers"] if name not in before["suppliers"]]:
        yield _change("suppliers_added", suppliers)


def _indicators(said: Statement) -> list[str]:
    return [each["value"] for each in said["indicators"]]


def _techniques(said: Statement) -> list[str]:
    return list(dict.fromkeys(each["technique"] for each in said["techniques"]))


def _change(what: str, values: list[str], before: str = "", after: str = "") -> dict[str, Any]:
    return {"what": what, "values": values, **words.changed(what, values, before, after)._asdict()}
