"""What is left of every planted campaign, as the README promises it, over many seeds, levels and sizes."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from fsoc.exercise import CampaignKind, Detail, ExerciseSpec, Noise, generate
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, PLANTED_FROM_MS, START_MS, WARM_UP_MS


def spec(seed, **more):
    """With little of everyday life: what is looked at here is what is planted."""
    return ExerciseSpec(seed=seed, heartbeat_minutes=240, tickets_per_institution=60, **more)


KINDS = [kind.value for kind in CampaignKind]
DAY_LONG = KINDS[:5]
SPECS = [
    *(spec(seed) for seed in range(1, 5)),
    *(spec(seed, noise=Noise.HIGH) for seed in range(5, 11)),
    *(spec(seed, institutions=12, campaigns=16) for seed in range(11, 16)),
    *(spec(seed, institutions=20, hours=288, noise=Noise.HIGH) for seed in range(16, 19)),
    *(spec(seed, institutions=8, noise=Noise.LOW) for seed in range(19, 22)),
    spec(22, institutions=100, hours=24 * 45),
]
SHORT = [spec(seed, hours=hours, institutions=20) for seed, hours in ((1, 12), (2, 24), (3, 36), (4, 96))]
CLOCKS_MS = 15 * MINUTE_MS
"""Noticing takes up to twelve minutes and clocks are up to ninety seconds wrong, so that a spread grows a little."""


@pytest.fixture(
    scope="module",
    params=[*SPECS, *SHORT],
    ids=lambda spec: f"{spec.institutions}-{spec.hours}h-{spec.noise}-{spec.seed}",
)
def any_reading(request, read):
    return read(request.param)


def planted(reading, kind):
    return [campaign for campaign in reading.exercise.truth if campaign.kind == kind]


def common(reading, campaign, *roles):
    """The values most of the campaign's tickets have in common, most common first."""
    counted = Counter(
        value
        for ticket in campaign.ticket_ids
        for value in reading.tickets[ticket].values(*roles)
        if value in campaign.title or "attacker" in roles
    )
    return [value for value, _ in counted.most_common()]


def test_every_campaign_strikes_three_independent_institutions_and_says_when_it_is_decided(any_reading):
    for campaign in any_reading.exercise.truth + any_reading.exercise.decoys:
        first: dict[str, int] = {}
        for ticket, reporter in zip(campaign.ticket_ids, campaign.reporters, strict=True):
            seen = any_reading.tickets[ticket]
            assert seen.institution == reporter
            group = any_reading.independent[reporter]
            first[group] = min(seen.at_ms, first.get(group, seen.at_ms))

        assert len(first) >= 3
        assert campaign.first_at_ms == min(first.values())
        assert campaign.decided_at_ms == sorted(first.values())[2]


def test_campaigns_strike_when_institutions_have_a_past_and_end_before_the_exercise_does(any_reading):
    spec = any_reading.exercise.spec
    earliest = PLANTED_FROM_MS if spec.has_past else HOUR_MS
    for campaign in any_reading.exercise.truth:
        times = [any_reading.tickets[ticket].at_ms for ticket in campaign.ticket_ids]
        assert min(times) >= START_MS + earliest - CLOCKS_MS
        assert max(times) <= spec.end_ms - HOUR_MS


def test_a_phishing_kits_host_is_left_at_three_institutions_within_five_hours(any_reading):
    for campaign in planted(any_reading, "phishing_kit"):
        (host,) = common(any_reading, campaign, "infrastructure")[:1]
        left = any_reading.left_of(
            campaign,
            lambda seen, host=host: (
                host in seen.values("infrastructure")
                and any(item["fields"].get("cs-host") == host for item in seen.body.get("evidence", []))
                and seen.body["severity"] >= 3
            ),
        )
        assert any_reading.settled_after_ms(left) <= 5 * HOUR_MS + CLOCKS_MS


