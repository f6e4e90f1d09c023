"""An acknowledgement, made for whoever answers at a desk. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fsoc.tickets.times import rfc3339
from fsoc.tickets.vocabulary import ID_MAX, SCHEMA, Answer, Environment

PREFIX: Final = "ack/"


def acknowledge(
    institution: str,
    alerts: Sequence[str],
    answer: Answer | None,
    at_ms: int,
    environment: Environment,
    exercise_id: str | None = None,
) -> list[dict[str, Any]]:
    """One message for each alert, under an id that follows from it: who answers again changes the answer.

    answer: None takes it back. The revision is the time, so that nobody must know what was answered before.
    """
    at = rfc3339(at_ms)
    return [
        {
            "schema": SCHEMA,
            "kind": "acknowledgement",
            "institution": institution,
            "ticket_id": f"{PREFIX}{alert}"[:ID_MAX],
            "revision": max(at_ms, 1),
            "action": "update" if answer is not None else "retract",
            "environment": environment,
            **({"exercise_id": exercise_id} if exercise_id is not None else {}),
            "created_at": at,
            "sent_at": at,
            "relations": {"acknowledges": [{"alert_id": alert, "answer": answer or "seen"}]},
        }
        for alert in alerts
    ]
