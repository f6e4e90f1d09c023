"""Clocks and suppressions as alerts carry them: decided by the alert's own times, never by a clock."""

from __future__ import annotations

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.alerts.schema import alert_schema
from fsoc.correlation.policy import HOUR_MS, Clock, Policy
from fsoc.correlation.policy_reader import read_policy
from fsoc.detection.documents import Source
from fsoc.runtime.content import read_source, shipped
from tests.sharing_stage import Teller, members

ALERT = Draft202012Validator(alert_schema())
SUPPRESSION = """\
suppressions:
  - id: exercise
    rule: same_indicator
    until: 2026-03-03
    owner: analyst
    reason: announced
"""


@pytest.fixture
def two(entry):
    return [entry("fi-001", "T-1"), entry("fi-002", "T-2", 10)]


def suppressing(text=SUPPRESSION):
    return read_policy([], [Source("s.yml", text)])


def clocks(*several):
    return Policy(several)


def clock(name="report", **changes):
    fields = {"id": name, "name": name, "name_zh": "通報", "starts_at": "raised_at_event_time", "span_ms": HOUR_MS}
    return Clock(**{**fields, **changes})


def test_clocks_run_from_when_it_was_raised_or_first_seen_and_the_first_due_is_first(two, alert_of):
    policy = clocks(clock("slow", span_ms=2 * HOUR_MS), clock("quick", starts_at="first_seen"))
    alert = alert_of(two, policy=policy)

    assert [(one["id"], one["starts_at"][11:16], one["due_at"][11:16]) for one in alert["clocks"]] == [
        ("quick", "12:00", "13:00"),
        ("slow", "12:10", "14:10"),
    ]
    assert list(ALERT.iter_errors(alert)) == []


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({}, True),
        ({"kind": "joint"}, True),
        ({"kind": "local"}, False),
        ({"grades": (1, 1)}, True),
        ({"grades": (2, 4)}, False),
        ({"severity_from": 2}, True),
        ({"severity_from": 3}, False),
        ({"levels": frozenset({"high", "critical"})}, True),
        ({"levels": frozenset({"critical"})}, False),
    ],
)
def test_a_clock_runs_where_all_its_conditions_hold(two, alert_of, changes, runs):
    assert bool(alert_of(two, policy=clocks(clock(**changes)))["clocks"]) is runs


def test_the_clocks_that_come_with_fsoc_run_once_for_every_joint_alert(entry, alert_of, two):
    policy = read_policy([read_source(shipped("rules") / "clocks.yml")], [])
    grave = [each._replace(attack=(("impact", "T1486"),)) for each in two]

    assert [one["id"] for one in alert_of(two, policy=policy)["clocks"]] == ["notify", "control-72h"]
    assert [one["id"] for one in alert_of(grave, policy=policy)["clocks"]] == ["notify", "control-36h"]
    assert alert_of([entry("fi-001", "T-1")], (("gte", 1),), policy=policy)["clocks"] == []
    assert alert_of(grave, policy=policy, scope="rule", group_by=("trigger.rule_id",))["clocks"] == []


def test_a_suppressed_alert_is_raised_and_says_by_whom_it_is_suppressed(two, alert_of):
    alert = alert_of(two, policy=suppressing(), name="same_indicator")

    assert alert["suppressed"] == {
        "id": "exercise",
        "owner": "analyst",
        "until": "2026-03-03T00:00:00.000Z",
        "reason": "announced",
    }
    assert alert | {"suppressed": None} == alert_of(two, name="same_indicator")
    assert list(ALERT.iter_errors(alert)) == []


def test_institutions_are_not_told_of_suppressed_alerts(two, alert_of):
    suppressed, open_ = (alert_of(two, policy=policy, name="same_indicator") for policy in (suppressing(), None))

    assert Teller().hear(suppressed) == {}
    assert {"fi-001", "fi-002"} <= set(Teller(members(12, "fi-0")).hear(open_))


@pytest.mark.parametrize(
    ("more", "covers"),
    [
        ("", True),
        ("    group: {indicator: EVIL.example}", True),
        ("    group: {indicator: '*.example'}", True),
        ("    group: {indicator: '*.org'}", False),
        ("    group: {indicator: example}", False),
        ("    group: {host: evil.example}", False),
        ("    institutions: [fi-001, fi-002, fi-003]", True),
        ("    institutions: [fi-001]", False),
    ],
)
def test_it_covers_its_rule_group_and_institutions_alone(two, alert_of, more, covers):
    alert = alert_of(two, policy=suppressing(SUPPRESSION + more), name="same_indicator")

    assert (alert["suppressed"] is not None) is covers


@pytest.mark.parametrize(("value", "covers"), [("198.18.7.9", True), ("198.19.0.1", False), ("evil.example", False)])
def test_a_network_covers_the_addresses_in_it(two, alert_of, value, covers):
    policy = suppressing(SUPPRESSION + "    group: {indicator: 198.18.0.0/16}")

    assert (alert_of(two, policy=policy, name="same_indicator", group=(value,))["suppressed"] is not None) is covers


def test_a_rule_may_be_named_by_its_id(two, alert_of):
    policy = suppressing(SUPPRESSION.replace("same_indicator", "rule"))

    assert alert_of(two, policy=policy)["suppressed"] is not None


@pytest.mark.parametrize(
    ("until", "covers"), [("2026-03-02T12:10:00Z", False), ("2026-03-02T12:10:00.001Z", True), ("2026-03-02", False)]
)
def test_the_event_time_at_which_it_was_raised_decides(two, alert_of, until, covers):
    """
    fi-001 12:00  |
    fi-002 12:10        | raised here
    until               ^ no more     ^ still
    """
    policy = suppressing(SUPPRESSION.replace("2026-03-03", until))

    assert (alert_of(two, policy=policy, name="same_indicator")["suppressed"] is not None) is covers


def test_one_institution_more_than_is_meant_lifts_the_suppression(two, entry, alert_of):
    policy = suppressing(SUPPRESSION + "    institutions: [fi-001, fi-002]")
    more = [*two, entry("fi-003", "T-3", 20)]

    assert alert_of(two, policy=policy, name="same_indicator")["suppressed"] is not None
    assert alert_of(more, policy=policy, name="same_indicator")["suppressed"] is None


def test_feedback_says_nothing_of_what_is_new_on_an_alert(two, alert_of):
    """Neither names nor exact numbers of others, in whatever field they stand."""
    alert = alert_of(two, policy=clocks(clock()))
    for institution, told in Teller().hear(alert).items():
        said = {*told, *told["statement"]}
        assert not {"severity_reasons", "suggested_grade", "clocks", "suppressed", "explanation", "sharing"} & said
        for other in {"fi-001", "fi-002"} - {institution}:
            assert other not in orjson.dumps(told).decode()
