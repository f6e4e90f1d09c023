"""Which alerts count for which campaign, and when an exercise is passed."""

from __future__ import annotations

import pytest

from fsoc.exercise import FeedTrouble, PlantedCampaign, RuleDefect, score

HOUR_MS = 3_600_000
START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
WRONG = RuleDefect("defect-1", "MB-231", "2026.2", ("a", "b", "c"), START_MS, START_MS + 60_000)
SICK = FeedTrouble("trouble-1", "feed_silent", "a", "siem", START_MS, START_MS + 6 * HOUR_MS)

KIT = PlantedCampaign(
    "c1", "phishing_kit", "a kit", ("a", "b", "c"), ("t1", "t2", "t3", "t4"), START_MS, START_MS + HOUR_MS // 2
)
WAVE = PlantedCampaign("c2", "ddos_wave", "a wave", ("c", "d"), ("t5", "t6"), START_MS, START_MS)


def test_a_campaign_is_found_by_an_alert_of_mostly_its_tickets(alert):
    result = score([KIT], [alert("x", ["a", "b"], ["t1", "t2", "other", "noise"])])

    assert result.found == 1
    assert result.passes
    (one,) = result.campaigns
    assert (one.alert_ids, one.covered, one.of) == (("x",), 2, 3)
    assert (one.after_first_s, one.after_decided_s) == (3600.0, 1800.0)
    assert one.tickets_per_alert == 4


@pytest.mark.parametrize(
    ("institutions", "ticket_ids"),
    [
        (["a", "b"], ["t1", "other", "noise"]),  # fewer than half are the campaign's
        (["a", "z"], ["t1", "t2"]),  # one institution of it
        (["a", "b"], []),
    ],
)
def test_an_alert_on_no_campaign_is_a_false_alarm_and_fails_the_exercise(alert, institutions, ticket_ids):
    result = score([KIT], [alert("good", ["a", "b"], ["t1"]), alert("x", institutions, ticket_ids)])

    assert result.found == 1
    assert result.false_alarms == ("x",)
    assert not result.passes


def test_a_campaign_without_an_alert_is_missed_and_fails_the_exercise(alert):
    result = score([KIT, WAVE], [alert("x", ["a", "b"], ["t1"])])

    assert (result.found, result.missed) == (1, 1)
    assert not result.passes
    assert result.campaigns[1].after_first_s is None
    assert result.campaigns[1].alert_ids == ()


def test_a_retracted_alert_counts_neither_way(alert):
    result = score(
        [KIT], [alert("x", ["a", "b"], ["t1"], status="retracted"), alert("y", ["y", "z"], ["n"], status="retracted")]
    )

    assert (result.found, result.false_alarms, result.retracted) == (0, (), 2)


def test_a_local_alert_is_counted_and_not_judged(alert):
    result = score([KIT], [alert("x", ["z"], ["n"], kind="local"), alert("y", ["a", "b"], ["t2"])])

    assert (result.local, result.false_alarms, result.passes) == (1, (), True)


def test_several_alerts_on_one_campaign_are_no_false_alarms_and_the_earliest_times_it(alert):
    later = alert("a-later", ["b", "c"], ["t3", "t4"], raised_at_event_time="2026-03-02T03:00:00.000Z")
    result = score([KIT], [later, alert("b-first", ["a", "b"], ["t1", "t2"])])

    (one,) = result.campaigns
    assert one.alert_ids == ("b-first", "a-later")
    assert (one.covered, one.after_first_s, one.tickets_per_alert) == (3, 3600.0, 2)


def test_an_alert_may_be_on_two_campaigns_at_once(alert):
    result = score([KIT, WAVE], [alert("x", ["a", "b", "c", "d"], ["t1", "t2", "t5", "t6"])])

    assert result.found == 2


