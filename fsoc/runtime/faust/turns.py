"""Whose turn it is: what is fetched waits by partition, and a checkpoint takes of each no more than its share.

    flooding ▒▒▒▒▒▒▒▒▒▒▒▒ ──┐
    calm     ░ ─────────────┼── take ──▶ ▒▒░░   one checkpoint; the rest of the flood waits, the calm do not
    calm     ░ ─────────────┘

Round robin by records, as deficit round robin (Shreedhar and Varghese, 1995) without a deficit: slices are short, so
that a share is overdrawn by less than one of them. What waits is bounded by not fetching: a partition with two shares
waiting is held back, and once all has reached its bound every partition that has something waiting is.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from faust.types import TP

ItemT = TypeVar("ItemT")


class Turns(Generic[ItemT]):
    """What waits to be worked, oldest first in each partition.

    records_max, items_max: of one `take`; the first may be passed by less than one item's records, and with so many
        waiting nothing more is to be fetched of any partition of which some are.
    share: records of one partition in one `take`, at least 1; passed by less than one item's.
    records: that wait.
    held: the partitions of which nothing more is to be fetched for now. Replaced, never changed: other threads read it.
    """

    def __init__(self, records_max: int, items_max: int) -> None:
        self.records_max = records_max
        self.items_max = items_max
        self.share = records_max
        self.records = 0
        self.held: frozenset[TP] = frozenset()
        self._waiting: dict[TP, deque[tuple[ItemT, int]]] = {}  # who is served next comes first
        self._counts: dict[TP, int] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, tp: TP, item: ItemT, records: int) -> None:
        """Wait for a turn. records: how many the item holds, 1 or more."""
        self._waiting.setdefault(tp, deque()).append((item, records))
        self._counts[tp] = self._counts.get(tp, 0) + records
        self.records += records
        if tp not in self.held and self._is_enough(tp):
            self.held |= {tp}

    def take(self) -> list[ItemT]:
        """What is to be worked next; [] where nothing waits. Who had a turn and has more is served after all others."""
        taken: list[ItemT] = []
        room = self.records_max
        for tp in list(self._waiting):
            if room <= 0 or len(taken) >= self.items_max:
                break
            queue, served = self._waiting.pop(tp), 0
            while queue and served < self.share and served < room and len(taken) < self.items_max:
                item, records = queue.popleft()
                taken.append(item)
                served += records
            room -= served
            self.records -= served
            self._counts[tp] -= served
            if queue:
                self._waiting[tp] = queue
            else:
                del self._counts[tp]
        self.held = frozenset(filter(self._is_enough, self._waiting))
        return taken

    def _is_enough(self, tp: TP) -> bool:
        return self.records >= self.records_max or self._counts[tp] >= 2 * self.share
