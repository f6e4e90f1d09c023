"""The book by itself: what becomes of the alerts of one group from episode to episode, and when they leave it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.alerts.book import Book
from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.window import Satisfied
from tests.builders import correlation_rule

RULE = correlation_rule()
DAY = RULE.episode_ms
KEY = GroupKey("rule", "production", '["x"]')
ALL = -(2**63)


def holds(number, tickets=2):
    """The condition holds in this episode, with so many tickets of as many institutions."""
    at = number * DAY + 5
    entries = [Entry(at, f"fi-{one}", f"t-{one}", 1, (), f"fi-{one}", 3, (), ("detection",)) for one in range(tickets)]
    return Satisfied(number, at, at, tickets, tuple(entries))


@pytest.fixture
def book():
    return Book({})


def revise(book, *found, live_from=ALL, rule=RULE):
    """By episode, of those that changed: revision, status, and the episode it continues."""
    names = {alert_id(KEY, number): number for number in range(20)}
    return {
        alert.episode: (alert.revision, alert.status, names.get(alert.body["continues"]))
        for alert in book.revise(rule, KEY, found, live_from)
    }


def test_what_was_said_is_not_said_again_and_what_is_otherwise_is_a_revision_more(book):
    assert revise(book, holds(10)) == {10: (1, "open", None)}
    assert revise(book, holds(10)) == {}
    assert revise(book, holds(10, 3)) == {10: (2, "open", None)}
    assert revise(book) == {10: (3, "retracted", None)}
    assert revise(book) == {}
    assert revise(book, holds(10, 3)) == {10: (4, "open", None)}
    assert (book.raised_total, book.open_total) == (1, 1)


def test_every_id_is_made_by_the_key_of_the_installation():
    """Its own, and that of the alert before."""
    book, key = Book({}, alert_key=b"of this installation"), b"of this installation"
    alerts = list(book.revise(RULE, KEY, [holds(10), holds(11)], ALL))

    assert [alert.id for alert in alerts] == [alert_id(KEY, number, key) for number in (10, 11)]
    assert [alert.body["continues"] for alert in alerts] == [None, alerts[0].id]
    again = Book({}, alert_key=key)
    again.restore(alerts[0].state(None))
    assert [alert.id for alert in again] == [alerts[0].id]


def test_an_alert_continues_the_one_of_the_episode_before_as_long_as_that_stands(book):
    assert revise(book, holds(10), holds(11), holds(13)) == {
        10: (1, "open", None),
        11: (1, "open", 10),
        13: (1, "open", None),
    }
    assert revise(book, holds(11), holds(13), live_from=10) == {10: (2, "retracted", None), 11: (2, "open", None)}
    assert revise(book, holds(10), holds(11), holds(13), live_from=10) == {10: (3, "open", None), 11: (3, "open", 10)}


def test_an_alert_that_is_settled_stays_as_it_is_and_is_continued_if_it_stood(book):
    """Episode 10 is judged no more: that nothing is found there says nothing."""
    revise(book, holds(10))

    assert revise(book, holds(11), live_from=11) == {11: (1, "open", 10)}
    assert revise(book, holds(11, 3), live_from=11) == {11: (2, "open", 10)}


def test_an_alert_that_was_retracted_before_it_was_settled_is_not_continued(book):
    revise(book, holds(10))
    revise(book, live_from=10)

    assert revise(book, holds(11), live_from=11) == {11: (1, "open", None)}


def test_an_alert_is_final_once_when_its_episode_has_ended_and_again_when_it_comes_back(book):
    revise(book, holds(10), holds(11))
    end = 11 * DAY

    assert list(book.finalise(end - 1)) == []
    assert [(alert.episode, alert.revision, alert.status) for alert in book.finalise(end)] == [(10, 2, "final")]
    assert list(book.finalise(end)) == []
    assert revise(book, holds(11)) == {10: (3, "retracted", None), 11: (2, "open", None)}
    assert list(book.finalise(end)) == []
    assert revise(book, holds(10), holds(11)) == {10: (4, "open", None), 11: (3, "open", 10)}
    assert [(alert.episode, alert.revision) for alert in book.finalise(end)] == [(10, 5)]
    assert book.open_total == 1


def test_an_alert_is_forgotten_two_episodes_after_its_own_when_it_can_be_continued_no_more(book):
    revise(book, holds(10), holds(11))
    revise(book, holds(11))
    end = 11 * DAY

    assert list(book.expire(end + 2 * DAY - 1)) == []
    assert list(book.expire(end + 2 * DAY)) == [alert_id(KEY, 10)]
    assert [alert.episode for alert in book] == [11]
    assert list(book.expire(end + 3 * DAY)) == [alert_id(KEY, 11)]
    assert (book.raised_total, book.expired_total, book.open_total) == (2, 2, 0)
    assert book._episodes == {}


def test_an_alert_is_settled_with_the_depth_its_rule_has_now(book):
    revise(book, holds(10))
    revise(book, holds(10), rule=replace(RULE, depth=2))

    assert list(book.finalise(20 * DAY, 1)) == list(book.expire(20 * DAY, 1)) == []
    assert [alert.status for alert in book.finalise(20 * DAY, 2)] == ["final"]
    assert list(book.expire(20 * DAY, 2)) == [alert_id(KEY, 10)]


def test_alerts_that_a_definition_with_other_episodes_named_are_left_alone(book):
    revise(book, holds(10))

    assert revise(book, rule=replace(RULE, timespan_ms=2 * DAY)) == {}


def test_a_restored_book_goes_on_where_it_was(book):
    revise(book, holds(10), holds(11))
    revise(book, holds(11))
    again = Book({})

    assert [again.restore(alert.state(closed)) for closed, alert in enumerate(book)] == [(1, 0), (1, 1)]
    assert (again.raised_total, again.open_total) == (2, 1)
    assert revise(again, holds(11)) == {}
    assert [alert.episode for alert in again.finalise(12 * DAY)] == [11]
    assert len(list(again.expire(14 * DAY))) == 2
