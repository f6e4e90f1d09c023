"""On a real Kafka: workers that are killed, added and stopped lose nothing, count nothing twice, alert the same."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from time import monotonic

import orjson
import pytest

from fsoc.exercise import load
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.content import shipped
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset
from tests.runtime.faust.storm import Sender, Storm

pytestmark = pytest.mark.kafka

INSTITUTIONS = 40
# What is shipped, and every type of correlation that is not in it.
RULES = (shipped("rules"), Path(__file__).with_name("rules"))
OUTCOMES = ("used", "duplicate", "late", "quarantined")
# What a blow takes; the guess counts as much as so many of them that were timed.
BLOW_SECONDS, BLOWS_GUESSED = 8.0, 5
WORKED_OFF_SECONDS_MAX = 900

# FSOC_SOAK_KILLS=10 and the like try it small. joins: as many leave.
SOAK = {
    name: int(os.environ.get(f"FSOC_SOAK_{name.upper()}", default))
    for name, default in (("seed", 1), ("tickets", 200_000), ("kills", 100), ("joins", 50), ("burst", 1_000))
}


def undisturbed(exercise):
    """Its alerts without a log, without workers, without a crash: id → what is on the wire but for the revision."""
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    rules = load_ruleset(RULES)
    direct = Direct(Pipeline(rules, registry, 8, ends=True))
    slices = {institution: [] for institution in registry.institutions}
    for delivery in exercise.deliveries:
        records = slices[delivery.institution]
        records.append(Record(len(records), delivery.at_ms, None, delivery.payload))
    direct.work(slices)
    alerts = [orjson.loads(value) for value in direct.alerts.values()]
    assert {alert["rule_id"] for alert in alerts} >= {name for name in rules.correlations if name.startswith("storm")}
    return {alert["alert_id"]: unrevised(alert) for alert in alerts if alert["status"] != "retracted"}


def unrevised(alert):
    return orjson.dumps({**alert, "revision": 0})


async def through_a_storm(field, exercise, *, seed, workers, kills, joins, burst):
    """Send the exercise while workers are struck; return the storm once everything is worked and all are stopped."""
    field.institutions.write_text(exercise.institutions_yaml(), encoding="utf-8")
    field.use_rules(*RULES)
    await field.create_topics(Counter(delivery.institution for delivery in exercise.deliveries))
    for _ in range(workers):
        field.start_worker()
    sender = Sender(field, exercise.deliveries, rate=0.0, reserve=burst * (kills + kills // 10))
    storm = Storm(field, sender, seed, burst)
    await storm.at_rest()

    flowing = asyncio.create_task(sender.flow())
    began = monotonic()
    blows = storm.plan(kills, joins)
    for number, kind in enumerate(blows):
        # So much that it lasts to the end: what a blow has taken until now, and a guess for the first ones.
        seconds = (BLOWS_GUESSED * BLOW_SECONDS + monotonic() - began) / (BLOWS_GUESSED + number)
        sender.rate = sender.flowing / (seconds * (len(blows) - number))
        await storm.blow(kind)
    await storm.at_rest()
    await sender.rest()
    await flowing

    def is_over():
        ended = sum(header["ended"] for header in field.headers().values())
        closed = field.closed_until_ms() == [END_MS] * field.partitions
        return ended == INSTITUTIONS and closed and field.is_named()

    await field.until(is_over, seconds=WORKED_OFF_SECONDS_MAX)
    assert {worker.stop() for worker in field.living} == {0}
    await field.read_to_end()
    return storm


def assert_nothing_lost_and_nothing_doubled(field, exercise):
    assert field.received() == Counter(delivery.institution for delivery in exercise.deliveries)
    for header in field.headers().values():
        assert header["received"] == sum(header[name] for name in OUTCOMES)


def assert_same_alerts(field, expected):
    alerts = {name: orjson.dumps(alert) for name, alert in field.alerts().items()}
    differing = [name for name in expected.keys() | alerts.keys() if expected.get(name) != alerts.get(name)]
    assert not differing, [(expected.get(name), alerts.get(name)) for name in differing[:3]]


@pytest.mark.parametrize("seed", [1])
async def test_workers_killed_in_the_middle_change_neither_the_counts_nor_the_alerts(field, seed):
    exercise = load(INSTITUTIONS, 10_000, seed=seed)
    expecting = asyncio.create_task(asyncio.to_thread(undisturbed, exercise))  # while workers start

    storm = await through_a_storm(field, exercise, seed=seed, workers=2, kills=2, joins=0, burst=3_000)

    assert_nothing_lost_and_nothing_doubled(field, exercise)
    assert_same_alerts(field, await expecting)
    assert len(storm.kills) == 2
    assert all(kill.waiting > 0 for kill in storm.kills)


@pytest.mark.skipif(not os.environ.get("FSOC_SOAK"), reason="make soak runs it; it takes the better part of an hour")
@pytest.mark.parametrize("seed", [SOAK["seed"]])
async def test_a_hundred_kills_and_workers_that_come_and_go_change_neither_the_counts_nor_the_alerts(
    field, seed, capsys
):
    exercise = load(INSTITUTIONS, SOAK["tickets"], seed=seed)

    storm = await through_a_storm(
        field, exercise, seed=seed, workers=3, kills=SOAK["kills"], joins=SOAK["joins"], burst=SOAK["burst"]
    )

    report = {"seed": seed, "tickets": SOAK["tickets"], "messages": len(exercise.deliveries), **storm.report()}
    with capsys.disabled():
        sys.stdout.write(indented({name: figure for name, figure in report.items() if name != "each"}))
    if path := os.environ.get("FSOC_SOAK_REPORT"):
        Path(path).write_text(indented(report), encoding="utf-8")
    assert_nothing_lost_and_nothing_doubled(field, exercise)
    assert_same_alerts(field, undisturbed(exercise))
    assert len(storm.kills) == SOAK["kills"]
    assert storm.joins == storm.leaves == SOAK["joins"]


def indented(report):
    return orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
