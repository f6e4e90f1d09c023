"""What is planned for the latency benchmark, and what its figures are made of. No broker, no clock."""

from __future__ import annotations

from collections import Counter, defaultdict

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import planted, timing
from benchmarks.open_loop import Ack, Detected, Sighting
from fsoc.exercise import load
from fsoc.feeds.record import Record
from fsoc.feeds.sequence import Sequence
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset
from fsoc.tickets.decode import decode

BEGIN_MS = 1_795_900_000_000
SECONDS = 5.0
RATE = 100.0
MEMBERS = [f"fi-{number:03d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def exercise():
    return load(institutions=12, tickets=600)


@pytest.fixture(scope="module")
def trios(exercise):
    return planted.trios(SECONDS, planted.independent(exercise.institutions))


@pytest.fixture(scope="module")
def sent(exercise, trios):
    messages = ((delivery.institution, delivery.payload) for delivery in exercise.deliveries)
    flow = planted.tickets_of(messages, planted.flow_count(RATE, SECONDS, trios))
    return list(planted.stamped(planted.plan(flow, trios, SECONDS), BEGIN_MS))


def test_what_is_sent_is_at_the_rate_asked_for_and_evenly_spread(sent):
    a_second = Counter(int(ticket.at_seconds) for ticket in sent)

    assert len(sent) == RATE * SECONDS
    assert sorted(a_second) == [0, 1, 2, 3, 4]
    assert all(abs(count - RATE) <= 12 for count in a_second.values())


def test_tickets_are_sent_in_the_order_of_their_times_none_after_the_end(sent):
    times = [ticket.at_seconds for ticket in sent]

    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < SECONDS


@given(st.floats(1, 30), st.integers(0, 1000))
def test_a_trio_is_of_three_institutions_one_after_another_within_the_time(seconds, seed):
    found = planted.trios(seconds, MEMBERS, seed=seed)

    assert len({trio.indicator for trio in found}) == len(found)
    for trio in found:
        first, second, third = trio.at_seconds
        assert 0 <= first < second < third < seconds
        assert len(set(trio.institutions)) == 3
    assert len(found) >= (seconds - 1) * planted.TRIOS_A_SECOND - 1


def test_trios_keep_no_step_with_the_second():
    """A tick of the workers' comes once a second: trios in step with it would all be lucky, or none."""
    within = [trio.at_seconds[-1] % 1 for trio in planted.trios(60, MEMBERS)]

    assert all(any(edge <= at < edge + 0.1 for at in within) for edge in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))


def test_of_a_holding_group_only_one_member_is_in_trios():
    entries = [{"id": "a", "group": "x"}, {"id": "b", "group": "x"}, {"id": "c", "group": None}]

    assert planted.independent(entries) == ["a", "c"]


def test_a_ticket_is_detected_when_its_first_message_is_sent_and_updates_keep_that(sent):
    first: dict[str, str] = {}
    for ticket in sent:
        message = decode(ticket.payload, institution=ticket.institution)
        body = orjson.loads(ticket.payload)
        assert message.sent_at_ms == int(BEGIN_MS + ticket.at_seconds * 1000)
        assert first.setdefault(body["ticket_id"], body["sent_at"]) == body["detected_at"]
        assert body["environment"] == "production"
    assert any(orjson.loads(ticket.payload)["revision"] > 1 for ticket in sent)


def test_numbers_have_no_gaps_and_what_is_sent_twice_keeps_its_own(exercise):
    bodies = [orjson.loads(one.payload) for one in exercise.deliveries if b'"kind":"ticket"' in one.payload]
    twice = [(body["institution"], body) for body in bodies[:50] for _ in range(2)]
    numbers: dict[tuple[str, str], Sequence] = defaultdict(Sequence)
    seen: Counter[tuple[str, str, int]] = Counter()
    for ticket in planted.stamped(planted.plan(twice, [], SECONDS), BEGIN_MS):
        body = orjson.loads(ticket.payload)
        numbers[ticket.institution, body["feed"]].note(body["seq"])
        seen[ticket.institution, body["feed"], body["seq"]] += 1

    assert all(sequence.first == 1 and not sequence.missing for sequence in numbers.values())
    assert set(seen.values()) <= {2, 4}


def test_by_the_shipped_rules_every_trio_raises_one_alert_with_its_third_ticket(exercise, sent, trios):
    """Through the pipeline without a broker: what the benchmark waits for is there to be waited for."""
    registry = Registry.parse(exercise.institutions_yaml(), "institutions")
    direct = Direct(Pipeline(load_ruleset(), registry))
    offsets: Counter[str] = Counter()
    left = Counter(dict.fromkeys(range(len(trios)), 3))
    for ticket in sent:
        record = Record(offsets[ticket.institution], BEGIN_MS + int(ticket.at_seconds * 1000), None, ticket.payload)
        offsets[ticket.institution] += 1
        direct.work({ticket.institution: [record]})
        if ticket.trio is not None:
            left[ticket.trio] -= 1
            assert _alerts(direct, trios[ticket.trio]) == (0 if left[ticket.trio] else 1)
    assert not +left
    assert len(trios) >= 15
    assert direct.counts().quarantined == direct.counts().late == 0


