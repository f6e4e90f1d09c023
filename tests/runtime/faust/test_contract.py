"""What we override and call of Faust's and aiokafka's private parts: another version must fail here, not at night."""

from __future__ import annotations

import importlib.metadata
import inspect

import aiokafka
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from faust import App
from faust.assignor.partition_assignor import PartitionAssignor
from faust.streams import Stream
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage

Thread = driver.AIOKafkaConsumerThread

SIGNATURES = [
    (App, "_create_directories", "(self)"),
    (App, "on_rebalance_start", "(self)"),
    (Conductor, "_flag_changes", "(self)"),
    (Stream, "noack", "(self)"),
    (Stream, "events", "async (self)"),
    (Thread, "__post_init__", "(self)"),
    (Thread, "on_start", "async (self)"),
    (Thread, "_create_worker_consumer", "(self, transport)"),
    (Thread, "_fetch_records", "async (self, consumer, active_partitions, timeout=None, max_records=None)"),
    (Thread, "_commit", "async (self, offsets)"),
    (Thread, "_ensure_consumer", "(self)"),
    (Thread, "seek_to_committed", "async (self)"),
    (Thread, "call_thread", "async (self, fun, *args, **kwargs)"),
    (driver.Consumer, "_new_consumer_thread", "(self)"),
    (driver.Consumer, "_to_message", "(self, tp, record)"),
    (Consumer, "getmany", "async (self, timeout)"),
    (Consumer, "_wait_next_records", "async (self, timeout)"),
    (Consumer, "ack", "(self, message)"),
    (Consumer, "_add_gap", "async (self, tp, offset_from, offset_to)"),
    (Consumer, "_new_offset", "(self, tp)"),
    (Consumer, "commit", "async (self, topics=None, start_new_transaction=True)"),
    (Consumer, "perform_seek", "async (self)"),
    (Consumer, "on_partitions_revoked", "async (self, revoked)"),
    (Consumer, "on_partitions_assigned", "async (self, assigned, generation_id=0)"),
    (PartitionAssignor, "_get_client_metadata", "(metadata)"),
    (PartitionAssignor, "_get_copartitioned_groups", "(topics, cluster, subscriptions)"),
    (PartitionAssignor, "_perform_assignment", "(self, cluster, member_metadata)"),
    (
        PartitionAssignor,
        "_protocol_assignments",
        "(self, assignments, cl_distribution, tp_distribution, topic_groups)",
    ),
    (GroupCoordinator, "_do_heartbeat", "async (self)"),
    (Assignment, "state_value", "(self, tp)"),
]


def test_the_versions_are_those_the_overrides_were_written_for():
    assert importlib.metadata.version("faust-streaming") == "0.15.3"
    assert importlib.metadata.version("aiokafka") == "0.14.0"


@pytest.mark.parametrize(("owner", "name", "expected"), SIGNATURES, ids=[f"{o.__name__}.{n}" for o, n, _ in SIGNATURES])
def test_every_method_is_called_as_it_was(owner, name, expected):
    method = getattr(owner, name)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(method).parameters.values()
    ]
    found = str(inspect.Signature(parameters))
    inner = inspect.unwrap(method)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        found = f"async {found}"

    assert found == expected


async def test_every_attribute_we_read_or_set_is_there(new_app):
    app = new_app()
    consumer = app.transport.create_consumer(
        callback=app.topics.on_message, on_partitions_revoked=None, on_partitions_assigned=None
    )

    for name in ("_acked", "_acked_index", "_read_offset", "_unacked_messages", "_buffered_partitions", "_thread"):
        assert hasattr(consumer, name), name
    assert consumer.flow_active is True
    for name in ("consumer_generation_id", "_crashed", "crash_reason"):
        assert hasattr(app, name), name
    assert hasattr(app.topics, "_resubscribe_sleep_lock_seconds")


def test_aiokafka_keeps_its_positions_and_its_patience_where_we_look_for_them():
    assert isinstance(TopicPartitionState.position, property)
    assert isinstance(TopicPartitionState.has_valid_position, property)
    assert "self.highwater = " in inspect.getsource(TopicPartitionState.__init__)
    assert isinstance(SubscriptionState.subscription, property)
    consumer = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in consumer
    assert "self._coordinator = GroupCoordinator" in consumer
    assert "self._fetcher = Fetcher(" in consumer
    assert "backoff=self._prefetch_backoff" in inspect.getsource(Fetcher)
    assert "if backoff:" in inspect.getsource(Fetcher._get_actions_per_node)
    assert "await self._do_heartbeat()" in inspect.getsource(GroupCoordinator._heartbeat_routine)


def test_a_failed_heartbeat_is_told_by_its_result():
    """The time of the newest accepted heartbeat is what a worker's right to write rests on."""
    source = inspect.getsource(GroupCoordinator._do_heartbeat)

    assert source.count("return True") >= 1
    assert "return False" in source


def test_a_message_is_made_as_it_was():
    names = list(inspect.signature(ConsumerMessage).parameters)

    assert names[:9] == "topic partition offset timestamp timestamp_type headers key value checksum".split()
    assert names[9:12] == ["serialized_key_size", "serialized_value_size", "tp"]
    assert names[-1] == "generation_id"


def test_faust_drops_slices_of_an_older_generation_before_an_agent_sees_them():
    assert "message.generation_id != self.app.consumer_generation_id" in inspect.getsource(Stream)
