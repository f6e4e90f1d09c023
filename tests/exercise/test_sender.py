"""Everything that goes wrong between a sender and its log does go wrong, as intake's own ledger sees it."""

from __future__ import annotations

from collections import Counter, defaultdict

import orjson
import pytest

from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, rfc3339
from fsoc.feeds.ledger import Ledger
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import decode
from fsoc.tickets.times import event_time, milliseconds


@pytest.fixture(scope="module")
def ledgers(exercise):
    """Every institution's ledger after the whole exercise, by institution."""
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    found = {
        name: Ledger(
            allowed_lateness_ms=one.allowed_lateness_ms,
            retention_ms=72 * HOUR_MS,
            feeds=frozenset(one.feeds),
            ends=True,
        )
        for name, one in registry.institutions.items()
    }
    offsets: Counter[str] = Counter()
    for delivery in exercise.deliveries:
        ledger, offset = found[delivery.institution], offsets[delivery.institution]
        judged = ledger.judge(offset, delivery.at_ms, decode(delivery.payload, institution=delivery.institution))
        ledger.settle(offset, judged.outcome)
        offsets[delivery.institution] += 1
    return found


def test_every_outcome_occurs_and_all_are_counted(exercise, ledgers):
    counts = [ledger.counts for ledger in ledgers.values()]
    total = {
        name: sum(getattr(count, name) for count in counts) for name in ("used", "duplicate", "late", "quarantined")
    }

    assert sum(count.received for count in counts) == len(exercise.deliveries) == sum(total.values())
    assert 0.005 < total["duplicate"] / len(exercise.deliveries) < 0.05
    assert 0.002 < total["late"] / len(exercise.deliveries) < 0.04
    assert 0 < total["quarantined"] < 60


def test_every_gap_is_filled_by_the_end_and_every_institution_has_ended(ledgers):
    assert all(ledger.ended for ledger in ledgers.values())
    assert sum(sequence.missing_total() for one in ledgers.values() for sequence in one.sequences.values()) == 0


def test_only_one_institution_is_refused_and_its_tickets_come_again_mended(exercise, ledgers):
    (name,) = [name for name, ledger in ledgers.items() if ledger.counts.quarantined]
    ahead, mended, last_ahead_ms = {}, {}, 0
    for delivery in exercise.deliveries:
        message = decode(delivery.payload, institution=delivery.institution)
        if message.kind != "source_status" and delivery.institution == name:
            future = event_time(message, HOUR_MS) > delivery.at_ms + 5 * MINUTE_MS
            if future:
                last_ahead_ms = delivery.at_ms
            (ahead if future else mended)[message.feed, message.seq_epoch, message.seq] = (
                message.ticket_id,
                delivery.at_ms,
            )

    assert ahead
    assert {key: ticket for key, (ticket, _) in ahead.items()}.items() <= {
        key: ticket for key, (ticket, _) in mended.items()
    }.items()
    assert all(mended[key][1] > last_ahead_ms for key in ahead)  # once somebody has noticed


def test_some_messages_overtake_others(exercise):
    last: dict[tuple[str, ...], int] = defaultdict(int)
    overtaken = 0
    for delivery in exercise.deliveries:
        body = orjson.loads(delivery.payload)
        if "seq" in body:
            name = (body["institution"], body["feed"], body["seq_epoch"])
            overtaken += body["seq"] < last[name]
            last[name] = max(last[name], body["seq"])

    assert overtaken > 100


def test_some_clocks_are_wrong_by_up_to_ninety_seconds(bodies):
    offsets = {body["institution"]: body["clock_offset_ms"] for body in bodies if body["kind"] == "source_status"}

    assert max(map(abs, offsets.values())) <= 90_000
    assert sum(abs(offset) > 5_000 for offset in offsets.values()) >= 4


def test_tickets_are_revised_closed_and_retracted_in_order(tickets):
    revisions: dict[str, set[int]] = defaultdict(set)
    for body in tickets:
        revisions[body["ticket_id"]].add(body["revision"])
    actions = Counter(body["action"] for body in tickets)

    assert all(numbers == set(range(1, len(numbers) + 1)) for numbers in revisions.values())
    assert actions["open"] > actions["close"] > actions["update"] > actions["retract"] > 50


def test_some_feeds_begin_their_numbers_anew(bodies):
    epochs = defaultdict(set)
    for body in bodies:
        epochs[body["institution"], body["feed"]].add(body["seq_epoch"])

    assert any(len(names) == 2 for names in epochs.values())


def test_lines_for_replay_are_the_deliveries_with_their_time_of_arrival(exercise):
    lines = list(exercise.tickets_ndjson())

    assert len(lines) == len(exercise.deliveries)
    for line, delivery in zip(lines[::97], exercise.deliveries[::97], strict=True):
        body = orjson.loads(line)
        assert milliseconds(body.pop("received_at")) == delivery.at_ms
        assert body == orjson.loads(delivery.payload)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1


def test_times_are_written_as_utc_or_as_taipeis_clock():
    assert rfc3339(1_772_409_600_123) == "2026-03-02T00:00:00.123Z"
    assert rfc3339(1_772_409_600_123, local=True) == "2026-03-02T08:00:00.123+08:00"
