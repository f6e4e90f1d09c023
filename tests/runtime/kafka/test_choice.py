"""Kafka where it can be had, the in-process log where not, and a sentence that says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka import choice
from fsoc.runtime.kafka.broker import Broker
from fsoc.runtime.kafka.choice import broker_or_memory, given_or_own
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.log import Log, TopicSpec, read_to_end
from fsoc.runtime.memory_log import MemoryLog


@pytest.fixture
def without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("FSOC_REQUIRE_KAFKA", raising=False)


async def works(log: Log, topic: str) -> bool:
    await log.create([TopicSpec(topic)])
    await log.write([(topic, 0, b"k", b"v")])
    return [record.value async for records in read_to_end(log, topic, 0) for record in records] == [b"v"]


async def test_without_java_the_log_is_in_this_process_and_one_line_says_so(without_java: None, tmp_path: Path):
    said: list[str] = []

    async with broker_or_memory((), lambda: 7, data_dir=tmp_path / "own", say=said.append) as carrier:
        assert isinstance(carrier.log, MemoryLog)
        assert carrier.brokers is None
        assert await works(carrier.log, "t")

    assert len(said) == 1
    assert said[0].startswith("without Kafka, in this process: java: not found; install")


async def test_where_kafka_is_required_its_absence_is_refused(
    without_java: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FSOC_REQUIRE_KAFKA", "1")

    with pytest.raises(RefusedToStart, match=r"(?s)java: not found.*FSOC_REQUIRE_KAFKA: is 1"):
        async with broker_or_memory((), lambda: 7, data_dir=tmp_path / "own"):
            pytest.fail("there is no log")


async def test_a_given_cluster_that_does_not_answer_is_refused_not_replaced(tmp_path: Path):
    with pytest.raises(RefusedToStart, match="--brokers: no Kafka answers"):
        async with broker_or_memory(("127.0.0.1:1",), lambda: 7, data_dir=tmp_path / "own"):
            pytest.fail("there is no log")

    assert not (tmp_path / "own").exists()


@pytest.mark.kafka
async def test_a_given_cluster_is_used_and_left_running(kafka: str, topic_prefix: str):
    async with broker_or_memory((kafka,), lambda: 7) as carrier:
        assert isinstance(carrier.log, KafkaLog)
        assert carrier.brokers == kafka
        assert await works(carrier.log, f"{topic_prefix}t")

    async with given_or_own((kafka,)) as address:
        await (await KafkaLog.open(address)).close()


class OneMachine:
    """What `start`, `running` and `stop` do to this machine, but the broker is one that runs anyway."""

    def __init__(self, port: int) -> None:
        self.runs: Broker | None = None
        self._port = port

    def start(self, data_dir: Path, *, say: object) -> Broker:
        self.runs = Broker(data_dir, pid=1, port=self._port)
        return self.runs

    def running(self, data_dir: Path) -> Broker | None:
        return self.runs

    def stop(self, data_dir: Path) -> None:
        self.runs = None


@pytest.mark.kafka
async def test_a_broker_of_our_own_is_stopped_by_whoever_started_it(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    machine = OneMachine(int(kafka.rpartition(":")[2]))
    for name in ("start", "running", "stop"):
        monkeypatch.setattr(choice, name, getattr(machine, name))

    async def fail_in_the_middle() -> None:
        async with broker_or_memory((), lambda: 7, data_dir=tmp_path) as carrier:
            assert carrier.brokers == kafka
            raise RuntimeError("in the middle")

    async with given_or_own((), tmp_path) as address:
        assert address == kafka
        with pytest.raises(RuntimeError, match="in the middle"):
            await fail_in_the_middle()
        assert machine.runs is not None, "it was running before, so it is not the inner one's to stop"
    assert machine.runs is None

    with pytest.raises(RuntimeError, match="in the middle"):
        await fail_in_the_middle()
    assert machine.runs is None, "stopped by the one that started it, though it failed"
