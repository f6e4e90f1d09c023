"""The published schema of an alert takes what is composed, and nothing that is not an alert."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.alerts.compose import compose
from fsoc.alerts.schema import alert_schema
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.window import Satisfied
from tests.builders import correlation_rule

ALERT = Draft202012Validator(alert_schema())
NOON = 1_772_452_800_000


@pytest.fixture
def alert():
    rule = correlation_rule(title="Same indicator at two institutions")
    attack = (("initial-access", "T1566.002"),)
    entries = tuple(
        Entry(NOON + n, f"fi-00{n}", f"T-{n}", 1, ((f"fi-00{n}",),), f"fi-00{n}", 3, attack, ("detection",))
        for n in (1, 2)
    )
    found = Satisfied(NOON // rule.episode_ms, NOON + 1, NOON + 2, 2, entries)
    key = GroupKey("rule", "production", orjson.dumps(["evil.example"]).decode())
    body = compose(rule, key, found, None, {"initial-access": 1})
    return orjson.loads(orjson.dumps({**body, "revision": 1, "status": "open"}))


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(ALERT.schema)


def test_a_composed_alert_is_valid(alert):
    assert [f"{error.json_path}: {error.message}" for error in ALERT.iter_errors(alert)] == []


def test_what_an_alert_has_at_least_is_required():
    """The list of the design's section on commands: others build on it."""
    at_least = (
        "alert_id revision status rule_id rule_title kind level campaign_id group window_from window_to institutions"
        " institution_count ticket_ids attack first_seen raised_at_event_time explanation"
    )

    assert set(at_least.split()) <= set(ALERT.schema["required"])


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "closed"},
        {"revision": 0},
        {"institution_count": -1},
        {"window_from": "2026-03-02T00:00:00"},
        {"institutions": "fi-001"},
        {"explanation": "because"},
        {"attack": ["T1566"]},
        {"level": "severe"},
        {"extra": 1},
    ],
)
def test_what_is_no_alert_is_invalid(alert, changes):
    assert not ALERT.is_valid(alert | changes)
