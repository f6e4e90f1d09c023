"""What is said of the others: picked by type, never more than the tickets' terms allow."""

from __future__ import annotations

import orjson
import pytest

from fsoc.sharing.caution import Caution
from tests.sharing_stage import DAY, HOUR, NOON, Teller, alert, members, own

FOUR = [f"aa-0{number}" for number in range(1, 5)]


def said(registry=None, names=FOUR, **changes):
    return Teller(registry).hear(alert(own(*names), **changes))["aa-01"]["statement"]


@pytest.mark.parametrize(
    ("institutions", "registered", "told"),
    [
        (2, 400, None),
        (3, 400, 3),
        (4, 12, 3),
        (5, 12, 5),
        (9, 12, 5),
        (10, 12, 5),
        (10, 14, 5),
        (10, 15, 10),
        (19, 400, 10),
        (20, 400, 20),
        (400, 400, 20),
        (3, 7, None),
        (3, 8, 3),
    ],
)
def test_a_count_is_rounded_down_and_leaves_five_to_hide_among(institutions, registered, told):
    assert Caution().at_least(institutions, registered) == told


@pytest.mark.parametrize(("k", "told"), [(3, 3), (4, None), (5, None)])
def test_no_count_below_k_is_told(k, told):
    assert Caution(k=k).at_least(4, 400) == told


@pytest.mark.parametrize(("k", "below"), [(2, 0), (21, 0), (3, 102), (3, -1)])
def test_less_caution_than_there_is_is_refused(k, below):
    with pytest.raises(ValueError, match="k is 3 to 20"):
        Caution(k=k, hold_below=below)


def test_techniques_are_those_that_attack_knows_in_its_newest_words():
    pairs = [("defense_evasion", "T1070.001"), ("initial-access", "T9999"), ("nowhere", "T1486")]
    found = said(attack=[{"tactic": tactic, "technique": technique} for tactic, technique in pairs])

    assert [(one["tactic"], one["technique"], one["name"]) for one in found["techniques"]] == [
        ("stealth", "T1685.005", "Clear Windows Event Logs")
    ]
    assert found["techniques"][0]["tactic_name_zh"] == "隱匿"


def test_times_are_told_by_the_hour():
    found = said()

    assert (found["first_seen"], found["last_seen"]) == ("2026-03-02T09:00:00.000Z", "2026-03-02T11:00:00.000Z")
    assert found["timeline"] == [
        {
            "tactic": "initial-access",
            "techniques": ["T1566.002"],
            "first_seen": "2026-03-02T09:00:00.000Z",
            "last_seen": "2026-03-02T11:00:00.000Z",
        }
    ]


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"indicator": "evil.example"}, [("domain", "evil.example")]),
        ({"observable:ipv4": "185.220.101.7"}, [("ipv4", "185.220.101.7")]),
        ({"cs-host": "kit.example"}, [("domain", "kit.example")]),
        ({"account_token": "0f" * 32}, []),
        ({"TargetUserName": "wang"}, []),
        ({"observables.value": "evil.example"}, []),
        ({"indicator": "10.1.2.3"}, []),
        ({"indicator": "aa-02.evil.example"}, []),
    ],
)
def test_what_joins_the_tickets_is_told_where_it_is_the_attackers(group, told):
    assert [(one["type"], one["value"]) for one in said(group=group)["indicators"]] == told


def test_what_is_somebodys_own_as_well_is_not_told():
    assert said(sharing={"key": "own"})["indicators"] == []
    assert said(sharing={"key": "infrastructure"})["indicators"][0]["role"] == "infrastructure"


def test_a_value_of_no_kind_is_told_only_where_k_have_it():
    agent = {"indicator": "Mozilla/5.0 (sneaky)"}

    assert [one["type"] for one in said(names=FOUR[:3], group=agent)["indicators"]] == ["user_agent"]
    assert said(names=FOUR[:2], group=agent)["indicators"] == []


