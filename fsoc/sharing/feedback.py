"""What each member of a joint alert is told of it: its own tickets, the technique, and how many at least. Pure.

Of an alert on its own feed, an institution is told which feed it is; nobody else hears of it. Of one on a rule that
misfires, those whose tickets it triggered are told which rule: each has it in tickets of its own.

Built by picking what may be said, never by striking out what may not: no other member's id, name, ticket, asset or text
is ever read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

SCHEMA = "fsoc.feedback/1"

COUNTS_TOLD = (20, 10, 5, 3)
"""Numbers of institutions are rounded down to one of these; below the least, none is told (k-anonymity, k = 3)."""

TOLD = frozenset({"joint", "feed", "rule"})
"""Kinds of alert that those whom they name are told of. One on a feed names one institution."""

INDICATOR_FIELDS = ("indicator", "observables.value")


def feedback(alert: Mapping[str, Any], revision: int, status: str) -> Iterator[tuple[str, bytes]]:
    """One record per institution of an alert, of the kinds in TOLD; none of a suppressed one."""
    if alert["kind"] not in TOLD or alert.get("suppressed") is not None:  # the state of an earlier fsoc does not say
        return
    count = at_least(alert["institution_count"])
    said = {
        "schema": SCHEMA,
        "alert_id": alert["alert_id"],
        "revision": revision,
        "status": status,
        "environment": alert["environment"],
        "title": alert["rule_title"],
        "title_zh": alert["rule_title_zh"],
        "level": alert["level"],
        "attack": alert["attack"],
        "indicators": [alert["group"][name] for name in INDICATOR_FIELDS if name in alert["group"]],
        "institution_count_at_least": count,
        "feed": alert["group"].get("feed") if alert["kind"] == "feed" else None,
        "trigger_rule_id": alert["group"].get("trigger.rule_id") if alert["kind"] == "rule" else None,
        "tlp": "amber",
    }
    for institution, tickets in alert["tickets"].items():
        own = {**said, "institution": institution, "ticket_ids": tickets}
        yield institution, orjson.dumps(own, option=orjson.OPT_SORT_KEYS)


def at_least(institutions: int) -> int | None:
    """The count that may be told: rounded down, None below three."""
    return next((told for told in COUNTS_TOLD if institutions >= told), None)
