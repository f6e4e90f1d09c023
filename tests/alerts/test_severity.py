"""Severity and suggested grade: hand-made cases, and that nothing which makes an alert worse lowers them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.alerts.facts import Facts
from fsoc.alerts.grade import TABLE, suggest
from fsoc.alerts.severity import OWN, STEP, TACTICS, TECHNIQUES, reasons_of, severity
from fsoc.correlation.past import Novelty
from fsoc.runtime.attack_files import read_techniques
from tests.alerts.conftest import make_alert, make_entry

PLAIN = Facts(3, 0, 1, 0, frozenset(), by_supplier=False, tags=frozenset())
PAIR = ("impact", "T1490")
IMPACT = frozenset({PAIR})


def severity_of(**changes):
    return severity(tuple(reasons_of(PLAIN._replace(**changes))))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 2),
        ({"severity": 0}, 0),
        ({"severity": 5}, 4),
        ({"members": 3, "attack": frozenset({("initial-access", "T1566")})}, 2),
        ({"members": 4, "attack": frozenset({("initial-access", "T1566")})}, 3),
        ({"members": 3, "novel": 3}, 3),
        ({"members": 3, "by_supplier": True}, 3),
        ({"members": 3, "criticality": 5}, 3),
        ({"members": 3, "attack": IMPACT}, 3),
        ({"members": 5, "attack": IMPACT, "criticality": 5}, 4),
        ({"severity": 4, "members": 3, "attack": IMPACT, "criticality": 5}, 4),
        ({"severity": 5, "members": 2, "attack": IMPACT}, 4),
        ({"severity": 5, "members": 3, "attack": IMPACT}, 5),
        ({"severity": 5, "attack": IMPACT, "criticality": 5}, 5),
    ],
)
def test_what_only_the_sector_sees_earns_the_last_step(changes, expected):
    assert severity_of(**changes) == expected


def test_what_tickets_claim_is_not_held_for_the_sectors_where_the_rule_that_wrote_them_is_at_fault():
    grave = PLAIN._replace(severity=5, members=40, novel=40, attack=IMPACT, criticality=5)
    misfiring = grave._replace(of_rule=True)

    assert (severity(tuple(reasons_of(grave))), suggest(grave).grade) == (5, 4)
    assert (severity(tuple(reasons_of(misfiring))), suggest(misfiring).grade) == (1, 1)
    assert [reason.points for reason in reasons_of(misfiring)] == [STEP]


def test_every_point_has_its_reason_and_what_adds_nothing_has_none(entry, alert_of):
    novelty = {"fi-001": Novelty("first_ever", 1, None)}
    entries = [entry("fi-001", "T-1", criticality=4), entry("fi-002", "T-2"), entry("fi-003", "T-3", attack=())]
    alert = alert_of(entries, novelty=novelty, group_by=("suppliers.supplier_id",))

    assert [(reason["points"], reason["text"]) for reason in alert["severity_reasons"]] == [
        (24, "the gravest ticket is of severity 3 (Medium)"),
        (1, "ATT&CK: initial-access"),
        (3, "an asset of criticality 4 of 5 is concerned"),
        (4, "3 independent institutions"),
        (1, "new or surging at 1 of them, by their own past"),
        (2, "they have a supplier in common"),
    ]
    assert alert["severity"] == 35 // STEP
    assert all(reason["text_zh"] != reason["text"] for reason in alert["severity_reasons"])


@pytest.mark.parametrize(
    ("members", "points"), [(1, 0), (2, 2), (3, 4), (4, 5), (5, 6), (9, 6), (10, 8), (19, 8), (20, 10), (400, 10)]
)
def test_more_institutions_weigh_more(members, points):
    told = tuple(reasons_of(PLAIN._replace(members=members)))

    assert sum(reason.points for reason in told) == PLAIN.severity * OWN + points


def test_affiliates_of_one_holding_are_one_institution(entry, alert_of):
    apart = [entry("fi-001", "T-1"), entry("fi-002", "T-2"), entry("fi-003", "T-3")]
    together = [each._replace(member="holding") for each in apart[:2]] + apart[2:]

    told = [[reason["text"] for reason in alert_of(each)["severity_reasons"]] for each in (apart, together)]
    assert "3 independent institutions" in told[0]
    assert "2 independent institutions" in told[1]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=2),
    st.data(),
)
def test_tickets_that_are_added_never_lower_an_alerts_severity_or_grade(drawn, data):
    entries = [
        make_entry(name, f"T-{place}", place % 50, severity=severity_, criticality=criticality, attack=ransom * (PAIR,))
        for place, (name, severity_, criticality, ransom) in enumerate(drawn)
    ]
    fewer = data.draw(st.lists(st.sampled_from(entries), min_size=2, unique=True))
    less, more = make_alert(fewer), make_alert(entries)

    if less is not None:
        assert more["severity"] >= less["severity"]
        assert more["suggested_grade"]["grade"] >= less["suggested_grade"]["grade"]


def test_the_tables_know_every_tactic_and_only_techniques_that_there_are():
    techniques = read_techniques()

    assert list(TACTICS) == list(techniques.tactic_order())
    assert all(techniques.resolve(name).id == name for name in TECHNIQUES)
    for name, points in TECHNIQUES.items():
        assert points > max(TACTICS[tactic] for tactic in techniques.resolve(name).tactics)


@pytest.mark.parametrize(
    ("changes", "grade", "because"),
    [
        ({}, 1, "none of the facts that suggest a graver level"),
        ({"severity": 4}, 2, "a ticket of severity 4 or more"),
        ({"members": 5}, 2, "five independent institutions or more"),
        ({"criticality": 4}, 2, "core systems are concerned"),
        ({"attack": frozenset({("exfiltration", "T1567")})}, 2, "impact or exfiltration"),
        ({"attack": IMPACT, "members": 2}, 3, "ransomware or its preparation at two independent institutions or more"),
        ({"tags": frozenset({"fraud.swift-transfer"})}, 3, "money moved out of SWIFT or ATM systems"),
        (
            {"attack": frozenset({("impact", "T1498")}), "criticality": 4},
            3,
            "impact or exfiltration, with core systems",
        ),
        ({"attack": frozenset({("impact", "T1498")}), "members": 10}, 3, "impact or exfiltration at ten"),
        (
            {"attack": frozenset({("impact", "T1498")}), "members": 3, "criticality": 5},
            4,
            "impact or exfiltration, with",
        ),
        ({"attack": IMPACT, "members": 3, "criticality": 4}, 4, "data encrypted, destroyed or kept from recovery"),
    ],
)
def test_the_suggested_grade_says_what_it_rests_on(changes, grade, because):
    suggestion = suggest(PLAIN._replace(**changes))

    assert suggestion.grade == grade
    assert suggestion.reasons[0][0].startswith(because)


def test_the_gravest_rows_stand_first():
    grades = [row.grade for row in TABLE]

    assert grades == sorted(grades, reverse=True)
    assert {4, 3, 2, 1} == set(grades)


def test_a_grade_is_called_a_suggestion_in_both_languages(entry, alert_of):
    suggested = alert_of([entry("fi-001", "T-1"), entry("fi-002", "T-2")])["suggested_grade"]

    assert "suggestion" in suggested["note"]
    assert "建議" in suggested["note_zh"]


ATTACKS = [frozenset(), IMPACT, *(frozenset({(tactic, "T9999")}) for tactic in ("initial-access", "impact"))]


@pytest.mark.parametrize("attack", ATTACKS, ids=["none", "ransom", "access", "impact"])
def test_one_institution_or_one_step_more_never_lowers_either(attack):
    def judged(severity_, criticality, members, novel):
        facts = PLAIN._replace(severity=severity_, criticality=criticality, members=members, novel=novel, attack=attack)
        reasons = tuple(reasons_of(facts))
        return sum(reason.points for reason in reasons), severity(reasons), suggest(facts).grade

    for place in product(range(5), range(5), range(1, 25), range(0, 5, 2)):
        for step in range(4):
            worse = [value + (number == step) for number, value in enumerate(place)]
            assert all(after >= before for before, after in zip(judged(*place), judged(*worse), strict=True))


pairs = st.frozensets(
    st.tuples(st.sampled_from([*TACTICS, "made-up"]), st.sampled_from([*TECHNIQUES, "T1003.001", "T9999"])), max_size=4
)
facts = st.builds(
    Facts,
    severity=st.integers(0, 5),
    criticality=st.integers(0, 5),
    members=st.integers(1, 40),
    novel=st.integers(0, 40),
    attack=pairs,
    by_supplier=st.booleans(),
    tags=st.frozensets(st.sampled_from(["fraud.swift-transfer", "fraud.atm-cashout", "attack.impact"])),
    of_rule=st.just(value=False),
)


@given(facts, facts)
def test_nothing_that_makes_an_alert_worse_lowers_severity_or_grade(one, other):
    worse = Facts(
        *(max(pair) for pair in zip(one[:4], other[:4], strict=True)),
        one.attack | other.attack,
        by_supplier=one.by_supplier or other.by_supplier,
        tags=one.tags | other.tags,
    )

    assert severity(tuple(reasons_of(worse))) >= severity(tuple(reasons_of(one)))
    assert suggest(worse).grade >= suggest(one).grade
    assert one.severity - 1 <= severity(tuple(reasons_of(one))) <= 5
