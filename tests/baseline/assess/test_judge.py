"""What is asked of a step: in time, by the right rule, taken by the joint SOC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.baseline.assess.report import as_data, compare
from fsoc.baseline.assess.script import Joined


@pytest.fixture
def played_with(scripts, played, stage):
    """One step of the night of ransomware, changed; judged at each institution."""
    script = next(script for script in scripts if script.id == "ransomware-night")
    step = next(step for step in script.steps if step.id == "recovery")

    def run(**changes: object):
        return played(stage, [replace(script, steps=(replace(step, **changes),))])

    return run


def test_a_ticket_that_is_opened_too_late_is_none(played_with):
    """It is opened a minute after the match."""
    in_time, late = played_with(ticket_ms=60_000), played_with(ticket_ms=59_999)

    assert all(one.ticketed.reached for one in in_time.judged)
    assert {one.ticketed.why for one in late.judged} == {"too late, after 60 s"}


def test_an_alert_that_is_raised_too_late_is_none(played_with):
    """The third institution is struck 80 minutes after the first, and makes it three.

    fi-001     |---------------------------| 80 min
    x2                 |-------------------| 40 min
    x3                                     | at once
    """
    minutes = {40: [False, True, True], 79: [False, True, True], 80: [True, True, True]}

    for limit, expected in minutes.items():
        found = played_with(joined=Joined("ransomware_wave", limit * 60_000))
        assert [one.joined.reached for one in found.judged] == expected, limit
    assert found.judged[0].joined.after_ms == 80 * 60_000


def test_another_rules_alert_is_not_the_one_that_is_asked_for(played_with):
    other, none = played_with(joined=Joined("swift_fraud", 10**9)), played_with(joined=Joined("no_such_rule", 10**9))

    assert {one.joined.why for one in other.judged} == {"in no such alert"}
    assert {one.joined.why for one in none.judged} == {"there is no such rule"}


def test_what_another_rule_found_is_told(played_with, stage):
    found = played_with(rule="sam_hive_saved", item=None)

    assert {one.detected.why for one in found.judged} == {
        f"0 of 1 events; found by {stage.detections['shadow_copies_deleted']}"
    }
    assert not any(one.ticketed.asked for one in found.judged)


def test_a_ticket_that_the_joint_soc_refuses_is_none(played_with):
    found = played_with(adds={"observables": [{"type": "nonsense", "value": "x", "role": "attacker"}]})

    assert {one.ticketed.why for one in found.judged} == {"the joint SOC did not take the ticket"}
    assert not any(one.joined.reached for one in found.judged)


def test_a_score_is_the_share_of_what_is_asked_for(played_with):
    two_of_three = played_with(joined=Joined("swift_fraud", 10**9))
    one_of_two = played_with(joined=None, ticket_ms=0)

    assert two_of_three.total == pytest.approx(2 / 3)
    assert one_of_two.total == 0.5
    assert not one_of_two.passes
    assert one_of_two.reached("joined") == (0, 0)


def test_against_the_last_run_steps_are_worse_better_new_or_gone(played_with):
    whole, worse = played_with(), played_with(ticket_ms=0)
    other = replace(whole, judged=tuple(replace(one, step="other") for one in whole.judged))

    assert compare(worse, as_data(whole)).worse == {"ransomware-night/recovery": (1.0, 0.6667)}
    assert compare(whole, as_data(worse)).better == {"ransomware-night/recovery": (0.6667, 1.0)}
    assert compare(other, as_data(whole)).new == ("ransomware-night/other",)
    assert compare(other, as_data(whole)).gone == ("ransomware-night/recovery",)
