"""What everyday life looks like at each level: common, rhythmic, sometimes at many at once, and never a campaign."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import mean, median

import pytest

from fsoc.exercise import ExerciseSpec, Noise
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, WARM_UP_MS

CLOCKS_MS = 17 * MINUTE_MS
PUSHED = {"MB-231", "MB-232", "MB-233", "MB-234"}
LEVELS = [(noise, seed) for seed, noise in enumerate(Noise, 51)]


def made(noise, seed):
    return ExerciseSpec(seed=seed, noise=noise, institutions=24, tickets_per_institution=300, heartbeat_minutes=240)


SUNDAYS = {6, 13}
WEEKENDS = {5, 12} | SUNDAYS
DRAGON_BOAT = 4


@pytest.fixture(scope="module", params=LEVELS, ids=lambda level: str(level[0]))
def level(request, read):
    noise, seed = request.param
    return noise, read(made(noise, seed))


@pytest.fixture(
    scope="module", params=[*LEVELS, (Noise.MEDIUM, 61), (Noise.HIGH, 62)], ids=lambda level: f"{level[0]}-{level[1]}"
)
def any_reading(request, read):
    return read(made(*request.param))


def day(seen):
    """Of the exercise, by Taipei's clock."""
    return (seen.at_ms + 8 * HOUR_MS - START_MS) // DAY_MS


def met_by(seen):
    """By rule and asset type, the institutions that met it."""
    found = defaultdict(set)
    for one in seen:
        found[one.rule].add(one.institution)
    return found


def together(reading, seen, institutions=3, within_ms=4 * HOUR_MS):
    """Whether so many independent institutions are within so short a time."""
    lasts = reading.settled_after_ms(sorted(seen, key=lambda one: one.at_ms), institutions)
    return lasts is not None and lasts < within_ms


def test_institutions_share_most_of_what_fires(reading):
    """Nine of ten harmless tickets are of rules that at least half of all institutions meet."""
    met = met_by(reading.harmless)
    half = len(reading.exercise.institutions) / 2
    common = sum(len(met[seen.rule]) >= half for seen in reading.harmless)

    assert common / len(reading.harmless) > 0.9
    assert sum(len(names) >= half for names in met.values()) >= 15


def test_raw_counts_say_nothing_for_common_rules_fire_at_three_institutions_within_hours_all_the_time(reading):
    by_rule = defaultdict(list)
    for seen in reading.harmless:
        by_rule[seen.rule].append(seen)

    assert sum(together(reading, seen) for seen in by_rule.values()) >= 15


def test_each_fires_them_at_rates_of_its_own(reading):
    rates = defaultdict(Counter)
    for seen in reading.harmless:
        rates[seen.institution][seen.rule] += 1
    favourites = {name: counted.most_common(1)[0][0] for name, counted in rates.items()}

    assert len(set(favourites.values())) >= 5


def test_whatever_an_institution_meets_every_day_it_has_met_within_forty_hours(any_reading):
    """All but rare rules and grave things of one institution's own: they come late, and never at three within hours."""
    new = any_reading.first_ever(any_reading.harmless, WARM_UP_MS + CLOCKS_MS)
    late = {rule for rule in new if rule[0] not in PUSHED}

    assert all(rule.startswith("MB-2") or rule in ("MB-091", "web-204") for rule, _ in late)
    assert any(rule.startswith("MB-2") for rule, _ in late)
    for rule in late:
        assert not together(any_reading, new[rule])


