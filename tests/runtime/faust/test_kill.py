"""On a real Kafka: a worker killed in the middle and started again loses nothing and counts nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset

pytestmark = pytest.mark.kafka

TICKETS = 20_000


@pytest.fixture(scope="module")
def exercise():
    made = generate(ExerciseSpec(institutions=40, tickets_per_institution=330, seed=5))
    assert len(made.deliveries) >= TICKETS
    return made


def undisturbed(exercise):
    """Its alerts without a log, without workers, without a crash."""
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    direct = Direct(Pipeline(load_ruleset(), registry, 8, ends=True))
    slices = {institution: [] for institution in registry.institutions}
    for delivery in exercise.deliveries:
        records = slices[delivery.institution]
        records.append(Record(len(records), delivery.at_ms, None, delivery.payload))
    direct.work(slices)
    bodies = direct.newest_alerts()
    return {body["alert_id"]: {**body, "revision": 0} for body in bodies if body["status"] != "retracted"}


async def test_a_worker_killed_in_the_middle_changes_neither_the_counts_nor_the_alerts(field, exercise):
    sent = Counter(delivery.institution for delivery in exercise.deliveries)
    field.institutions.write_text(exercise.institutions_yaml(), encoding="utf-8")
    await field.create_topics(sent)
    killed, other = field.start_worker(), field.start_worker()
    await field.until(lambda: field.owned() == [24.0, 24.0])

    await field.send(exercise.deliveries)
    worked_before = 0.0

    def in_the_middle():
        nonlocal worked_before
        worked_before = killed.figure("fsoc_records_total", lane="intake")
        return sum(header["received"] for header in field.headers().values()) > len(exercise.deliveries) * 0.4

    await field.until(in_the_middle)
    killed.kill()
    assert sum(header["received"] for header in field.headers().values()) < len(exercise.deliveries) * 0.9
    again = field.start_worker()
    # While the dead one's partitions wait for its session to end.
    expecting = asyncio.create_task(asyncio.to_thread(undisturbed, exercise))

    def is_over():
        institutions, partitions = field.headers(), field.newest["correlation.state"]
        closed = [orjson.loads(value)["closed_until_ms"] for (_, key), value in partitions.items() if key == b"header"]
        return sum(header["ended"] for header in institutions.values()) == 40 and closed == [END_MS] * 8

    await field.until(is_over)
    worked = [worked_before + again.figure("fsoc_records_total", lane="intake")]
    worked.append(other.figure("fsoc_records_total", lane="intake"))
    assert [again.stop(), other.stop()] == [0, 0]
    await field.read_to_end()

    headers = {key.removesuffix(b"/header").decode(): header for key, header in field.headers().items()}
    assert {institution: header["received"] for institution, header in headers.items()} == sent
    for header in headers.values():
        assert header["received"] == sum(header[name] for name in ("used", "duplicate", "late", "quarantined"))
    expected = await expecting
    assert len(expected) > 5
    assert field.alerts() == expected
    assert min(worked) > len(exercise.deliveries) * 0.25