def test_precision_is_of_joint_alerts_alone_and_an_alert_on_two_campaigns_counts_once(alert):
    alerts = [
        alert("both", ["a", "b", "c", "d"], ["t1", "t2", "t5", "t6"]),
        alert("kit", ["a", "b"], ["t1"]),
        alert("wrong", ["p", "q"], ["n"]),
        alert("local", ["z"], ["n"], kind="local"),
        alert("feed", ["z"], [], kind="feed"),
        alert("rule", ["y", "z"], [], kind="rule", group={"trigger.rule_id": "MB-231"}),
        alert("gone", ["p", "q"], ["n"], status="retracted"),
    ]
    result = score([KIT, WAVE], alerts)

    assert result.precision == 2 / 3
    assert [(one.kind, one.planted, one.found, one.alerts) for one in result.kinds] == [
        ("phishing_kit", 1, 1, 2),
        ("ddos_wave", 1, 1, 1),
    ]
    assert score([KIT], []).precision is None


@pytest.mark.parametrize(
    ("institution", "group", "raised", "on"),
    [
        ("a", {}, "2026-03-02T00:00:00.000Z", True),  # both edges are closed
        ("a", {"feed": "siem"}, "2026-03-03T06:00:00.000Z", True),
        ("a", {"feed": "edr"}, "2026-03-02T01:00:00.000Z", False),
        ("b", {}, "2026-03-02T01:00:00.000Z", False),
        ("a", {}, "2026-03-01T23:59:59.999Z", False),
        ("a", {}, "2026-03-03T06:00:00.001Z", False),
    ],
)
def test_an_alert_on_a_feed_is_held_against_the_sick_feeds_and_never_fails_the_exercise(
    alert, institution, group, raised, on
):
    feed = alert("f", [institution], [], kind="feed", group=group, raised_at_event_time=raised)
    result = score([KIT], [alert("x", ["a", "b"], ["t1"]), feed], [SICK])

    assert result.passes
    assert result.false_alarms == ()
    assert (result.feeds.found, result.feeds.missed) == ((("trouble-1",), ()) if on else ((), ("trouble-1",)))
    assert result.feeds.false_alarms == (() if on else ("f",))


@pytest.mark.parametrize(
    ("rule", "raised", "on"),
    [
        ("MB-231", "2026-03-02T00:00:00.000Z", True),  # both edges are closed
        ("MB-231", "2026-03-02T00:01:00.000Z", True),
        ("MB-232", "2026-03-02T00:00:30.000Z", False),
        ("MB-231", "2026-03-01T23:59:59.999Z", False),
        ("MB-231", "2026-03-02T00:01:00.001Z", False),
    ],
)
def test_an_alert_on_a_rule_is_held_against_the_defective_rules_and_never_fails_the_exercise(alert, rule, raised, on):
    group = {"trigger.rule_id": rule}
    told = alert("r", ["a", "b", "c"], ["t1"], kind="rule", group=group, raised_at_event_time=raised)
    result = score([KIT], [alert("x", ["a", "b"], ["t1"]), told], rule_truth=[WRONG])

    assert (result.passes, result.false_alarms, result.local) == (True, (), 0)
    assert (result.rules.found, result.rules.missed) == ((("defect-1",), ()) if on else ((), ("defect-1",)))
    assert result.rules.false_alarms == (() if on else ("r",))
    assert result.feeds.false_alarms == ()


def test_the_score_line_says_all_of_it(alert):
    line = score([KIT, WAVE], [alert("x", ["a", "b"], ["t1"]), alert("y", ["p", "q"], ["n"])]).as_json()

    assert (line["passes"], line["found"], line["missed"], line["false_alarms"]) == (False, 1, 1, ["y"])
    assert line["precision"] == 0.5
    assert line["kinds"] == {
        "phishing_kit": {"planted": 1, "found": 1, "alerts": 1},
        "ddos_wave": {"planted": 1, "found": 0, "alerts": 0},
    }
    assert line["feeds"] == line["rules"] == {"found": [], "missed": [], "false_alarms": []}
    assert line["campaigns"][0]["kind"] == "phishing_kit"
    assert line["campaigns"][0]["after_first_s"] == 3600.0
    assert line["campaigns"][1]["alert_ids"] == []
