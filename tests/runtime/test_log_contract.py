"""What every log promises, proven for Kafka and for the in-process log alike."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from fsoc.feeds.record import Record
from fsoc.runtime.log import RECORD_BYTES_MAX, Log, Partition, RecordTooLarge, TopicSpec, UnknownTopic, read_to_end


@pytest.fixture
async def topic(log: Log, topic_prefix: str) -> str:
    """A topic with two partitions that keeps the writer's stamps."""
    name = f"{topic_prefix}plain"
    await log.create([TopicSpec(name, partitions=2)])
    return name


async def everything(log: Log, topic: str, partition: int = 0, offset: int = 0) -> list[Record]:
    return [record async for records in read_to_end(log, topic, partition, offset) for record in records]


async def append_numbers(log: Log, topic: str, numbers: Sequence[int], partition: int = 0) -> None:
    for number in numbers:
        await log.append(topic, partition, None, b"%d" % number)
    await log.flush()


async def test_records_come_back_in_order_with_offsets_from_zero(log: Log, topic: str):
    await log.append(topic, 0, b"key", b"first", timestamp_ms=1_000)
    await log.append(topic, 0, None, b"second", timestamp_ms=500)
    await log.flush()

    assert await everything(log, topic) == [Record(0, 1_000, b"key", b"first"), Record(1, 500, None, b"second")]


async def test_a_partition_knows_nothing_of_another(log: Log, topic: str):
    await append_numbers(log, topic, [1], partition=0)
    await append_numbers(log, topic, [2, 3], partition=1)

    assert [record.value for record in await everything(log, topic, 0)] == [b"1"]
    assert [(record.offset, record.value) for record in await everything(log, topic, 1)] == [(0, b"2"), (1, b"3")]
    assert await log.end_offsets([(topic, 0), (topic, 1)]) == {(topic, 0): 1, (topic, 1): 2}


async def test_the_end_of_an_untouched_partition_is_zero_and_there_is_nothing_to_read(log: Log, topic: str):
    assert await log.end_offsets([(topic, 0)]) == {(topic, 0): 0}
    assert await everything(log, topic) == []


async def test_order_holds_over_many_batches_and_flushes(log: Log, topic: str):
    payload = b"x" * 20_000
    for number in range(120):
        await log.append(topic, 0, b"%d" % number, payload)
        if number % 50 == 49:
            await log.flush()
    await log.flush()

    assert [(record.offset, record.key) for record in await everything(log, topic)] == [
        (number, b"%d" % number) for number in range(120)
    ]


async def test_what_was_written_is_durable_without_a_flush_and_in_order(log: Log, topic: str):
    await log.write([(topic, number % 2, b"%d" % number, b"v") for number in range(5)])

    assert [record.key for record in await everything(log, topic, 0)] == [b"0", b"2", b"4"]
    assert [record.key for record in await everything(log, topic, 1)] == [b"1", b"3"]
    assert (await everything(log, topic, 1))[0].timestamp_ms >= 1_772_409_600_000


