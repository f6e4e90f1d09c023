"""A sector in which some collude, some are silent and some write harmless tickets; and what is published of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.record import Outgoing, Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.tickets.sample import ticket
from fsoc.tickets.times import rfc3339

START_MS = 1_772_409_600_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

HOLDINGS = {f"holding-{name}": [f"{name}{number}" for number in range(1, 4)] for name in ("aa", "bb", "cc")}
ALONE = [f"fi-{number:03}" for number in range(1, 7)]
HONEST = [f"ho-{number:03}" for number in range(1, 4)]


@dataclass(frozen=True)
class Sent:
    """One record of an institution's log. raw: its bytes, where no JSON writer would write them."""

    institution: str
    received_ms: int
    body: dict[str, Any]
    raw: bytes | None = None

    def but(self, *, later_ms: int = 0, **changes: Any) -> Sent:
        """The same with other fields, received so much later."""
        return replace(self, received_ms=self.received_ms + later_ms, body={**self.body, **changes}, raw=None)

    @property
    def payload(self) -> bytes:
        if self.raw is not None:
            return self.raw
        try:
            return orjson.dumps(self.body)
        except TypeError:  # a number beyond 64 bit
            return json.dumps(self.body).encode()


def members() -> list[tuple[str, ...]]:
    """Who counts once: the affiliates of each holding, and each of the others. No honest ones."""
    return [tuple(names) for names in HOLDINGS.values()] + [(name,) for name in ALONE]


def write(institution: str, ticket_id: str, at_ms: int, changes: Mapping[str, Any]) -> Sent:
    """A ticket of that event time, received a minute later."""
    times = {
        "occurred_from": at_ms,
        "occurred_to": at_ms,
        "detected_at": at_ms + 20_000,
        "created_at": at_ms + 30_000,
        "sent_at": at_ms + 40_000,
    }
    said = {name: rfc3339(at) for name, at in times.items()}
    body = ticket(
        **{"institution": institution, "ticket_id": ticket_id, "environment": "production", **said, **changes}
    )
    return Sent(institution, at_ms + MINUTE, body)


def harmless(institution: str, at_ms: int) -> Sent:
    """What nobody else has, and nobody asks for."""
    changes = {
        "category": "other.other",
        "severity": 1,
        "is_incident": False,
        "tw_level": ...,
        "trigger": {"kind": "manual"},
        "attack": [],
        "attack_version": ...,
        "attack_unmapped_reason": "policy",
        "evidence": [],
        "observables": [],
        "assets": [],
    }
    return write(institution, f"{institution}-{at_ms}", at_ms, changes)


def registry() -> Registry:
    of = {name: holding for holding, names in HOLDINGS.items() for name in names}
    common = {"sector": "bank", "tier": 1, "feeds": ["siem", "edr"]}
    names = [*of, *ALONE, *HONEST]
    entries = [{"id": name, "name": name, "group": of.get(name), **common} for name in names]
    return Registry.parse(orjson.dumps({"institutions": entries}).decode(), "institutions.yml")


class Sector:
    """Everybody is known for as long as any rule wants to know them; every alert that is ever published is kept.

    alerts: all revisions, those that were taken back included.
    """

    def __init__(self, ruleset: RuleSet, known: Registry) -> None:
        self.alerts: list[dict[str, Any]] = []
        # In production: an end record is refused there.
        self._direct = Direct(Pipeline(ruleset, known, detections_partitions=1), self._watch)
        self._known = known
        self._offsets: dict[str, int] = {}
        warm_up = max((rule.past.warm_up_ms for rule in ruleset.correlations.values() if rule.past), default=0)
        self.background(START_MS - warm_up - DAY)

    def take(self, sent: Iterable[Sent]) -> None:
        """One slice of everybody's log, each in the order in which it was received."""
        slices: dict[str, list[Record]] = {}
        for one in sorted(sent, key=lambda one: one.received_ms):
            offset = self._offsets.get(one.institution, 0)
            self._offsets[one.institution] = offset + 1
            slices.setdefault(one.institution, []).append(Record(offset, one.received_ms, None, one.payload))
        self._direct.work(slices)

    def background(self, at_ms: int) -> None:
        """Everybody writes something harmless."""
        self.take(harmless(name, at_ms) for name in self._known.institutions)

    def finish(self) -> Sequence[dict[str, Any]]:
        self._direct.finish()
        return self.alerts

    def _watch(self, item: Outgoing) -> None:
        if item.topic == "alerts":
            self.alerts.append(orjson.loads(item.value))
