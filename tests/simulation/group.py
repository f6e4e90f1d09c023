"""The consumer group: who is in it, who owns what, and how that moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from faust.types import TP

from tests.simulation.faults import Crash, Faults
from tests.simulation.worker import Worker

SESSION_SECONDS = 600.0
LOOK_SECONDS = 300.0
WORKERS_MAX = 4


class Group:
    """new_worker: starts one more process."""

    def __init__(
        self, partitions: set[TP], new_worker: Callable[[str], Worker], lot: Random, faults: Faults, size: int
    ) -> None:
        self.members: list[Worker] = []
        self.gone: list[Worker] = []
        self.generation = 0
        self._partitions = sorted(partitions)
        self._new_worker = new_worker
        self._lot = lot
        self._faults = faults
        self._size = size
        self._started = 0
        self._absent: dict[Worker, float] = {}
        self._leaving: set[Worker] = set()

    async def run(self) -> None:
        """Look after the members for ever: the dead are missed, the frozen expelled, others come and go."""
        while len(self.members) < self._size:
            self._start()
        await self.rebalance()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._change():
                await self.rebalance()

    def _change(self) -> bool:
        """Whether the members are others than at the last rebalance."""
        now = asyncio.get_running_loop().time()
        changed = False
        for worker in list(self.members):
            if worker.dead:
                self.members.remove(worker)
                self.gone.append(worker)
                changed = True
            elif worker.frozen_until > now + SESSION_SECONDS:
                worker.coordinator_forgot = True
                self.members.remove(worker)
                self._absent[worker] = worker.frozen_until
                self._faults.counts["expelled"] += 1
                changed = True
        for worker, until in list(self._absent.items()):
            if worker.dead or until <= now:
                del self._absent[worker]
                (self.gone if worker.dead else self.members).append(worker)
                changed = changed or not worker.dead
        if len(self.members) < WORKERS_MAX and self._faults.strikes("join", weight=0.3):
            self._start()
            changed = True
        elif len(self.members) > 1 and self._faults.strikes("leave", weight=0.3):
            self._leaving.add(self._lot.choice(self.members))
            changed = True
        while not self.members:
            self._start()
            changed = True
        return changed

    async def rebalance(self) -> None:
        """Everybody hands back what it has, and gets what it will have."""
        members = [worker for worker in self.members if not worker.dead]
        for worker in members:
            worker.revoking = True
        for worker in members:
            await self._told(worker, self._revoke(worker))
            if worker in self._leaving:
                worker.die()
                self._leaving.discard(worker)
        self.generation += 1
        names = self._lot.sample(self._partitions, len(self._partitions))
        owners = [worker for worker in members if not worker.dead]
        for place, worker in enumerate(owners):
            worker.coordinator_forgot = False
            assigned = {TP(*name) for number, name in enumerate(names) if number % len(owners) == place}
            await self._told(worker, self._assign(worker, assigned))

    async def _revoke(self, worker: Worker) -> None:
        if not worker.coordinator_forgot:
            await worker.before_revoked()
            await worker.consumer.commit()

    async def _assign(self, worker: Worker, assigned: set[TP]) -> None:
        kept = await worker.before_assigned(assigned, self.generation)
        self._faults.counts["kept through a rebalance" if kept else "restored anew"] += 1

    async def _told(self, worker: Worker, work: object) -> None:
        try:
            await work  # type: ignore[misc]
        except Crash:
            worker.die()

    def _start(self) -> None:
        self._started += 1
        self.members.append(self._new_worker(f"worker-{self._started}"))