async def test_a_write_tells_the_offset_of_every_record_also_over_many_batches(log: Log, topic: str):
    assert await log.write([]) == []
    assert await log.write([(topic, 1, None, b"before")]) == [0]

    told = await log.write([(topic, number % 2, b"%d" % number, b"x" * 20_000) for number in range(60)])

    assert told == [number // 2 + number % 2 for number in range(60)]
    for partition in (0, 1):
        found = {record.key: record.offset for record in await everything(log, topic, partition)}
        assert all(found[b"%d" % number] == told[number] for number in range(partition, 60, 2))


async def test_nothing_is_written_when_one_record_of_many_cannot_be(log: Log, topic: str, topic_prefix: str):
    good = (topic, 0, b"k", b"v")
    for bad, error in (((topic, 0, None, b"x" * 2_000_001), RecordTooLarge), ((topic, 2, None, b"v"), UnknownTopic)):
        with pytest.raises(error):
            await log.write([good, bad])

    assert await everything(log, topic) == []


async def test_two_tasks_that_share_a_log_each_find_their_own_records_durable(open_log, log: Log, topic: str):
    async def one_task(partition: int) -> int:
        for number in range(20):
            await log.append(topic, partition, b"%d" % number, b"v")
            await log.flush()
            assert (await other.end_offsets([(topic, partition)]))[topic, partition] == number + 1
        return partition

    other = await open_log()
    assert await asyncio.gather(one_task(0), one_task(1)) == [0, 1]


async def test_reading_starts_at_the_offset_asked_for(log: Log, topic: str):
    await append_numbers(log, topic, range(10))

    assert [record.value for record in await everything(log, topic, offset=7)] == [b"7", b"8", b"9"]
    assert await everything(log, topic, offset=10) == []


async def test_a_slice_is_bounded_and_the_next_goes_on_where_it_ended(log: Log, topic: str):
    await append_numbers(log, topic, range(10))
    reader = await log.reader({(topic, 0): 2})

    slices = []
    while await reader.position(topic, 0) < 10:
        slices += (await reader.slices(records_max=3, wait_ms=5_000)).values()
    await reader.close()

    assert max(map(len, slices)) <= 3
    assert [record.value for records in slices for record in records] == [b"%d" % number for number in range(2, 10)]


async def test_a_bound_on_a_slice_is_one_over_all_partitions_and_none_is_starved(log: Log, topic: str):
    await append_numbers(log, topic, range(6), partition=0)
    await append_numbers(log, topic, range(6), partition=1)
    reader = await log.reader({(topic, 0): 0, (topic, 1): 0})

    seen = {(topic, 0): 0, (topic, 1): 0}
    while min(seen.values()) < 6:
        found = await reader.slices(records_max=4, wait_ms=5_000)
        assert sum(map(len, found.values())) <= 4
        for name, records in found.items():
            seen[name] += len(records)
    await reader.close()

    assert seen == {(topic, 0): 6, (topic, 1): 6}


async def test_a_reader_sees_what_is_appended_after_it_came_to_the_end(log: Log, topic: str):
    await append_numbers(log, topic, [0])
    reader = await log.reader({(topic, 0): 0})
    while await reader.position(topic, 0) < 1:
        await reader.slices(wait_ms=5_000)
    assert await reader.slices() == {}

    await append_numbers(log, topic, [1])
    later = await reader.slices(wait_ms=5_000)
    await reader.close()

    assert [record.value for record in later[topic, 0]] == [b"1"]


async def test_what_is_appended_while_reading_to_the_end_is_left_out(log: Log, topic: str):
    await append_numbers(log, topic, range(3))
    seen = []
    async for records in read_to_end(log, topic, 0):
        seen += [record.value for record in records]
        await append_numbers(log, topic, [99])

    assert seen == [b"0", b"1", b"2"]


async def test_a_slice_that_crosses_the_end_is_cut_there(log: Log, topic: str, monkeypatch: pytest.MonkeyPatch):
    """Two more arrive between asking for the end and reading: they come in the same slice, and are not ours."""
    await append_numbers(log, topic, range(3))
    ask = log.end_offsets

    async def ask_and_be_overtaken(partitions: Sequence[Partition]) -> dict[Partition, int]:
        ends = await ask(partitions)
        await append_numbers(log, topic, [98, 99])
        return ends

    monkeypatch.setattr(log, "end_offsets", ask_and_be_overtaken)

    assert [record.value for record in await everything(log, topic)] == [b"0", b"1", b"2"]


async def test_reading_to_the_end_of_a_compacted_topic_gives_the_newest_of_every_key(log: Log, topic_prefix: str):
    """Nine keys written in turn; the fourth is deleted early and must not come back, however often it is cleaned."""
    topic = f"{topic_prefix}state"
    await log.create([TopicSpec(topic, compacted=True)])
    for number in range(3_000):
        key, value = b"key-%d" % (number % 9), b"%d" % number
        if number % 9 != 3 or number < 90:
            await log.append(topic, 0, key, value)
        elif number == 93:
            await log.append(topic, 0, key, None)
    await log.flush()

    state: dict[bytes | None, bytes | None] = {}
    offsets = []
    for record in await everything(log, topic):
        state[record.key] = record.value
        offsets.append(record.offset)

    assert {key: value for key, value in state.items() if value is not None} == {
        b"key-%d" % (number % 9): b"%d" % number for number in range(2_991, 3_000) if number % 9 != 3
    }
    assert offsets == sorted(offsets)
    assert offsets[-1] + 1 == (await log.end_offsets([(topic, 0)]))[topic, 0]


async def test_a_record_without_value_comes_back_without_value(log: Log, topic: str):
    await log.append(topic, 0, b"key", None, timestamp_ms=7)
    await log.flush()

    assert await everything(log, topic) == [Record(0, 7, b"key", None)]


async def test_a_signature_comes_back_beside_each_record_it_was_written_with(log: Log, topic: str):
    signature = b"e30.\xff." + b"x" * 8_000
    records = [(topic, 0, None, b"%d" % number) for number in range(60)]  # of more than one batch
    assert list(await log.write(records, signature)) == list(range(60))
    await log.write([(topic, 0, None, b"none")])
    await log.append(topic, 0, None, b"none")
    await log.flush()

    found = await everything(log, topic)

    assert [(one.value, one.signature) for one in found[:60]] == [(value, signature) for *_, value in records]
    assert [one.signature for one in found[60:]] == [None, None]


async def test_an_empty_value_is_not_a_missing_one(log: Log, topic: str):
    await log.append(topic, 0, b"", b"", timestamp_ms=7)
    await log.flush()

    assert await everything(log, topic) == [Record(0, 7, b"", b"")]


async def test_a_topic_that_stamps_at_append_overrules_the_writer(log: Log, topic_prefix: str):
    topic = f"{topic_prefix}stamped"
    await log.create([TopicSpec(topic, timestamps="append")])
    await log.append(topic, 0, None, b"v", timestamp_ms=5)
    await log.flush()

    assert (await everything(log, topic))[0].timestamp_ms >= 1_772_409_600_000


async def test_a_record_without_a_stamp_gets_the_present(log: Log, topic: str):
    await append_numbers(log, topic, [1])

    assert (await everything(log, topic))[0].timestamp_ms >= 1_772_409_600_000


async def test_stamps_years_before_and_after_the_present_are_kept(log: Log, topic: str):
    for timestamp_ms in (0, 4_102_444_800_000):
        await log.append(topic, 0, None, b"v", timestamp_ms=timestamp_ms)
    await log.flush()

    assert [record.timestamp_ms for record in await everything(log, topic)] == [0, 4_102_444_800_000]


async def test_a_payload_of_512_kib_passes_whole(log: Log, topic: str):
    payload = bytes(range(256)) * 2_048
    await log.append(topic, 0, b"k", payload)
    await log.flush()

    assert (await everything(log, topic))[0].value == payload


async def test_the_largest_record_passes_and_one_byte_more_is_refused(log: Log, topic: str):
    await log.append(topic, 0, b"k", b"x" * (RECORD_BYTES_MAX - 1))
    with pytest.raises(RecordTooLarge, match="limit 2000000"):
        await log.append(topic, 0, b"k", b"x" * RECORD_BYTES_MAX)
    await append_numbers(log, topic, [1])

    assert await log.end_offsets([(topic, 0)]) == {(topic, 0): 2}


async def test_a_topic_that_does_not_exist_is_refused_by_name(log: Log, topic_prefix: str):
    missing = f"{topic_prefix}missing"

    for use in (
        log.append(missing, 0, None, b"v"),
        log.partitions(missing),
        log.end_offsets([(missing, 0)]),
        log.reader({(missing, 0): 0}),
        log.commit("group", {(missing, 0): 1}),
    ):
        with pytest.raises(UnknownTopic, match=f"{missing}: no such topic"):
            await use


async def test_a_partition_that_does_not_exist_is_refused_with_both_numbers(log: Log, topic: str):
    for number in (2, -1):
        with pytest.raises(UnknownTopic, match=f"has 2 partitions, there is no partition {number}"):
            await log.append(topic, number, None, b"v")


async def test_a_topic_tells_how_many_partitions_it_has(log: Log, topic: str, topic_prefix: str):
    await log.create([TopicSpec(f"{topic_prefix}other")])

    assert await log.partitions(topic, f"{topic_prefix}other") == {topic: 2, f"{topic_prefix}other": 1}


async def test_creating_a_topic_that_exists_leaves_it_as_it_is(log: Log, topic: str):
    await append_numbers(log, topic, [1])
    await log.create([TopicSpec(topic, partitions=5)])

    assert await log.partitions(topic) == {topic: 2}
    assert len(await everything(log, topic)) == 1


async def test_a_committed_offset_is_found_by_another_client(open_log, log: Log, topic: str, topic_prefix: str):
    group = f"{topic_prefix}group"
    assert await log.committed(group, [(topic, 0)]) == {(topic, 0): None}

    await log.commit(group, {(topic, 0): 0, (topic, 1): 4})
    await log.commit(group, {(topic, 0): 3})
    await log.close()
    other = await open_log()

    assert await other.committed(group, [(topic, 0), (topic, 1)]) == {(topic, 0): 3, (topic, 1): 4}
    assert await other.committed(f"{group}-else", [(topic, 0)]) == {(topic, 0): None}


async def test_what_one_client_flushed_another_reads(open_log, log: Log, topic: str):
    await append_numbers(log, topic, range(3))
    other = await open_log()

    assert [record.value for record in await everything(other, topic)] == [b"0", b"1", b"2"]
