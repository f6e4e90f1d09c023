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
        ({"observable:account_token": "0f" * 32}, []),
        ({"observable:swift_bic": "harbtwtp"}, []),
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
        {"type": "domain", "value": "c2.example", "role": "infrastructure", "confidence": 50, "basis": "offered"}
    ]


@pytest.mark.parametrize(
    ("confidence", "told"), [(37, 25), (0, 0), (24, 0), (89, 75), (90, 90), (100, 90), (None, None)]
)
def test_a_confidence_is_told_rounded_down_as_it_is_some_members_own_number(confidence, told):
    found = said(sharing={"confidence": confidence})

    assert (found["confidence"], found["indicators"][0]["confidence"]) == (told, told or 0)
    assert said(names=FOUR[:2], sharing={"confidence": confidence})["confidence"] is None


def test_who_lets_itself_be_named_is_named_and_nobody_else():
    registry = members(12, **{"aa-03": {"sector": "securities"}})
    named = said(registry, sharing={"attribution": {"aa-02": "named", "aa-03": "sector_only", "aa-04": "sector_only"}})

    assert named["sources"] == [
        {"sector": "bank", "institution": "aa-02", "name": "Member aa-02", "name_zh": "會員aa-02"},
        {"sector": "bank", "institution": None, "name": None, "name_zh": None},
    ]  # of the only securities firm not even its sector


@pytest.mark.parametrize(("size", "told"), [(5, 2), (7, 3)])
def test_of_a_sector_nothing_is_said_where_those_who_are_named_leave_too_few_of_it(size, told):
    insurers = {f"aa-{number:02d}": {"sector": "insurance"} for number in range(1, size + 1)}
    attribution = {"aa-03": "named", "aa-04": "named", "aa-02": "sector_only"}

    assert len(said(members(20, **insurers), sharing={"attribution": attribution})["sources"]) == told


@pytest.mark.parametrize(("institutions", "told"), [(2, []), (3, ["tw-91234567"])])
def test_a_supplier_is_told_where_k_have_it(institutions, told):
    """Whoever else has it could name those two."""
    warned = Teller().hear(alert(own(*FOUR[:institutions]), group={"suppliers.supplier_id": "tw-91234567"}))["aa-09"]

    assert warned["statement"]["suppliers"] == told
    assert ("the supplier that is named" in warned["why"]["text"]) is bool(told)


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


BOTH = [{"tactic": "initial-access", "technique": "T1566.002"}, *RED["red"]["attack"]]
C2 = {"type": "domain", "value": "c2.example", "role": "infrastructure", "confidence": 60}


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


def test_what_becomes_red_is_taken_out_at_once_and_nothing_else_is_said_before_tomorrow():
    """Else whoever makes its own ticket red would be told anew, as often as it likes."""
    teller = Teller(members(20))
    before = teller.hear(alert(own(*FOUR), attack=BOTH, sharing={"offers": [C2]}))["aa-01"]["statement"]
    many = [f"aa-{number:02d}" for number in range(1, 8)]
    sharing = {**RED, "institutions": many[:6], "confidence": 91, "attribution": {"aa-02": "named"}}
    now = teller.hear(alert(own(*many), 2, sharing=sharing), at=NOON + HOUR)["aa-05"]["statement"]

    assert [one["technique"] for one in before["techniques"]] == ["T1566.002", "T1059"]
    assert [one["technique"] for one in now["techniques"]] == ["T1059"]
    assert [one["value"] for one in before["indicators"]] == ["185.220.101.7", "c2.example"]
    assert [one["value"] for one in now["indicators"]] == ["185.220.101.7"]
    assert (now["timeline"], now["first_seen"], now["last_seen"]) == (
        [],
        *[f"2026-03-02T{h}:00:00.000Z" for h in (10, 11)],
    )
    assert [now[name] for name in ("institution_count_at_least", "confidence", "sources")] == [
        3,
        before["confidence"],
        [],
    ]
    assert "2026-03-02 18:00" in now["summary"]["text"]
    assert now["hunt"] != before["hunt"]
    assert {one for each in now["mitigations"] for one in each["techniques"]} == {"T1059"}
    later = teller.hear(alert(own(*many), 3, sharing=sharing), at=NOON + DAY)["aa-05"]["statement"]
    assert (later["institution_count_at_least"], later["sources"][0]["institution"]) == (5, "aa-02")


def test_who_turns_its_own_ticket_red_learns_no_count_and_nothing_by_asking_again():
    five = [f"aa-0{number}" for number in range(1, 6)]
    teller = Teller(members(40))
    first = teller.hear(alert(own(*five), attack=BOTH))["aa-01"]["statement"]
    for hour, technique in enumerate(("T1059", "T1110", "T1059"), 1):
        red = {**RED["red"], "digest": f"d{hour}", "attack": [{"tactic": "execution", "technique": technique}]}
        told = teller.hear(
            alert(own(*five), 1 + hour, sharing={"institutions": five[1:], "red": red}), at=NOON + hour * HOUR
        )
        said = orjson.loads(teller.heard_by("aa-01")[-1])["statement"]
        assert said["institution_count_at_least"] == first["institution_count_at_least"] == 5
        assert [one["technique"] for one in said["techniques"]] == (["T1059"] if hour == 1 else [])
        assert (told == {}) is (hour == 3)


@pytest.mark.parametrize(
    ("first", "last", "told"), [("04:10", "04:20", (4, 4)), ("11:30", "13:00", (11, 11)), ("12:30", "13:00", (12, 12))]
)
def test_of_times_the_hours_are_left_that_may_still_be_said(first, last, told):
    teller = Teller()
    teller.hear(alert(own(*FOUR)))
    red = {**RED["red"], "first_seen": f"2026-03-02T{first}:00.000Z", "last_seen": f"2026-03-02T{last}:00.000Z"}
    found = teller.hear(alert(own(*FOUR), 2, sharing={**RED, "red": red}), at=NOON + HOUR)["aa-01"]["statement"]

    assert (found["first_seen"], found["last_seen"]) == tuple(f"2026-03-02T{hour:02d}:00:00.000Z" for hour in told)


def test_a_row_of_the_timeline_loses_what_only_red_tickets_say():
    teller = Teller()
    row = {
        "tactic": "initial-access",
        "techniques": ["T1566.002", "T1190"],
        "first_seen": at("09:14"),
        "last_seen": at("11:59"),
    }
    teller.hear(alert(own(*FOUR), timeline=[row]))
    rows = [{**row, "techniques": ["T1190", "T1133"], "first_seen": at("10:01"), "last_seen": at("12:30")}]
    red = {**RED["red"], "timeline": rows}
    found = teller.hear(alert(own(*FOUR), 2, sharing={**RED, "red": red}), at=NOON + HOUR)["aa-01"]["statement"]

    assert found["timeline"] == [
        {"tactic": "initial-access", "techniques": ["T1190"], "first_seen": at("10:00"), "last_seen": at("11:00")}
    ]


def at(time):
    return f"2026-03-02T{time}:00.000Z"


def test_what_k_had_today_is_not_taken_back_because_one_of_them_turned_red():
    """It is in all tickets of the alert; that it went would say that they were exactly k."""
    teller = Teller()
    agent = {"indicator": "Mozilla/5.0 (sneaky)"}
    teller.hear(alert(own(*FOUR[:3]), group=agent))
    sharing = {**RED, "institutions": FOUR[:2]}
    found = teller.hear(alert(own(*FOUR[:3]), 2, group=agent, sharing=sharing), at=NOON + HOUR)["aa-01"]["statement"]

    assert [one["type"] for one in found["indicators"]] == ["user_agent"]


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
