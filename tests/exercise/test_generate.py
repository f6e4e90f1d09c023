"""What every exercise must be, whatever its seed; and what the standard one must contain."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart
from fsoc.exercise import Detail, Exercise, ExerciseSpec, Noise, generate
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import decode

small_specs = st.builds(
    ExerciseSpec,
    institutions=st.integers(8, 24),
    seed=st.integers(0, 2**32),
    hours=st.integers(12, 36) | st.sampled_from((119, 120, 150, 290, 336)),
    tickets_per_institution=st.integers(1, 40),
    campaigns=st.none() | st.integers(0, 12),
    noise=st.sampled_from(Noise),
    heartbeat_minutes=st.sampled_from((60, 97, 240)),
)


@settings(max_examples=15, deadline=None)
@given(small_specs)
def test_whatever_is_asked_for_the_same_spec_gives_the_same_bytes(spec):
    assert generate(spec) == generate(spec)


def test_another_process_with_other_hashes_gives_the_same_bytes():
    code = (
        "import hashlib; from fsoc.exercise import *;"
        "e = generate(ExerciseSpec(institutions=12, seed=3, hours=120, noise=Noise.HIGH));"
        "print(hashlib.sha256(repr((e.institutions, e.deliveries, e.truth, e.feed_truth)).encode()).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(runs) == 1


def test_another_seed_gives_another_exercise():
    first, second = (
        generate(ExerciseSpec(institutions=8, seed=seed, tickets_per_institution=5, hours=24)) for seed in (1, 2)
    )

    assert first.institutions != second.institutions
    assert first.deliveries != second.deliveries
    assert {one for plan in first.truth for one in plan.ticket_ids} != {
        one for plan in second.truth for one in plan.ticket_ids
    }


@settings(max_examples=15, deadline=None)
@given(small_specs)
def test_whatever_is_asked_for_the_deliveries_are_sound(spec):
    exercise = generate(spec)
    ids = {entry["id"] for entry in exercise.institutions}

    assert len(ids) == spec.institutions
    assert set(Registry.parse(exercise.institutions_yaml(), "institutions.yml").institutions) == ids
    assert [one.at_ms for one in exercise.deliveries] == sorted(one.at_ms for one in exercise.deliveries)
    for delivery in exercise.deliveries:
        assert delivery.institution in ids
        decode(delivery.payload, institution=delivery.institution)
    assert_gap_free(exercise)
    assert_ended(exercise)
    assert_truth(exercise)


def assert_gap_free(exercise: Exercise) -> None:
    """Every feed and epoch numbers its messages 1, 2, 3 …, and all of them arrive in the end."""
    numbers: dict[tuple[str, ...], set[int]] = defaultdict(set)
    announced: dict[tuple[str, ...], int] = defaultdict(int)
    for delivery in exercise.deliveries:
        body = orjson.loads(delivery.payload)
        name = (body["institution"], body["feed"], body["seq_epoch"])
        if body["kind"] == "source_status":
            announced[name] = max(announced[name], body["last_seq"])
        else:
            numbers[name].add(body["seq"])
    for name, found in numbers.items():
        assert found == set(range(1, len(found) + 1)), name
        assert announced[name] <= len(found), name


def assert_ended(exercise: Exercise) -> None:
    """Every feed's last record ends it; nothing follows the last end of an institution."""
    tail: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for delivery in exercise.deliveries:
        tail[delivery.institution].append(orjson.loads(delivery.payload))
    for entry in exercise.institutions:
        own = tail[entry["id"]]
        ends = own[-len(entry["feeds"]) :]
        assert sorted(body["feed"] for body in ends if body.get("ended")) == sorted(entry["feeds"])
        assert not any(body.get("ended") for body in own[: -len(entry["feeds"])])
        assert {body["environment"] for body in own} == {"exercise"}


