"""The rules about feeds: what must be alerted of a feed that falls silent or sees less, and what must not."""

from __future__ import annotations

import pytest

HOUR_MS = 3_600_000
DAYS = 9
SICK_FROM, SICK_TO = 7 * 24 + 30, 7 * 24 + 44
NAMES = ("feed_silent", "feed_volume_drop", "feed_volume_drop_severe")


@pytest.fixture
def hours(start_ms):
    """A heartbeat each hour for nine days, but where nothing is said of it; seen: events by hour, None for none."""

    def heartbeats(seen=lambda _: 100, until=DAYS * 24, **changes):
        return [
            ("fi-000", start_ms + hour * HOUR_MS, {"events_seen": seen(hour), **changes})
            for hour in range(1, until)
            if seen(hour) is not None
        ]

    return heartbeats


@pytest.fixture
def raised(feeds, rule_id, start_ms):
    """By rule, the first hour of its alerts."""
    names = {rule_id(name): name for name in NAMES}

    def found(heartbeats):
        alerts = sorted(feeds(heartbeats), key=lambda alert: alert["raised_at_event_time"])
        assert all(alert["group"] == {"institution": "fi-000", "feed": "siem"} for alert in alerts)
        return [names[alert["rule_id"]] for alert in alerts]

    return found


def test_every_rule_about_feeds_is_tried_here(documents):
    about = {name for name, one in documents.items() if "correlation" in one and one["fsoc"].get("scope") == "feed"}

    assert about == set(NAMES)


def test_a_feed_that_goes_on_as_ever_raises_nothing(hours, raised):
    assert raised(hours()) == []


def test_a_feed_that_sends_nothing_for_more_than_three_hours_has_fallen_silent(hours, feeds, rule_id):
    """The last heartbeat at hour 100, the next at 104; and at 103, three hours later, which is in time."""
    [alert] = feeds(hours(lambda hour: None if 100 < hour < 104 else 100))

    assert alert["rule_id"] == rule_id("feed_silent")
    assert (alert["kind"], alert["institutions"], alert["status"]) == ("feed", ["fi-000"], "final")
    assert (alert["first_seen"], alert["raised_at_event_time"]) == (
        "2026-03-06T04:00:00.000Z",
        "2026-03-06T07:00:00.000Z",
    )
    assert alert["ticket_ids"] == ["heartbeat siem 2026-03-02 2026-03-06T04:00:00.000Z"]
    assert feeds(hours(lambda hour: None if 100 < hour < 103 else 100)) == []


def test_one_lost_heartbeat_is_no_silence(hours, raised):
    assert raised(hours(lambda hour: None if hour % 50 == 0 else 100)) == []


def test_one_feed_says_nothing_of_another(hours, feeds, start_ms):
    other = [("fi-000", start_ms + hour * HOUR_MS, {"feed": "edr"}) for hour in range(1, 60)]
    silent = hours(lambda hour: None if 20 < hour < 30 else 100, 60)

    assert [alert["group"]["feed"] for alert in feeds([*other, *silent])] == ["siem"]


def test_a_stream_that_has_ended_is_not_silent(hours, feeds, start_ms):
    """fi-000 ends with hour 50, others go on for days."""
    end = ("fi-000", start_ms + 50 * HOUR_MS, {"ended": True, "environment": "exercise", "exercise_id": "x"})
    mine = hours(until=50, environment="exercise", exercise_id="x")
    others = [("fi-001", at, changes) for _, at, changes in hours(environment="exercise", exercise_id="x")]

    assert feeds([*mine, end, *others]) == []


def test_half_of_a_week_before_is_a_drop_and_somewhat_more_is_none(hours, raised):
    def falls_to(events):
        return hours(lambda hour: events if SICK_FROM <= hour < SICK_TO else 100)

    assert raised(falls_to(60)) == []
    assert raised(falls_to(50)) == ["feed_volume_drop"]


def test_a_tenth_for_fourteen_hours_is_a_severe_drop_too(hours, raised):
    found = raised(hours(lambda hour: 10 if SICK_FROM <= hour < SICK_TO else 100))

    assert sorted(set(found)) == ["feed_volume_drop", "feed_volume_drop_severe"]


def test_nights_are_held_against_nights(hours, raised):
    assert raised(hours(lambda hour: 10 if hour % 24 < 12 else 100)) == []


def test_without_a_week_before_nothing_has_dropped(hours, raised):
    assert raised(hours(lambda hour: 100 if hour < 60 else 5, 7 * 24)) == []
