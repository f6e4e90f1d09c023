"""The allowed lateness follows the measured delay, at steps of event time, within what registry and sector bear."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds import lateness
from fsoc.feeds.lateness import DAYS_MAX, SAMPLES_MIN, STEP_MS, Lateness, bucket_of, minutes_of
from fsoc.institutions.registry import ALLOWED_LATENESS_MAX_MS

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 20_000 * DAY + 12 * HOUR


def measured(*delays_minutes, times=SAMPLES_MIN, registered=HOUR):
    """An hour in which each of these delays was seen so many times, and the step into the next hour."""
    known = Lateness(registered)
    for delay in delays_minutes:
        for _ in range(times):
            known.measure(delay * MINUTE, NOON)
    known.move(NOON, NOON + HOUR)
    return known


@given(delay_ms=st.integers(0, ALLOWED_LATENESS_MAX_MS))
def test_no_delay_is_taken_for_shorter_nor_for_much_longer_than_it_is(delay_ms):
    longest_ms = minutes_of(bucket_of(delay_ms)) * MINUTE

    assert delay_ms <= longest_ms <= max(delay_ms * 1.25, delay_ms + MINUTE)
    assert bucket_of(longest_ms) == bucket_of(delay_ms)
    assert bucket_of(longest_ms + 1) == bucket_of(delay_ms) + 1


def test_what_is_adopted_covers_nearly_all_delays_and_a_quarter_more():
    """A source that lags by 90 minutes lies in the bucket that ends at 96; a quarter more is 120."""
    assert measured(0, 90).allowed_ms == 120 * MINUTE


def test_one_in_two_hundred_that_is_later_than_all_others_changes_nothing():
    assert measured(*[0] * 199, 90, times=2).allowed_ms == HOUR
    assert measured(*[0] * 198, 90, times=3).allowed_ms == 120 * MINUTE
    assert measured(*[0] * 99, 90, times=5).allowed_ms == 120 * MINUTE


def test_the_registrys_value_is_the_least():
    assert measured(0, 5).allowed_ms == HOUR


def test_four_times_the_registrys_value_is_the_most():
    assert measured(0, 230).allowed_ms == 4 * HOUR
    assert measured(0, 6 * 1440, registered=3 * DAY).allowed_ms == ALLOWED_LATENESS_MAX_MS
    assert measured(0, 6 * 1440, registered=ALLOWED_LATENESS_MAX_MS).allowed_ms == ALLOWED_LATENESS_MAX_MS
    assert measured(0, 5, registered=0).allowed_ms == 0


def test_delays_that_cannot_be_allowed_do_not_make_everybody_wait():
    """A tenth of the tickets comes eight hours late, as from a device that writes local time as UTC."""
    assert measured(*[0] * 9, 8 * 60).allowed_ms == HOUR


def test_too_few_tickets_say_nothing():
    assert measured(90, times=SAMPLES_MIN - 1).allowed_ms == HOUR
    assert measured(90, times=SAMPLES_MIN).allowed_ms == 120 * MINUTE


def test_it_changes_only_where_the_watermark_enters_another_hour():
    known = Lateness(HOUR)
    for _ in range(SAMPLES_MIN):
        known.measure(90 * MINUTE, NOON)
    known.move(NOON, NOON + HOUR - 1)
    assert known.allowed_ms == HOUR

    known.move(NOON + HOUR - 1, NOON + HOUR)
    assert known.allowed_ms == 120 * MINUTE


def test_a_week_later_it_is_as_if_nothing_had_been_measured():
    known = measured(90)
    last = (NOON // DAY + DAYS_MAX) * DAY
    known.move(NOON + HOUR, last - 1)
    assert known.allowed_ms == 120 * MINUTE

    known.move(last - 1, last)
    assert known.allowed_ms == HOUR


def test_what_is_kept_is_bounded_however_long_it_goes_on():
    known = Lateness(ALLOWED_LATENESS_MAX_MS)
    for hour in range(24 * 30):
        for delay in range(0, 9 * DAY, 7 * HOUR):
            known.measure(delay, NOON + hour * HOUR)
        known.move(NOON + (hour - 1) * HOUR, NOON + hour * HOUR)

    days = known.encode()
    assert len(days) == DAYS_MAX
    assert max(int(bucket) for buckets in days.values() for bucket in buckets) <= bucket_of(ALLOWED_LATENESS_MAX_MS)


def test_after_a_restart_the_registrys_bounds_of_today_hold():
    known = measured(90)

    def restarted(registered):
        again = Lateness(registered)
        again.restore(known.allowed_ms, orjson.loads(orjson.dumps(known.encode())))
        return again.allowed_ms

    assert restarted(HOUR) == 120 * MINUTE
    assert restarted(3 * HOUR) == 3 * HOUR
    assert restarted(10 * MINUTE) == 40 * MINUTE


def edges():
    """Ends of the buckets, in minutes: whole ones to four, then four to each doubling."""
    yield from range(5)
    start = 4
    while True:
        yield from (start * quarters // 4 for quarters in (5, 6, 7, 8))
        start *= 2


def rounded(minutes):
    return next(edge for edge in edges() if edge >= minutes)


def plainly(moves, registered, samples_min):
    """What is allowed after each move, from every delay ever seen: (watermark before, watermark, delays in between)."""
    seen, allowed = [], registered
    for before, watermark, delays in moves:
        seen += [(before // DAY, delay) for delay in delays]
        if before // STEP_MS != watermark // STEP_MS:
            ceiling = max(registered, min(4 * registered, ALLOWED_LATENESS_MAX_MS))
            ends = sorted(
                rounded(-(-delay // MINUTE)) for day, delay in seen if day > watermark // DAY - 7 and delay <= 7 * DAY
            )
            ends = [end for end in ends if end <= rounded(-(-ceiling // MINUTE))]
            allowed = registered
            if len(ends) >= samples_min:
                covering = next(end for number, end in enumerate(ends, 1) if number * 1000 >= 995 * len(ends))
                allowed = max(registered, min(-(-covering * 5 // 4) * MINUTE, ceiling))
        yield allowed


MOVES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 20 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY]),
        st.lists(st.integers(0, 300 * MINUTE) | st.integers(0, 8 * DAY), max_size=8),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(moves=MOVES, registered=st.sampled_from([0, 10 * MINUTE, HOUR, DAY, 7 * DAY]), restart=st.integers(0, 25))
def test_it_is_what_a_plain_reading_of_all_delays_says_through_a_restart(moves, registered, restart):
    known, at, told, taken = Lateness(registered), NOON, [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lateness, "SAMPLES_MIN", 5)
        for number, (step, delays) in enumerate(moves):
            if number == restart:
                days, allowed = orjson.loads(orjson.dumps(known.encode())), known.allowed_ms
                known = Lateness(registered)
                known.restore(allowed, days)
            for delay in delays:
                known.measure(delay, at)
            known.move(at, at + step)
            taken.append((at, at + step, delays))
            told.append(known.allowed_ms)
            at += step

    assert told == list(plainly(taken, registered, 5))
