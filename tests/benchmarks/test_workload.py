"""The workload is the same everywhere, is made of valid tickets, and has the shape it claims."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from benchmarks import workload
from benchmarks.machine import describe
from benchmarks.report import save
from fsoc.feeds.sequence import Sequence
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import decode


@pytest.fixture(scope="module")
def sent():
    return list(workload.deliveries(4_000, 40))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(sent):
    assert list(workload.deliveries(4_000, 40)) == sent
    assert list(workload.deliveries(4_000, 40, seed=8)) != sent


def test_at_four_hundred_institutions_every_ticket_is_valid_too():
    for delivery in workload.deliveries(500, 400):
        decode(delivery.payload, institution=delivery.institution)


def test_every_ticket_is_one_that_its_institution_may_send(sent):
    for delivery in sent:
        message = decode(delivery.payload, institution=delivery.institution)
        assert message.sent_at_ms == delivery.timestamp_ms


def test_records_arrive_in_the_order_of_their_stamps(sent):
    stamps = [delivery.timestamp_ms for delivery in sent]

    assert stamps == sorted(stamps)


def test_an_institutions_numbers_have_no_gaps_and_a_resend_keeps_its_own(sent):
    numbers: dict[str, Sequence] = {}
    for delivery in sent:
        numbers.setdefault(delivery.institution, Sequence()).note(orjson.loads(delivery.payload)["seq"])

    assert all(sequence.first == 1 and not sequence.missing for sequence in numbers.values())


def test_resends_updates_and_shared_values_are_about_as_frequent_as_said(sent):
    bodies = [orjson.loads(delivery.payload) for delivery in sent]
    names = Counter((body["ticket_id"], body["revision"]) for body in bodies)
    resent = sum(count - 1 for count in names.values()) / len(sent)
    updated = sum(body["revision"] > 1 for body in bodies) / len(sent)
    users: dict[str, set[str]] = {}
    for body in bodies:
        users.setdefault(body["observables"][0]["value"], set()).add(body["institution"])

    assert 0.01 < resent < 0.03
    assert 0.02 < updated < 0.05
    assert sum(len(institutions) >= 4 for institutions in users.values()) >= 3


def test_the_largest_institution_sends_many_times_what_the_smallest_does(sent):
    sizes = Counter(delivery.institution for delivery in sent)

    assert sizes["fi-001"] > 8 * sizes["fi-040"] > 0


@pytest.mark.parametrize("count", [1, 40, 400])
def test_the_registry_names_every_sender(count):
    registry = Registry.parse(workload.registry(count), "registry")

    assert tuple(registry.institutions) == workload.institutions(count)


def test_events_name_their_logsource_beside_flat_fields():
    events = [orjson.loads(event) for event in workload.events(300)]

    assert all(set(event["logsource"]) <= {"product", "category", "service"} for event in events)
    assert all(not isinstance(value, dict) for event in events for name, value in event.items() if name != "logsource")
    assert len({orjson.dumps(event["logsource"]) for event in events}) == 5


def test_a_saved_result_tells_on_what_machine_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.report.RESULTS", tmp_path)

    saved = orjson.loads(save("one", {"rate": 1.5}).read_bytes())

    assert saved == {"machine": describe(), "figures": {"rate": 1.5}}
    assert saved["machine"]["cores"] >= 1
    assert "orjson" in saved["machine"]["packages"]
