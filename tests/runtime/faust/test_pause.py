"""On a real Kafka: a worker that stands still until it is thought dead, and then goes on, spoils nothing. Soak only."""

from __future__ import annotations

import os
import signal
from collections import Counter

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(not os.environ.get("FSOC_SOAK"), reason="FSOC_SOAK=1 runs it; it waits for sessions to end"),
]

COUNTS = ("used", "duplicate", "late", "quarantined")


async def test_a_worker_that_wakes_after_others_took_over_writes_nothing_of_what_it_had_in_hand(field):
    """
    sleeper   works ──┤ stopped              ├ wakes, with old slices in hand, is no member
    other     works ──────┤ takes over, works ├─────────────────
    """
    exercise = generate(ExerciseSpec(institutions=12, tickets_per_institution=200, seed=9, hours=24))
    sent = Counter(delivery.institution for delivery in exercise.deliveries)
    field.institutions.write_text(exercise.institutions_yaml(), encoding="utf-8")
    await field.create_topics(sent)
    sleeper, _ = field.start_worker(), field.start_worker()
    await field.until(lambda: sorted(field.owned()) == [10.0, 11.0])

    half = len(exercise.deliveries) // 2
    await field.send(exercise.deliveries[:half])
    await field.until(lambda: field.received().total() > half // 4)
    sleeper.process.send_signal(signal.SIGSTOP)
    await field.send(exercise.deliveries[half:])
    await field.until(lambda: field.received() == sent)
    sleeper.process.send_signal(signal.SIGCONT)
    await field.until(lambda: sorted(field.owned()) == [10.0, 11.0])
    await field.send([])
    await field.until(lambda: sum(header["ended"] for header in field.headers().values()) == 12)
    for worker in field._workers:
        assert worker.stop() == 0
    await field.read_to_end()

    assert field.received() == sent
    assert all(header["received"] == sum(map(header.get, COUNTS)) for header in field.headers().values())
    bodies = [orjson.loads(value) for value in field.newest["alerts"].values()]
    assert {body["status"] for body in bodies} <= {"final", "retracted"}
