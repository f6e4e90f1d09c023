"""What an alert says of intel that stands in it: which, whose and when, and nothing else by it."""

from __future__ import annotations

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.alerts.schema import alert_schema
from fsoc.alerts.traces import traces_of
from fsoc.correlation.policy import NO_POLICY
from fsoc.correlation.window import satisfied
from tests.builders import correlation_rule
from tests.sharing_stage import Teller, members

ALERT = Draft202012Validator(alert_schema())
BOTH = {
    "type": "temporal",
    "rules": ("heard", "met"),
    "fields": (),
    "condition": (("gte", 2),),
}


@pytest.fixture
def heard(entry):
    """A warning: graver, earlier, of a graver technique and of more assets than whatever it is about."""

    def one(institution, ticket, minutes=0, **changes):
        grave = {"severity": 5, "criticality": 5, "attack": (("impact", "T1486"),), "rules": ("heard",), "values": ()}
        return entry(institution, ticket, minutes, member="", **{**grave, **changes})

    return one


@pytest.fixture
def met(entry):
    return lambda institution, ticket, minutes=0: entry(institution, ticket, minutes, rules=("met",), values=())


def test_it_names_the_intel_beside_and_all_else_is_of_the_victims(heard, met, alert_of):
    """fi-009 warns · fi-001 · fi-002 · fi-009 warns again"""
    victims = [met("fi-001", "T-1", 10), met("fi-002", "T-2", 20)]
    alert = alert_of([heard("fi-009", "I-1"), *victims, heard("fi-009", "I-2", 30)], **BOTH)

    assert list(ALERT.iter_errors(alert)) == []
    assert alert["intel"] == [
        {"institution": "fi-009", "ticket_id": "I-1", "at": "2026-03-02T12:00:00.000Z"},
        {"institution": "fi-009", "ticket_id": "I-2", "at": "2026-03-02T12:30:00.000Z"},
    ]
    assert (alert["kind"], alert["institutions"], alert["ticket_ids"]) == (
        "joint",
        ["fi-001", "fi-002"],
        ["T-1", "T-2"],
    )
    assert (alert["institution_count"], alert["independent_count"], alert["ticket_count"]) == (2, 2, 2)
    assert (alert["first_seen"], alert["last_seen"]) == ("2026-03-02T12:10:00.000Z", "2026-03-02T12:20:00.000Z")
    assert alert["attack"] == [{"tactic": "initial-access", "technique": "T1566.002"}]
    assert [row["tactic"] for row in alert["timeline"]] == ["initial-access"]
    assert (alert["timeline"][0]["tickets"], alert["timeline"][0]["institutions"]) == (2, 2)
    alone = alert_of(victims, **{**BOTH, "condition": (("gte", 1),)})
    for name in ("severity", "severity_reasons", "suggested_grade", "clocks", "timeline", "attack"):
        assert alert[name] == alone[name], name
    assert alone["intel"] == []


def test_the_explanation_names_it_in_both_languages_and_where_it_decided(heard, met, alert_of):
    alert = alert_of([met("fi-001", "T-1"), met("fi-002", "T-2", 1), heard("fi-009", "I-1", 2)], **BOTH)
    why = alert["explanation"]

    assert "2 tickets of 2 institutions: fi-001 1, fi-002 1." in why["text"]
    assert "With intel, whose senders are no victims by it: I-1 (fi-009)." in why["text"]
    assert "另有情資分析單（非受害通報）：I-1（fi-009）。".replace("（fi-009）", " (fi-009)") in why["text_zh"]
    assert "by I-1 (fi-009); without it the alert says less or falls" in why["text"]
    assert (why["share"], why["deciding"]) == ({"fi-001": 1, "fi-002": 1}, {"fi-009": ["I-1"]})
    assert why["detections"] == {"heard": 1, "met": 2}


def test_one_victim_makes_a_local_alert_however_many_warn(heard, met, alert_of):
    alert = alert_of([met("fi-001", "T-1"), *(heard(f"fi-{n:03}", f"I-{n}") for n in range(2, 30))], **BOTH)

    assert (alert["kind"], alert["independent_count"], len(alert["intel"])) == ("local", 1, 28)


def test_who_warns_and_meets_it_is_a_victim_of_its_own_ticket_alone(heard, met, alert_of):
    alert = alert_of([heard("fi-001", "I-1"), met("fi-001", "T-1", 1)], **BOTH)

    assert (alert["tickets"], [one["ticket_id"] for one in alert["intel"]]) == ({"fi-001": ["T-1"]}, ["I-1"])


def test_intel_alone_is_no_alert_and_in_none_that_goes_before_or_after(heard, met, alert_of):
    """A rule that counts intel: three warnings hold, and happened to nobody."""
    counts = {"type": "event_count", "rules": ("heard", "met"), "fields": (), "condition": (("gte", 2),)}
    warnings = [heard(f"fi-00{n}", f"I-{n}", n) for n in range(3)]

    assert alert_of(warnings, **counts) is None
    assert alert_of([*warnings, met("fi-009", "T-9", 5)], **counts)["institutions"] == ["fi-009"]


def test_campaigns_are_told_of_victims_alone(heard, met):
    rule = correlation_rule(type="temporal", rules=("heard", "met"), fields=())
    (found,) = satisfied(rule, [heard("fi-009", "I-1"), met("fi-001", "T-1", 10)], None)
    traces = traces_of(found.entries)

    assert traces.members == (("fi-001", "fi-001"),)
    assert [name for _, name, *_ in traces.attack] == ["T1566.002"]
    assert traces.first_ms == traces.last_ms == found.entries[-1].event_time_ms


def test_feedback_goes_to_victims_and_names_nobody_who_warned(heard, met, alert_of):
    entries = [heard("fi-009", "I-1"), *(met(f"fi-00{n}", f"T-{n}", n) for n in (1, 2)), heard("fi-002", "I-2")]
    alert = alert_of(entries, policy=NO_POLICY, **BOTH)
    told = Teller(members(8, "fi-0")).hear(alert)

    assert [name for name, one in told.items() if one["concern"] == "own_tickets"] == ["fi-001", "fi-002"]
    for value in told.values():
        for secret in ("fi-009", "I-1", "I-2", "intel"):
            assert secret not in orjson.dumps(value).decode()


def test_a_ticket_that_was_intel_before_is_a_victims_though_both_matches_of_it_are_there(heard, met, alert_of):
    """Over correlations, what the one fed may not be withdrawn yet where the other feeds already."""
    before, now = heard("fi-001", "T-1"), met("fi-001", "T-1", 10)
    alert = alert_of(
        [before._replace(source="inner [1]"), now._replace(source="inner [2]"), met("fi-002", "T-2", 20)],
        **{**BOTH, "depth": 2},
    )

    assert (alert["tickets"], alert["intel"]) == ({"fi-001": ["T-1"], "fi-002": ["T-2"]}, [])
    alone = alert_of([before._replace(source="inner [1]"), now._replace(source="inner [2]")], **{**BOTH, "depth": 2})
    assert (alone["kind"], alone["institutions"], alone["intel"]) == ("local", ["fi-001"], [])