def test_a_stolen_suppliers_id_and_address_are_left_at_three_institutions_within_twenty_hours(any_reading):
    for campaign in planted(any_reading, "shared_supplier"):
        left = any_reading.left_of(
            campaign,
            lambda seen, title=campaign.title: (
                any(one["supplier_id"] in title for one in seen.body.get("suppliers", []))
                and any(value in title for value in seen.values("attacker"))
                and seen.body["severity"] >= 3
            ),
        )
        assert any_reading.settled_after_ms(left) <= 20 * HOUR_MS + CLOCKS_MS


def test_a_stuffing_tools_first_address_is_left_at_three_institutions_within_four_hours(any_reading):
    for campaign in planted(any_reading, "credential_stuffing"):
        first = campaign.title.removeprefix("Credential stuffing from ").split(", ")[0]
        left = any_reading.left_of(
            campaign,
            lambda seen, first=first: (
                {"ipv4", "user_agent", "ja4"} <= {item["type"] for item in seen.body.get("observables", [])}
                and first in seen.values("attacker")
                and seen.body["volume"]["failed_logins"] >= 400
            ),
        )
        assert any_reading.settled_after_ms(left) <= 4 * HOUR_MS + CLOCKS_MS


def test_a_ransomware_crews_server_and_last_step_are_left_at_three_institutions_within_four_hours(any_reading):
    for campaign in planted(any_reading, "ransomware_chain"):
        left = any_reading.left_of(
            campaign,
            lambda seen, title=campaign.title: (
                any(value in title for value in seen.values("infrastructure"))
                and seen.body["category"] == "malicious-code.ransomware"
            ),
        )
        assert any_reading.settled_after_ms(left) <= 4 * HOUR_MS


def test_five_floods_of_a_gigabit_or_more_are_left_within_ten_minutes(any_reading):
    for campaign in planted(any_reading, "ddos_wave"):
        left = any_reading.left_of(campaign, lambda seen: seen.body["volume"]["peak_bps"] >= 10**9)
        assert any_reading.settled_after_ms(left, min(5, len(campaign.institutions))) <= 10 * MINUTE_MS
        assert all("availability.ddos" in any_reading.tickets[one].body["category"] for one in campaign.ticket_ids)


def test_floods_of_one_wave_differ_a_hundredfold(any_reading):
    peaks = [
        any_reading.tickets[ticket].body["volume"]["peak_bps"]
        for campaign in planted(any_reading, "ddos_wave")
        for ticket in campaign.ticket_ids
    ]
    assert max(peaks) > 10 * min(peaks)


def test_a_wave_shares_its_technique_and_rule_and_nothing_else_and_both_are_new_to_all_it_strikes(
    any_reading, techniques
):
    for campaign in planted(any_reading, "technique_wave"):
        left = any_reading.left_of(campaign, lambda seen: "attack" in seen.body)
        assert any_reading.settled_after_ms(left) <= 5 * HOUR_MS // 2 + CLOCKS_MS
        tickets = [any_reading.tickets[ticket] for ticket in campaign.ticket_ids]
        times = [seen.at_ms for seen in tickets]
        assert max(times) - min(times) <= 4 * HOUR_MS + 2 * CLOCKS_MS
        ((rule),) = {seen.rule for seen in tickets}
        ((technique),) = {
            techniques.resolve(item["technique"]).id for seen in tickets for item in seen.body.get("attack", [])
        }
        others = [seen for seen in any_reading.tickets.values() if seen not in tickets]
        assert rule not in {seen.rule for seen in others}
        assert technique not in {
            techniques.resolve(item["technique"]).id for seen in others for item in seen.body.get("attack", [])
        }
        owners = defaultdict(set)
        for seen in tickets:
            for value in seen.values("attacker", "infrastructure", "artefact", "victim"):
                owners[value].add(seen.institution)
        assert all(len(names) == 1 for names in owners.values())


