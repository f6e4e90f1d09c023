"""On a real Kafka: the worker that has the links is killed, and campaigns go on at the other as if nothing had been."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset

pytestmark = pytest.mark.kafka


def undisturbed(exercise):
    """Alert → its campaign, of those that stand, without a log and without a crash."""
    direct = Direct(
        Pipeline(load_ruleset(), Registry.parse(exercise.institutions_yaml(), "institutions.yml"), 8, ends=True)
    )
    slices = {}
    for delivery in exercise.deliveries:
        records = slices.setdefault(delivery.institution, [])
        records.append(Record(len(records), delivery.at_ms, None, delivery.payload))
    direct.work(slices)
    direct.finish()
    return {
        alert["alert_id"]: alert["campaign_id"]
        for alert in map(orjson.loads, direct.alerts.values())
        if alert["status"] != "retracted"
    }


async def test_campaigns_go_on_at_another_worker_when_theirs_is_killed(field):
    exercise = generate(ExerciseSpec(institutions=40, hours=48, tickets_per_institution=5, seed=7))
    expected = undisturbed(exercise)
    assert len(set(expected.values()) - {None}) >= 3
    field.institutions.write_text(exercise.institutions_yaml(), encoding="utf-8")
    await field.create_topics(Counter(delivery.institution for delivery in exercise.deliveries))
    workers = [field.start_worker(), field.start_worker()]
    await field.until(lambda: sum(field.owned()) == field.owned_total and all(one.is_ready() for one in workers))

    def owner():
        return next((one for one in field.living if one.figure("fsoc_owned_partitions", lane="campaign")), None)

    def campaigns():
        return [key for _, key in field.newest["campaign.state"] if key.startswith(b"campaign/")]

    # All at once: two days go by in seconds here, and whose log is read to its end is not waited for while it is
    # nobody's. Between a kill and the restore that would be days.
    await field.send(exercise.deliveries)
    await field.until(campaigns)
    owner().kill()
    await field.until(lambda: field.is_named() and len(field.headers()) == 40, seconds=100)
    await field.read_to_end()
    await field.until(lambda: {name: alert["campaign_id"] for name, alert in field.alerts().items()} == expected)
    (left,) = field.living
    assert left.figure("fsoc_owned_partitions", lane="campaign") == 1
    assert left.figure("fsoc_open_campaigns") == 0
    assert left.figure("fsoc_raised_campaigns_total") >= 3
    assert left.stop() == 0