def test_only_new_rules_and_roll_outs_surge_at_three_institutions_within_hours(any_reading):
    """A surge is five times the greatest hour before, and after two days of past."""
    hours = defaultdict(Counter)
    for seen in any_reading.harmless:
        hours[seen.institution, seen.rule][seen.at_ms // HOUR_MS] += 1
    surging, surges = defaultdict(list), 0
    by_place = defaultdict(list)
    for seen in any_reading.harmless:
        by_place[seen.institution, seen.rule, seen.at_ms // HOUR_MS].append(seen)
    for (institution, rule), counted in hours.items():
        greatest = 0
        for hour in sorted(counted):
            if greatest and counted[hour] >= 5 * greatest and hour * HOUR_MS >= START_MS + 2 * DAY_MS:
                surging[rule].append(by_place[institution, rule, hour][0])
                surges += 1
            greatest = max(greatest, counted[hour])

    assert surges >= 2
    for rule, seen in surging.items():
        if rule not in {("MB-151", "endpoint"), *((name, rule[1]) for name in PUSHED)}:
            assert not together(any_reading, seen)


def test_noise_rises_with_the_level(read):
    counted = {}
    for noise, seed in LEVELS:
        reading = read(made(noise, seed))
        new = reading.first_ever(reading.harmless, WARM_UP_MS + CLOCKS_MS)
        counted[noise] = sum(map(len, new.values())), len(reading.exercise.decoys), len(scanners(reading))
    low, medium, high = (counted[noise] for noise in Noise)

    assert all(a < b < c for a, b, c in zip(low, medium, high, strict=True))


def scanners(reading):
    """Addresses that scan a third of all institutions or more within six hours, with who reports each."""
    by_source = defaultdict(list)
    for seen in reading.harmless:
        if seen.body["category"] == "information-gathering.scanner":
            for value in seen.values("attacker"):
                by_source[value].append(seen)
    third = len(reading.exercise.institutions) / 3
    return {
        value: seen
        for value, seen in by_source.items()
        if len({one.institution for one in seen}) >= third and seen[-1].at_ms - seen[0].at_ms < 6 * HOUR_MS
    }


def test_scanners_hit_most_institutions_within_hours(level):
    noise, reading = level

    assert len(scanners(reading)) == {Noise.LOW: 2, Noise.MEDIUM: 4, Noise.HIGH: 8}[noise]


def test_a_defective_rule_fires_everywhere_in_the_minute_after_its_publication(level):
    noise, reading = level
    defects, spread = 0, 0
    for rule, seen in reading.first_ever(reading.harmless).items():
        if rule[0] not in PUSHED:
            continue
        versions = {one.body["trigger"]["baseline_version"] for one in seen}
        assert len(versions) == 1 or noise is Noise.HIGH  # a version can be overtaken by the next one
        detected = [one.at_ms for one in seen]
        if max(detected) - min(detected) <= 4 * MINUTE_MS:  # by clocks that are ninety seconds wrong
            defects += 1
            assert len(seen) >= len(reading.exercise.institutions) / 3
        else:
            spread += 1
            assert 6 * HOUR_MS < max(detected) - min(detected) <= 27 * HOUR_MS
            assert together(reading, seen)

    assert (defects, spread) == {Noise.LOW: (0, 1), Noise.MEDIUM: (1, 1), Noise.HIGH: (2, 2)}[noise]


def test_the_truth_of_defective_rules_is_what_was_sent_of_them(level):
    noise, reading = level
    truth = reading.exercise.rule_truth
    assert [one.id for one in truth] == [f"defect-{number + 1}" for number in range(len(truth))]
    assert len(truth) == {Noise.LOW: 0, Noise.MEDIUM: 1, Noise.HIGH: 2}[noise]
    assert [one.first_ms for one in truth] == sorted(one.first_ms for one in truth)

    seen = reading.first_ever(reading.harmless)
    for one in truth:
        assert one.last_ms - one.first_ms <= 4 * MINUTE_MS
        of_it = [ticket for rule, tickets in seen.items() if rule[0] == one.rule_id for ticket in tickets]
        assert {ticket.institution for ticket in of_it} == set(one.institutions)
        assert one.version in {ticket.body["trigger"]["baseline_version"] for ticket in of_it}


def test_a_new_rule_names_a_version_that_the_institution_adopted_within_the_day(level):
    """What tells it from a wave of a technique: those name the version that was there all along."""
    _, reading = level
    first = {}
    for seen in sorted(reading.tickets.values(), key=lambda one: one.at_ms):
        version = seen.body["trigger"].get("baseline_version")
        first.setdefault((seen.institution, version), seen.at_ms)
    for rule, seen in reading.first_ever(reading.harmless).items():
        if rule[0] in PUSHED:
            for one in seen:
                version = one.body["trigger"]["baseline_version"]
                assert one.at_ms - first[one.institution, version] <= DAY_MS


def test_what_everybody_sees_together_is_held_for_low_but_at_two_institutions_in_high_at_some(level):
    noise, reading = level
    grave = defaultdict(set)
    sources = scanners(reading)
    for seen in reading.harmless:
        rule = seen.rule[0]
        about = next(iter(seen.values("attacker") & sources.keys()), "") or rule * (rule in PUSHED or rule == "MB-151")
        if about and seen.body["severity"] >= 3:
            grave[about].add(seen.institution)
    most = max(map(len, grave.values()), default=0)

    assert most <= {Noise.LOW: 0, Noise.MEDIUM: 2, Noise.HIGH: 40}[noise]
    assert noise is not Noise.HIGH or most > 2


@pytest.mark.parametrize(("noise", "nights"), [(Noise.LOW, 0), (Noise.MEDIUM, 1), (Noise.HIGH, 2)])
def test_a_roll_out_makes_one_rule_fire_everywhere_over_a_night(read, noise, nights):
    reading = read(made(noise, dict(LEVELS)[noise]))
    by_night = defaultdict(set)
    for seen in reading.harmless:
        if seen.rule == ("MB-151", "endpoint") and (seen.at_ms - START_MS) % DAY_MS >= 14 * HOUR_MS:
            by_night[(seen.at_ms - START_MS) // DAY_MS].add(seen.institution)
    full = [night for night, names in by_night.items() if len(names) > 0.6 * len(reading.exercise.institutions)]

    assert 1 * (nights > 0) <= len(full) <= nights  # two may fall on one night


def test_what_everybody_uses_is_named_everywhere_from_the_first_days_on_and_called_hostile_at_times(level):
    noise, reading = level
    named, early, hostile = defaultdict(set), defaultdict(set), Counter()
    for seen in reading.harmless:
        for item in seen.body.get("observables", []):
            if item["type"] in ("domain", "ipv4") and item["role"] != "victim":
                named[item["value"]].add(seen.institution)
                hostile[item["value"]] += item["role"] == "infrastructure"
                if seen.at_ms < START_MS + WARM_UP_MS + CLOCKS_MS:
                    early[item["value"]].add(seen.institution)
    hubs = [value for value, names in named.items() if len(names) >= 5 and value not in scanners(reading)]

    assert len(hubs) == 8
    assert all(len(early[hub]) >= 3 for hub in hubs)
    networks = [hub for hub in hubs if hostile[hub]]
    assert len(networks) == (0 if noise is Noise.LOW else 6)


def test_no_other_attackers_value_is_shared_by_two_institutions(level):
    _, reading = level
    seen_at = defaultdict(set)
    for seen in reading.harmless:
        for value in seen.values("attacker", "infrastructure"):
            seen_at[value].add(seen.institution)
    shared = {value for value, names in seen_at.items() if len(names) > 1}

    assert len(seen_at) > 1_000
    assert len(shared - scanners(reading).keys()) <= 8


def test_no_supplier_is_named_by_three_institutions_outside_campaigns(reading):
    clients = defaultdict(set)
    for seen in reading.harmless:
        for supplier in seen.body.get("suppliers", []):
            clients[supplier["supplier_id"]].add(seen.institution)

    assert clients
    assert max(map(len, clients.values())) <= 2


def test_a_noisy_member_writes_ten_times_as_much_in_bursts(read):
    reading = read(made(Noise.MEDIUM, 52))
    hours = defaultdict(Counter)
    for seen in reading.harmless:
        hours[seen.institution][seen.rule, seen.at_ms // HOUR_MS] += 1
    bursts = {name: sum(count >= 8 for count in counted.values()) for name, counted in hours.items()}
    noisy = max(bursts, key=bursts.__getitem__)
    totals = {name: sum(counted.values()) for name, counted in hours.items()}
    tiers = {entry["id"]: entry["tier"] for entry in reading.exercise.institutions}
    peers = [total for name, total in totals.items() if tiers[name] == tiers[noisy] and name != noisy]

    assert bursts[noisy] >= 5 * median(sorted(bursts.values())[:-1] or [1])
    assert bursts[noisy] >= 10
    assert totals[noisy] > 4 * mean(peers)


def test_one_institution_claims_volumes_that_no_line_carries_and_is_alone_in_it(read):
    reading = read(made(Noise.MEDIUM, 52))
    claims = defaultdict(list)
    for seen in reading.harmless:
        if seen.body["category"] == "availability.ddos":
            claims[seen.institution].append(seen.body["volume"]["peak_bps"])
    boastful = [name for name, peaks in claims.items() if max(peaks) > 10**9]

    assert len(boastful) == 1
    assert len(claims[boastful[0]]) >= 2
    assert max(claims[boastful[0]]) > 10**11


def test_everyday_floods_are_hours_apart_and_away_from_waves(level):
    _, reading = level
    floods = sorted(seen.at_ms for seen in reading.harmless if seen.body["category"] == "availability.ddos")
    waves = [campaign.first_at_ms for campaign in reading.exercise.truth if campaign.kind == "ddos_wave"]

    assert len(floods) >= 20
    assert all(later - earlier >= 2 * HOUR_MS for earlier, later in pairwise(floods))
    assert all(abs(flood - wave) > HOUR_MS for flood in floods for wave in waves)


def test_weekends_and_the_holiday_are_quiet(reading):
    perday = Counter(day(seen) for seen in reading.harmless)
    working = [perday[number] for number in range(2, 13) if number not in WEEKENDS | {DRAGON_BOAT}]

    assert mean(perday[number] for number in WEEKENDS) < 0.75 * mean(working)
    assert perday[DRAGON_BOAT] < 0.75 * mean(working)


def test_trainings_and_red_teams_are_taken_back_by_all_their_reporters(level):
    noise, reading = level

    assert len(reading.exercise.decoys) == {Noise.LOW: 1, Noise.MEDIUM: 2, Noise.HIGH: 4}[noise]
    for decoy in reading.exercise.decoys:
        assert all(reading.tickets[ticket].taken_back for ticket in decoy.ticket_ids)


def test_intelligence_about_a_campaign_comes_from_an_institution_that_was_not_struck(reading, bodies):
    intelligence = [body for body in bodies if body["kind"] == "intel"]
    struck = defaultdict(set)
    for seen in reading.tickets.values():
        for item in seen.body.get("observables", []):
            struck[item["value"]].add(seen.institution)

    assert intelligence
    for body in intelligence:
        kit = [item for item in body["observables"] if len(struck[item["value"]]) >= 3]
        assert kit
        assert all(body["institution"] not in struck[item["value"]] for item in kit if item["type"] == "url")


def test_in_a_crowded_sector_rare_rules_are_still_new_to_two_institutions_within_hours_at_most(read):
    """Two hundred institutions in five days: by chance, three would meet the same one within hours all the time."""
    reading = read(
        ExerciseSpec(
            seed=71, institutions=200, hours=120, tickets_per_institution=60, heartbeat_minutes=240, noise=Noise.HIGH
        )
    )
    rare = [seen for seen in reading.harmless if seen.rule[0].startswith(("MB-20", "MB-21", "MB-220"))]
    new = reading.first_ever(rare)

    assert sum(map(len, new.values())) > 400
    assert not [rule for rule, seen in new.items() if together(reading, seen)]
