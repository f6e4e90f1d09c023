"""What is the in-process log's alone: its clock, its size, and turns."""

from __future__ import annotations

import asyncio

from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import COMPACT_SLACK, MemoryLog


async def test_the_clock_it_was_given_stamps_what_has_no_stamp_or_may_have_none():
    log = MemoryLog(clock=lambda: 42)
    await log.create([TopicSpec("create"), TopicSpec("append", timestamps="append")])
    await log.append("create", 0, None, b"")
    await log.append("create", 0, None, b"", timestamp_ms=7)
    await log.append("append", 0, None, b"", timestamp_ms=7)
    reader = await log.reader({("create", 0): 0, ("append", 0): 0})
    found = await reader.slices()

    assert [record.timestamp_ms for record in found["create", 0]] == [42, 7]
    assert [record.timestamp_ms for record in found["append", 0]] == [42]


async def test_a_compacted_topic_holds_little_more_than_its_keys():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("state", compacted=True)])
    for number in range(50_000):
        await log.append("state", 0, b"%d" % (number % 10), b"v")

    assert len(log._topics["state"][0].records) <= 2 * 10 + COMPACT_SLACK


async def test_a_partition_with_much_to_read_waits_its_turn():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("t", partitions=3)])
    for _ in range(100):
        await log.append("t", 0, None, b"")
    await log.append("t", 1, None, b"")
    await log.append("t", 2, None, b"")
    reader = await log.reader({("t", 0): 0, ("t", 1): 0, ("t", 2): 0})

    assert [set(await reader.slices(records_max=2)) for _ in range(2)] == [{("t", 0)}, {("t", 1), ("t", 2)}]


async def test_a_waiting_reader_is_woken_by_an_append():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("t")])
    reader = await log.reader({("t", 0): 0})
    waiting = asyncio.ensure_future(reader.slices(wait_ms=60_000))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()

    await log.append("t", 0, None, b"v")

    assert [record.value for record in (await waiting)["t", 0]] == [b"v"]


async def test_two_waiting_readers_are_both_woken():
    log = MemoryLog(clock=lambda: 0)
    await log.create([TopicSpec("t", partitions=2)])
    readers = [await log.reader({("t", number): 0}) for number in range(2)]
    waiting = [asyncio.ensure_future(reader.slices(wait_ms=60_000)) for reader in readers]
    for number in range(2):
        await asyncio.sleep(0)
        await log.append("t", number, None, b"v")

    assert all(await asyncio.gather(*waiting))
