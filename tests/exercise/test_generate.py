"""What every exercise must be, whatever its seed; and what the standard one must contain."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart
from fsoc.exercise import CampaignKind, Exercise, ExerciseSpec, generate
from fsoc.exercise.spec import HOUR_MS
from fsoc.institutions.registry import Registry
from fsoc.tickets.decode import decode
from fsoc.tickets.times import event_time, milliseconds

small_specs = st.builds(
    ExerciseSpec,
    institutions=st.integers(8, 24),
    seed=st.integers(0, 2**32),
    hours=st.integers(12, 36),
    tickets_per_institution=st.integers(1, 12),
    campaigns=st.none() | st.integers(0, 9),
)


@settings(max_examples=25, deadline=None)
@given(small_specs)
def test_whatever_is_asked_for_the_same_spec_gives_the_same_bytes(spec):
    assert generate(spec) == generate(spec)


def test_another_process_with_other_hashes_gives_the_same_bytes():
    code = (
        "import hashlib; from fsoc.exercise import *;"
        "e = generate(ExerciseSpec(institutions=12, seed=3, tickets_per_institution=20));"
        "print(hashlib.sha256(repr((e.institutions, e.deliveries, e.truth)).encode()).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(runs) == 1


def test_another_seed_gives_another_exercise():
    first, second = (generate(ExerciseSpec(institutions=8, seed=seed, tickets_per_institution=5)) for seed in (1, 2))

    assert first.institutions != second.institutions
    assert first.deliveries != second.deliveries
    assert {one for plan in first.truth for one in plan.ticket_ids} != {
        one for plan in second.truth for one in plan.ticket_ids
    }


@settings(max_examples=25, deadline=None)
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


def test_forty_institutions_send_five_to_eight_thousand_tickets_of_realistic_size(exercise, tickets):
    sizes = [len(delivery.payload) for delivery in exercise.deliveries]

    assert 5_000 <= len({body["ticket_id"] for body in tickets}) <= 8_000
    assert 1_000 <= sum(sizes) / len(sizes) <= 3_000
    assert max(sizes) < 8_000


def test_ticket_ids_are_unique_over_all_institutions(tickets):
    owners: dict[str, set[str]] = defaultdict(set)
    for body in tickets:
        owners[body["ticket_id"]].add(body["institution"])

    assert all(len(names) == 1 for names in owners.values())


def test_exactly_as_many_tickets_as_asked_for():
    exercise = generate(ExerciseSpec(institutions=10, seed=5), tickets=700)
    found = {
        body["ticket_id"]
        for body in (orjson.loads(one.payload) for one in exercise.deliveries)
        if body["kind"] != "source_status"
    }

    assert len(found) == 700


def test_all_five_kinds_are_planted_and_some_seeds_have_two_of_a_kind():
    counts = [
        Counter(campaign.kind for campaign in generate(ExerciseSpec(seed=seed, tickets_per_institution=1)).truth)
        for seed in range(1, 9)
    ]

    assert all(set(count) == {kind.value for kind in CampaignKind} for count in counts)
    assert any(max(count.values()) == 2 for count in counts)
    assert any(max(count.values()) == 1 for count in counts)


def test_institutions_differ_twenty_to_one_in_size_and_in_what_they_see(tickets):
    sizes = Counter(body["institution"] for body in tickets)
    seen = {
        name: Counter(body["category"] for body in tickets if body["institution"] == name).most_common(1)[0][0]
        for name in sizes
    }

    assert max(sizes.values()) > 8 * min(sizes.values())
    assert len(set(seen.values())) >= 3


def test_campaigns_keep_to_their_time(exercise, tickets):
    """Event time as a reader knows it, by the sender's own clock.

    Detection lags occurrence by minutes and clocks are wrong by up to ninety seconds, so a spread grows a little.
    """
    longest = {
        "phishing_kit": 5.6,
        "shared_supplier": 21,
        "credential_stuffing": 4.8,
        "ransomware_chain": 4,
        "ddos_wave": 1 / 6,
    }
    at = {body["ticket_id"]: event_ms(body) for body in tickets if body["revision"] == 1}
    for campaign in exercise.truth:
        times = sorted(at[ticket] for ticket in campaign.ticket_ids)
        assert times[-1] - times[0] <= longest[campaign.kind] * HOUR_MS, campaign
        assert times[0] == campaign.first_at_ms


def event_ms(body: dict[str, Any]) -> int:
    return event_time(decode(orjson.dumps(body), institution=body["institution"]), HOUR_MS)


def test_no_attackers_value_is_shared_by_two_institutions_outside_campaigns(exercise, tickets):
    planted = {ticket for campaign in exercise.truth + exercise.decoys for ticket in campaign.ticket_ids}
    seen: dict[str, set[str]] = defaultdict(set)
    for body in tickets:
        if body["ticket_id"] in planted:
            continue
        for item in body.get("observables", []):
            if item["role"] in ("attacker", "infrastructure"):
                seen[item["value"]].add(body["institution"])

    assert len(seen) > 1_000
    assert {value for value, names in seen.items() if len(names) > 1} == set()


def test_no_supplier_is_named_by_three_institutions_outside_campaigns(exercise, tickets):
    planted = {ticket for campaign in exercise.truth for ticket in campaign.ticket_ids}
    clients: dict[str, set[str]] = defaultdict(set)
    for body in tickets:
        if body["ticket_id"] not in planted:
            for supplier in body.get("suppliers", []):
                clients[supplier["supplier_id"]].add(body["institution"])

    assert clients
    assert max(map(len, clients.values())) <= 2


def test_everyday_floods_strike_one_institution_and_are_hours_apart(exercise, tickets):
    planted = {ticket for campaign in exercise.truth for ticket in campaign.ticket_ids}
    floods = sorted(
        {
            (milliseconds(body["detected_at"]), body["institution"])
            for body in tickets
            if body["category"] == "availability.ddos" and body["ticket_id"] not in planted
        }
    )

    assert len(floods) >= 2
    assert all(later[0] - earlier[0] >= 2 * HOUR_MS for earlier, later in pairwise(floods))


def test_a_decoy_is_taken_back_by_all_its_reporters(exercise, tickets):
    (decoy,) = exercise.decoys
    last = {}
    for body in sorted(tickets, key=lambda body: body["revision"]):
        last[body["ticket_id"]] = (body["action"], body.get("verdict"))

    assert {last[ticket] for ticket in decoy.ticket_ids} == {("close", "false_positive")}


def test_intelligence_about_a_campaign_comes_from_an_institution_that_was_not_struck(exercise, bodies, tickets):
    intelligence = [body for body in bodies if body["kind"] == "intel"]
    struck: dict[str, set[str]] = defaultdict(set)
    for body in tickets:
        for item in body.get("observables", []):
            struck[item["value"]].add(body["institution"])

    assert intelligence
    for body in intelligence:
        for item in body["observables"]:
            assert len(struck[item["value"]]) >= 4
            assert body["institution"] not in struck[item["value"]]


@pytest.mark.parametrize("chinese", [True, False])
def test_some_institutions_write_chinese_and_some_do_not(tickets, chinese):
    assert any(body["title"].isascii() is not chinese for body in tickets)


def test_impossible_numbers_are_refused_all_at_once():
    with pytest.raises(RefusedToStart) as refused:
        ExerciseSpec(institutions=3, hours=1, tickets_per_institution=0)

    assert [str(problem) for problem in refused.value.problems] == [
        "institutions: found 3, allowed 8 to 1000",
        "hours: found 1, allowed 12 to 168",
        "tickets_per_institution: found 0, allowed 1 to 20000",
    ]


def test_four_hundred_institutions_are_no_other_matter():
    exercise = generate(ExerciseSpec(institutions=400, seed=1, tickets_per_institution=4))

    assert len({entry["name_zh"] for entry in exercise.institutions}) == 400
    assert len({entry["name"] for entry in exercise.institutions}) > 390
    assert_gap_free(exercise)
    assert_ended(exercise)
    assert_truth(exercise)