def test_an_intruders_server_is_left_at_three_institutions_each_with_three_tactics_in_order_over_days(any_reading):
    order = ["initial", "execution", "lateral", "exfiltration", "impact"]
    for campaign in planted(any_reading, "kill_chain"):
        server = campaign.title.removeprefix("Intruder with ")
        left = any_reading.left_of(
            campaign, lambda seen, server=server: server in seen.values("infrastructure") and "attack" in seen.body
        )
        steps = defaultdict(list)
        for seen in left:
            tactic = seen.body["attack"][0]["tactic"].replace("_", "-").split("-")[0]
            steps[any_reading.independent[seen.institution]].append(order.index(tactic))
        assert sum(len(set(one)) >= 3 and one == sorted(one) for one in steps.values()) >= 3
        times = [any_reading.tickets[ticket].at_ms for ticket in campaign.ticket_ids]
        assert 12 * HOUR_MS <= max(times) - min(times) <= 6 * DAY_MS + CLOCKS_MS


def test_a_slow_machines_address_is_left_at_four_institutions_on_days_apart_and_never_at_one_often(any_reading):
    for campaign in planted(any_reading, "low_and_slow"):
        source = campaign.title.removeprefix("Slow guessing from ")
        left = any_reading.left_of(campaign, lambda seen, source=source: source in seen.values("attacker"))
        times = defaultdict(list)
        for seen in left:
            times[any_reading.independent[seen.institution]].append(seen.at_ms)
        assert sum(max(one) - min(one) >= 6 * HOUR_MS for one in times.values()) >= 4
        touches = Counter(campaign.reporters)
        assert set(touches.values()) <= {2, 3, 4}
        every = [any_reading.tickets[ticket] for ticket in campaign.ticket_ids]
        assert max(seen.body["volume"]["failed_logins"] for seen in every) < 12
        spread = max(seen.at_ms for seen in every) - min(seen.at_ms for seen in every)
        assert 8 * DAY_MS - CLOCKS_MS <= spread <= 13 * DAY_MS + CLOCKS_MS


@pytest.mark.parametrize(("kind", "hours", "role"), [("swift_fraud", 20, "attacker"), ("atm_cashout", 10, "attacker")])
def test_what_takes_money_leaves_its_mark_at_three_institutions_within_hours(any_reading, kind, hours, role):
    for campaign in planted(any_reading, kind):
        left = any_reading.left_of(
            campaign,
            lambda seen, title=campaign.title: (
                seen.body["severity"] == 5
                and any(value[:12] in title and len(value) > 7 for value in seen.values(role))
            ),
        )
        assert any_reading.settled_after_ms(left) <= hours * HOUR_MS + CLOCKS_MS


@pytest.fixture(scope="module")
def planted_at(read):
    """By level, what is planted with a few seeds: kinds, spans in event time, and what the tickets lack."""
    found = {Noise.MEDIUM: [], Noise.HIGH: []}
    for one in (*SPECS[:4], *SPECS[4:8]):
        found[one.noise].append(summary(read(one)))
    return found


def summary(reading):
    spans, lacking = [], Counter()
    for campaign in reading.exercise.truth:
        tickets = [reading.tickets[ticket] for ticket in campaign.ticket_ids]
        spans.append((min(seen.at_ms for seen in tickets), max(seen.at_ms for seen in tickets)))
        for seen in tickets:
            lacking["all"] += 1
            lacking["late"] += seen.late
            lacking["attack"] += "attack_unmapped_reason" in seen.body
            if campaign.kind not in ("ddos_wave", "technique_wave"):
                lacking["observables"] += "observables" not in seen.body
                lacking["evidence"] += "evidence" not in seen.body
    return Counter(campaign.kind for campaign in reading.exercise.truth), sorted(spans), lacking


def test_all_kinds_are_planted_and_some_seeds_have_two_of_a_kind(planted_at):
    counts = [kinds for found in planted_at.values() for kinds, _, _ in found]

    assert all(set(count) == set(KINDS) for count in counts)
    assert any(max(count.values()) == 2 for count in counts)
    assert any(max(count.values()) == 1 for count in counts)


