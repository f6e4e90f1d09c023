"""Tactics in ATT&CK's order, each with its own times, techniques and numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsoc.alerts.timeline import timeline
from fsoc.tickets.times import rfc3339
from tests.alerts.conftest import TACTICS, make_entry


def test_each_tactic_has_its_own_times_techniques_and_numbers(entry, alert_of):
    """
    fi-001  phish            encrypt
    fi-002        phish+dump
    """
    phish, other = ("initial-access", "T1566.002"), ("initial-access", "T1078")
    alert = alert_of(
        [
            entry("fi-001", "T-1", 0, attack=(phish,)),
            entry("fi-002", "T-2", 5, attack=(("credential-access", "T1003"), phish, other)),
            entry("fi-001", "T-3", 9, attack=(("impact", "T1486"),)),
        ]
    )

    assert alert["timeline"] == [
        {
            "tactic": "initial-access",
            "techniques": ["T1078", "T1566.002"],
            "first_seen": "2026-03-02T12:00:00.000Z",
            "last_seen": "2026-03-02T12:05:00.000Z",
            "tickets": 2,
            "institutions": 2,
        },
        {
            "tactic": "credential-access",
            "techniques": ["T1003"],
            "first_seen": "2026-03-02T12:05:00.000Z",
            "last_seen": "2026-03-02T12:05:00.000Z",
            "tickets": 1,
            "institutions": 1,
        },
        {
            "tactic": "impact",
            "techniques": ["T1486"],
            "first_seen": "2026-03-02T12:09:00.000Z",
            "last_seen": "2026-03-02T12:09:00.000Z",
            "tickets": 1,
            "institutions": 1,
        },
    ]


def test_a_tactic_that_is_not_known_comes_last(entry, alert_of):
    told = (("made-up", "T1"), ("impact", "T1486"))
    alert = alert_of([entry("fi-001", "T-1", attack=told), entry("fi-002", "T-2", attack=told)])

    assert [row["tactic"] for row in alert["timeline"]] == ["impact", "made-up"]


def plainly(entries):
    """Every entry looked at for every tactic."""
    rows = []
    names = {tactic for entry in entries for tactic, _ in entry.attack}
    for tactic in sorted(names, key=lambda name: (TACTICS.get(name, 99), name)):
        of_it = [entry for entry in entries if tactic in dict(entry.attack)]
        times = [entry.event_time_ms for entry in of_it]
        techniques = {technique for entry in of_it for name, technique in entry.attack if name == tactic}
        tickets = {(entry.institution, entry.ticket_id) for entry in of_it}
        rows.append(
            {
                "tactic": tactic,
                "techniques": sorted(techniques),
                "first_seen": rfc3339(min(times)),
                "last_seen": rfc3339(max(times)),
                "tickets": len(tickets),
                "institutions": len({institution for institution, _ in tickets}),
            }
        )
    return rows


attacks = st.lists(
    st.tuples(st.sampled_from([*TACTICS, "made-up"]), st.sampled_from(["T1", "T2", "T3"])), max_size=3, unique=True
).map(lambda pairs: tuple(sorted(pairs)))
drawn = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), attacks), max_size=9)


@given(drawn)
def test_it_is_what_looking_at_every_entry_for_every_tactic_finds(told):
    entries = [make_entry(who, f"T-{place}", at, attack=attack) for place, (who, at, attack) in enumerate(told)]

    assert timeline(entries, TACTICS) == plainly(entries)
