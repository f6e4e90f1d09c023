"""What tests of several folders build: only what a test is about is spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey, Version, entry_key, name_of, put_value, withdraw_value, word_of
from fsoc.correlation.progress import Claim, progress_record
from fsoc.correlation.rules import CorrelationRule
from fsoc.feeds.record import Outgoing, Record

HOUR_MS = 3_600_000
VERSION = Version("2026-03-02", "0a")


class Match(NamedTuple):
    """What a detector finds."""

    rule_id: str
    evidence: int


class EveryTicket:
    """Stands in for Sigma: each ticket is a detection."""

    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        return [Match("detection", -1)]


class NoTechniques:
    """Stands in for ATT&CK: nothing is known."""

    def resolve(self, technique: str) -> None:
        return None

    def tactic(self, text: str) -> None:
        return None

    def pair(self, tactic: str, technique: str) -> tuple[str, str]:
        return tactic, technique


def correlation_rule(**changes: Any) -> CorrelationRule:
    """Two institutions with one indicator in an hour, of the detection `detection`, but for the changes."""
    fields: dict[str, Any] = {
        "id": "rule",
        "title": "rule",
        "title_zh": None,
        "description": "",
        "level": "high",
        "tags": (),
        "type": "value_count",
        "rules": ("detection",),
        "group_by": ("indicator",),
        "timespan_ms": HOUR_MS,
        "condition": Condition((("gte", 2),)),
        "fields": ("institution",),
    }
    return CorrelationRule(**{**fields, **changes})


def put_of(key: GroupKey, entry: Entry, offset: int = 0) -> Record:
    """What intake writes of a ticket that feeds this group."""
    return Record(offset, 0, entry_key((key, entry.name)), put_value(entry, VERSION))


def withdraw_of(key: GroupKey, institution: str, ticket_id: str, revision: int, at: int, offset: int = 0) -> Record:
    """What intake writes of a ticket whose revision feeds this group no more."""
    return Record(offset, 0, entry_key((key, (institution, ticket_id, ""))), withdraw_value(revision, at, VERSION))


def progress_of(claims: dict[str, Claim], offset: int = 0) -> Record:
    return Record(offset, 0, None, progress_record(claims, VERSION))


def said(record: Record | Outgoing) -> dict[str, Any]:
    """A record of `fsoc.detections` in words: op, and of puts and withdrawals of what."""
    if record.key is None:
        return {"op": "progress", **orjson.loads(record.value or b"")}
    key, (institution, ticket_id, _) = name_of(record.key)
    word = word_of(record.value or b"")
    name = {**key._asdict(), "institution": institution, "ticket_id": ticket_id}
    return {"op": "put" if isinstance(word, Entry) else "withdraw", **name, **word._asdict()}
