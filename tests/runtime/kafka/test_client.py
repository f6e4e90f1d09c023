"""What is Kafka's alone: clusters that do not answer, topics that take less than we write."""

from __future__ import annotations

import asyncio
import logging

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka.client import APPENDED_BYTES_MAX, KafkaLog
from fsoc.runtime.log import RecordTooLarge, TopicSpec, read_to_end


@pytest.mark.parametrize("brokers", ["127.0.0.1:1", "nonsense", "host:port", ""])
async def test_a_cluster_that_does_not_answer_is_refused_by_the_option_s_name(
    brokers: str, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING), pytest.raises(RefusedToStart, match=f'--brokers: no Kafka .* "{brokers}"'):
        await KafkaLog.open(brokers)

    assert [entry.getMessage() for entry in caplog.records if entry.name.startswith("aiokafka")] == []


@pytest.mark.kafka
async def test_after_a_topic_refused_a_record_as_too_large_the_log_writes_on(kafka: str, topic_prefix: str):
    narrow, wide = f"{topic_prefix}narrow", f"{topic_prefix}wide"
    log = await KafkaLog.open(kafka)
    await log.create([TopicSpec(narrow, batch_bytes_max=10_000), TopicSpec(wide)])

    with pytest.raises(RecordTooLarge, match=rf"{narrow}: a record of more than its max\.message\.bytes"):
        await log.write([(narrow, 0, None, b"x" * 20_000)])
    await log.append(narrow, 0, None, b"x" * 20_000)
    with pytest.raises(RecordTooLarge):
        await log.flush()
    await log.write([(narrow, 0, None, b"small"), (wide, 0, None, b"x" * 20_000)])
    await log.flush()

    assert await log.end_offsets([(narrow, 0), (wide, 0)]) == {(narrow, 0): 1, (wide, 0): 1}
    await log.close()


@pytest.mark.kafka
async def test_what_is_appended_without_a_flush_does_not_grow_without_bound(kafka: str, topic_prefix: str):
    topic = f"{topic_prefix}much"
    log = await KafkaLog.open(kafka)
    await log.create([TopicSpec(topic)])
    for _ in range(APPENDED_BYTES_MAX // 1_000_000 + 1):
        await log.append(topic, 0, None, b"x" * 1_000_000)

    assert (await log.end_offsets([(topic, 0)]))[topic, 0] > 0
    assert log._appended_bytes <= APPENDED_BYTES_MAX
    await log.close()


@pytest.mark.kafka
async def test_many_tasks_write_at_once_and_each_keeps_its_order(kafka: str, topic_prefix: str):
    """More tasks than partitions, batches of several sizes: within a partition each task's numbers rise."""
    topic = f"{topic_prefix}busy"
    log = await KafkaLog.open(kafka)
    await log.create([TopicSpec(topic, partitions=2)])

    async def one_task(task: int) -> None:
        for call in range(5):
            await log.write([(topic, task % 2, b"%d" % task, b"%d" % (100 * call + i)) for i in range(50)])

    await asyncio.gather(*map(one_task, range(6)))

    for partition in (0, 1):
        seen: dict[bytes | None, list[int]] = {}
        async for records in read_to_end(log, topic, partition):
            for record in records:
                seen.setdefault(record.key, []).append(int(record.value or b""))
        assert len(seen) == 3
        assert all(numbers == [100 * call + i for call in range(5) for i in range(50)] for numbers in seen.values())
    await log.close()
