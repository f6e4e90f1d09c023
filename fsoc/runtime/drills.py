"""A drill on its own topics: begun, posed, ended, and read to be scored. Decides nothing about tickets.

All of it lies under the drill's own prefix, which no production worker, console or institution's setting names: what
happens there is in no production figure. What is known of a drill is on its topic `drill`: who takes part, what was
posed when, and its end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from fsoc.drills.score import DrillScore, Posed, Reported, ToldOf, score_drill
from fsoc.drills.script import DrillSpec, Inject
from fsoc.errors import InvalidTicket, Problem, RefusedToStart
from fsoc.feeds.admission import admit
from fsoc.feeds.signatures import Signatures
from fsoc.institutions.registry import Registry
from fsoc.runtime.acknowledgements import read_acknowledged
from fsoc.runtime.alert_records import records_to_end
from fsoc.runtime.kafka.topics import CONSOLE, Acl, table
from fsoc.runtime.log import Log, TopicSpec, UnknownTopic, Written, read_to_end
from fsoc.runtime.told import on_topic
from fsoc.sharing.acknowledged import Acknowledged
from fsoc.tickets.times import milliseconds, rfc3339

SCHEMA: Final = "fsoc.drill/1"
TOPIC: Final = "drill"
INJECTS: Final = "injects."
_RETENTION_MS: Final = 400 * 86_400_000
_PREFIX: Final = "fsoc-drill-"
_is_name: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,23}").fullmatch
_named: Final = re.compile(r"fsoc-drill-([a-z0-9][a-z0-9-]{0,23})\.drill").fullmatch


def prefix_of(name: str) -> str:
    """Of all topics of the drill, and of nothing else.

    Raises:
        RefusedToStart: a drill cannot be called so.
    """
    if not _is_name(name):
        raise RefusedToStart(Problem("NAME", f'"{name[:64]}": expected 1 to 24 of a–z, 0–9 and -'))
    return f"{_PREFIX}{name}."


def names_of(topics: Iterable[str]) -> list[str]:
    """The drills whose topics these are."""
    return sorted(match[1] for match in map(_named, topics) if match)


def topics_of(prefix: str, institutions: Iterable[str], partitions: int, replicas: int = 1) -> list[TopicSpec]:
    """All topics of a drill. The cluster stamps them, as production's: nobody's clock makes anybody faster."""
    several = list(institutions)
    own = [TopicSpec(f"{prefix}{name}", retention_ms=_RETENTION_MS, replicas=replicas) for name in _own(several)]
    return [*table(prefix, several, partitions, replicas=replicas), *own]


def acls_of(prefix: str, registry: Registry) -> list[Acl]:
    """Who may read what is the drill's alone: each institution what it is posed, the console all of it."""
    rules = [Acl(f"User:{CONSOLE}", "topic", f"{prefix}{TOPIC}", "read")]
    for name, one in registry.institutions.items():
        if not one.suspended:
            rules.append(Acl(f"User:{name}", "topic", f"{prefix}{INJECTS}{name}", "read"))
    return rules


def _own(institutions: Iterable[str]) -> list[str]:
    return [TOPIC, *(f"{INJECTS}{name}" for name in institutions)]


@dataclass(slots=True)
class Drill:
    """What is known of one. started_at_ms: None before it has begun. posed: in the order in which they were."""

    name: str
    spec: DrillSpec | None = None
    institutions: tuple[str, ...] = ()
    started_at_ms: int | None = None
    stopped_at_ms: int | None = None
    posed: list[Posed] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return prefix_of(self.name)

    def take(self, record: dict[str, Any], at_ms: int) -> None:
        """Take the next record of its topic. The first start, the first end, each inject once."""
        op = record["op"]
        if op == "start" and self.started_at_ms is None:
            self.started_at_ms = at_ms
            self.spec = DrillSpec(self.name, record["seed"], tuple(record["scenarios"]))
            self.institutions = tuple(record["institutions"])
        elif op == "stop" and self.stopped_at_ms is None:
            self.stopped_at_ms = at_ms
        elif op == "posed" and record["inject_id"] not in {one.inject_id for one in self.posed}:
            posed = Posed(
                record["inject_id"],
                record["institution"],
                record["scenario"],
                record["title"],
                frozenset(record["indicators"]),
                at_ms,
            )
            self.posed.append(posed)


async def read_drill(log: Log, name: str) -> Drill:
    """What is known of the drill; one that was never begun has not started.

    Raises:
        Retry: the log does not answer.
    """
    drill = Drill(name)
    try:
        async for record, at_ms in _records(log, f"{drill.prefix}{TOPIC}"):
            drill.take(record, at_ms)
    except UnknownTopic:
        return drill
    return drill


async def begin(log: Log, drill: Drill, spec: DrillSpec, institutions: Sequence[str]) -> None:
    """Write down that it begins, with whom. Its topics are there."""
    start = {"op": "start", "seed": spec.seed, "scenarios": spec.scenarios, "institutions": list(institutions)}
    await log.write([_on_drill(drill.prefix, start)])


async def pose(log: Log, drill: Drill, inject: Inject) -> None:
    """Give the institution its inject, then write down that it has it; after a crash between the two, once more."""
    value = orjson.dumps(inject.wire(drill.name))
    await log.write([(f"{drill.prefix}{INJECTS}{inject.institution}", 0, inject.inject_id.encode(), value)])
    posed = {
        "op": "posed",
        "inject_id": inject.inject_id,
        "institution": inject.institution,
        "scenario": inject.scenario,
        "title": str(inject.body["title"]),
        "indicators": sorted(inject.indicators),
    }
    await log.write([_on_drill(drill.prefix, posed)])


