"""The published schema of feedback takes what is sent, and nothing that could tell one member of another."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.sharing.model import feedback_schema
from tests.sharing_stage import DAY, NOON, Teller, alert, own

FEEDBACK = Draft202012Validator(feedback_schema())


def sent(**changes):
    return Teller().hear(alert(own("aa-01", "aa-02", "aa-03"), **changes))["aa-01"]


def faults(found):
    return [f"{error.json_path}: {error.message}" for error in FEEDBACK.iter_errors(found)]


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(FEEDBACK.schema)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "rule", "group": {"trigger.rule_id": "MB-231", "assets.type": "atm"}},
        {"kind": "feed", "group": {"feed": "edr", "institution": "aa-01"}},
        {"group": {"suppliers.supplier_id": "sup-7"}},
        {"group": {"indicator": "mozilla/5.0 (x)"}, "environment": "exercise"},
        {"sharing": {"attribution": {"aa-02": "named", "aa-03": "sector_only"}}},
        {"sharing": {"confidence": None}, "group": {"category": "availability.ddos"}},
    ],
)
def test_what_is_sent_is_valid(changes):
    assert faults(sent(**changes)) == []


def test_every_change_is_valid():
    teller = Teller()
    teller.hear(alert(own("aa-01", "aa-02", "aa-03")))
    more = own(*(f"aa-0{number}" for number in range(1, 7)))
    changed = teller.hear(
        alert(
            more, 2, level="critical", group={"indicator": "evil.example", "suppliers.supplier_id": "s-1"}, attack=[]
        ),
        at=NOON + DAY,
    )
    taken_back = teller.hear(alert(more, 3, status="retracted"), at=NOON + DAY)

    assert [change["what"] for change in changed["aa-06"]["changes"]] == [
        "concern",
        "own_tickets",
        "level",
        "count",
        "indicators_added",
        "indicators_gone",
        "techniques_gone",
        "suppliers_added",
    ]
    assert [fault for one in [*changed.values(), *taken_back.values()] for fault in faults(one)] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"institution_count_at_least": 4},
        {"institutions": ["fi-002"]},
        {"explanation": {}},
        {"tlp": "red"},
        {"schema": "fsoc.alert/1"},
        {"ticket_ids": None},
        {"statement": {}},
    ],
)
def test_what_tells_more_or_less_is_invalid(changes):
    assert not FEEDBACK.is_valid(sent() | changes)


def test_an_exact_count_is_invalid():
    found = sent()
    found["statement"]["institution_count_at_least"] = 4

    assert not FEEDBACK.is_valid(orjson.loads(orjson.dumps(found)))
