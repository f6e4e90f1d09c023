"""Reads state topics, and where the group is, from a log that workers may be writing to. Writes nothing.

Workers write state, then publish, then commit (law 10). So what is read after the committed offsets has every effect of
what lies below them; what lies above is in flight: some of its effects may be there, and some not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple

import msgspec

from fsoc.alerts.newness import newness
from fsoc.campaigns.stage import newness as campaign_newness
from fsoc.correlation.entries import name_of
from fsoc.correlation.progress import Progress
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.newest import overtaken
from fsoc.runtime.lanes import CAMPAIGN_STATE, CORRELATION_STATE, DETECTIONS, INTAKE_STATE, TICKETS
from fsoc.runtime.log import Log, Partition, UnknownTopic, read_to_end
from fsoc.runtime.state import read_all

Tell = Callable[[str], None]
"""Is told what is being read, often."""


def silent(_: str) -> None:
    """Tell nobody."""


class Kept(NamedTuple):
    """The newest record of one key of a state topic."""

    offset: int
    timestamp_ms: int
    value: bytes


class Cluster(NamedTuple):
    """Where the state is. prefix: of every topic's name. group: the workers'. partitions: of detections."""

    log: Log
    prefix: str
    group: str
    partitions: int

    @classmethod
    async def of(cls, log: Log, prefix: str, group: str) -> Cluster:
        """Look at which topics there are.

        Raises:
            RefusedToStart: a topic is missing, or detections and their state are not partitioned alike.
        """
        detections, state = prefix + DETECTIONS, prefix + CORRELATION_STATE
        found = await log.partitions(detections, state, prefix + INTAKE_STATE, prefix + "alerts")
        if found[detections] != found[state]:
            text = f"has {found[state]} partitions, {detections} has {found[detections]}; expected as many"
            raise RefusedToStart(Problem(state, text))
        return cls(log, prefix, group, found[detections])

    def tickets(self, institution: str) -> Partition:
        return f"{self.prefix}{TICKETS}{institution}", 0

    def detections(self, partition: int) -> Partition:
        return self.prefix + DETECTIONS, partition

    def state(self, partition: int) -> Partition:
        return self.prefix + CORRELATION_STATE, partition

    async def intake_state(self) -> list[Partition]:
        topic = self.prefix + INTAKE_STATE
        return [(topic, number) for number in range((await self.log.partitions(topic))[topic])]

    async def existing(self, institutions: Iterable[str]) -> list[str]:
        """Those that have a ticket topic: who left may have none any more."""
        names = sorted(institutions)
        try:
            await self.log.partitions(*(self.tickets(name)[0] for name in names))
        except UnknownTopic as missing:
            gone = {problem.where for problem in missing.problems}
            return [name for name in names if self.tickets(name)[0] not in gone]
        return names


class Tail(NamedTuple):
    """The detections of one partition that were not committed when we began to look: what is in flight.

    end: where it ends. named: keys of entries they put or withdraw. progress: what they say of progress, and no more.
    said: the same as it was said, the last word of each, and when it was written.
    """

    records: int
    end: int
    named: frozenset[bytes]
    progress: Progress
    said: tuple[tuple[bytes, int], ...]


NOTHING_WAITS: Final = Tail(0, 0, frozenset(), Progress(), ())


class _Sender(msgspec.Struct, frozen=True):
    """Who speaks in a progress record: institutions, or a partition of correlations."""

    institutions: dict[str, msgspec.Raw] = {}
    partition: int | None = None

    @property
    def name(self) -> tuple[object, ...]:
        return *sorted(self.institutions), self.partition


_sender: Final = msgspec.json.Decoder(_Sender).decode


async def newest(log: Log, partitions: Sequence[Partition], tell: Tell = silent) -> dict[Partition, dict[bytes, Kept]]:
    """The newest record of every key in these partitions, deleted ones left out.

    Newest is what a restore takes: not what a worker wrote late that had lost the partition and did not know yet.
    """
    found: dict[Partition, dict[bytes, Kept]] = {name: {} for name in partitions}
    count = 0
    async with aclosing(read_all(log, partitions)) as slices:
        async for name, records in slices:
            of_it = found[name]
            is_late = _is_overtaken if name[0].endswith(INTAKE_STATE) else _is_older(_newness_in(name[0]))
            for record in records:
                if record.key is None:
                    continue  # compaction knows no such record, and no worker reads one
                if record.value is None:
                    of_it.pop(record.key, None)
                elif record.key not in of_it or not is_late(record.key, record.value, of_it[record.key].value):
                    of_it[record.key] = Kept(record.offset, record.timestamp_ms, record.value)
            count += len(records)
            tell(f"{name[0]}: {count:,} records read")
    return found


def _is_overtaken(_key: bytes, record: bytes, by: bytes) -> bool:
    """Of intake's state: whether what was written later says less."""
    try:
        return overtaken(record, by)
    except msgspec.MsgspecError:  # who looks at it says so
        return False


def _newness_in(topic: str) -> Callable[[bytes, bytes], int]:
    return campaign_newness if topic.endswith(CAMPAIGN_STATE) else newness


def _is_older(newness_of: Callable[[bytes, bytes], int]) -> Callable[[bytes, bytes, bytes], bool]:
    """Of correlation's state, and of campaigns'."""

    def is_older(key: bytes, record: bytes, by: bytes) -> bool:
        try:
            return newness_of(key, record) < newness_of(key, by)
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError):  # as above
            return False

    return is_older


async def tail(cluster: Cluster, partition: int, start: int | None) -> Tail:
    """Read what a worker would begin with that starts there. None: nothing is committed, so from the first."""
    named: set[bytes] = set()
    progress = Progress()
    said: dict[tuple[object, ...], tuple[bytes, int]] = {}
    name = cluster.detections(partition)
    count, end = 0, (await cluster.log.end_offsets([name]))[name]
    async for records in read_to_end(cluster.log, *name, start or 0):
        count += len(records)
        end = max(end, records[-1].offset + 1)
        for record in records:
            try:
                if record.key is None:
                    value = record.value or b""
                    progress.hear(value, record.timestamp_ms)
                    sender = _sender(value).name
                    said.pop(sender, None)  # so that who speaks last comes last, alone or with others
                    said[sender] = value, record.timestamp_ms
                else:
                    name_of(record.key)
                    named.add(record.key)
            except msgspec.MsgspecError:
                continue  # correlation counts it as malformed and passes over it
    return Tail(count, end, frozenset(named), progress, tuple(said.values()))