async def end(log: Log, drill: Drill, registry: Registry, at_ms: int) -> None:
    """End every feed of all who take part, so that everything becomes final, and write the end down."""
    at = rfc3339(at_ms)
    records: list[Written] = []
    for name in drill.institutions:
        known = registry.get(name)
        for feed in known.feeds if known is not None else ():
            ended = {
                "schema": "fsoc.ticket/1",
                "kind": "source_status",
                "institution": name,
                "feed": feed,
                "seq_epoch": "drill-end",
                "last_seq": 0,
                "period_from": at,
                "period_to": at,
                "environment": "exercise",
                "exercise_id": drill.name,
                "ended": True,
            }
            records.append((f"{drill.prefix}tickets.{name}", 0, None, orjson.dumps(ended)))
    await log.write([*records, _on_drill(drill.prefix, {"op": "stop"})])


async def read_score(log: Log, drill: Drill, registry: Registry) -> DrillScore:
    """Read what institutions did, and score it. By who may read tickets, as fsoc-admin may.

    Raises:
        RefusedToStart: it was never begun.
        Retry: the log does not answer.
    """
    if drill.started_at_ms is None:
        raise RefusedToStart(Problem(drill.name, "there is no such drill; `fsoc drill list` tells which there are"))
    acknowledged = await read_acknowledged(log, drill.prefix)
    reported: list[Reported] = []
    told: list[ToldOf] = []
    posed_at_ms: dict[str, int] = {}
    for name in drill.institutions:
        reported += [one async for one in _reported(log, drill, registry, name)]
        told += await _told(log, drill.prefix, name, acknowledged)
        async for inject, at_ms in _records(log, f"{drill.prefix}{INJECTS}{name}"):
            posed_at_ms.setdefault(inject["inject_id"], at_ms)
    # From when the institution could read it: that it was posed is written down later, after a crash much later.
    posed = [one._replace(at_ms=posed_at_ms.get(one.inject_id, one.at_ms)) for one in drill.posed]
    statuses: dict[str, str] = {}
    async for record in records_to_end(log, drill.prefix, lambda _: None):
        if record.alert.kind == "joint":
            statuses[record.alert.alert_id] = record.alert.status
    alerts = sum(status in {"open", "final"} for status in statuses.values())
    known = {name: registry.get(name) for name in drill.institutions}
    names = {name: (one.name, one.name_zh) for name, one in known.items() if one is not None}
    return score_drill(
        drill.name,
        drill.started_at_ms,
        drill.stopped_at_ms,
        drill.institutions,
        posed,
        reported,
        told,
        alerts=alerts,
        names=names,
    )


async def injects_of(log: Log, prefix: str, institution: str) -> list[dict[str, Any]]:
    """What the institution was posed, each once, in order."""
    found: dict[str, dict[str, Any]] = {}
    async for record, at_ms in _records(log, f"{prefix}{INJECTS}{institution}"):
        found.setdefault(record["inject_id"], {**record, "posed_at": rfc3339(at_ms)})
    return list(found.values())


async def _reported(log: Log, drill: Drill, registry: Registry, institution: str) -> AsyncIterator[Reported]:
    """Tickets of this drill, as intake judges; what is none is passed over: intake has told its sender."""
    signatures = Signatures(institution)
    async for records in read_to_end(log, f"{drill.prefix}tickets.{institution}", 0):
        for record in records:
            payload = record.value or b""
            unsigned = signatures.fault(registry, record.signature, payload, record.timestamp_ms)
            try:
                message = admit(payload, institution, registry, None, unsigned, drill.name)
            except InvalidTicket:
                continue
            if message.kind != "ticket" or message.action == "retract":
                continue
            relations, observables = message.body.get("relations") or {}, message.body.get("observables") or ()
            yield Reported(
                institution,
                message.ticket_id,
                frozenset(relations.get("external_refs") or ()),
                frozenset(one["value"] for one in observables),
                record.timestamp_ms,
            )


async def _told(log: Log, prefix: str, institution: str, acknowledged: Acknowledged) -> list[ToldOf]:
    found = []
    for one in await on_topic(log, prefix, institution, lambda _: None):
        feedback = one.feedback
        if feedback.status == "retracted":
            continue
        answers = [each for each in acknowledged.of(feedback.alert_id) if each.institution == institution]
        answered_at_ms = milliseconds(answers[0].first_received_at) if answers else None
        found.append(ToldOf(institution, feedback.alert_id, milliseconds(feedback.first_told_at), answered_at_ms))
    return found


async def _records(log: Log, topic: str) -> AsyncIterator[tuple[dict[str, Any], int]]:
    async for records in read_to_end(log, topic, 0):
        for record in records:
            try:
                body = orjson.loads(record.value or b"")
            except orjson.JSONDecodeError:
                continue
            if isinstance(body, dict):
                yield body, record.timestamp_ms


def _on_drill(prefix: str, record: dict[str, Any]) -> Written:
    return (f"{prefix}{TOPIC}", 0, None, orjson.dumps({"schema": SCHEMA, **record}))
