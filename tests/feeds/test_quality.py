"""A feed's days: each record counted once, in its own day, whatever crashes; bounded in days and in feeds."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.outcomes import Outcome
from fsoc.feeds.quality import DAYS_KEPT, FEEDS_MAX, Day, FeedDay, Quality, day_name, day_number
from fsoc.feeds.sequence import Change, Gap
from fsoc.tickets import sample
from fsoc.tickets.decode import decode
from fsoc.tickets.times import milliseconds

DAY_MS = 86_400_000
AT = milliseconds("2026-03-02T12:00:00Z")


def message(kind="ticket", **changes):
    body = sample.ticket(**changes) if kind == "ticket" else sample.source_status(**changes)
    return decode(orjson.dumps(body), institution="fi-001")


TICKET = message()


def counted(quality, day="2026-03-02", feed="siem"):
    quality_days = dict(quality.all())
    return Day(quality_days[day]).feeds[feed]


def count(quality, *args):
    quality.count(*args)
    return dict(quality.changed())


def test_a_ticket_is_counted_by_outcome_with_the_delays_of_its_first_message():
    quality = Quality()
    received = TICKET.sent_at_ms + 3000
    for offset, outcome in enumerate((Outcome.USED, Outcome.DUPLICATE, Outcome.LATE, Outcome.QUARANTINED)):
        quality.count(offset, received, "siem", outcome, TICKET, ())
    quality.count(4, received, "siem", Outcome.USED, message(revision=2), ())
    quality.count(5, TICKET.sent_at_ms - 1, "siem", Outcome.USED, TICKET, ())
    quality.count(6, received, "", Outcome.QUARANTINED, None, ())
    list(quality.changed())
    day = counted(quality)

    assert (day.used, day.duplicate, day.late, day.quarantined, day.tickets) == (3, 1, 1, 1, 6)
    assert (day.sent.total, day.received.total, day.ahead) == (3, 3, 1)
    assert day.sent.quantile(95) >= TICKET.sent_at_ms - TICKET.detected_at_ms
    assert counted(quality, feed="").quarantined == 1


def test_a_heartbeat_says_how_the_feed_is_and_each_period_once():
    quality = Quality()
    first = message("status", events_seen=10, tickets_opened=2, clock_offset_ms=-5, sensors_total=10, sensors_up=9)
    later = message(
        "status",
        period_from="2026-03-02T08:10:00+08:00",
        period_to="2026-03-02T08:15:00+08:00",
        events_seen=5,
        tickets_opened=0,
        clock_offset_ms=7,
        sensors_total=10,
        sensors_up=10,
        baseline_version="2026.2",
    )
    for offset, one in enumerate((first, first, later)):
        quality.count(offset, AT, "siem", Outcome.USED, one, (Gap(Change.ASK, 3, 5),) if offset == 2 else ())
    list(quality.changed())
    day = counted(quality)

    assert (day.heartbeats, day.tickets, day.events, day.tickets_opened) == (3, 0, 15, 2)
    assert (day.clock_ms, day.sensors, day.sensors_up_per_mille) == ([-5, 7, 7], [10, 10], 900)
    assert (day.baseline, day.asked, day.lost) == ("2026.2", 3, 3)


@settings(max_examples=80)
@given(
    days=st.lists(st.integers(0, 4), min_size=1, max_size=25),
    crash=st.integers(0, 24),
    kept=st.booleans(),
)
def test_each_record_is_counted_once_though_its_slice_is_worked_again(days, crash, kept):
    """kept: the crash left the days of its slice in the state, and lost all else of it."""
    quality, state, at = Quality(), {}, 0
    while at < len(days):
        part = range(at, min(at + 4, len(days)))
        for offset in part:
            quality.count(offset, AT + days[offset] * DAY_MS, "siem", Outcome.USED, TICKET, ())
        changed = dict(quality.changed())
        if crash in part:
            crash = -1
            state.update(changed if kept else {})
            quality = Quality()
            for name, record in state.items():
                quality.restore(name, record)
            continue
        state.update(changed)
        at += len(part)

    found = {name: Day(record).feeds["siem"].used for name, record in state.items()}
    assert found == {day_name(AT // DAY_MS + day): days.count(day) for day in days}
    assert state == quality.all()


def test_days_that_are_too_old_are_let_go_and_none_of_them_comes_back():
    quality = Quality()
    assert list(count(quality, 0, AT, "siem", Outcome.USED, TICKET, ())) == ["2026-03-02"]
    kept = count(quality, 1, AT + (DAYS_KEPT - 1) * DAY_MS, "siem", Outcome.USED, TICKET, ())
    assert None not in kept.values()
    gone = count(quality, 2, AT + DAYS_KEPT * DAY_MS, "siem", Outcome.USED, TICKET, ())
    assert gone["2026-03-02"] is None
    assert "2026-03-02" not in quality.all()
    assert count(quality, 3, AT, "siem", Outcome.USED, TICKET, ()) == {}


def test_feeds_beyond_the_bound_are_counted_together():
    quality = Quality()
    for offset in range(FEEDS_MAX + 3):
        quality.count(offset, AT, f"f-{offset}", Outcome.USED, TICKET, ())
    list(quality.changed())

    assert len(Day(quality.all()["2026-03-02"]).feeds) == FEEDS_MAX + 1
    assert counted(quality, feed="").used == 3


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=20), st.integers(0, 20))
def test_merging_days_is_counting_all_in_one(delays, cut):
    one, other, whole = FeedDay(), FeedDay(), FeedDay()
    for number, (sent, received) in enumerate(delays):
        for day in (one if number < cut else other, whole):
            day.used += 1
            day.sent.add(sent)
            day.received.add(received)
    one.merge(other)

    assert one.record() == whole.record()
    assert FeedDay(orjson.loads(orjson.dumps(one.record()))).record() == one.record()


@pytest.mark.parametrize("name", ["1970-01-01", "2026-03-02", "9999-12-31"])
def test_a_day_has_a_name(name):
    assert day_name(day_number(name)) == name
    assert day_number(day_name(10**8)) == 10**8
