"""One event per fetched slice; the committed offset passes a slice when that slice, and all before it, are acked."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from faust.types import TP

from fsoc.runtime.faust.transport import Slice, SliceConsumer

A, B = TP("t.tickets.a", 0), TP("t.tickets.b", 0)


class StubThread:
    """Stands in for the thread that talks to Kafka: what it fetched is given to it, what is committed is kept."""

    def __init__(self):
        self.fetches = []
        self.committed = {}
        self.positions = {}
        self.forgotten = 0

    async def getmany(self, active_partitions, timeout):
        return self.fetches.pop(0)

    async def commit(self, offsets):
        self.committed.update(offsets)
        return True

    async def seek_to_committed(self):
        return {tp: self.committed.get(tp, 0) for tp in (A, B)}

    def assignment(self):
        return {A, B}

    def forget(self):
        self.forgotten += 1

    def verify_event_path(self, now, tp):
        raise AssertionError(f"{tp} has no position yet")  # as aiokafka does just after a rebalance


@pytest.fixture
def consumer(new_app, monkeypatch):
    app = new_app()
    consumer = app.transport.create_consumer(
        callback=app.topics.on_message, on_partitions_revoked=None, on_partitions_assigned=None
    )
    assert isinstance(consumer, SliceConsumer)
    consumer._thread = StubThread()
    consumer._set_active_tps({A, B})
    app.consumer_generation_id = 7
    app.topics._acking_topics.update([A.topic, B.topic])
    monkeypatch.setattr(type(app.producer), "flush", _nothing)
    return consumer


async def _nothing(self):
    pass


async def take(consumer, *fetches):
    """The messages of these fetches, in order; a fetch is {partition: records}."""
    consumer._thread.fetches.extend(
        {TopicPartition(*tp): records for tp, records in fetch.items()} for fetch in fetches
    )
    messages = []
    for _ in fetches:
        async for tp, message in consumer.getmany(timeout=1.0):
            assert message.tp == tp
            consumer._read_offset[tp] = message.offset
            messages.append(message)
    return messages


async def committed(consumer):
    await consumer.commit()
    return dict(consumer._thread.committed)


async def test_every_partition_of_a_fetch_gives_one_message_with_all_its_records(consumer, fetched):
    first, second = await take(consumer, {A: fetched(A.topic, 5, 6, 9), B: fetched(B.topic, 0)})

    assert isinstance(first.value, Slice)
    assert [record.offset for record in first.value.records] == [5, 6, 9]
    assert (first.tp, first.offset, first.value.end, first.generation_id) == (A, 9, 10, 7)
    assert (second.tp, second.offset, second.value.generation) == (B, 0, 7)


async def test_nothing_is_committed_before_the_ack_and_the_whole_slice_after_it(consumer, fetched):
    (slice_,) = await take(consumer, {A: fetched(A.topic, 5, 6, 9)})

    assert await committed(consumer) == {}
    consumer.ack(slice_)
    assert await committed(consumer) == {A: 10}


async def test_a_later_slice_waits_for_the_one_before_it(consumer, fetched):
    """
    slices    |0 1 2|3 4|7|
    acked            x   x     → nothing
    acked      x     x   x     → 8
    """
    first, second, third = await take(
        consumer, {A: fetched(A.topic, 0, 1, 2)}, {A: fetched(A.topic, 3, 4)}, {A: fetched(A.topic, 7)}
    )

    consumer.ack(second)
    consumer.ack(third)
    assert await committed(consumer) == {}
    consumer.ack(first)
    assert await committed(consumer) == {A: 8}


async def test_partitions_are_committed_one_apart_from_the_other(consumer, fetched):
    _, of_b = await take(consumer, {A: fetched(A.topic, 3), B: fetched(B.topic, 1, 2)})

    consumer.ack(of_b)

    assert await committed(consumer) == {B: 3}


async def test_an_ack_after_a_rebalance_counts_for_nothing(consumer, fetched):
    """The partition may be another's by now; what was fetched is fetched again from the committed offset."""
    (stale,) = await take(consumer, {A: fetched(A.topic, 0, 1, 2)})
    consumer.app.consumer_generation_id = 8

    assert consumer.ack(stale) is False
    assert await committed(consumer) == {}


async def test_an_ack_left_from_before_a_seek_does_not_pass_the_slice_fetched_again(consumer, fetched):
    (before,) = await take(consumer, {A: fetched(A.topic, 3, 4)})
    consumer.ack(before)
    await consumer.perform_seek()
    consumer._acked_index[A].add(4)  # as Faust's own stream iterator would, which knows no generations
    first, second = await take(consumer, {A: fetched(A.topic, 0, 1)}, {A: fetched(A.topic, 2, 3, 4)})

    consumer.ack(first)
    assert await committed(consumer) == {A: 2}
    consumer.ack(second)
    assert await committed(consumer) == {A: 5}


