"""Topics and their settings on a cluster, many at once. Does what it is told; what should be is in topics.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.log import TopicSpec

# Topics per request. A controller refuses an operation of more than 10,000 metadata records; a topic makes about ten.
TOPICS_PER_REQUEST = 200
VISIBLE_SECONDS_MAX = 60

COMPACTED_SEGMENT_BYTES = 8 * 1024 * 1024
_NO_ERROR = 0
_ALREADY_EXISTS = 36
# Of the topic, of the cluster.
_NOT_ALLOWED = (29, 31)
_REMEDY = "; `fsoc topics apply` makes it, as a user who may (fsoc-admin)"
_TOPIC_OVERRIDE = 1

T = TypeVar("T")


def settings(spec: TopicSpec) -> dict[str, str]:
    """The topic settings that Kafka is given for a topic."""
    bounded = spec.retention_ms is not None or spec.retention_bytes is not None
    wanted = {
        "cleanup.policy": ("compact,delete" if bounded else "compact") if spec.compacted else "delete",
        "retention.ms": str(-1 if spec.retention_ms is None else spec.retention_ms),
        "retention.bytes": str(-1 if spec.retention_bytes is None else spec.retention_bytes),
        "message.timestamp.type": "LogAppendTime" if spec.timestamps == "append" else "CreateTime",
        "max.message.bytes": str(spec.batch_bytes_max),
        # With three copies, a write is durable on two before it is acknowledged.
        "min.insync.replicas": "2" if spec.replicas > 2 else "1",
    }
    if spec.timestamps == "create":
        # An exercise lies at any time; by default Kafka refuses what is an hour ahead of its own clock.
        wanted |= dict.fromkeys(("message.timestamp.before.max.ms", "message.timestamp.after.max.ms"), str(2**63 - 1))
    if spec.uncompressed:
        # The cluster unfolds the batch and measures it again.
        wanted["compression.type"] = "uncompressed"
    if spec.compacted:
        # State is read whole at every restore: clean it when a fifth is outdated, not only when half is. The segment
        # that is written to is never cleaned.
        wanted["min.cleanable.dirty.ratio"] = "0.2"
        wanted["segment.bytes"] = str(COMPACTED_SEGMENT_BYTES)
    return wanted


async def broker_count(admin: Any) -> int:
    """How many brokers the cluster has now."""
    return len((await admin.describe_cluster())["brokers"])


async def topic_partitions(admin: Any) -> dict[str, int]:
    """Every topic of the cluster with its number of partitions.

    All of them, not those asked for: asking for a topic by name creates it on clusters that create topics by use.
    """
    found = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in found if topic["error_code"] == _NO_ERROR}


async def create_topics(admin: Any, specs: Sequence[TopicSpec]) -> None:
    """Create topics and return once brokers tell of them; one that another process has just created is left as it is.

    Raises:
        RefusedToStart: the cluster refused some, each with its reason.
        TimeoutError: it took them, but its brokers do not tell of them.
    """
    problems = []
    for some in _batches(specs):
        response = await admin.create_topics(
            [NewTopic(spec.name, spec.partitions, spec.replicas, topic_configs=settings(spec)) for spec in some]
        )
        for name, code, text in (entry[:3] for entry in response.topic_errors):
            if code not in (_NO_ERROR, _ALREADY_EXISTS):
                why = f"could not be created: {text or for_code(code).__name__}"
                problems.append(Problem(name, f"{why.rstrip('.')}{_REMEDY if code in _NOT_ALLOWED else ''}"))
    if problems:
        raise RefusedToStart(*problems)
    if not specs:
        return
    created = {spec.name for spec in specs}

    async def are_told() -> bool:
        return created <= (await topic_partitions(admin)).keys()

    await until(are_told)


async def topic_settings(
    admin: Any, wanted: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Of each topic: the values in effect of the settings named in `wanted`, and all that were given to it alone."""
    effective: dict[str, dict[str, str]] = {}
    own: dict[str, dict[str, str]] = {}
    for names in _batches(list(wanted)):
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
        for code, text, _, name, entries in (one for response in responses for one in response.resources):
            if code != _NO_ERROR:
                raise RefusedToStart(Problem(name, f"settings could not be read: {text or for_code(code).__name__}"))
            effective[name] = {entry[0]: entry[1] for entry in entries if entry[0] in wanted[name]}
            own[name] = {entry[0]: entry[1] for entry in entries if entry[3] == _TOPIC_OVERRIDE}
    return effective, own


async def alter_topics(admin: Any, changed: Mapping[str, Mapping[str, str]]) -> None:
    """Give topics their settings and return once they are in effect.

    What is not named falls back to the cluster's default: name all that are to stay.

    Raises:
        RefusedToStart: the cluster refused some, each with its reason.
        TimeoutError: it took them, but its brokers do not heed them.
    """
    problems = []
    for names in _batches(list(changed)):
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict(changed[name])) for name in names]
        for response in await admin.alter_configs(resources):
            for code, text, _, name in response.resources:
                if code != _NO_ERROR:
                    problems.append(Problem(name, f"could not be altered: {text or for_code(code).__name__}"))
    if problems:
        raise RefusedToStart(*problems)

    async def are_in_effect() -> bool:
        effective, _ = await topic_settings(admin, changed)
        return all(
            same_setting(effective[name].get(one), changed[name][one]) for name in changed for one in changed[name]
        )

    await until(are_in_effect)


def same_setting(found: str | None, wanted: str) -> bool:
    """Lists are told in any order: `compact,delete` is `delete,compact`."""
    return found is not None and sorted(found.split(",")) == sorted(wanted.split(","))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for brokers to have heard what the controller has said; hundreds of topics take one a few seconds.

    Raises:
        TimeoutError: VISIBLE_SECONDS_MAX have passed.
    """
    async with asyncio.timeout(VISIBLE_SECONDS_MAX):
        while not await holds():  # noqa: ASYNC110 - nothing in this process could tell us
            await asyncio.sleep(0.1)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), TOPICS_PER_REQUEST):
        yield items[start : start + TOPICS_PER_REQUEST]
