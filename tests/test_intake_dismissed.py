"""A ticket that its institution closes as a false positive: it counts nowhere, and is in its past all the same."""

from __future__ import annotations

from fsoc.correlation.feeder import Feeder
from fsoc.correlation.past import Past
from fsoc.correlation.ruleset import RuleSet
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from tests.builders import VERSION, EveryTicket, NoTechniques, correlation_rule
from tests.test_intake import INSTITUTION, RULE, detections, payload, work

FALSE_POSITIVE = {"action": "close", "status": "resolved", "verdict": "false_positive"}


def looking_back():
    """The stage of an institution, whose tickets feed one rule that looks at pasts and one that does not."""
    rules = [RULE, correlation_rule(id="past", past=Past("first_ever"))]
    registry = Registry.open()
    registry.get(INSTITUTION)
    ruleset = RuleSet(
        EveryTicket(), 1, {rule.id: rule for rule in rules}, Feeder(rules), NoTechniques(), {}, {}, VERSION, 0
    )
    return Pipeline(ruleset, registry, detections_partitions=2, ends=True).intake(INSTITUTION)


def words_of(outputs):
    """Rule, revision, and whether it is withdrawn, put or put as what was found to be nothing."""
    return {
        (one["rule"], one["revision"], "dismissed" if one.get("dismissed") else one["op"])
        for one in detections(outputs, "put", "withdraw")
    }


def test_what_is_found_to_be_nothing_stays_in_the_past_of_rules_that_look_at_it():
    stage = looking_back()
    work(payload("t-1", 1, "a.example"), stage=stage)

    closed = work(payload("t-1", 2, "a.example", **FALSE_POSITIVE), stage=stage, first=1)
    assert words_of(closed) == {("rule", 2, "withdraw"), ("past", 2, "dismissed")}
    assert stage.ledger.detections == 1, "it is counted once"

    opened = work(payload("t-1", 3, "a.example", action="update"), stage=stage, first=2)
    assert words_of(opened) == {("rule", 3, "put"), ("past", 3, "put")}

    retracted = work(payload("t-1", 4, "a.example", action="retract"), stage=stage, first=3)
    assert words_of(retracted) == {("rule", 4, "withdraw"), ("past", 4, "withdraw")}


def test_intel_that_is_found_to_be_nothing_is_in_nobodys_past():
    stage = looking_back()
    work(payload("t-1", 1, "a.example", kind="intel"), stage=stage)

    closed = work(payload("t-1", 2, "a.example", kind="intel", **FALSE_POSITIVE), stage=stage, first=1)
    assert {word for _, _, word in words_of(closed)} <= {"withdraw"}


def test_a_forgotten_ticket_that_is_found_to_be_nothing_leaves_the_groups_it_may_be_in():
    stage = looking_back()
    stage.ledger.forgotten_live = 1

    closed = work(payload("t-1", 2, "a.example", **FALSE_POSITIVE), stage=stage)
    assert words_of(closed) == {("rule", 2, "withdraw"), ("past", 2, "dismissed")}
