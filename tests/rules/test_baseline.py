"""A rule of the baseline that was published wrong: one alert about the rule, and nobody is woken for an attack.

published     v
first wrong    x x  xx x x x xxx x x     within a minute, at twelve institutions: kind rule
wave           x       x          x  x   hours apart, at four: kind joint
"""

from __future__ import annotations

import pytest

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
RULE, VERSION = "MB-231", "2026.2"


@pytest.fixture
def fires():
    """A ticket of the rule at an institution, so long after the push; changes to it."""

    def ticket(rank, after_ms, **changes):
        return {
            "category": "intrusion-attempts.ids-alert",
            "severity": 3,
            "attack": [{"tactic": "credential_access", "technique": "T1555.003"}],
            "trigger": {"kind": "baseline", "baseline_version": VERSION, "rule_id": RULE, "rule_version": "1"},
            "observables": [],
            "evidence": [],
            "assets": [{"ref": f"endpoint-{rank}", "type": "endpoint", "criticality": 3}],
            **changes,
        }, after_ms

    return ticket


@pytest.fixture
def raised(sector, start_ms):
    """The newest alerts of these tickets, by rank of their institution, all of which have been known for a week."""

    def alerts(tickets, *, before=()):
        ranks = {rank for rank, _ in tickets}
        everyday = {
            "category": "information-gathering.scanner",
            "severity": 1,
            "trigger": {"kind": "baseline", "baseline_version": "2026.1", "rule_id": "MB-011"},
            "observables": [],
            "evidence": [],
        }
        known = [(f"fi-{rank:03d}", start_ms - 7 * DAY_MS + rank * HOUR_MS, everyday) for rank in ranks]
        sent = [(f"fi-{rank:03d}", start_ms + at_ms, body) for rank, (body, at_ms) in [*before, *tickets]]
        return sector([*known, *sent])

    return alerts


def test_a_rule_that_fires_at_twelve_within_a_minute_of_its_publishing_is_told_once_and_wakes_nobody(
    fires, raised, rule_id
):
    tickets = [(rank, fires(rank, rank * 5 * SECOND_MS)) for rank in range(12)]

    [alert] = raised(tickets)

    assert (alert["rule_id"], alert["kind"]) == (rule_id("baseline_rule_defect"), "rule")
    assert alert["group"] == {"trigger.rule_id": RULE}
    assert len(alert["institutions"]) == 12
    assert (alert["severity"], alert["suggested_grade"]["grade"], alert["campaign_id"]) == (1, 1, None)


def test_it_goes_on_firing_and_still_wakes_nobody(fires, raised):
    tickets = [
        (rank, fires(rank, rank * SECOND_MS + again * 13 * MINUTE_MS)) for rank in range(12) for again in range(4)
    ]

    assert {alert["kind"] for alert in raised(tickets)} == {"rule"}


@pytest.mark.parametrize("severity", [0, 1, 5])
def test_of_whatever_severity_its_tickets_are(severity, fires, raised):
    [alert] = raised([(rank, fires(rank, rank * SECOND_MS, severity=severity)) for rank in range(12)])

    assert (alert["kind"], alert["severity"]) == ("rule", 1)


def test_a_wave_over_hours_is_an_attack_and_no_defect(fires, raised, rule_id):
    alerts = raised([(rank, fires(rank, rank * 40 * MINUTE_MS)) for rank in range(4)])

    assert {alert["kind"] for alert in alerts} == {"joint"}
    assert {alert["rule_id"] for alert in alerts} == {rule_id("same_baseline_rule"), rule_id("same_technique")}


def test_who_is_struck_after_the_minute_makes_it_an_attack_as_well(fires, raised):
    """Five at once, and a sixth an hour later: what it is must be looked at."""
    tickets = [(rank, fires(rank, rank * SECOND_MS)) for rank in range(5)] + [(5, fires(5, HOUR_MS))]

    assert {alert["kind"] for alert in raised(tickets)} == {"rule", "joint"}


def test_what_they_have_had_all_along_is_no_defect(fires, raised):
    before = [(rank, fires(rank, -3 * DAY_MS + rank * HOUR_MS, severity=1)) for rank in range(12)]

    assert raised([(rank, fires(rank, rank * SECOND_MS)) for rank in range(12)], before=before) == []


def test_an_old_rule_that_does_it_many_times_more_than_ever_is_one(fires, raised):
    """One in an hour was the most; now it is six."""
    before = [(rank, fires(rank, -3 * DAY_MS + rank * HOUR_MS, severity=1)) for rank in range(12)]
    tickets = [(rank, fires(rank, rank * SECOND_MS + again, severity=1)) for rank in range(12) for again in range(6)]

    assert [alert["kind"] for alert in raised(tickets, before=before)] == ["rule"]


def test_a_flood_that_begins_everywhere_at_once_is_a_flood(fires, raised):
    flood = {"category": "availability.ddos", "volume": {"peak_bps": 9_000_000_000}}
    tickets = [(rank, fires(rank, rank * SECOND_MS, **flood)) for rank in range(12)]

    assert {alert["kind"] for alert in raised(tickets)} == {"joint"}


def test_what_is_grave_in_an_attack_that_was_timed_is_still_alerted(fires, raised, rule_id):
    timed = {"category": "malicious-code.ransomware", "severity": 5}
    alerts = raised([(rank, fires(rank, rank * SECOND_MS, **timed)) for rank in range(12)])

    assert {alert["rule_id"] for alert in alerts} == {rule_id("baseline_rule_defect"), rule_id("ransomware_wave")}


def test_every_rule_about_rules_is_tried_here(documents):
    about = [name for name, one in documents.items() if "correlation" in one and one["fsoc"].get("scope") == "rule"]

    assert about == ["baseline_rule_defect"]