async def test_after_a_seek_the_slices_from_before_are_not_waited_for(consumer, fetched):
    await take(consumer, {A: fetched(A.topic, 0, 1)}, {A: fetched(A.topic, 2)})
    await consumer.perform_seek()
    (again,) = await take(consumer, {A: fetched(A.topic, 0, 1, 2)})

    consumer.ack(again)

    assert await committed(consumer) == {A: 3}
    assert consumer._thread.forgotten == 1


async def test_a_rebalance_in_the_middle_of_a_fetch_gives_up_the_rest_of_it(consumer, fetched):
    consumer._thread.fetches.append({TopicPartition(*A): fetched(A.topic, 0), TopicPartition(*B): fetched(B.topic, 0)})
    messages = consumer.getmany(timeout=1.0)

    _, first = await anext(messages)
    consumer.app.consumer_generation_id = 8

    assert first.tp == A
    assert [message async for message in messages] == []


async def test_what_is_acked_when_partitions_are_revoked_is_committed_first(consumer, fetched, monkeypatch):
    """The next owner goes on where this one stopped, not where it last happened to commit."""
    order = []

    async def before_revoked():
        order.append("settled")

    async def revoked(partitions):
        order.append(("revoked", dict(consumer._thread.committed)))

    consumer.app.before_revoked = before_revoked
    consumer._on_partitions_revoked = revoked
    monkeypatch.setattr(consumer.app, "_start_span_from_rebalancing", lambda _: _Span())
    done, _ = await take(consumer, {A: fetched(A.topic, 0, 1)}, {A: fetched(A.topic, 2, 3)})
    consumer.ack(done)

    await consumer.on_partitions_revoked({A, B})

    assert order == ["settled", ("revoked", {A: 2})]
    assert not consumer._unacked_ends[A]


async def test_nothing_more_comes_in_from_a_revocation_until_faust_resumes_whether_or_not_anything_is_assigned(
    consumer, monkeypatch
):
    """Of a new subscription nothing is assigned yet; resuming clears the agents' queues: what lay there was lost."""
    monkeypatch.setattr(consumer.app, "_start_span_from_rebalancing", lambda _: _Span())
    consumer.app.before_revoked = _settled
    consumer._on_partitions_revoked = _revoked
    consumer.resume_flow()
    consumer.app.flow_control.resume()

    await consumer.on_partitions_revoked(set())

    assert not consumer.flow_active
    assert not consumer.app.flow_control.is_active()


async def _settled():
    pass


async def _revoked(partitions):
    pass


class _Span:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


async def test_one_fetch_marks_how_far_was_handed_over_in_the_step_that_moves_the_position(
    new_app, fetched, monkeypatch
):
    """Else an institution could look read to its end while its last slice is on its way to the agent."""
    from faust.transport.drivers import aiokafka as driver

    app = new_app()
    consumer = app.transport.create_consumer(
        callback=app.topics.on_message, on_partitions_revoked=None, on_partitions_assigned=None
    )

    async def fetch(self, consumer, active_partitions, timeout=None, max_records=None):
        return {TopicPartition(*A): fetched(A.topic, 4, 5)}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)

    await consumer._thread._fetch_records(None, {A})
    assert consumer._thread._handed == {A: 6}

    consumer._thread.forget()
    assert consumer._thread._handed == {}


class StubKafka:
    """An aiokafka consumer that has committed some partitions: it seeks to those alone, as the real one does."""

    def __init__(self, committed):
        self.committed = committed
        self.positions = dict.fromkeys(committed, 99)

    async def seek_to_committed(self):
        self.positions.update({tp: offset for tp, offset in self.committed.items() if offset})
        return self.committed

    async def seek_to_beginning(self, *partitions):
        self.positions.update(dict.fromkeys(partitions, 0))


async def test_looking_for_partitions_that_stand_still_does_not_end_a_worker_just_after_a_rebalance(consumer):
    await consumer.verify_all_partitions_active()


async def test_a_partition_never_committed_is_read_from_its_beginning_again_after_a_rebalance(new_app):
    """Else what was fetched and dropped for the rebalance would never be fetched again."""
    app = new_app()
    consumer = app.transport.create_consumer(
        callback=app.topics.on_message, on_partitions_revoked=None, on_partitions_assigned=None
    )
    kafka = consumer._thread._consumer = StubKafka({A: 7, B: None})

    await consumer._thread._seek_to_committed()

    assert kafka.positions == {A: 7, B: 0}
