"""What is read of progress that no worker has worked yet: the last word of each who speaks, alone or with others."""

from __future__ import annotations

from fsoc.correlation.progress import Claim, Progress, progress_record
from fsoc.runtime.audit.reading import Cluster, tail
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from tests.builders import VERSION


async def test_who_spoke_alone_before_and_after_speaking_with_others_is_heard_last_alone():
    """At one offset two things are said of b: with c, while it was busy; alone, once it was read to its end.

    b idle @1 │ b + c @5 │ b idle @5
    """
    log = MemoryLog(lambda: 0)
    await log.create(table("t.", ["b", "c"], 1, "test"))

    def claim(offset, *, idle):
        return Claim(100, offset, 10, idle)

    for claims in (
        {"b": claim(1, idle=True)},
        {"b": claim(5, idle=False), "c": claim(5, idle=False)},
        {"b": claim(5, idle=True)},
    ):
        await log.append("t.detections", 0, None, progress_record(claims, VERSION))

    found = await tail(await Cluster.of(log, "t.", "g"), 0, None)

    again = Progress()
    for said in found.said:
        again.hear(*said)
    assert again.claims == found.progress.claims
    assert again.claims["b"].idle
