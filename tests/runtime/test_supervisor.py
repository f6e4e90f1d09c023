"""`fsoc up` starts a worker again when it ends, and gives up when it refuses to start."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from fsoc.runtime import supervisor
from fsoc.settings import load


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """Puts a program in the place of the worker; its runs are lines of a file."""
    runs = tmp_path / "runs"
    runs.touch()

    def use(program):
        head = (
            f"import os, sys; runs = {str(runs)!r}; open(runs, 'a').write('run\\n'); n = len(open(runs).readlines())\n"
        )
        monkeypatch.setattr(supervisor, "WORKER", (sys.executable, "-c", head + program))
        monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.0)
        return lambda: len(runs.read_text().splitlines())

    return use


async def test_a_worker_that_ends_is_started_again_and_one_that_refuses_ends_all(worker):
    runs, said = worker("sys.exit(1 if n < 3 else 2)"), []

    code = await supervisor._keep_one(4, {}, said.append, set())

    assert code == 2
    assert runs() == 3
    assert [line.partition(";")[0] for line in said] == ["Worker 4 ended with code 1"] * 2


async def test_a_worker_told_to_stop_is_stopped_in_order(worker, tmp_path):
    """It asks to be ended: the signal comes from us, and only when it is cancelled."""
    ended = tmp_path / "ended"
    worker(
        "import signal\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(ended)!r}, 'w').write('in order'), sys.exit(0)))\n"
        f"open({str(tmp_path / 'up')!r}, 'w').close()\n"
        "signal.pause()"
    )
    keeping = asyncio.ensure_future(supervisor._keep_one(1, {}, lambda _: None, set()))
    async with asyncio.timeout(30):
        while not (tmp_path / "up").exists():
            await asyncio.sleep(0.01)

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)

    assert ended.read_text() == "in order"


async def test_workers_are_told_to_look_at_the_rules(worker, tmp_path):
    told = tmp_path / "told"
    worker(
        "import signal\n"
        f"signal.signal(signal.SIGHUP, lambda *_: open({str(told)!r}, 'w').write('look'))\n"
        f"open({str(tmp_path / 'up')!r}, 'w').close()\n"
        "while True: signal.pause()"
    )
    running = set()
    keeping = asyncio.ensure_future(supervisor._keep_one(1, {}, lambda _: None, running))
    async with asyncio.timeout(30):
        while not (tmp_path / "up").exists():
            await asyncio.sleep(0.01)
        supervisor._look_at_rules(running)
        while not told.exists():
            await asyncio.sleep(0.01)

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)

    assert not running


def test_workers_are_given_all_settings_and_no_others(monkeypatch, tmp_path):
    from fsoc.settings import load

    monkeypatch.setenv("FSOC_GROUP", "from-the-environment")
    settings = load(
        environment={},
        options={
            "brokers": "127.0.0.1:9092",
            "kafka_protocol": "SASL_SSL",
            "kafka_ca_file": tmp_path / "ca.pem",
            "kafka_username": "fsoc-worker",
            "kafka_password_file": tmp_path / "password",
            "institutions": tmp_path / "i.yml",
            "environment": "test",
            "allowed_lateness": "90m",
        },
    )

    assert load(environment=supervisor._environment(settings)) == settings


def test_what_is_told_and_of_which_drill_reaches_the_workers():
    given = {
        "feedback_hold": "below 60",
        "feedback_k": 5,
        "feedback_at_risk": "never",
        "exercise_id": "spring",
        "alert_key_file": Path("/etc/fsoc/alert.key"),
    }
    settings = load(environment={}, options={**given, "environment": "exercise", "brokers": ["b:1"]})

    workers = load(environment=supervisor._environment(settings))
    assert {name: getattr(workers, name) for name in given} == given