def test_in_a_day_there_is_room_for_the_five_kinds_that_need_no_past(read):
    for spec in SHORT:
        assert {campaign.kind for campaign in read(spec).exercise.truth} == set(DAY_LONG)
    five_days = generate(ExerciseSpec(hours=120, tickets_per_institution=1, institutions=10))
    assert {campaign.kind for campaign in five_days.truth} == set(KINDS) - {"low_and_slow"}


def test_spreads_reach_from_minutes_to_more_than_a_week_and_campaigns_overlap(planted_at):
    spans = [spans for found in planted_at.values() for _, spans, _ in found]
    spreads = [last - first for one in spans for first, last in one]

    assert min(spreads) < 10 * MINUTE_MS
    assert max(spreads) > 8 * DAY_MS
    assert all(any(later[0] < earlier[1] for earlier, later in pairwise(one)) for one in spans)


def test_campaigns_leave_partial_traces_and_fewer_the_noisier_it_is(planted_at):
    medium, high = (sum((lacking for _, _, lacking in found), Counter()) for found in planted_at.values())

    for counted in (medium, high):
        assert min(counted["attack"], counted["observables"], counted["evidence"], counted["late"]) >= 2
    for name in ("attack", "observables", "evidence"):
        assert high[name] / high["all"] > medium[name] / medium["all"]
    assert high["attack"] / high["all"] < 0.4


def test_members_on_either_version_of_attack_write_the_same_techniques(reading, techniques):
    written = defaultdict(set)
    for seen in reading.tickets.values():
        for item in seen.body.get("attack", []):
            written[seen.body["attack_version"]].add(item["technique"])
            assert techniques.resolve(item["technique"]).in_use
            assert techniques.tactic(item["tactic"]) is not None

    assert set(written) == {"18.1", "19"}
    renamed = {one for one in written["18.1"] if one.startswith("T1562") or one == "T1070.001"}
    assert renamed
    assert not renamed & written["19"]
    joined = {version: {techniques.resolve(one).id for one in ids} for version, ids in written.items()}
    assert len(joined["18.1"] & joined["19"]) > 20


SPARSE = [
    *(spec(seed, detail=Detail.SPARSE, noise=noise) for seed, noise in enumerate(Noise, 31)),
    spec(34, detail=Detail.SPARSE, institutions=12, campaigns=30),
]


@pytest.fixture(scope="module", params=SPARSE, ids=lambda spec: f"{spec.institutions}-{spec.noise}-{spec.seed}")
def sparse(request, read):
    return read(request.param)


def test_sparse_tickets_carry_rule_ids_assets_and_counts_and_nothing_else(sparse):
    for seen in sparse.tickets.values():
        assert not {"evidence", "observables", "suppliers", "attack", "impact", "description"} & set(seen.body)
        assert seen.body["attack_unmapped_reason"]
        assert seen.body["assets"]
        assert seen.body["trigger"].get("rule_id", "hand") in seen.body["title"] + "hand"


def test_in_a_sparse_sector_what_is_planted_is_a_rule_that_is_new_to_three_institutions_within_hours(sparse):
    assert {campaign.kind for campaign in sparse.exercise.truth} == {
        "phishing_kit",
        "credential_stuffing",
        "ransomware_chain",
        "ddos_wave",
        "technique_wave",
    }
    new = sparse.first_ever(list(sparse.tickets.values()), WARM_UP_MS)
    for campaign in sparse.exercise.truth:
        mine = sparse.left_of(campaign, lambda _: True)
        rules = {seen.rule for seen in mine}
        (rule,) = rules
        first = [seen for seen in new[rule] if seen in mine]
        assert sparse.settled_after_ms(first) <= 3 * HOUR_MS + CLOCKS_MS + 30 * MINUTE_MS
        assert all(seen.body["severity"] >= 3 for seen in mine)
