"""What of an alert may be told to others, as far as its tickets decide that."""

from __future__ import annotations

import pytest

from fsoc.correlation.conditions import Condition
from fsoc.correlation.terms import Offer, Terms

COUNTED = {"fields": ("institution",), "condition": (("gte", 2),)}
C2 = Offer("domain", "c2.example", "infrastructure")
EVIL = Offer("domain", "evil.example", "attacker")


@pytest.fixture
def sharing_of(entry, alert_of):
    """Of an alert on tickets of fi-000, fi-001 and so on, with these terms; members: who counts as one."""

    def sharing(*terms, rule=COUNTED, members=None, **changes):
        entries = [
            entry(f"fi-{n:03d}", f"T-{n}", n, terms=one, member=(members or {}).get(n, f"fi-{n:03d}"), **changes)
            for n, one in enumerate(terms)
        ]
        return alert_of(entries, **rule)["sharing"]

    return sharing


def test_of_tickets_on_the_usual_terms_nothing_is_kept_back(sharing_of):
    assert sharing_of(Terms(80), Terms(60)) == {
        "confidence": 60,
        "tlp": "amber",
        "told_tlp": "amber",
        "institutions_least": 2,
        "stands": True,
        "institutions": ["fi-000", "fi-001"],
        "key": "attacker",
        "offers": [],
        "attribution": {},
        "red": None,
    }


@pytest.mark.parametrize(
    ("confidences", "said"),
    [((90, 90, 0), 90), ((10, 10, 100), 10), ((20, 80), 20), ((None, 70, 90), 70), ((None, None), None)],
)
def test_the_confidence_is_the_middle_one_and_no_single_members(sharing_of, confidences, said):
    assert sharing_of(*map(Terms, confidences))["confidence"] == said


def test_affiliates_of_one_group_are_one_voice(sharing_of):
    assert sharing_of(*map(Terms, (100, 100, 100, 30, 40)), members={1: "fi-000", 2: "fi-000"})["confidence"] == 40


def test_red_tickets_are_in_nothing_but_that_there_are_such(sharing_of):
    found = sharing_of(Terms(80), Terms(99, "red"), Terms(70, "green"))

    assert (found["tlp"], found["told_tlp"], found["confidence"]) == ("red", "amber", 70)
    assert (found["institutions"], found["stands"]) == (["fi-000", "fi-002"], True)
    assert (found["red"]["tickets"], found["red"]["first_seen"]) == (1, "2026-03-02T12:00:00.000Z")
    assert found["red"]["last_seen"] == "2026-03-02T12:02:00.000Z"
    assert found["red"]["timeline"][0]["tickets"] == 2


def test_which_tickets_are_red_is_told_apart(sharing_of):
    digests = {
        sharing_of(*terms)["red"]["digest"]
        for terms in [
            (Terms(1), Terms(1), Terms(1, "red")),
            (Terms(1), Terms(1, "red"), Terms(1)),
            (Terms(1), Terms(2, "red"), Terms(1)),
        ]
    }

    assert len(digests) == 2


@pytest.mark.parametrize(
    ("rule", "red", "stands"),
    [
        (COUNTED, 0, True),
        (COUNTED, 1, True),
        (COUNTED, 2, False),
        ({**COUNTED, "condition": (("gte", 3),)}, 1, False),
        ({"fields": (), "type": "event_count"}, 1, False),
        ({"fields": (), "type": "event_count"}, 0, True),
        ({**COUNTED, "also": (("rules", Condition((("gte", 1),))),)}, 1, False),
    ],
)
def test_it_stands_where_the_rule_is_sure_to_hold_without_the_red_tickets(sharing_of, rule, red, stands):
    terms = [Terms(80, "red") if n < red else Terms(80) for n in range(3)]

    assert sharing_of(*terms, rule=rule, also=(("x",),) if "also" in rule else ())["stands"] is stands


@pytest.mark.parametrize(("minutes", "stands"), [(1439, True), (1440, False), (1800, False)])
def test_it_stands_by_what_is_not_red_within_one_window(entry, alert_of, minutes, stands):
    """A red ticket between them may be all that makes one episode of two that are too far apart."""
    entries = [
        entry("fi-001", "T-1", 0, terms=Terms(80)),
        entry("fi-002", "T-2", 960, terms=Terms(80, "red")),
        entry("fi-003", "T-3", minutes, terms=Terms(80)),
        entry("fi-003", "T-4", minutes + 1, terms=Terms(80)),
    ]

    assert alert_of(entries, **COUNTED, timespan_ms=86_400_000)["sharing"]["stands"] is stands


@pytest.mark.parametrize(
    ("rule", "least"),
    [
        (COUNTED, 2),
        ({**COUNTED, "condition": (("gt", 2),)}, 3),
        ({**COUNTED, "condition": (("gte", 3),)}, 3),
        ({"fields": (), "type": "event_count"}, 2),
    ],
)
def test_how_many_there_are_for_all_who_know_the_rule(sharing_of, rule, least):
    assert sharing_of(Terms(1), Terms(1), Terms(1), rule=rule)["institutions_least"] == least


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("attacker", "attacker"), "attacker"),
        (("infrastructure", "attacker"), "attacker"),
        (("infrastructure", "infrastructure", "attacker"), "infrastructure"),
        (("attacker", "attacker", "own"), "own"),
    ],
)
def test_what_is_somebodys_own_is_nobodys_to_tell(sharing_of, keys, said):
    assert sharing_of(*(Terms(80, key=key) for key in keys))["key"] == said


def test_what_most_institutions_offer_comes_first(sharing_of):
    found = sharing_of(Terms(80, offers=(C2, EVIL)), Terms(90, offers=(EVIL,)), Terms(99, "red"))

    assert found["offers"] == [
        {"type": "domain", "value": "evil.example", "role": "attacker", "confidence": 90},
        {"type": "domain", "value": "c2.example", "role": "infrastructure", "confidence": 80},
    ]


def test_who_is_named_says_so_in_every_ticket(entry, alert_of):
    entries = [
        entry("fi-001", "T-1", terms=Terms(1, attribution="named")),
        entry("fi-001", "T-2", terms=Terms(1, attribution="sector_only")),
        entry("fi-002", "T-3", terms=Terms(1, attribution="named")),
        entry("fi-003", "T-4", terms=Terms(1)),
    ]

    assert alert_of(entries, **COUNTED)["sharing"]["attribution"] == {"fi-001": "sector_only", "fi-002": "named"}
