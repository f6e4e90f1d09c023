"""The cluster that was given, or a broker of our own that is stopped by whoever started it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka import choice
from fsoc.runtime.kafka.broker import Broker
from fsoc.runtime.kafka.choice import given_or_own
from fsoc.runtime.kafka.maven import KafkaUnavailable
from fsoc.runtime.kafka.secured import Secured
from fsoc.settings import load

NONE = load(environment={})
FOR_ANOTHER = load(
    environment={},
    options={"kafka_protocol": "SASL_SSL", "kafka_username": "fsoc-worker", "kafka_password_file": "password"},
)


async def test_without_java_there_is_no_broker_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(KafkaUnavailable, match="java: not found; install"):
        async with given_or_own(NONE, tmp_path / "own"):
            pytest.fail("there is no broker")


async def test_a_given_cluster_is_used_and_none_of_ours_is_made(tmp_path: Path):
    given = load(environment={}, options={"brokers": "127.0.0.1:1, 127.0.0.1:2"})
    async with given_or_own(given, tmp_path / "own") as settings:
        assert settings == given

    assert not (tmp_path / "own").exists()


async def test_a_broker_of_our_own_that_asks_who_comes_is_not_started_without_an_answer(tmp_path: Path):
    Secured(tmp_path).make(dt.datetime.now(dt.UTC))

    with pytest.raises(RefusedToStart, match=r"--brokers: the broker of .* --settings .*/security/fsoc-worker.yml"):
        async with given_or_own(NONE, tmp_path):
            pytest.fail("nobody was told who comes")


class OneMachine:
    """What `start`, `running` and `stop` do to this machine, without a broker."""

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


async def test_a_broker_of_our_own_is_stopped_by_whoever_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    machine = OneMachine(9092)
    for name in ("start", "running", "stop"):
        monkeypatch.setattr(choice, name, getattr(machine, name))

    async def fail_in_the_middle() -> None:
        async with given_or_own(NONE, tmp_path) as settings:
            assert settings.brokers == ("127.0.0.1:9092",)
            raise RuntimeError("in the middle")

    async with given_or_own(FOR_ANOTHER, tmp_path) as settings:
        assert settings == NONE.model_copy(update={"brokers": ("127.0.0.1:9092",)}), "ours asks for no password"
        with pytest.raises(RuntimeError, match="in the middle"):
            await fail_in_the_middle()
        assert machine.runs is not None, "it was running before, so it is not the inner one's to stop"
    assert machine.runs is None

    with pytest.raises(RuntimeError, match="in the middle"):
        await fail_in_the_middle()
    assert machine.runs is None, "stopped by the one that started it, though it failed"
