"""`fsoc state show`: what the state topics say, by institution and by partition. Judges nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from fsoc.correlation.definitions import is_alike
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.ruleset import RuleSet
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.ledger import END_MS
from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.intake import Member, members
from fsoc.runtime.audit.partition import Shard, shard
from fsoc.runtime.audit.reading import NOTHING_WAITS, Cluster, Tell, newest, silent
from fsoc.runtime.audit.records import IntakeHeader, Rules
from fsoc.tickets.times import rfc3339

Definition: TypeAlias = Literal["unchanged", "changed", "regrouped", "removed", "unknown"]
"""
unchanged   the rule on disk is the same
changed     workers with the rules on disk judge what is held anew
regrouped   the rule on disk groups or counts by other fields: workers with it let go of what is held
removed     there is no such rule on disk: workers with those rules judge what is held until it has expired
unknown     its definition cannot be read, or is not there
"""


@dataclass(frozen=True, slots=True)
class InstitutionShown:
    """One institution's intake. waiting: tickets not committed yet, None where its topic is gone."""

    institution: str
    offset: int
    waiting: int | None
    watermark: str | None
    ended: bool
    allowed_lateness_ms: int | None
    received: int
    used: int
    duplicate: int
    late: int
    quarantined: int
    detections: int
    live: int
    missing: int
    dropped_keys: int
    forgotten_live: int
    rules: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class RuleShown:
    """What one partition holds of one rule."""

    rule: str
    title: str
    groups: int
    entries: int
    definition: Definition


@dataclass(frozen=True, slots=True)
class PartitionShown:
    """One partition of detections. waiting: detections not committed yet."""

    partition: int
    waiting: int
    closed_until: str | None
    ended: bool
    entries: int
    withdrawals: int
    groups: int
    alerts: dict[str, int]
    alerts_raised: int
    evicted: int
    displaced: int
    malformed: int
    misfits: int
    rules: dict[str, str] | None
    held: tuple[RuleShown, ...]


class Report(NamedTuple):
    """All that was asked for. unreadable: lines about records that say nothing."""

    institutions: list[InstitutionShown]
    partitions: list[PartitionShown]
    unreadable: list[str]

    def as_json(self) -> dict[str, Any]:
        return {
            "institutions": [asdict(each) for each in self.institutions],
            "partitions": [asdict(each) for each in self.partitions],
            "unreadable": self.unreadable,
        }


async def show(
    cluster: Cluster,
    rules: RuleSet,
    institutions: Collection[str] | None = None,
    partitions: Collection[int] | None = None,
    tell: Tell = silent,
) -> Report:
    """Read what is asked for; None is all of them.

    Raises:
        RefusedToStart, Retry: the log cannot be read.
    """
    verdict = Verdict()
    wanted = range(cluster.partitions) if partitions is None else sorted(partitions)
    shown = [await _partition(cluster, number, rules, verdict, tell) for number in wanted]
    found = [] if institutions == [] else await _institutions(cluster, institutions, verdict, tell)
    return Report(found, shown, [f"{finding.place}: {finding.text}" for finding in verdict.findings])


async def _institutions(
    cluster: Cluster, wanted: Collection[str] | None, verdict: Verdict, tell: Tell
) -> list[InstitutionShown]:
    state = await newest(cluster.log, await cluster.intake_state(), tell)
    found = members(state, {}, verdict)
    if wanted is not None:
        missing = sorted(set(wanted) - found.keys())
        if missing:
            raise RefusedToStart(*(Problem(name, "intake has no state of this institution") for name in missing))
        found = {name: found[name] for name in wanted}
    topics = [cluster.tickets(name) for name in await cluster.existing(found)]
    ends = await cluster.log.end_offsets(topics)
    committed = await cluster.log.committed(cluster.group, topics)
    waiting = {name: end - (committed[name] or 0) for name, end in ends.items()}
    return [
        _institution(member, member.header, waiting.get(cluster.tickets(name)))
        for name, member in sorted(found.items())
        if member.header is not None
    ]


def _institution(member: Member, header: IntakeHeader, waiting: int | None) -> InstitutionShown:
    return InstitutionShown(
        member.name,
        header.offset,
        waiting,
        _time(header.watermark_ms),
        header.ended,
        header.allowed_lateness_ms,
        header.received,
        header.used,
        header.duplicate,
        header.late,
        header.quarantined,
        header.detections,
        header.live,
        header.missing,
        header.dropped_keys,
        header.forgotten_live,
        _rules(header.rules),
    )


async def _partition(cluster: Cluster, number: int, rules: RuleSet, verdict: Verdict, tell: Tell) -> PartitionShown:
    state, detections = cluster.state(number), cluster.detections(number)
    records = (await newest(cluster.log, [state], tell))[state]
    committed = (await cluster.log.committed(cluster.group, [detections]))[detections]
    end = (await cluster.log.end_offsets([detections]))[detections]
    part = shard(number, state[0], records, committed, NOTHING_WAITS, verdict)
    header = part.header
    closed_ms = header.closed_until_ms if header else None
    entries = sum(isinstance(held.word, Entry) for held in part.entries.values())
    statuses = {"open": 0, "final": 0, "retracted": 0}
    for record in part.alerts.values():
        statuses[record.status] += not record.link
    return PartitionShown(
        number,
        end - (committed or 0),
        _time(closed_ms),
        closed_ms == END_MS,
        entries,
        len(part.entries) - entries,
        len(part.groups()),
        statuses,
        header.raised_total if header else 0,
        header.evicted_total if header else 0,
        header.displaced_total if header else 0,
        header.malformed_total if header else 0,
        header.misfits_total if header else 0,
        _rules(header.rules if header else None),
        tuple(_held(part, rules.correlations)),
    )


def _held(part: Shard, current: Mapping[str, CorrelationRule]) -> Iterator[RuleShown]:
    """Rule by rule: what is held, and whether its definition is the one on disk."""
    groups: dict[str, set[GroupKey]] = {name: set() for name in part.definitions}
    entries = dict.fromkeys(part.definitions, 0)
    for held in part.entries.values():
        key = held.name[0]
        groups.setdefault(key.rule, set()).add(key)
        entries[key.rule] = entries.get(key.rule, 0) + isinstance(held.word, Entry)
    for name in sorted(groups):
        defined = part.definitions.get(name)
        rule = current.get(name)
        title = rule.title if rule is not None else defined.rule.title if defined is not None else name
        yield RuleShown(name, title, len(groups[name]), entries[name], _compared(defined and defined.rule, rule))


def _compared(held: CorrelationRule | None, rule: CorrelationRule | None) -> Definition:
    if held is None:
        return "unknown"
    if rule is None:
        return "removed"
    if rule == held:
        return "unchanged"
    return "changed" if is_alike(rule, held) else "regrouped"


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None or at_ms == END_MS else rfc3339(at_ms)


def _rules(rules: Rules | None) -> dict[str, str] | None:
    return None if rules is None else {"version": rules.version, "digest": rules.digest}
