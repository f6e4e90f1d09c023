"""Signed tickets through intake: used, or quarantined with their signature, the same after a restart."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest

from fsoc.correlation.entries import Version
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets import sample
from fsoc.tickets.told import read_kept
from tests.signing import AT_MS, FOREIGN, OWN, SIGNING_REGISTRY, signed

DAY_MS = 86_400_000
TICKETS = [orjson.dumps(sample.ticket(ticket_id=f"T-{number}", seq=number)) for number in (1, 2, 3)]


def pipeline(registry=SIGNING_REGISTRY):
    """No rule is reached: what a ticket is, is all that is asked."""
    rules = SimpleNamespace(
        retention_ms=DAY_MS,
        version=Version("", ""),
        detector=SimpleNamespace(match_ticket=lambda _: []),
        feeder=SimpleNamespace(feeds=lambda *_: ([], 0)),
        attack_of=lambda _: None,
        notes=lambda *_, **__: (),
    )
    return Pipeline(rules, Registry.parse(registry, "institutions.yml"))


def records(payloads, signature, at_ms=AT_MS, first=0):
    return [Record(first + number, at_ms, None, value, signature) for number, value in enumerate(payloads)]


def told(outputs):
    """Outcome and codes of each receipt."""
    found = []
    for item in outputs.published:
        if item.topic.startswith("receipts."):
            found += [
                (receipt["outcome"], [fault["code"] for fault in receipt["faults"]])
                for receipt in orjson.loads(item.value)
            ]
    return found


def kept(outputs):
    return [read_kept(item.value) for item in outputs.published if item.topic == "quarantine"]


def counts(intake):
    one = intake.ledger.counts
    assert one.received == one.used + one.duplicate + one.late + one.quarantined
    return one.used, one.quarantined


def test_signed_tickets_are_used_in_whatever_order_they_come():
    intake = pipeline().intake("fi-001")

    outputs = intake.work(records(reversed(TICKETS), signed(OWN, TICKETS)))

    assert told(outputs) == [("accepted", [])] * 3
    assert kept(outputs) == []


def test_a_ticket_without_a_signature_is_as_it_was_until_it_must_have_one():
    intake = pipeline().intake("fi-001")

    before = intake.work(records(TICKETS[:1], None))
    after = intake.work(records(TICKETS[1:2], None, AT_MS + 3 * DAY_MS, first=1))

    assert told(before) == [("accepted", [])]
    assert told(after) == [("quarantined", ["signature.missing"])]
    assert b'signature"' not in next(item.value for item in after.published if item.topic == "quarantine")


def test_a_bad_signature_is_quarantined_with_the_ticket_and_counted():
    intake = pipeline().intake("fi-001")
    bad = signed(FOREIGN, TICKETS, kid="own")

    outputs = intake.work(records(TICKETS[:2], bad))

    assert told(outputs) == [("quarantined", ["signature.wrong"])] * 2
    assert [(one.payload, one.signature) for one in kept(outputs)] == [(TICKETS[0], bad), (TICKETS[1], bad)]
    assert intake.ledger.faults == {"signature.wrong": 2}
    assert counts(intake) == (0, 2)


def test_what_is_no_ticket_is_told_of_its_signature_as_well():
    outputs = pipeline().intake("fi-001").work(records([b"{"], b"no signature"))

    assert told(outputs) == [("quarantined", ["signature.malformed", "payload.not-json"])]


def test_whatever_comes_as_a_signature_nothing_is_dropped_and_it_is_kept_as_far_as_it_is_bounded():
    huge = b"\xff" * 1_000_000

    (one,) = kept(pipeline().intake("fi-001").work(records(TICKETS[:1], huge)))

    assert one.payload == TICKETS[0]
    assert one.signature == huge[:16_384]
    again = pipeline().intake("fi-001").work(records([one.payload], one.signature))
    assert told(again) == [("quarantined", ["signature.malformed"])]


@pytest.mark.parametrize("cut", range(5))
def test_after_a_restart_every_offset_has_the_outcome_that_it_had(cut):
    """And what was refused is refused in the same words, at whatever offset the log is read again."""
    sent = [
        *records(TICKETS[:1], signed(OWN, TICKETS)),
        *records(TICKETS[1:2], signed(OWN, TICKETS[:1]), first=1),
        *records(TICKETS[1:2], None, first=2),
        *records(TICKETS[2:], None, AT_MS + 3 * DAY_MS, first=3),
        *records(TICKETS[2:], signed(OWN, TICKETS), AT_MS + 3 * DAY_MS, first=4),
    ]
    intake = pipeline().intake("fi-001")
    before = intake.work(sent)

    again = pipeline().intake("fi-001")
    for key, value in before.state:
        again.restore(key, value)
    again.restored()

    assert told(again.work(sent[cut:])) == told(before)[cut:]
    assert again.ledger.faults == {"signature.not-covered": 1, "signature.missing": 1}
    assert counts(again) == counts(intake) == (3, 2)


def test_a_key_that_was_taken_back_since_changes_nothing_that_was_decided():
    sent = records(TICKETS, signed(OWN, TICKETS))
    before = pipeline().intake("fi-001").work(sent)
    retired = SIGNING_REGISTRY.replace("kid: own,", "kid: own, not_after: 2026-01-01,")
    again = pipeline(retired).intake("fi-001")
    for key, value in before.state:
        again.restore(key, value)
    again.restored()

    assert told(again.work(sent)) == [("accepted", [])] * 3
    assert (
        told(again.work(records(TICKETS, signed(OWN, TICKETS), first=3)))
        == [("quarantined", ["signature.expired-key"])] * 3
    )
