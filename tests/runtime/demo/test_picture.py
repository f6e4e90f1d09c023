"""What the picture makes of state records and alerts, and when it takes an exercise for finished."""

from __future__ import annotations

import orjson
import pytest

from fsoc.feeds.ledger import END_MS


def send_all(picture, small):
    for delivery in small.deliveries:
        picture.take_sent(delivery.institution, delivery.at_ms)


def finish(picture, small, header):
    send_all(picture, small)
    for name, feed in picture.feeds.items():
        picture.take_intake(f"{name}/header".encode(), header(feed.sent, ended=True))
    for partition in range(2):
        picture.take_correlation(partition, b"header", closed(END_MS, 0))


def closed(until_ms, raised):
    return orjson.dumps({"closed_until_ms": until_ms, "raised_total": raised})


def test_an_exercise_is_finished_when_all_is_received_ended_and_closed(picture, small, header):
    assert not picture.finished
    finish(picture, small, header)
    assert picture.finished


@pytest.mark.parametrize("missing", ["end", "record", "partition", "open", "alert"])
def test_an_exercise_is_not_finished_while_anything_is_missing(picture, small, header, alert_on, missing):
    finish(picture, small, header)
    name, feed = next(iter(picture.feeds.items()))
    match missing:
        case "end":
            picture.take_intake(f"{name}/header".encode(), header(feed.sent, ended=False))
            waiting = name
        case "record":
            picture.take_intake(f"{name}/header".encode(), header(feed.sent - 1, ended=True))
            waiting = name
        case "partition":
            picture.detections_partitions = 3
            waiting = "partitions 2"
        case "open":
            picture.take_correlation(1, b"header", closed(END_MS - 1, 0))
            waiting = "partitions 1"
        case "alert":
            picture.take_correlation(1, b"header", closed(END_MS, 1))
            waiting = "1 alerts, 0 seen"

    assert not picture.finished
    assert waiting in picture.waiting_for()


def test_an_alert_that_was_raised_and_seen_does_not_hold_up_the_end(picture, small, header, alert_on):
    finish(picture, small, header)
    picture.take_correlation(1, b"header", closed(END_MS, 1))
    picture.take_alert(orjson.dumps(alert_on(small.truth[0])))

    assert picture.finished


def test_an_exercise_is_not_finished_while_an_alerts_last_revision_is_under_way(picture, small, header, alert_on):
    """State is written before alerts are published: closed does not mean that all has come."""
    finish(picture, small, header)
    alert = alert_on(small.truth[0], status="open")
    picture.take_correlation(1, b"header", closed(END_MS, 1))
    picture.take_correlation(1, b"alert/" + alert["alert_id"].encode(), orjson.dumps({"revision": 2}))
    picture.take_alert(orjson.dumps(alert))

    assert not picture.finished
    assert alert["alert_id"] in picture.waiting_for()

    picture.take_alert(orjson.dumps({**alert, "revision": 2, "status": "final"}))
    assert picture.finished


def test_an_exercise_is_not_finished_while_an_alert_does_not_say_its_campaign(picture, small, header, alert_on):
    """Where there are links: campaigns have heard the end, and every alert says what it was told last."""
    finish(picture, small, header)
    alert = alert_on(small.truth[0], status="final", campaign_id=None)
    picture.take_correlation(1, b"header", orjson.dumps({**orjson.loads(closed(END_MS, 1)), "reached_ms": END_MS}))
    picture.take_alert(orjson.dumps(alert))
    assert not picture.finished
    assert picture.waiting_for() == "campaigns"

    word = b"word/" + alert["alert_id"].encode()
    picture.take_campaigns(word, orjson.dumps([1, "ca-1", 1]))
    picture.take_campaigns(b"header", orjson.dumps({"reach_ms": END_MS}))
    assert not picture.finished
    assert alert["alert_id"] in picture.waiting_for()

    picture.take_alert(orjson.dumps({**alert, "revision": 2, "campaign_id": "ca-1"}))
    assert picture.finished

    picture.take_campaigns(word, orjson.dumps([2, None, 1]))
    assert not picture.finished

    picture.take_campaigns(word, None)
    assert not picture.finished

    picture.take_alert(orjson.dumps({**alert, "revision": 3, "campaign_id": None}))
    assert picture.finished


def test_a_link_is_no_alert_that_is_waited_for(picture, small, header):
    finish(picture, small, header)
    picture.take_correlation(1, b"alert/al-1", orjson.dumps({"revision": 2, "link": True}))

    assert picture.finished


def test_only_a_higher_revision_is_news(picture, small, alert_on):
    first, second = (orjson.dumps(alert_on(small.truth[0], revision=number)) for number in (1, 2))

    assert picture.take_alert(first) is not None
    assert picture.take_alert(first) is None
    assert picture.take_alert(second) is not None
    assert picture.take_alert(first) is None
    assert [alert["revision"] for alert in picture.joint()] == [2]


def test_local_alerts_are_counted_and_not_shown_as_joint(picture, small, alert_on):
    picture.take_alert(orjson.dumps(alert_on(small.truth[0], kind="local")))

    assert picture.joint() == []
    assert picture.local_total() == 1


def test_feed_health_is_what_the_header_says(picture, header):
    name = next(iter(picture.feeds))
    missing = {"siem": {"e1": {"missing": [[3, 5], [9, 9]]}}, "edr": {"e1": {"missing": [[1, 1]]}}}
    value = header(20, ended=False, used=12, duplicate=5, late=2, quarantined=1, feeds=missing)
    picture.take_intake(f"{name}/header".encode(), value)

    feed = picture.feeds[name]
    assert (feed.received, feed.used, feed.duplicate, feed.late, feed.quarantined) == (20, 12, 5, 2, 1)
    assert feed.missing == 5
    assert picture.count("missing") == 5


def test_records_of_single_tickets_and_of_strangers_are_passed_over(picture, header):
    name = next(iter(picture.feeds))
    before = str(picture)
    picture.take_intake(f"{name}/ticket/exercise/T-1".encode(), b"{}")
    picture.take_intake(b"somebody/header", header(3, ended=True))
    picture.take_intake(f"{name}/header".encode(), None)
    picture.take_correlation(0, b'["rule","exercise","[]"]', b"[]")

    assert str(picture) == before
