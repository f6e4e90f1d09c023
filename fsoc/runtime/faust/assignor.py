"""Who gets which ticket topic: Faust's assignor, but ticket topics are spread one by one. Reads no clock and no log.

Faust's own treats topics of equal partition count as one group and gives partition 0 of *all* of them to one worker.
Here each ticket topic goes where a bounded rendezvous hash sends it: every worker gets n/m of them, rounded up or
down; who has a topic keeps it; when a worker leaves only its topics move, when one joins only what it gets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar

from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor


def spread(wanted_by: Mapping[str, Sequence[str]], held_by: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Give every topic to one worker that wants it: member → its topics, sorted.

    wanted_by: topic → the members that subscribe to it, at least one.
    held_by: topic → the members that say they have it now; more than one after a split brain.

    A function of its arguments alone, not of their order: every worker would compute the same.
    """
    members = sorted({member for wanting in wanted_by.values() for member in wanting})
    given: dict[str, list[str]] = {member: [] for member in members}
    if not members:
        return given
    share, extra = divmod(len(wanted_by), len(members))
    free: list[str] = []
    for topic in sorted(wanted_by):
        holders = [member for member in held_by.get(topic, ()) if member in wanted_by[topic]]
        if holders:
            given[_ranked(topic, holders)[0]].append(topic)
        else:
            free.append(topic)
    # At most `extra` members may have one more than the share: those that have most now, so that least moves.
    larger = set(sorted(members, key=lambda member: (-len(given[member]), member))[:extra])
    room = {member: share + (member in larger) for member in members}
    for member in members:
        mine = sorted(given[member], key=lambda topic: (-_weight(topic, member), topic))
        given[member], over = mine[: room[member]], mine[room[member] :]
        free += over
    for topic in sorted(free):
        ranked = _ranked(topic, wanted_by[topic])
        # While workers differ in what they subscribe to (a registry change) there may be no room: the least loaded.
        best = next((m for m in ranked if len(given[m]) < room[m]), min(ranked, key=lambda m: len(given[m])))
        given[best].append(topic)
    return {member: sorted(topics) for member, topics in given.items()}


def _ranked(topic: str, members: Iterable[str]) -> list[str]:
    return sorted(members, key=lambda member: (-_weight(topic, member), member))


def _weight(topic: str, member: str) -> int:
    # Not `hash`: it differs from process to process.
    return int.from_bytes(blake2b(f"{member}\0{topic}".encode(), digest_size=8).digest(), "big")


class SpreadAssignor(PartitionAssignor):  # type: ignore[misc]
    """Stock for every topic but those that begin with `prefix`; `spread_assignor` sets it."""

    prefix: ClassVar[str] = "\0"  # no topic begins so

    #: Set anew by every assignment, for the leader only.
    _wanted_by: dict[str, list[str]]
    _held_by: dict[str, list[str]]

    @property
    def name(self) -> str:
        """What members of one group must agree on; another assignor's members are refused by the broker."""
        return "fsoc-spread"

    @classmethod
    def _is_spread(cls, topic: str) -> bool:
        return topic.startswith(cls.prefix)

    @classmethod
    def _get_copartitioned_groups(cls, topics: set[str], cluster: Any, subscriptions: Any) -> Any:
        return super()._get_copartitioned_groups({t for t in topics if not cls._is_spread(t)}, cluster, subscriptions)

    def _perform_assignment(self, cluster: Any, member_metadata: Mapping[str, Any]) -> Any:
        wanted_by: defaultdict[str, list[str]] = defaultdict(list)
        held_by: defaultdict[str, list[str]] = defaultdict(list)
        for member, metadata in member_metadata.items():
            for topic in metadata.subscription:
                # A topic that does not exist (yet) is left out, as the stock assignor does.
                if self._is_spread(topic) and cluster.partitions_for_topic(topic):
                    wanted_by[topic].append(member)
            for topic in self._get_client_metadata(metadata).assignment.actives:
                held_by[topic].append(member)
        self._wanted_by, self._held_by = dict(wanted_by), dict(held_by)
        self._partitions = {topic: sorted(cluster.partitions_for_topic(topic)) for topic in wanted_by}
        return super()._perform_assignment(cluster, member_metadata)

    def _protocol_assignments(
        self,
        assignments: Mapping[str, ClientAssignment],
        cl_distribution: Any,
        tp_distribution: Any,
        topic_groups: Mapping[str, int],
    ) -> Any:
        for member, topics in spread(self._wanted_by, self._held_by).items():
            for topic in topics:
                assignments[member].actives[topic] = self._partitions[topic]
        return super()._protocol_assignments(assignments, cl_distribution, tp_distribution, topic_groups)


def spread_assignor(prefix: str) -> type[SpreadAssignor]:
    """The assignor that spreads topics whose name begins with `prefix`."""
    return type("SpreadAssignor", (SpreadAssignor,), {"prefix": prefix})