def assert_truth(exercise: Exercise) -> None:
    """The truth names tickets that exist, of institutions that it names, and joins at least three independent ones."""
    owner = {
        body["ticket_id"]: body["institution"]
        for body in (orjson.loads(delivery.payload) for delivery in exercise.deliveries)
        if body["kind"] == "ticket"
    }
    group = {entry["id"]: entry["group"] or entry["id"] for entry in exercise.institutions}
    claimed: list[str] = []
    for campaign in exercise.truth + exercise.decoys:
        claimed.extend(campaign.ticket_ids)
        assert {owner[ticket] for ticket in campaign.ticket_ids} == set(campaign.institutions)
        assert len({group[name] for name in campaign.institutions}) >= 3
        assert campaign.first_at_ms <= campaign.decided_at_ms
    assert len(claimed) == len(set(claimed))
    lines = [orjson.loads(line) for line in exercise.truth_ndjson()]
    assert sorted(line["ticket_id"] for line in lines) == sorted(
        ticket for campaign in exercise.truth for ticket in campaign.ticket_ids
    )
    for line in lines:
        campaign_id, kind = line["label"].split(":")
        (campaign,) = [one for one in exercise.truth if one.id == campaign_id]
        assert (kind, owner[line["ticket_id"]]) == (campaign.kind, line["institution"])


def test_two_weeks_of_forty_institutions_are_what_a_demo_can_carry(exercise, reading):
    sizes = [len(delivery.payload) for delivery in exercise.deliveries]

    assert 15_000 <= len(reading.tickets) <= 20_000
    assert len(exercise.deliveries) < 50_000
    assert 700 <= sum(sizes) / len(sizes) <= 2_000
    assert max(sizes) < 8_000


def test_ticket_ids_are_unique_over_all_institutions(tickets):
    owners: dict[str, set[str]] = defaultdict(set)
    for body in tickets:
        owners[body["ticket_id"]].add(body["institution"])

    assert all(len(names) == 1 for names in owners.values())


@pytest.mark.parametrize(
    ("hours", "noise", "tickets"), [(24, Noise.MEDIUM, 700), (336, Noise.HIGH, 2_500), (336, Noise.MEDIUM, 400)]
)
def test_exactly_as_many_tickets_as_asked_for(hours, noise, tickets):
    exercise = generate(ExerciseSpec(institutions=10, seed=5, hours=hours, noise=noise), tickets=tickets)
    found = {
        body["ticket_id"]
        for body in (orjson.loads(one.payload) for one in exercise.deliveries)
        if body["kind"] != "source_status"
    }

    assert len(found) == tickets


def test_institutions_differ_twenty_to_one_in_size_and_in_what_they_see(tickets):
    sizes = Counter(body["institution"] for body in tickets)
    seen = {
        name: Counter(body["category"] for body in tickets if body["institution"] == name).most_common(1)[0][0]
        for name in sizes
    }

    assert max(sizes.values()) > 8 * min(sizes.values())
    assert len(set(seen.values())) >= 3


@pytest.mark.parametrize("chinese", [True, False])
def test_some_institutions_write_chinese_and_some_do_not(tickets, chinese):
    assert any(body["title"].isascii() is not chinese for body in tickets)


def test_impossible_numbers_are_refused_all_at_once():
    with pytest.raises(RefusedToStart) as refused:
        ExerciseSpec(institutions=3, hours=1, tickets_per_institution=0, heartbeat_minutes=1, detail=Detail.SPARSE)

    assert [str(problem) for problem in refused.value.problems] == [
        "institutions: found 3, allowed 8 to 1000",
        "hours: found 1, allowed 12 to 1080",
        "tickets_per_institution: found 0, allowed 1 to 20000",
        "heartbeat_minutes: found 1, allowed 5 to 240",
        "detail: sparse tickets tell nothing in less than 120 hours",
    ]


def test_four_hundred_institutions_are_no_other_matter():
    exercise = generate(ExerciseSpec(institutions=400, seed=1, tickets_per_institution=4, hours=24))

    assert len({entry["name_zh"] for entry in exercise.institutions}) == 400
    assert len({entry["name"] for entry in exercise.institutions}) > 390
    assert_gap_free(exercise)
    assert_ended(exercise)
    assert_truth(exercise)
