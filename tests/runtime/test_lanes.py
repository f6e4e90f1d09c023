"""What one checkpoint of intake publishes: progress is told once to a partition, and last."""

from __future__ import annotations

import orjson

from fsoc.correlation.progress import Claim, progress_record
from fsoc.feeds.record import Outgoing, Record
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.lanes import intake_lane, progress_last
from fsoc.runtime.worker import Slice, Source
from tests.builders import VERSION
from tests.feed_sector import NOON_MS, PREFIX, FeedSector, payload


def told(institution, offset, partitions=(0, 1)):
    value = progress_record({institution: Claim(100, offset, 10, idle=False)}, VERSION)
    return [Outgoing("detections", partition, None, value) for partition in partitions]


def put(institution, partition):
    return Outgoing("detections", partition, f'["r","{institution}"]'.encode(), b"[]")


def receipt(institution):
    return Outgoing(f"receipts.{institution}", 0, None, b"[]")


def test_what_was_said_is_written_in_its_order_and_progress_after_all_of_it():
    """A promise that all before it was said must not overtake what another institution of the slice says."""
    said = [put("a", 0), receipt("a"), *told("a", 3), put("b", 1), put("b", 0), receipt("b"), *told("b", 7)]

    written = progress_last(said)

    assert written[:5] == [put("a", 0), receipt("a"), put("b", 1), put("b", 0), receipt("b")]
    assert [(record.topic, record.partition, record.key) for record in written[5:]] == [
        ("detections", 0, None),
        ("detections", 1, None),
    ]


def test_every_partition_is_told_of_every_institution_how_far_it_is_now():
    written = progress_last([*told("a", 3), *told("b", 7), *told("a", 5)])

    assert [record.partition for record in written] == [0, 1]
    for record in written:
        institutions = orjson.loads(record.value)["institutions"]
        assert {name: claim[1] for name, claim in institutions.items()} == {"a": 5, "b": 7}


def test_a_partition_that_was_told_other_things_is_told_those():
    written = progress_last([*told("a", 3), *told("b", 7, partitions=(1,))])

    assert [sorted(orjson.loads(record.value)["institutions"]) for record in written] == [["a"], ["a", "b"]]


def test_nothing_said_is_nothing_written():
    assert progress_last([]) == []
    assert progress_last([receipt("a")]) == [receipt("a")]


async def test_what_is_worked_is_told_once_it_is_durable():
    """Not before: what a crash loses was not processed."""
    sector, told = FeedSector.bare(), []

    class Watching:
        def observe(self, institution, records):
            told.append((institution, [record.offset for record in records], len(sector.log.written)))

    await sector.log.create(table(PREFIX, sector.registry.institutions, 2, "test"))
    lane = intake_lane(sector.pipeline(), sector.log, PREFIX, processing=Watching())
    source = Source("tickets.fi-001", 0)
    lane.take([source], kept=False)
    records = [Record(offset, NOON_MS, None, payload(f"t-{offset}")) for offset in range(2)]

    async def ours():
        return True

    async def lost():
        return False

    await lane.restore()
    assert await lane.work([Slice(source, records)], lost) == []
    assert told == []
    await lane.work([Slice(source, records)], ours)
    assert told == [("fi-001", [0, 1], len(sector.log.written))]
    assert sector.log.written
