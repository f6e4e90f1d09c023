"""Tactics in ATT&CK's order, each with its own times, techniques and numbers."""


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
