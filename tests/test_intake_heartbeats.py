"""Heartbeats at intake: what they feed, once, in time, and the same again after a crash."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, word_of
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.heartbeats import is_heartbeat
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets.sample import source_status, ticket
from fsoc.tickets.times import milliseconds, rfc3339
from tests.builders import VERSION, Match, NoTechniques, correlation_rule, said

HOUR = 3_600_000
MINUTE = 60_000
NOON = milliseconds("2026-03-02T12:00:00Z")
INSTITUTION = "fi-001"
RULE = correlation_rule(
    type="value_sum",
    rules=("heartbeat",),
    group_by=("institution", "feed"),
    fields=("events_seen",),
    condition=Condition((("gte", 0),)),
)
TICKETS = correlation_rule(id="tickets", group_by=("category",))


class ByKind:
    """Stands in for Sigma: tickets are one detection, heartbeats another."""

    def match_ticket(self, body):
        return [Match("heartbeat" if body["kind"] == "source_status" else "detection", -1)]


def build_stage(registry=None):
    registry = registry or Registry.open()
    registry.get(INSTITUTION)
    rules = {rule.id: rule for rule in (RULE, TICKETS)}
    feeder = Feeder(rules.values())
    ruleset = RuleSet(ByKind(), 2, rules, feeder, NoTechniques(), {}, {}, VERSION, RULE.retention_ms)
    return Pipeline(ruleset, registry, detections_partitions=2, ends=True).intake(INSTITUTION)


def beat(minutes, **changes):
    """A heartbeat whose period ends so many minutes after noon."""
    at = NOON + minutes * MINUTE
    return source_status(period_from=rfc3339(at - MINUTE), period_to=rfc3339(at), **changes)


def told(minutes, number=1):
    """A ticket of that time, which moves the watermark there."""
    at = rfc3339(NOON + minutes * MINUTE)
    return ticket(
        ticket_id=f"t-{number}", occurred_from=..., occurred_to=..., detected_at=at, created_at=at, sent_at=at
    )


def records(bodies, first=0, received=NOON + 24 * HOUR):
    return [Record(first + place, received, None, orjson.dumps(body)) for place, body in enumerate(bodies)]


def puts(outputs, rule="rule"):
    """Entries by ticket id."""
    words = [(said(item), item.value) for item in outputs.published if item.topic == "detections" and item.key]
    found = [(body, word_of(value)) for body, value in words if body["rule"] == rule]
    return {body["ticket_id"]: word for body, word in found if isinstance(word, Entry)}


def fed(*bodies, **how):
    return puts(build_stage().work(records(bodies, **how)))


def test_a_heartbeat_feeds_as_a_ticket_would_under_a_name_that_no_ticket_can_have():
    [(name, entry)] = fed(beat(0, events_seen=7)).items()

    assert name == "heartbeat siem 2026-03-02 2026-03-02T12:00:00.000Z"
    assert is_heartbeat(name)
    assert not is_heartbeat("heartbeat")
    assert (entry.event_time_ms, entry.revision, entry.severity, entry.values) == (NOON, 1, 0, (("7",),))
    assert not entry.ends


def test_one_that_is_sent_again_has_the_same_name_and_another_period_another():
    again = beat(0, sent_at="2026-03-02T18:00:00Z")

    assert len(fed(beat(0), again)) == 1
    assert len(fed(beat(0), beat(5), beat(5, seq_epoch="e2"), beat(5, feed="edr"))) == 4


def test_what_it_does_not_say_is_not_counted():
    assert fed(beat(0, events_seen=...)) == {}


@pytest.mark.parametrize(("minutes", "fed_"), [(0, True), (-1, False)])
def test_one_below_what_is_settled_is_used_and_feeds_nothing(minutes, fed_):
    """allowed lateness 1 h: the ticket settles everything before noon"""
    outputs = build_stage().work(records([told(60), beat(minutes)]))

    assert bool(puts(outputs)) is fed_
    outcomes = [
        one for item in outputs.published if item.topic.startswith("receipts") for one in orjson.loads(item.value)
    ]
    assert [one["outcome"] for one in outcomes] == ["accepted", "accepted"]


@pytest.mark.parametrize(("minutes", "fed_"), [(5, True), (6, False)])
def test_one_from_the_future_feeds_nothing(minutes, fed_):
    assert bool(fed(beat(minutes), received=NOON)) is fed_


def test_it_moves_no_watermark_and_begins_no_past():
    stage = build_stage()
    stage.work(records([told(0), beat(600), told(30, 2)]))

    assert (stage.ledger.watermark_ms, stage.ledger.since_ms) == (NOON + 30 * MINUTE, NOON)
    assert stage.ledger.counts.late == 0


def test_a_feed_that_the_registry_does_not_name_is_not_listened_to():
    text = "institutions: [{id: fi-001, name: One, sector: bank, tier: 1, feeds: [siem]}]"
    registry = Registry.parse(text, "institutions.yml")
    outputs = build_stage(registry).work(records([beat(0), beat(0, feed="edr")]))

    assert list(puts(outputs)) == ["heartbeat siem 2026-03-02 2026-03-02T12:00:00.000Z"]


def test_the_end_record_says_that_nothing_follows_and_nothing_does():
    last = beat(10, ended=True, environment="exercise", exercise_id="x")
    found = fed(
        beat(5, environment="exercise", exercise_id="x"), last, beat(15, environment="exercise", exercise_id="x")
    )

    assert [(entry.event_time_ms - NOON, entry.ends) for entry in found.values()] == [
        (5 * MINUTE, False),
        (10 * MINUTE, True),
    ]


def test_it_is_no_detection_of_a_ticket_and_keeps_nothing_in_the_state():
    stage = build_stage()
    outputs = stage.work(records([beat(0)]))

    assert stage.ledger.detections == 0
    assert puts(outputs, "tickets") == {}
    assert [key for key, _ in outputs.state] == [b"fi-001/day/2026-03-03", b"fi-001/header"]


def restarted(state):
    stage = build_stage()
    for key, value in state.items():
        stage.restore(key, value)
    stage.restored()
    return stage


SENT = st.one_of(
    st.integers(-180, 180).map(lambda minutes: ("beat", minutes)), st.integers(0, 180).map(lambda at: ("ticket", at))
)


@settings(max_examples=100, deadline=None)
@given(sent=st.lists(SENT, min_size=1, max_size=20), data=st.data())
def test_a_replay_feeds_what_was_fed_the_first_time_and_no_more(sent, data):
    """Though the watermark has gone on since."""
    bodies = [beat(at) if what == "beat" else told(at, number) for number, (what, at) in enumerate(sent)]
    log = records(bodies)
    once = puts(build_stage().work(log))
    cut = data.draw(st.integers(1, len(log)))
    back = data.draw(st.integers(0, cut))
    first = build_stage()
    outputs = first.work(log[:cut])
    stage = restarted(dict(outputs.state))
    again, rest = puts(stage.work(log[back:cut])), puts(stage.work(log[cut:]))

    assert puts(outputs) | rest == once
    assert again == puts(build_stage_after(log, back, cut))


def build_stage_after(log, back, cut):
    """What the records from `back` to `cut` published when they were worked the first time."""
    stage = build_stage()
    stage.work(log[:back])
    return stage.work(log[back:cut])