def test_what_is_offered_is_told_unless_it_names_somebody():
    offers = [
        {"type": "domain", "value": "c2.example", "role": "infrastructure", "confidence": 60},
        {"type": "domain", "value": "member-aa-02.example", "role": "attacker", "confidence": 90},
        {"type": "ipv4", "value": "192.168.1.7", "role": "attacker", "confidence": 90},
    ]

    assert said(sharing={"offers": offers})["indicators"][1:] == [
        {"type": "domain", "value": "c2.example", "role": "infrastructure", "confidence": 60, "basis": "offered"}
    ]


def test_who_lets_itself_be_named_is_named_and_nobody_else():
    registry = members(12, **{"aa-03": {"sector": "securities"}})
    named = said(registry, sharing={"attribution": {"aa-02": "named", "aa-03": "sector_only", "aa-04": "sector_only"}})

    assert named["sources"] == [
        {"sector": "bank", "institution": "aa-02", "name": "Member aa-02", "name_zh": "會員aa-02"},
        {"sector": "bank", "institution": None, "name": None, "name_zh": None},
    ]  # of the only securities firm not even its sector


RED = {
    "institutions": FOUR[:3],
    "red": {
        "tickets": 1,
        "digest": "d1",
        "attack": [{"tactic": "execution", "technique": "T1059"}],
        "timeline": [],
        "first_seen": "2026-03-02T10:30:00.000Z",
        "last_seen": "2026-03-02T11:00:00.000Z",
    },
}


def test_red_tickets_are_in_nothing_that_is_told_to_others():
    told = Teller().hear(alert(own(*FOUR), sharing=RED))
    found = told["aa-01"]["statement"]

    assert [one["technique"] for one in found["techniques"]] == ["T1059"]
    assert (found["timeline"], found["first_seen"]) == ([], "2026-03-02T10:00:00.000Z")
    assert found["institution_count_at_least"] == 3
    assert told["aa-04"]["ticket_ids"] == ["ticket-of-aa-04"]  # its own, it may know


@pytest.mark.parametrize("sharing", [{**RED, "stands": False}, {**RED, "institutions": FOUR[:1]}])
def test_what_rests_on_red_tickets_is_told_to_nobody(sharing):
    assert Teller().hear(alert(own(*FOUR), sharing=sharing)) == {}


def test_what_becomes_red_is_taken_out_at_once_and_no_greater_count_is_told():
    """It is not to stand until tomorrow, and what is new beside it is not to be told before tomorrow."""
    teller = Teller(members(20))
    teller.hear(alert(own(*FOUR)))
    many = [f"aa-{number:02d}" for number in range(1, 8)]
    told = teller.hear(alert(own(*many), 2, sharing={**RED, "institutions": many[:6]}), at=NOON + HOUR)["aa-05"]

    assert [one["technique"] for one in told["statement"]["techniques"]] == ["T1059"]
    assert told["statement"]["institution_count_at_least"] is None
    later = teller.hear(alert(own(*many), 3, sharing={**RED, "institutions": many[:6]}), at=NOON + DAY)
    assert later["aa-05"]["statement"]["institution_count_at_least"] == 5


def test_the_strictest_label_of_the_tickets_is_kept():
    assert said(sharing={"told_tlp": "amber+strict"})["tlp"] == "amber+strict"
    assert said(sharing={"told_tlp": "clear"})["tlp"] == "amber"


def test_what_helps_is_named_with_what_it_is_against():
    found = said(attack=[{"tactic": "impact", "technique": one} for one in ("T1486", "T1490")])

    assert found["mitigations"][0]["id"] == "M1053"
    assert found["mitigations"][0]["techniques"] == ["T1486", "T1490"]
    assert found["mitigations"][0]["name_zh"] == "資料備份"


def test_nothing_of_an_alert_but_what_is_picked_is_read():
    """Whatever else an alert says, in whatever field, of whoever: it is in no feedback."""
    theirs = "somebody-elses-7f3a"
    more = {
        "explanation": {"text": theirs, "share": {theirs: 1}},
        "clocks": [{"id": theirs}],
        "intel": [{"institution": theirs, "ticket_id": theirs}],
        "severity_reasons": [{"text": theirs}],
        "rule_id": theirs,
        "campaign_id": theirs,
        "ticket_ids": [theirs],
    }
    told = Teller().hear(alert(own(*FOUR), **more))

    assert theirs not in orjson.dumps(told).decode()
