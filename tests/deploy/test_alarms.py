"""From a record on a ticket topic to the figure an alert watches, through the state that a worker shows."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest
from prometheus_client import CollectorRegistry

from fsoc.correlation.entries import Version
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.metrics import StateCollector
from fsoc.tickets.sample import source_status, ticket
from fsoc.tickets.times import milliseconds

RECEIVED_MS = milliseconds("2026-03-02T08:11:00+08:00")
HEADER = b"fi-001/header"
REGISTRY = "institutions: [{id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}]"


@pytest.fixture
def intake():
    """Makes the stage anew, as after a crash. No rule is reached: what is sent is refused or is no ticket."""
    nothing = SimpleNamespace(match_ticket=lambda _: [])
    feeder = SimpleNamespace(feeds=lambda *_: ([], 0))
    rules = SimpleNamespace(
        retention_ms=86_400_000,
        version=Version("", ""),
        detector=nothing,
        feeder=feeder,
        attack_of=lambda _: None,
        notes=lambda *_, **__: (),
    )
    pipeline = Pipeline(rules, Registry.parse(REGISTRY, "institutions.yml"))
    return lambda: pipeline.intake("fi-001")


def sent(offset, body):
    return Record(offset, RECEIVED_MS, None, orjson.dumps(body))


def figure(outputs, name, **labels):
    """What a worker shows for `name` once it has written `outputs`."""
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: {"fi-001": dict(outputs.state)[HEADER]}, dict, dict))
    return registry.get_sample_value(name, {"institution": "fi-001", **labels})


def test_a_ticket_in_anothers_name_is_counted_under_the_topics_institution(intake):
    outputs = intake().work([sent(0, ticket(institution="fi-002")), sent(1, source_status())])

    assert figure(outputs, "fsoc_ticket_faults", code="identity.mismatch") == 1
    assert figure(outputs, "fsoc_quarantined_tickets") == 1
    assert figure(outputs, "fsoc_used_tickets") == 1


def test_neither_a_restart_nor_a_replay_counts_a_fault_again_or_forgets_it(intake):
    foreign = [sent(0, ticket(institution="fi-002"))]
    before = intake().work(foreign)
    after_crash = intake()
    for key, value in before.state:
        after_crash.restore(key, value)
    after_crash.restored()

    replayed = after_crash.work(foreign)

    assert figure(replayed, "fsoc_ticket_faults", code="identity.mismatch") == 1


def test_a_feed_was_seen_when_its_newest_record_was_received(intake):
    outputs = intake().work([sent(0, source_status()), sent(1, source_status())._replace(timestamp_ms=RECEIVED_MS - 9)])

    assert figure(outputs, "fsoc_feed_last_seen_timestamp_seconds", feed="siem") == RECEIVED_MS / 1000


def test_numbers_a_report_speaks_of_and_nobody_sent_are_missing(intake):
    outputs = intake().work([sent(0, source_status(last_seq=4)), sent(1, source_status(last_seq=7))])

    assert figure(outputs, "fsoc_missing_messages", feed="siem") == 3
