"""The newest record of each link and alert, and which of them tie together what shares their tickets. Pure.

A link or alert ties where it stands and is joint, is of no more institutions than may have something rare in common,
and no analyst has split it off. All are kept for as long as they may change; only those that tie are in components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from fsoc.campaigns.components import Components, Node, Settled, Value
from fsoc.campaigns.decisions import Decisions
from fsoc.campaigns.records import Decision, Told

HUB_LEAST: Final = 10
HUB_SHARE: Final = 2
"""What more than one in so many institutions of the sector have, and more than `HUB_LEAST`, is not rare: a shared
network, a wave that hit everybody. It joins nothing, or everything would be one campaign."""

NODES_MAX: Final = 20_000
TICKETS_MAX: Final = 1_000_000
"""Bounds on links and alerts, and on the tickets of all of them together. Past one, those leave whose last ticket is
the oldest, a tenth at once; what is left is judged as if they had never been."""
ROOM: Final = 10


def hub_above(institutions: int) -> int:
    """More independent institutions than this, of a sector of so many, make a hub."""
    return max(HUB_LEAST, institutions // HUB_SHARE)


def group_text(group: Mapping[str, Any]) -> str:
    """The values of a group, as `GroupKey` has them."""
    return orjson.dumps(list(group.values())).decode()


def value_of(told: Told) -> Value | None:
    """What a link is of; None of an alert."""
    return (told.environment, told.rule_id, group_text(told.group)) if told.what == "link" else None


class Nodes:
    """told: by id, whether it ties or not. hub_above: as it was when all was settled last."""

    def __init__(self, hub_above: int) -> None:
        self.told: dict[str, Told] = {}
        self.decisions = Decisions()
        self.components = Components()
        self.hubs: set[str] = set()
        self.hub_above = hub_above
        self.evicted_total = 0
        self._tickets = 0

    def __len__(self) -> int:
        return len(self.told)

    def take(self, told: Told) -> bool:
        """Take what a link or alert says; return whether that is newer than what is known."""
        known = self.told.get(told.id)
        if known is not None and known.told >= told.told:
            return False
        self._tickets += len(told.tickets) - (len(known.tickets) if known is not None else 0)
        self.told[told.id] = told
        self._place(told)
        self.components.touch(told.id)  # it may say otherwise of what no tie hangs on: severity, tactics
        return True

    def decide(self, decision: Decision) -> None:
        """Follow a decision; one that is known already changes nothing."""
        changed = self.decisions.take(decision)
        if changed is None:
            return
        if changed.op == "split":
            for told in self.told.values():
                self._place(told)
        elif self.decisions.holds(changed.decision_id):
            self.components.merge(changed.decision_id, changed.named)
        else:
            self.components.unmerge(changed.decision_id)

    def settle(self, hubs_above: int) -> Settled:
        """Work out what belongs together. hubs_above: as `hub_above` has it now."""
        if hubs_above != self.hub_above:
            self.hub_above = hubs_above
            for told in self.told.values():
                self._place(told)
        return self.components.settle()

    def drop(self, names: Iterable[str]) -> None:
        """Have these no more."""
        for name in names:
            told = self.told.pop(name, None)
            if told is not None:
                self._tickets -= len(told.tickets)
                self.hubs.discard(name)
                self.components.remove(name)

    def evict(self) -> list[Told]:
        """Drop what is too much, and return it."""
        if len(self.told) <= NODES_MAX and self._tickets <= TICKETS_MAX:
            return []
        left, tickets = len(self.told), self._tickets
        evicted: list[Told] = []
        for told in sorted(self.told.values(), key=lambda one: (one.last_ms, one.id)):
            if left <= NODES_MAX - NODES_MAX // ROOM and tickets <= TICKETS_MAX - TICKETS_MAX // ROOM:
                break
            left, tickets = left - 1, tickets - len(told.tickets)
            evicted.append(told)
        self.drop([told.id for told in evicted])
        self.evicted_total += len(evicted)
        return evicted

    def of(self, names: Iterable[str]) -> list[Told]:
        """What these say, in the order of their ids."""
        return [self.told[name] for name in sorted(names)]

    def alone(self) -> Iterator[Told]:
        """Those that tie nothing."""
        return (told for name, told in self.told.items() if name not in self.components.nodes)

    def _place(self, told: Told) -> None:
        """Put it among what ties, or take it out of that."""
        stands = told.status != "retracted" and told.kind == "joint"
        is_hub = stands and len(set(told.members.values())) > self.hub_above
        (self.hubs.add if is_hub else self.hubs.discard)(told.id)
        value = value_of(told)
        if not stands or is_hub or self.decisions.is_split(told.id, value):
            self.components.remove(told.id)
            return
        tickets = frozenset((told.environment, *ticket) for ticket in told.tickets)
        self.components.put(Node(told.id, tickets, value, told.first_ms, told.last_ms))
