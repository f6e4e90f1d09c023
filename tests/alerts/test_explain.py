"""The explanation names the numbers that made it fire, and what happens without a deciding ticket is as it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fsoc.alerts.explain import LISTED_MAX
from fsoc.alerts.schema import alert_schema
from fsoc.correlation.conditions import Condition
from fsoc.correlation.past import Novelty, Past
from tests.alerts.conftest import MINUTE, NOON, make_alert, make_entry

ALERT = Draft202012Validator(alert_schema())


def test_it_names_rule_window_threshold_shares_and_the_deciding_ticket(entry, alert_of):
    """
    fi-001  T-1 T-2
    fi-002          T-3      the second institution: decides
    """
    tickets = [entry("fi-001", "T-1"), entry("fi-001", "T-2", 1), entry("fi-002", "T-3", 2)]
    explanation = alert_of(tickets, independent=True, name="same_indicator", dated="2026-02-01")["explanation"]

    assert explanation["text"] == (
        "2 independent institutions within 1h for indicator = evil.example; the rule asks for at least 2, "
        "no more than it needs. 3 tickets of 2 institutions: fi-001 2, fi-002 1. "
        "First so at 2026-03-02T12:02:00.000Z, by T-3 (fi-002); without it the alert says less or falls. "
        "Rule same_indicator of 2026-02-01."
    )
    assert explanation["text_zh"] == (
        "1h 內有 2 家獨立機構（indicator = evil.example），規則門檻為至少 2，恰達門檻。"
        "共 2 家機構、3 張事件單：fi-001 2, fi-002 1。"
        "最早成立於 2026-03-02T12:02:00.000Z，由 T-3 (fi-002) 促成；少了此單，告警即減弱或不成立。"
        "規則 same_indicator，2026-02-01 版。"
    )
    assert explanation["deciding"] == {"fi-002": ["T-3"]}
    assert explanation["margin"] == 0


def test_what_comes_after_it_was_decided_decides_nothing(entry, alert_of):
    """
    fi-001  T-1                   T-4
    fi-002        T-2
    fi-003        T-3                    two at one time: both decided it
    """
    several = [entry("fi-001", "T-1"), entry("fi-002", "T-2", 5), entry("fi-003", "T-3", 5), entry("fi-001", "T-4", 6)]
    explanation = alert_of(several)["explanation"]

    assert explanation["deciding"] == {"fi-002": ["T-2"], "fi-003": ["T-3"]}
    assert "by T-2 (fi-002), T-3 (fi-003); without any of them the alert says less or falls" in explanation["text"]


def test_where_more_tickets_can_undo_it_nothing_is_said_of_fewer(entry, alert_of):
    text = alert_of([entry("fi-001", "T-1"), entry("fi-002", "T-2")], (("eq", 2),))["explanation"]["text"]

    assert "First so at 2026-03-02T12:00:00.000Z, by T-1 (fi-001), T-2 (fi-002). " in text
    assert "without" not in text


def test_what_was_unusual_is_told_with_the_numbers_it_was_held_against(entry, alert_of):
    novelty = {"fi-001": Novelty("first_ever", 1, None), "fi-002": Novelty("surge", 9, 2)}
    alert = alert_of([entry("fi-001", "T-1"), entry("fi-002", "T-2")], novelty=novelty)

    told = "Unusual by their own past: fi-001 for the first time, fi-002 9 in an hour, never more than 2 before."
    assert told in alert["explanation"]["text"]
    assert "fi-001 首見, fi-002 一小時達 9，過往至多 2" in alert["explanation"]["text_zh"]
    assert alert["explanation"]["novelty"]["fi-002"] == {"kind": "surge", "seen": 9, "before": 2}
    assert list(ALERT.iter_errors(alert)) == []


def test_sentences_stay_short_however_many_take_part(entry, alert_of):
    alert = alert_of([entry(f"fi-{n:03}", f"T-{n}") for n in range(400)])

    assert f"fi-009 1 +{400 - LISTED_MAX}." in alert["explanation"]["text"]
    assert len(alert["explanation"]["text"]) < 1_000
    assert len(alert["explanation"]["share"]) == 400


@pytest.mark.parametrize(
    ("bounds", "seen", "whole", "margin"),
    [
        ({"gte": 3}, 5, True, 2),
        ({"gt": 3}, 5, True, 1),
        ({"gt": 3}, 5, False, 2),
        ({"lte": 3}, 1, True, 2),
        ({"lt": 3}, 1, True, 1),
        ({"gte": 1, "lte": 10}, 9, True, 1),
        ({"eq": 4}, 4, True, 0),
        ({"neq": 4}, 6, True, 1),
    ],
)
def test_the_margin_is_how_far_the_measure_may_still_move(bounds, seen, whole, margin):
    condition = Condition(tuple(sorted(bounds.items())))

    assert condition.margin(seen, whole=whole) == margin
    if whole:
        moved = {seen - margin, seen + margin}
        beyond = {seen - margin - 1, seen + margin + 1}
        assert any(map(condition.holds, moved))
        assert not all(map(condition.holds, beyond))


tickets = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 180)), min_size=1, max_size=12).map(
    lambda drawn: [make_entry(name, f"T-{place}", minutes) for place, (name, minutes) in enumerate(drawn)]
)


RISING = {
    "value_count": {"fields": ("institution",)},
    "event_count": {"fields": ()},
    "temporal": {"fields": (), "rules": ("one", "two", "three")},
    "temporal_ordered": {"fields": (), "rules": ("one", "two", "three")},
    "value_sum": {"fields": ("bytes",), "non_negative": True},
}
"""Types that more tickets can never undo."""


def told_to(kind, entries):
    """The same tickets as this type takes them: with a number each, or with the rules that they matched."""
    steps = RISING["temporal"]["rules"]
    for place, entry in enumerate(entries):
        values = {"value_count": entry.values, "value_sum": ((str(place % 3),),)}.get(kind, ())
        yield entry._replace(values=values, rules=(steps[place % 3],) if kind.startswith("temporal") else entry.rules)


@settings(deadline=None, max_examples=400)
@given(tickets, st.integers(2, 3), st.sampled_from(list(RISING)))
def test_without_any_deciding_ticket_the_alert_falls_or_says_less(entries, least, kind):
    rule = {"type": kind, **RISING[kind]}
    entries = list(told_to(kind, entries))
    alert = make_alert(entries, (("gte", least),), **rule)
    if alert is None:
        return
    deciding = alert["explanation"]["deciding"]
    assert deciding
    assert "the alert says less or falls" in alert["explanation"]["text"]
    for name, ids in deciding.items():
        for ticket in ids:
            rest = [entry for entry in entries if (entry.institution, entry.ticket_id) != (name, ticket)]
            without = make_alert(rest, (("gte", least),), **rule)
            if without is None:
                assert alert["explanation"]["margin"] == 0 or kind not in {"value_count", "event_count"}
                continue
            assert ticket not in without["tickets"].get(name, [])
            assert without["ticket_count"] < alert["ticket_count"]
            assert without["explanation"]["seen"] <= alert["explanation"]["seen"]
            assert without["raised_at_event_time"] >= alert["raised_at_event_time"]


@settings(deadline=None, max_examples=200)
@given(tickets, st.integers(2, 4), st.data())
def test_as_many_tickets_as_are_to_spare_may_go_and_the_alert_stands(entries, least, data):
    entries = [entry._replace(values=()) for entry in entries]
    rule = {"type": "event_count", "fields": ()}
    alert = make_alert(entries, (("gte", least),), **rule)
    if alert is None:
        return
    spare = int(alert["explanation"]["margin"])
    gone = data.draw(st.sets(st.sampled_from(range(len(entries))), max_size=spare))
    rest = [entry for place, entry in enumerate(entries) if place not in gone]

    assert make_alert(rest, (("gte", least),), **rule) is not None


@settings(deadline=None, max_examples=200)
@given(tickets, st.integers(2, 4))
def test_with_nothing_to_spare_and_one_window_the_alert_falls_without_any_of_its_tickets(entries, least):
    """One window: all of its tickets at one time."""
    entries = [entry._replace(values=(), event_time_ms=NOON + MINUTE) for entry in entries]
    rule = {"type": "event_count", "fields": ()}
    alert = make_alert(entries, (("gte", least),), **rule)
    if alert is None or alert["explanation"]["margin"]:
        return
    for gone in entries:
        assert make_alert([one for one in entries if one is not gone], (("gte", least),), **rule) is None


def test_what_did_not_come_is_told_with_what_came_last(entry, alert_of):
    """timespan 1 h; the second comes two hours after the first."""
    entries = [
        entry("fi-001", "heartbeat siem e1 x", 0, values=(), severity=0, attack=()),
        entry("fi-001", "heartbeat siem e1 y", 120, values=(), severity=0, attack=()),
    ]
    about = {"type": "event_count", "fields": (), "group_by": ("institution", "feed"), "absent": True}
    alert = alert_of(entries, (("eq", 0),), group=("fi-001", "siem"), scope="feed", **about)

    said = alert["explanation"]
    assert said["text"].startswith(
        "Nothing came within 1h after 2026-03-02T12:00:00.000Z for institution = fi-001, feed = siem; "
    )
    assert "First so at 2026-03-02T13:00:00.000Z; the last before it: heartbeat siem e1 x (fi-001)." in said["text"]
    assert said["text_zh"].startswith(
        "2026-03-02T12:00:00.000Z 之後 1h 內（institution = fi-001、feed = siem）未再收到"
    )
    assert (said["absent"], said["seen"], said["margin"]) == (True, 0, None)
    assert said["deciding"] == {"fi-001": ["heartbeat siem e1 x"]}
    assert (alert["kind"], alert["severity"], alert["ticket_ids"]) == ("feed", 0, ["heartbeat siem e1 x"])
    assert (alert["window_from"], alert["window_to"]) == ("2026-03-02T12:00:00.000Z", "2026-03-02T13:00:00.000Z")
    assert [error.message for error in ALERT.iter_errors(alert)] == []


def test_a_drop_is_told_with_the_hours_that_were_compared(entry, alert_of):
    novelty = {"fi-001": Novelty("drop", 5, 60)}
    past = Past("drop", drop_hours=12)
    entries = [entry("fi-001", "T-1", values=(("5",),))]
    alert = alert_of(entries, (("gte", 0),), novelty=novelty, past=past, type="value_sum")

    assert "fi-001 5 in 12h, 60 a week before" in alert["explanation"]["text"]
    assert "fi-001 12h 內僅 5，一週前為 60" in alert["explanation"]["text_zh"]
