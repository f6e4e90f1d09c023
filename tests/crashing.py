"""A log in this process whose user dies at a step of its choice."""

from __future__ import annotations

from fsoc.runtime.memory_log import MemoryLog


class Crash(Exception):  # noqa: N818
    """The process is gone."""


class CrashingLog(MemoryLog):
    """Its process dies, once, at its n-th write or commit: of a write the first half is there."""

    def __init__(self):
        super().__init__(clock=lambda: self.now_ms)
        self.now_ms = 0
        self.crash_in = None
        self.steps = 0

    def _step(self):
        self.steps += 1
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in == 0:
                self.crash_in = None
                raise Crash

    async def write(self, records):
        records = list(records)
        await super().write(records[: len(records) // 2])
        self._step()
        await super().write(records[len(records) // 2 :])

    async def commit(self, group, offsets):
        self._step()
        await super().commit(group, offsets)
