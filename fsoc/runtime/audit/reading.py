"""Reads state topics, and where the group is, from a log that workers may be writing to. Writes nothing.

Workers write state, then publish, then commit (law 10). So what is read after the committed offsets has every effect of
what lies below them; what lies above is in flight: some of its effects may be there, and some not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

import msgspec

from fsoc.correlation.entries import name_of
from fsoc.correlation.progress import Claim, claims_of
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.ledger import overtaken
from fsoc.runtime.lanes import CORRELATION_STATE, DETECTIONS, INTAKE_STATE, TICKETS
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

    named: keys of entries they put or withdraw. claims: the newest of each institution.
    """

    records: int
    named: frozenset[bytes]
    claims: Mapping[str, Claim]


async def newest(log: Log, partitions: Sequence[Partition], tell: Tell = silent) -> dict[Partition, dict[bytes, Kept]]:
    """The newest record of every key in these partitions, deleted ones left out.

    Newest is what a restore takes: not what a worker wrote late that had lost the partition and did not know yet.
    """
    found: dict[Partition, dict[bytes, Kept]] = {name: {} for name in partitions}
    count = 0
    async with aclosing(read_all(log, partitions)) as slices:
        async for name, records in slices:
            of_it = found[name]
            is_late = _is_overtaken if name[0].endswith(INTAKE_STATE) else _never
            for record in records:
                if record.key is None:
                    continue  # compaction knows no such record, and no worker reads one
                if record.value is None:
                    of_it.pop(record.key, None)
                elif record.key not in of_it or not is_late(record.value, of_it[record.key].value):
                    of_it[record.key] = Kept(record.offset, record.timestamp_ms, record.value)
            count += len(records)
            tell(f"{name[0]}: {count:,} records read")
    return found


def _is_overtaken(record: bytes, by: bytes) -> bool:
    try:
        return overtaken(record, by)
    except msgspec.MsgspecError:  # who looks at it says so
        return False


def _never(_record: bytes, _by: bytes) -> bool:
    return False


async def tail(cluster: Cluster, partition: int, committed: int | None) -> Tail:
    """Read what a worker would begin with. Nothing committed: from the start."""
    named: set[bytes] = set()
    claims: dict[str, Claim] = {}
    count = 0
    async for records in read_to_end(cluster.log, *cluster.detections(partition), committed or 0):
        count += len(records)
        for record in records:
            try:
                if record.key is None:
                    claims.update(claims_of(record.value or b""))
                else:
                    name_of(record.key)
                    named.add(record.key)
            except msgspec.MsgspecError:
                continue  # correlation counts it as malformed and passes over it
    return Tail(count, frozenset(named), claims)
