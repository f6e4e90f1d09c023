"""State is read back whole and in order, from many partitions at once, up to the end as it was. On each kind of log."""

from __future__ import annotations

from contextlib import aclosing

from fsoc.runtime.log import TopicSpec
from fsoc.runtime.state import read_all


async def test_every_partition_is_read_to_its_end_in_order(log, topic_prefix):
    topic = f"{topic_prefix}state"
    await log.create([TopicSpec(topic, 4, compacted=True)])
    for number in range(300):
        await log.append(topic, number % 3, b"%d" % number, b"x" * 1000)
    await log.flush()

    found = {}
    async for (name, partition), records in read_all(log, [(topic, 0), (topic, 2), (topic, 3)]):
        assert name == topic
        found.setdefault(partition, []).extend(int(record.key) for record in records)

    assert found == {0: list(range(0, 300, 3)), 2: list(range(2, 300, 3))}


async def test_what_is_written_meanwhile_is_left_out(log, topic_prefix):
    topic = f"{topic_prefix}state"
    await log.create([TopicSpec(topic, 2, compacted=True)])
    for partition in (0, 1):
        await log.append(topic, partition, b"before", b"")
    await log.flush()

    found = []
    async with aclosing(read_all(log, [(topic, 0), (topic, 1)])) as slices:
        async for _, records in slices:
            for partition in (0, 1):
                await log.append(topic, partition, b"meanwhile", b"")
            await log.flush()
            found += [record.key for record in records]

    assert found == [b"before", b"before"]
