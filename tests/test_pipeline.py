"""The whole way of a ticket, over an exercise: what is published is well-formed, and how it arrived does not matter."""

from __future__ import annotations

from collections import Counter
from random import Random

import orjson
import pytest

from fsoc.alerts.schema import Alert
from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset
from fsoc.sharing.model import Feedback


@pytest.fixture(scope="module")
def rules():
    return load_ruleset()


@pytest.fixture(scope="module")
def exercise():
    return generate(ExerciseSpec(institutions=12, seed=3, hours=24, tickets_per_institution=160))


def logs_of(exercise):
    """Each institution's log: its records in order of arrival."""
    logs = {}
    for delivery in exercise.deliveries:
        log = logs.setdefault(delivery.institution, [])
        log.append(Record(len(log), delivery.at_ms, None, delivery.payload))
    return logs


def run(rules, exercise, slices, partitions=8):
    published = []
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    direct = Direct(Pipeline(rules, registry, detections_partitions=partitions, ends=True), published.append)
    for one in slices:
        direct.work(one)
    return direct, published


def in_order(exercise, size):
    """Slices of the sector's stream, in order of arrival."""
    positions = Counter()
    logs = logs_of(exercise)
    for start in range(0, len(exercise.deliveries), size):
        lengths = Counter(delivery.institution for delivery in exercise.deliveries[start : start + size])
        yield {name: logs[name][positions[name] : positions[name] + length] for name, length in lengths.items()}
        positions.update(lengths)


def shuffled(exercise, seed):
    """Each institution's log in its own order, but the institutions interleaved at random, in slices of random size."""
    random = Random(seed)
    left = logs_of(exercise)
    while left:
        name = random.choice(sorted(left))
        size = random.randint(1, 400)
        yield {name: left[name][:size]}
        left[name] = left[name][size:]
        if not left[name]:
            del left[name]


def standing(direct):
    alerts = [alert for alert in direct.newest_alerts() if alert["status"] != "retracted"]
    return [{field: value for field, value in alert.items() if field != "revision"} for alert in alerts]


@pytest.fixture(scope="module")
def usual(rules, exercise):
    return run(rules, exercise, in_order(exercise, 200))


def test_an_end_record_of_every_feed_makes_every_alert_final(usual):
    direct, _ = usual

    assert len(direct.alerts) > 5
    assert {alert["status"] for alert in direct.newest_alerts()} <= {"final", "retracted"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slices_partitions_and_the_interleaving_of_institutions_change_no_alert(rules, exercise, usual, seed):
    other, _ = run(rules, exercise, shuffled(exercise, seed), partitions=seed)

    assert standing(other) == standing(usual[0])


def test_received_is_used_and_duplicate_and_late_and_quarantined_for_each_institution(exercise, usual):
    direct, published = usual
    told = {}
    for item in published:
        topic, _, institution = item.topic.partition(".")
        if topic == "receipts":
            told.setdefault(institution, Counter()).update(one["outcome"] for one in orjson.loads(item.value))
    sent = Counter(delivery.institution for delivery in exercise.deliveries)

    for name, intake in direct.intakes.items():
        counts = intake.ledger.counts
        assert counts.received == sent[name]
        assert counts.received == counts.used + counts.duplicate + counts.late + counts.quarantined
        assert told[name]["accepted"] == counts.used
        assert told[name]["duplicate"] == counts.duplicate
        assert told[name]["late"] == counts.late
        assert told[name]["quarantined"] == counts.quarantined


def test_every_alert_and_feedback_is_as_published(usual):
    direct, published = usual
    for item in published:
        if item.topic == "alerts":
            Alert.model_validate_json(item.value)
        elif item.topic.startswith("feedback."):
            assert Feedback.model_validate_json(item.value).institution == item.topic.removeprefix("feedback.")
    assert direct.feedback


def test_feedback_names_no_other_institution_and_no_other_ones_ticket(exercise, usual):
    direct, _ = usual
    names = {institution["id"] for institution in exercise.institutions}
    for (institution, alert), value in direct.feedback.items():
        tickets = orjson.loads(direct.alerts[alert])["tickets"]
        others = names - {institution} | {ticket for name in tickets if name != institution for ticket in tickets[name]}
        own = set(tickets.get(institution, ()))
        assert not [name for name in others - own if f'"{name}"' in value.decode()]


def test_a_joint_alert_has_at_least_two_independent_institutions(usual):
    joint = [alert for alert in usual[0].newest_alerts() if alert["kind"] == "joint"]

    assert joint
    assert all(alert["independent_count"] >= 2 for alert in joint)
    assert all(set(alert["tickets"]) == set(alert["institutions"]) for alert in joint)
    assert all(sum(alert["explanation"]["share"].values()) == alert["ticket_count"] for alert in joint)