def _alerts(direct, trio):
    bodies = map(orjson.loads, direct.alerts.values())
    return sum(body["rule_id"] == planted.RULE_ID and body["group"]["indicator"] == trio.indicator for body in bodies)


def test_the_ranks_of_a_hundred_are_nearest_ones():
    assert timing.ranks(range(100, 0, -1)) == {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    assert timing.ranks([7.0]) == {"p50": 7, "p95": 7, "p99": 7, "max": 7}
    assert timing.ranks([]) is None


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_ranks_are_among_what_was_measured_and_have_so_many_below(values):
    found = timing.ranks(values)

    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (1.0, "max")):
        assert found[name] in {round(value, 1) for value in values}
        assert sum(round(value, 1) <= found[name] for value in values) >= share * len(values)


def _trio(number):
    return planted.Trio(f"t{number}.example", ("a", "b", "c"), (number, number + 0.1, number + 0.2))


def _acks(trio, *stamps):
    return [Ack(trio, stamp / 1000 - 0.002, stamp / 1000 + 0.5, stamp) for stamp in stamps]


def test_latency_is_from_the_last_of_the_three_stamps_to_the_first_revision():
    """The plan's third may come before its second in the log.

    a  1000 ┃
    c       ┃ 1200              by the plan it was to be the last
    b           ┃ 1300
    alert           ▲ 1450      revised at 1600
    """
    sightings = [Sighting("id", "t0.example", 1450, 2.0)]

    matched = timing.match([_trio(0)], _acks(0, 1000, 1300, 1200), sightings)

    assert matched.latencies == [timing.Latency(0, 150, pytest.approx(200), None, None)]
    assert (matched.missed, matched.unsent, matched.extra) == ([], [], 0)


def test_a_latency_has_two_parts_before_and_after_its_last_detection():
    """An entry that is written twice, after a crash, was there from the first time on."""
    detected = [
        Detected("t0.example", who, at_ms) for who, at_ms in (("a", 900), ("b", 1380), ("c", 1250), ("b", 1440))
    ]

    matched = timing.match([_trio(0)], _acks(0, 800, 1300, 1200), [Sighting("id", "t0.example", 1450, 2.0)], detected)

    assert [(one.intake_ms, one.correlate_ms, one.broker_ms) for one in matched.latencies] == [(80, 70, 150)]


def test_a_trio_without_an_alert_is_missed_and_one_not_sent_in_whole_is_not():
    acks = [*_acks(0, 1, 2, 3), *_acks(1, 1, 2), *_acks(2, 1, 2, 3)]
    sightings = [Sighting("x", "t2.example", 9, 9.0), Sighting("y", "others.example", 9, 9.0)]

    matched = timing.match([_trio(number) for number in range(3)], acks, sightings)

    assert (matched.missed, matched.unsent) == ([0], [1])
    assert [one.trio for one in matched.latencies] == [2]


def test_a_second_alert_of_one_trio_is_counted_and_the_first_is_measured():
    sightings = [Sighting("x", "t0.example", 50, 1.0), Sighting("y", "t0.example", 90, 1.0)]

    matched = timing.match([_trio(0)], _acks(0, 1, 2, 3), sightings)

    assert matched.extra == 1
    assert [one.broker_ms for one in matched.latencies] == [47]


def test_what_is_decided_while_warming_up_is_left_out():
    """Also when it was begun before and is decided after, it counts: the decision is what is measured."""
    sightings = [Sighting(str(number), f"t{number}.example", 10, 1.0) for number in range(3)]
    acks = [ack for number in range(3) for ack in _acks(number, 1, 2, 3)]

    matched = timing.match([_trio(number) for number in range(3)], acks, sightings, from_seconds=1.15)

    assert [one.trio for one in matched.latencies] == [1, 2]


@pytest.mark.parametrize(
    ("changed", "lag", "broker", "expected"),
    [
        ({}, 50.0, 1000.0, (True, True)),
        ({}, 50.1, 10.0, (False, False)),
        ({}, 1.0, 1000.1, (True, False)),
        ({"missed": 1}, 1.0, 1.0, (True, False)),
        ({"extra": 1}, 1.0, 1.0, (True, False)),
        ({"refused": 1}, 1.0, 1.0, (False, False)),
    ],
)
def test_a_run_is_valid_if_the_sender_kept_its_pace_and_met_if_alerts_are_whole_and_in_time(
    changed, lag, broker, expected
):
    counts = {"refused": 0, "missed": 0, "extra": 0} | changed

    said = timing.verdict(counts, timing.ranks([lag]), timing.ranks([broker]))

    assert (said["valid"], said["met"]) == expected


def test_nothing_measured_is_not_met():
    counts = {"refused": 0, "missed": 0, "extra": 0}

    assert timing.verdict(counts, None, None) == {"valid": False, "met": False}
