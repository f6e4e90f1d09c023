"""The rules together, on a sector: what was planted is alerted; what happens everywhere, every day, is not."""

from __future__ import annotations

import os

import pytest

from fsoc.exercise import Detail, Noise

HOUR_MS = 3_600_000

ALL_DAY = {
    "a scanner that knocks at every door": {
        "category": "information-gathering.scanner",
        "severity": 3,
        "observables": [{"type": "ipv4", "value": "198.18.0.9", "role": "attacker"}],
    },
    "an exploit attempt of a botnet, stopped": {
        "category": "intrusion-attempts.exploit",
        "severity": 3,
        "observables": [{"type": "ipv4", "value": "198.18.0.9", "role": "attacker"}],
    },
    "the weakness of the month": {
        "category": "vulnerable.vulnerable-system",
        "severity": 4,
        "observables": [{"type": "cve", "value": "CVE-2026-20007", "role": "artefact"}],
    },
    "guessing with a tool that everybody uses": {
        "category": "intrusion-attempts.brute-force",
        "severity": 3,
        "volume": {"failed_logins": 45, "distinct_accounts": 5},
        "observables": [{"type": "user_agent", "value": "python-requests/2.32.3", "role": "attacker"}],
        "evidence": [
            {
                "logsource": {"product": "internet_banking", "service": "login"},
                "fields": {"user_agent": "python-requests/2.32.3", "result": "failure", "failures": 45},
            }
        ],
    },
    "a mass mailing stopped at the gateway": {
        "category": "malicious-code.malware-distribution",
        "severity": 2,
        "observables": [{"type": "email", "value": "billing@x.example", "role": "attacker"}],
    },
    "a resolver, a CDN's edge and an address inside, taken for an attacker's": {
        "category": "malicious-code.c2-server",
        "severity": 3,
        "observables": [
            {"type": "ipv4", "value": value, "role": "infrastructure"}
            for value in ("8.8.8.8", "104.17.2.81", "10.0.0.5")
        ],
    },
    "a supplier outside its window": {
        "category": "intrusion-attempts.ids-alert",
        "severity": 2,
        "suppliers": [{"supplier_id": "sup-9017", "relation": "remote_access"}],
        "evidence": [
            {
                "logsource": {"product": "windows", "service": "security"},
                "fields": {"EventID": 4624, "LogonType": 10, "TargetUserName": "svc-9017", "IpAddress": "198.18.0.4"},
            }
        ],
    },
    "an administrator who looks at backups": {
        "category": "intrusion-attempts.ids-alert",
        "severity": 1,
        "evidence": [
            {
                "logsource": {"product": "windows", "category": "process_creation"},
                "fields": {"Image": "C:\\Windows\\System32\\vssadmin.exe", "CommandLine": "vssadmin list shadows"},
            }
        ],
    },
    "a short flood that was absorbed": {
        "category": "availability.ddos",
        "severity": 2,
        "volume": {"peak_bps": 300_000_000, "peak_pps": 90_000},
        "assets": [{"ref": "www", "type": "server", "criticality": 3}],
    },
    "victims' addresses that many use inside": {
        "category": "malicious-code.infected-system",
        "severity": 3,
        "observables": [{"type": "ipv4", "value": "192.0.2.10", "role": "victim"}],
    },
}


@pytest.mark.parametrize("what", ALL_DAY)
def test_what_forty_institutions_report_within_an_hour_every_day_raises_nothing_joint(what, sector):
    tickets = [
        (
            f"fi-{number:03d}",
            1_772_409_600_000 + number * HOUR_MS // 40,
            ALL_DAY[what] | {"attack": [{"tactic": "discovery", "technique": "T1082"}]},
        )
        for number in range(40)
    ]

    assert [alert["rule_title"] for alert in sector(tickets)] == []


@pytest.mark.parametrize("seed", [1, 7])
def test_a_simulated_day_of_low_noise_is_alerted_as_planted_and_nothing_else_is(seed, play):
    """Without a past: the five kinds that leave indicators or come within minutes."""
    result = play(seed=seed, institutions=40, tickets_per_institution=30, hours=24, noise=Noise.LOW)

    assert (result.missed, result.false_alarms) == (0, ())
    assert result.found >= 5


IN_TWO_WEEKS = [(Noise.MEDIUM, 1.0, 1), (Noise.LOW, 1.0, 0), (Noise.HIGH, 0.9, 2)]
"""(noise, precision at least, defective rules)."""


@pytest.mark.parametrize(
    ("noise", "precision", "defects"), IN_TWO_WEEKS if os.environ.get("FSOC_SOAK") else IN_TWO_WEEKS[:1]
)
def test_in_two_weeks_all_that_was_planted_is_alerted_and_hardly_anything_else(noise, precision, defects, play):
    """Ten kinds, among noise that looks like more; scored from the fourth day on, when there is a past."""
    result = play(seed=1, institutions=40, noise=noise, heartbeat_minutes=240)

    assert result.missed == 0
    assert result.precision >= precision
    assert len(result.kinds) >= 9
    assert len(result.rules.found) == defects
    assert (result.rules.missed, result.rules.false_alarms) == ((), ())


def test_where_tickets_say_nothing_but_rule_asset_and_counts_all_that_is_left_is_alerted(play):
    result = play(seed=1, institutions=40, detail=Detail.SPARSE, heartbeat_minutes=240)

    assert (result.missed, result.false_alarms) == (0, ())
    assert len(result.kinds) >= 4


@pytest.mark.parametrize("seed", [1, 3])
def test_every_feed_that_falls_ill_is_alerted_and_no_other_is(seed, play):
    result = play(seed=seed, institutions=16, tickets_per_institution=20, heartbeat_minutes=60)

    assert (result.feeds.missed, result.feeds.false_alarms) == ((), ())
    assert len(result.feeds.found) == 2


def test_an_alert_on_a_training_that_looked_like_phishing_is_taken_back(play):
    """Every exercise has one: several institutions report it, then close their tickets as false positive."""
    assert play(seed=1, institutions=40, tickets_per_institution=10, hours=24).retracted >= 1
