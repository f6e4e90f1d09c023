"""What reaches the log: everything, in order, with the exercise's own time, whatever the log does in between."""

from __future__ import annotations

import pytest

from fsoc.errors import Retry
from fsoc.runtime.demo.replayer import replay
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.runtime.memory_log import MemoryLog


class ForgetfulLog(MemoryLog):
    """Does not answer every other flush."""

    flushes = 0

    async def flush(self):
        self.flushes += 1
        if self.flushes % 2:
            raise Retry("no answer")
        await super().flush()


@pytest.mark.parametrize(("log_type", "seconds"), [(MemoryLog, 0), (MemoryLog, 0.2), (ForgetfulLog, 0)])
async def test_every_institutions_log_holds_its_deliveries_in_order_and_in_their_time(
    small, picture, log_type, seconds
):
    log = log_type(lambda: 0)
    await log.create(table("x.", picture.feeds, 2, "exercise"))
    await replay(log, "x.", small.deliveries, picture, seconds=seconds)

    for name in picture.feeds:
        found = [
            (record.timestamp_ms, record.value)
            async for records in read_to_end(log, f"x.tickets.{name}", 0)
            for record in records
        ]
        assert found == [(one.at_ms, one.payload) for one in small.deliveries if one.institution == name]
    assert picture.sent == picture.total == len(small.deliveries)
    assert picture.clock_ms == small.deliveries[-1].at_ms
