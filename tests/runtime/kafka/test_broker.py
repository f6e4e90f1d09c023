"""The broker starts from nothing, clients can use it, and what it was told it keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from fsoc.errors import RefusedToStart, Retry
from fsoc.runtime.kafka import broker, writer
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.log import TopicSpec, read_to_end


@pytest.fixture
def data_dir(kafka: str, tmp_path: Path) -> Iterator[Path]:
    """A directory for a broker of the test's own; asking for `kafka` first settles whether one can be had."""
    yield tmp_path / "own"
    broker.stop(tmp_path / "own")


@pytest.mark.kafka
async def test_what_one_client_produces_another_consumes(kafka: str, topic_prefix: str):
    topic = f"{topic_prefix}hello"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()

    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        for number in range(3):
            await producer.send(topic, key=b"k", value=b"ticket %d" % number)

    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        seen = [await consumer.getone() for _ in range(3)]

    assert [(record.offset, record.key, record.value) for record in seen] == [
        (0, b"k", b"ticket 0"),
        (1, b"k", b"ticket 1"),
        (2, b"k", b"ticket 2"),
    ]


@pytest.mark.kafka
async def test_a_topic_does_not_come_into_being_by_use(kafka: str, topic_prefix: str):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (topic,) = await admin.describe_topics([f"{topic_prefix}never-made"])
        assert topic["error_code"] == 3
        assert f"{topic_prefix}never-made" not in await admin.list_topics()
    finally:
        await admin.close()


@pytest.mark.kafka
async def test_a_broker_keeps_its_records_and_its_port_and_a_log_outlives_its_absence(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    """start ─ write ─ stop ─ write fails ─ start again ─ the same write lands."""
    monkeypatch.setattr(writer, "WRITE_SECONDS_MAX", 0.5)
    assert broker.running(data_dir) is None
    first = broker.start(data_dir)
    assert broker.running(data_dir) == first
    assert broker.start(data_dir) == first, "a second start finds the first"
    with pytest.raises(RefusedToStart, match=r"--fresh: a broker .* runs"):
        broker.start(data_dir, fresh=True)
    with pytest.raises(RefusedToStart, match=f"--port: a broker .* at port {first.port}"):
        broker.start(data_dir, port=first.port + 1)

    log = await KafkaLog.open(first.bootstrap)
    await log.create([TopicSpec("kept")])
    await log.append("kept", 0, b"k", b"before")
    await log.flush()

    assert broker.stop(data_dir) == first
    assert broker.running(data_dir) is None
    assert broker.stop(data_dir) is None
    await log.append("kept", 0, b"k", b"while it was away")
    with pytest.raises(Retry, match=first.bootstrap):
        await log.flush()

    second = broker.start(data_dir)
    assert (second.port, second.pid == first.pid) == (first.port, False)
    monkeypatch.setattr(writer, "WRITE_SECONDS_MAX", 30)
    await log.flush()
    values = [record.value async for records in read_to_end(log, "kept", 0) for record in records]
    assert values[0] == b"before"
    assert set(values[1:]) == {b"while it was away"}, "at least once: never lost, perhaps doubled"
    await log.close()


@pytest.mark.kafka
def test_a_port_that_is_taken_is_refused_by_name(kafka: str, tmp_path: Path):
    taken = int(kafka.rpartition(":")[2])

    with pytest.raises(RefusedToStart, match=f"--port: {taken} is taken"):
        broker.start(tmp_path / "own", port=taken)


@pytest.mark.kafka
def test_a_broker_that_cannot_read_its_data_says_where_its_log_is(kafka: str, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")

    with pytest.raises(RefusedToStart, match=r"kafka\.log: the broker ended with code \d+: .*node.?id") as refused:
        broker.start(tmp_path)

    assert "Traceback" not in str(refused.value)
    assert broker.running(tmp_path) is None


def test_another_program_with_the_pid_of_ours_is_not_taken_for_it(tmp_path: Path):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "server.properties").write_text("listeners=PLAINTEXT://127.0.0.1:9092\n")
    (tmp_path / "kafka.pid").write_text(f"{other.pid}\n")

    try:
        assert broker.running(tmp_path) is None
        assert broker.stop(tmp_path) is None
        assert other.poll() is None, "it lives"
    finally:
        other.communicate(b"\n")


def test_a_directory_that_cannot_be_used_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RefusedToStart, match="file/data: cannot be used for a broker's data: Not a directory"):
        broker.start(tmp_path / "file" / "data")
    with pytest.raises(RefusedToStart, match="has a comma"):
        broker.start(tmp_path / "a,b")


def test_a_large_log_is_put_aside_once_and_a_small_one_is_continued(tmp_path: Path):
    log = tmp_path / "kafka.log"
    log.write_bytes(b"x" * 100)
    broker._keep_one_old_log(log)
    assert log.exists()

    os.truncate(log, broker.LOG_BYTES_MAX + 1)
    broker._keep_one_old_log(log)
    assert not log.exists()
    assert (tmp_path / "kafka.log.1").stat().st_size > broker.LOG_BYTES_MAX
