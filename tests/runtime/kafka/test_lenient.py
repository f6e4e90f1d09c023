"""A record of headers called what is not UTF-8 is read like any other, and so is everything behind it."""

from __future__ import annotations

import struct

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from fsoc.feeds.record import signature_of
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.lenient import Kept, Lenient
from fsoc.runtime.log import TopicSpec, read_to_end

NAME = "zqxj"  # as long as what it becomes
BAD = b"\xff\xfe\xfd\xfc"


def spoilt(batch):
    """The batch with that name no UTF-8 any more, and a checksum that is right."""
    found = bytearray(batch.replace(NAME.encode(), BAD))
    struct.pack_into(">I", found, 17, calc_crc32c(bytes(found[21:])))
    return bytes(found)


def batch_of(first, *headers):
    """One record for each list of headers, at these offsets; spoilt before it is packed."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for place, given in enumerate(headers):
        assert builder.append(place, 1000 + place, b"k%d" % place, b"v%d" % (first + place), given) is not None
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, first)
    return spoilt(bytes(built))


def read(raw, offset=0):
    records = Lenient(TopicPartition("t", 0), Kept(raw), None, offset, None, None, True, 0)
    return list(records), records.next_fetch_offset


PARTS = (
    batch_of(0, [], [("fsoc-signature", b"s")]),
    batch_of(2, [("a", b"1")], [(NAME, b"2"), ("fsoc-signature", b"s")], []),
    batch_of(5, [(NAME, None)], [("b", b"")]),
)
BATCHES = b"".join(PARTS)


@pytest.mark.parametrize("offset", range(7))
def test_all_are_read_from_any_offset_in_order_and_once(offset):
    """A broker sends from the batch on that holds the offset asked for."""
    records, following = read(b"".join(PARTS[(offset >= 2) + (offset >= 5) :]), offset)

    assert [(one.offset, one.value) for one in records] == [(at, b"v%d" % at) for at in range(offset, 7)]
    assert following == 7


def test_their_names_are_replaced_and_what_else_they_carry_is_as_it_was():
    records, _ = read(BATCHES)

    assert records[3].headers == (("\ufffd" * 4, b"2"), ("fsoc-signature", b"s"))
    assert signature_of(records[3].headers) == b"s"
    assert records[5].headers == (("\ufffd" * 4, None),)
    assert [one.headers for one in records[:3]] == [(), (("fsoc-signature", b"s"),), (("a", b"1"),)]
    assert [one.timestamp for one in records] == [1000, 1001, 1000, 1001, 1002, 1000, 1001]


def test_who_is_not_lenient_stops_there():
    """As aiokafka itself: when it no longer does, this module can go."""
    plain = fetcher.PartitionRecords.__mro__[1]
    with pytest.raises(UnicodeDecodeError):
        list(plain(TopicPartition("t", 0), Kept(BATCHES), None, 0, None, None, True, 0))


def test_a_record_that_is_damaged_is_still_refused():
    raw = bytearray(BATCHES)
    raw[-1] ^= 1
    with pytest.raises(Exception, match="CRC"):
        read(bytes(raw))


@pytest.mark.kafka
async def test_on_a_broker_what_a_hostile_member_writes_stops_nobody(kafka, topic_prefix, monkeypatch):
    topic = f"{topic_prefix}tickets.fi-001"
    build = BatchBuilder._build

    def build_spoilt(self):
        buffer = build(self)
        self._buffer = spoilt(bytes(self._buffer))
        return self._buffer if buffer is not None else None

    monkeypatch.setattr(BatchBuilder, "_build", build_spoilt)
    log = await KafkaLog.open(kafka)
    try:
        await log.create([TopicSpec(topic)])
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for value, headers in ((b"before", []), (b"hostile", [(NAME, b"")]), (b"after", [])):
                await producer.send_and_wait(topic, value, partition=0, headers=headers)
        values = [record.value async for records in read_to_end(log, topic, 0) for record in records]
        assert values == [b"before", b"hostile", b"after"]
        async with AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False) as consumer:
            consumer.assign([TopicPartition(topic, 0)])
            await consumer.seek_to_beginning()
            got = [await consumer.getone() for _ in range(3)]
        assert [one.value for one in got] == values
        assert got[1].headers == (("\ufffd" * 4, b""),)
    finally:
        await log.close()
