"""How long institutions wait to be told, as the benchmark reads it off the log."""

from __future__ import annotations

import orjson
import pytest

from benchmarks.told import Told, in_time, of_alerts
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog


@pytest.mark.asyncio
async def test_the_first_record_of_each_institution_counts_and_alerts_of_others_do_not():
    log = MemoryLog(lambda: 0)
    await log.create(table("p.", ["fi-1", "fi-2"], environment="test"))

    async def tell(institution, alert, at_ms):
        value = orjson.dumps({"alert_id": alert})
        await log.append(f"p.feedback.{institution}", 0, alert.encode(), value, timestamp_ms=at_ms)
        await log.flush()

    for told in [("fi-1", "a", 1_030), ("fi-1", "a", 9_000), ("fi-2", "a", 1_050), ("fi-2", "x", 5_000)]:
        await tell(*told)
    found = await of_alerts(log, "p.", ["fi-1", "fi-2"], {"a": 1_000, "b": 2_000})

    assert (sorted(found.waits_ms), found.missing) == ([30, 50], 1)
    assert not in_time(found)


@pytest.mark.parametrize(
    ("waits_ms", "missing", "good"), [([], 0, True), ([2_000] * 100, 0, True), ([1] * 98 + [2_001] * 2, 0, False)]
)
def test_so_many_are_to_be_told_in_time(waits_ms, missing, good):
    assert in_time(Told(waits_ms, missing)) is good
