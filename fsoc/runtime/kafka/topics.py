"""The one table of topics: names, partitions, retention, who may do what, how much. Pure but for its last function."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from zlib import crc32

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.log import Log, TopicSpec, UnknownTopic

Environment = Literal["production", "exercise", "test"]

INTAKE_STATE_PARTITIONS = 16
DETECTIONS_PARTITIONS = 8
# What a sender may send at once. The law's bound for one payload is half of it; what lies between is quarantined whole,
# with its reason and in base64, and that must fit into one record of ours.
TICKET_BATCH_BYTES_MAX = 1_048_576
# Of each partition of an exercise.
EXERCISE_BYTES_MAX = 1_073_741_824
PROBLEMS_SHOWN_MAX = 20

_DAY_MS = 86_400_000
# As far back as a replay, or a campaign that goes on after 30 days, reaches.
_TICKETS_MS = 35 * _DAY_MS
# As long as somebody may come back to what was refused.
_REFUSED_MS = 90 * _DAY_MS
# Correlation has worked a detection within minutes; a week bridges a long weekend's outage.
_DETECTIONS_MS = 7 * _DAY_MS
_FEEDBACK_MS = 400 * _DAY_MS

_SHARDED = (".detections", ".correlation.state")

WORKER = "fsoc-worker"
GATEWAY = "fsoc-gateway"
CONSOLE = "fsoc-console"


def table(
    prefix: str,
    institutions: Iterable[str],
    detections_partitions: int = DETECTIONS_PARTITIONS,
    environment: Environment = "production",
    *,
    replicas: int = 1,
) -> list[TopicSpec]:
    """Every topic that fsoc uses.

    institutions: their ids.
    environment: in production the cluster stamps records as they arrive, and age bounds what is kept. In an exercise or
        a test the sender's stamp counts, which may lie years away, so that age says nothing and size is the bound.
    replicas: copies of each; three where the cluster has three brokers.
    """
    topics = [
        TopicSpec("quarantine", retention_ms=_REFUSED_MS),
        TopicSpec("late", retention_ms=_REFUSED_MS),
        # As long as the feedback that it answers.
        TopicSpec("acknowledgements", compacted=True, retention_ms=_FEEDBACK_MS),
        TopicSpec("intake.state", INTAKE_STATE_PARTITIONS, compacted=True),
        TopicSpec("detections", detections_partitions, retention_ms=_DETECTIONS_MS),
        # An entry lies in the partition of the detection that made it.
        TopicSpec("correlation.state", detections_partitions, compacted=True),
        # One partition: what belongs together is known in one place. Compacted: decisions are kept for ever.
        TopicSpec("links", compacted=True),
        TopicSpec("campaign.state", compacted=True),
        TopicSpec("campaigns", compacted=True),
        TopicSpec("alerts", compacted=True),
        # One partition: what is told, and its audit, follow from one order. Compacted: decisions are kept for ever.
        TopicSpec("sharing", compacted=True),
        TopicSpec("sharing.state", compacted=True),
        # A chain of records, which is whole or broken: nothing of it is ever let go.
        TopicSpec("audit"),
    ]
    for institution in institutions:
        topics += [
            TopicSpec(
                f"tickets.{institution}",
                retention_ms=_TICKETS_MS,
                batch_bytes_max=TICKET_BATCH_BYTES_MAX,
                uncompressed=True,
            ),
            TopicSpec(f"receipts.{institution}", retention_ms=_TICKETS_MS),
            TopicSpec(f"feedback.{institution}", compacted=True, retention_ms=_FEEDBACK_MS),
        ]
    return [_placed(spec, prefix, environment, replicas) for spec in topics]


def _placed(spec: TopicSpec, prefix: str, environment: Environment, replicas: int) -> TopicSpec:
    placed = replace(spec, name=f"{prefix}{spec.name}", replicas=replicas)
    if environment == "production":
        return replace(placed, timestamps="append")
    bytes_max = None if spec.compacted else EXERCISE_BYTES_MAX
    return replace(placed, timestamps="create", retention_ms=None, retention_bytes=bytes_max)


def intake_state_partition(institution: str) -> int:
    """Where the intake state of an institution lies. Never change it: a restart would not find what it knew."""
    return crc32(institution.encode()) % INTAKE_STATE_PARTITIONS


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one principal may do to one resource, named in full (LITERAL): a prefix takes in its neighbours.

    principal: such as `User:fi-001`.
    """

    principal: str
    resource: Literal["topic", "group"]
    name: str
    operation: Literal["read", "write"]


NOBODY: Mapping[str, Sequence[str]] = {}


