"""One Kafka for the whole session, on free ports, in a directory that is thrown away."""

from __future__ import annotations

import gc
import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from fsoc.runtime import collector, worker
from fsoc.runtime.kafka import broker
from fsoc.runtime.kafka.maven import KafkaUnavailable, jars

T = TypeVar("T")

# On a cluster that outlives us, too, no topic is met twice.
_session = uuid.uuid4().hex[:8]
_prefixes = itertools.count(1)
_freeze = gc.freeze


@pytest.fixture(scope="session", autouse=True)
def compiled_rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where this session, and every process it starts, keeps compiled rules: not where the user's are."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache", numbered=True)
        patch.setenv("FSOC_RULES_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _unfrozen() -> Iterator[pytest.MonkeyPatch]:
    """Here thousands of workers come and go in one process: none may have what it restored kept for ever.

    Nor may each have the whole process looked through because another went; `freezing` is what a worker has of it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        patch.setattr(worker, "look_again", lambda: None)
        yield patch


@pytest.fixture
def freezing(_unfrozen: pytest.MonkeyPatch) -> Iterator[None]:
    """The collector as a worker has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", _freeze)
        patch.setattr(worker, "look_again", collector.look_again)
        yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a broker that only this session uses; FSOC_BROKERS is used instead when set."""
    if given := os.environ.get("FSOC_BROKERS"):
        yield given
        return
    started = _started(tmp_path_factory.mktemp("kafka"))
    yield started.bootstrap
    broker.stop(started.data_dir)


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[broker.Broker]:
    """A broker with TLS, passwords and access rules that only this session uses."""
    started = _started(tmp_path_factory.mktemp("secure-kafka"), secure=True)
    yield started
    broker.stop(started.data_dir)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """For a test that starts a broker itself, as people do."""
    return _had(jars)


def _started(data_dir: Path, *, secure: bool = False) -> broker.Broker:
    return _had(lambda: broker.start(data_dir, secure=secure))


def _had(get: Callable[[], T]) -> T:
    """What only a machine that can run Kafka has; else the test is skipped, or fails where one is required."""
    try:
        return get()
    except KafkaUnavailable as error:
        if os.environ.get("FSOC_REQUIRE_KAFKA") == "1":
            pytest.fail(f"FSOC_REQUIRE_KAFKA=1, and no Kafka can be had: {error}", pytrace=False)
        pytest.skip(f"no Kafka can be had: {error}")


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topic names and groups that no other test of any session uses."""
    return f"t{_session}-{next(_prefixes)}."
