"""The published schema of feedback takes what is sent, and nothing that could tell one member of another."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.sharing.feedback import feedback
from fsoc.sharing.model import feedback_schema

FEEDBACK = Draft202012Validator(feedback_schema())
ALERT = {
    "alert_id": "al-1",
    "kind": "joint",
    "suppressed": None,
    "environment": "production",
    "rule_title": "Same indicator",
    "rule_title_zh": "同一指標",
    "level": "high",
    "attack": [{"tactic": "initial-access", "technique": "T1566"}],
    "group": {"indicator": "evil.example"},
    "institution_count": 4,
    "tickets": {"fi-001": ["T-1"]},
}


def sent(**changes):
    ((_, value),) = feedback(ALERT | changes, 3, "open")
    return orjson.loads(value)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(FEEDBACK.schema)


@pytest.mark.parametrize("institutions", [2, 3, 7, 19, 400])
def test_what_is_sent_is_valid(institutions):
    found = sent(institution_count=institutions)

    assert [f"{error.json_path}: {error.message}" for error in FEEDBACK.iter_errors(found)] == []


def test_what_is_sent_of_a_rule_that_misfires_is_valid():
    found = sent(kind="rule", group={"trigger.rule_id": "MB-231"})

    assert [f"{error.json_path}: {error.message}" for error in FEEDBACK.iter_errors(found)] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"institution_count_at_least": 4},
        {"institutions": ["fi-002"]},
        {"explanation": {}},
        {"tlp": "AMBER"},
        {"schema": "fsoc.alert/1"},
        {"ticket_ids": None},
    ],
)
def test_what_tells_more_or_less_is_invalid(changes):
    assert not FEEDBACK.is_valid(sent() | changes)
