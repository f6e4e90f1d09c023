"""Clocks and suppressions that change while correlation runs: what is held says so at once, and after a restart."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from fsoc.correlation.policy import HOUR_MS, NO_POLICY, Clock, Policy, Suppression
from tests.builders import correlation_rule
from tests.correlate_stage import NOON, Topics, build_pipeline, record_of, started
from tests.sharing_stage import Teller

RULE = correlation_rule()
QUIET = Policy(suppressions=(Suppression("quiet", "rule", (), frozenset(), NOON + HOUR_MS, "me", "drill"),))
TIMED = Policy((Clock("report", "Report", "通報", "first_seen", HOUR_MS),))
TICKETS = [
    record_of(RULE, ("put", "evil", name, "T-1", 1, NOON + place)) for place, name in enumerate(("aa-01", "aa-02"))
]


@pytest.fixture
def pipeline():
    return build_pipeline(RULE)


def adopt(pipeline, policy, *rules):
    """A reload makes everything anew, whatever was changed."""
    pipeline.rules = replace(pipeline.rules, policy=policy, correlations={rule.id: rule for rule in rules})


def newest(outputs):
    (alert,) = (orjson.loads(item.value) for item in outputs.published if item.topic == "alerts")
    return alert


def told(teller, outputs):
    """What becomes of the alert at its two institutions."""
    shared = [orjson.loads(item.value) for item in outputs.published if item.topic == "sharing"]
    return {name: one["status"] for name, one in teller.hear(*shared).items() if name in {"aa-01", "aa-02"}}


def test_a_suppression_that_is_added_and_taken_out_revises_what_it_covers(pipeline):
    stage = pipeline.correlate(0)
    raised = stage.work(TICKETS)
    adopt(pipeline, QUIET, RULE)
    suppressed = stage.idle()
    adopt(pipeline, NO_POLICY, RULE)
    lifted = stage.idle()

    assert [newest(outputs)["revision"] for outputs in (raised, suppressed, lifted)] == [1, 2, 3]
    assert newest(suppressed)["suppressed"]["id"] == "quiet"
    assert newest(lifted) | {"revision": 1} == newest(raised)
    teller = Teller()
    assert [told(teller, outputs) for outputs in (raised, suppressed, lifted)] == [
        {"aa-01": "open", "aa-02": "open"},
        {"aa-01": "retracted", "aa-02": "retracted"},
        {"aa-01": "open", "aa-02": "open"},
    ]


def test_what_is_held_of_a_rule_that_was_removed_is_revised_too(pipeline):
    stage = pipeline.correlate(0)
    stage.work(TICKETS)
    adopt(pipeline, TIMED)

    assert newest(stage.idle())["clocks"][0]["id"] == "report"


def test_the_same_policy_revises_nothing(pipeline):
    stage = pipeline.correlate(0)
    stage.work(TICKETS)
    adopt(pipeline, Policy(), RULE)

    assert [item for item in stage.idle().published if item.topic == "alerts"] == []


def test_a_restart_goes_by_the_policy_of_the_day(pipeline):
    topics = Topics()
    topics.write(started(pipeline, topics).work(TICKETS))
    adopt(pipeline, QUIET, RULE)
    started(pipeline, topics)

    (alert,) = topics.alerts.values()
    assert (alert["revision"], alert["suppressed"]["id"]) == (2, "quiet")
