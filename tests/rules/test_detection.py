"""Every detection of rules/ hits what it is for and misses what is like it. The cases are in detection/*.yml."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fsoc.tickets.decode import decode
from fsoc.tickets.sample import source_status, ticket


@pytest.fixture
def matched(documents, ruleset):
    """The ids of the rules that match one case of a rule: a ticket for rules on the ticket, else an event."""

    def ids(name: str, case: dict[str, Any]) -> set[str]:
        logsource = documents[name]["logsource"]
        if logsource.get("product") != "fsoc":
            return set(ruleset.detector.match_event(case, logsource))
        sample = source_status if case.get("kind") == "source_status" else ticket
        decoded = decode(json.dumps(sample(**case)).encode(), institution="fi-001")
        return {match.rule_id for match in ruleset.detector.match_ticket(decoded.body) if match.evidence == -1}

    return ids


def test_a_detection_hits_what_it_is_for(hit, matched, rule_id):
    name, case = hit

    assert rule_id(name) in matched(name, case)


def test_a_detection_misses_what_only_looks_like_it(miss, matched, rule_id):
    name, case = miss

    assert rule_id(name) not in matched(name, case)


def test_on_a_heartbeat_only_those_rules_are_tried_that_ask_for_heartbeats(ruleset, documents):
    asking = {one["id"] for one in documents.values() if one.get("logsource", {}).get("service") == "source_status"}

    assert {match.rule_id for match in ruleset.detector.match_ticket(source_status())} == asking


def test_on_intel_only_those_rules_are_tried_that_ask_for_it_and_none_on_its_evidence(ruleset, documents):
    """The sample names an attacker, is held for high, and its evidence matches on its own."""
    asking = {one["id"] for one in documents.values() if one.get("logsource", {}).get("service") == "intel"}

    matches = ruleset.detector.match_ticket(ticket(kind="intel"))
    of_a_ticket = ruleset.detector.match_ticket(ticket())

    assert {match.rule_id for match in matches} == asking
    assert {match.evidence for match in matches} == {-1}
    assert asking.isdisjoint(match.rule_id for match in of_a_ticket)
    assert of_a_ticket


def test_every_detection_has_cases_and_every_case_a_detection(documents, detection_cases):
    detections = {name for name, document in documents.items() if "detection" in document}

    assert set(detection_cases) == detections
    incomplete = [name for name, both in detection_cases.items() if not both["hits"] or not both["misses"]]
    assert incomplete == ["any_ticket"]  # no ticket is none
    assert len(detections) >= 20


def test_an_event_of_another_logsource_is_not_matched(detection_cases, documents, ruleset):
    """What a proxy logged is no log-on at internet banking, whatever its fields are called.

    Events of Windows and of CloudTrail are left out: they say themselves what they are, whatever their sender states.
    """
    elsewhere = {"product": "nothing", "service": "of_the_kind"}
    events = [
        case
        for name, both in detection_cases.items()
        for case in both["hits"]
        if documents[name]["logsource"].get("product") not in {"fsoc", "windows", "aws"}
    ]

    assert len(events) > 10
    assert [event for event in events if ruleset.detector.match_event(event, elsewhere)] == []