def acls(
    prefix: str,
    institutions: Iterable[str],
    group: str,
    *,
    delegates: Mapping[str, Sequence[str]] = NOBODY,
    suspended: Container[str] = (),
) -> list[Acl]:
    """Who may do what. The right to write to a ticket topic *is* the sender's identity: its own, and its delegates'.

    group: the workers' consumer group. A user's is named after it: `<prefix><user>`.
    delegates: by institution, who sends on its behalf; they read its receipts, and not its feedback.
    suspended: institutions that may do nothing, and on whose behalf nobody may.

    The gateway may write to all ticket topics: who comes to it by which credential is for it to tell.
    """
    rules: list[Acl] = []

    def allow(user: str, operation: Literal["read", "write"], *topics: str) -> None:
        rules.extend(Acl(f"User:{user}", "topic", f"{prefix}{topic}", operation) for topic in topics)

    for institution in institutions:
        tickets, receipts, feedback = (f"{kind}.{institution}" for kind in ("tickets", "receipts", "feedback"))
        allow(WORKER, "read", tickets)
        allow(WORKER, "write", receipts, feedback)
        allow(CONSOLE, "read", tickets)  # coverage reads what they name; a suspended institution's too
        if institution in suspended:
            continue
        allow(institution, "write", tickets)
        allow(institution, "read", receipts, feedback)
        allow(GATEWAY, "write", tickets)
        allow(GATEWAY, "read", tickets, receipts, feedback)
        others = [user for user in delegates.get(institution, ()) if user not in suspended]
        for delegate in others:
            allow(delegate, "write", tickets)
            allow(delegate, "read", receipts)
        rules.extend(Acl(f"User:{user}", "group", f"{prefix}{user}", "read") for user in (institution, *others))
    states = ("intake.state", "correlation.state", "campaign.state", "sharing.state")
    carried = ("detections", "links", "sharing", *states)
    allow(WORKER, "read", *carried)
    allow(WORKER, "write", *carried, "alerts", "campaigns", "audit", "quarantine", "late", "acknowledgements")
    rules.append(Acl(f"User:{WORKER}", "group", group, "read"))
    looked_at = ("alerts", "acknowledgements", "campaigns", "links", "sharing", "audit", "quarantine", "late")
    allow(CONSOLE, "read", *looked_at, *states)
    allow(CONSOLE, "write", "links", "sharing")  # what analysts decide
    rules.append(Acl(f"User:{CONSOLE}", "group", f"{prefix}console", "read"))
    return list(dict.fromkeys(rules))  # a delegate of two has one group


# Of each broker, per second. Some 1,400 tickets of 1.5 kB, a hundred times what the largest member sends: an hour that
# was stored up is caught up within a minute. More than that is one member's flood, and its own to wait for.
PRODUCER_BYTES_PER_SECOND = 2 * 1024 * 1024
# Receipts and feedback, from their beginning too.
CONSUMER_BYTES_PER_SECOND = 8 * 1024 * 1024
# Of one thread's time on a broker: small requests without end cost it more than their bytes.
REQUEST_PERCENTAGE = 50


@dataclass(frozen=True, slots=True, order=True)
class Quota:
    """What one user may use of each broker; past it, it is made to wait and nothing of it is lost."""

    user: str
    producer_bytes_per_second: int = PRODUCER_BYTES_PER_SECOND
    consumer_bytes_per_second: int = CONSUMER_BYTES_PER_SECOND
    request_percentage: int = REQUEST_PERCENTAGE

    @property
    def limits(self) -> dict[str, int]:
        """By Kafka's own names."""
        return {
            "producer_byte_rate": self.producer_bytes_per_second,
            "consumer_byte_rate": self.consumer_bytes_per_second,
            "request_percentage": self.request_percentage,
        }


def quotas(institutions: Iterable[str]) -> list[Quota]:
    """What each sender may use, named once or more. Workers, gateway and console are ours, and have none."""
    return [Quota(institution) for institution in dict.fromkeys(institutions)]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what, as the registry has it. forbid: what nobody may any more, of those who are suspended."""

    allow: list[Acl]
    forbid: list[Acl]
    quotas: list[Quota]

    @classmethod
    def of(cls, registry: Registry, prefix: str, group: str) -> Access:
        """Of every institution and every delegate of a registry."""
        known = registry.institutions
        delegates = {name: one.delegations for name, one in known.items()}
        suspended = {name for name, one in known.items() if one.suspended}
        allow = acls(prefix, known, group, delegates=delegates, suspended=suspended)
        allowed = set(allow)
        forbid = [rule for rule in acls(prefix, known, group, delegates=delegates) if rule not in allowed]
        return cls(allow, forbid, quotas([*known, *(user for users in delegates.values() for user in users)]))


def partition_problem(name: str, found: int, wanted: int) -> Problem | None:
    """Why a topic with `found` partitions cannot be used, or None."""
    if found == wanted:
        return None
    # Its keys would be looked for in other partitions than they lie in.
    remedy = f"run with --detections-partitions {found}, or " if name.endswith(_SHARDED) else ""
    return Problem(name, f"has {found} partitions, expected {wanted}; {remedy}use another --topic-prefix")


async def refuse_unusable(log: Log, specs: Sequence[TopicSpec]) -> None:
    """Before any work: every topic is there, with the partitions it must have.

    Raises:
        RefusedToStart: all that are missing or differ, the first PROBLEMS_SHOWN_MAX by name.
    """
    wanted = {spec.name: spec.partitions for spec in specs}
    problems: list[Problem] = []
    try:
        found = await log.partitions(*wanted)
    except UnknownTopic as missing:
        problems.extend(missing.problems)
        gone = {problem.where for problem in missing.problems}
        found = await log.partitions(*(name for name in wanted if name not in gone))
    differing = (partition_problem(name, count, wanted[name]) for name, count in found.items())
    problems.extend(problem for problem in differing if problem is not None)
    if len(problems) > PROBLEMS_SHOWN_MAX:
        more = len(problems) - PROBLEMS_SHOWN_MAX
        problems = [
            *problems[:PROBLEMS_SHOWN_MAX],
            Problem("topics", f"and {more} more; `fsoc topics check` tells all"),
        ]
    if problems:
        raise RefusedToStart(*problems)
