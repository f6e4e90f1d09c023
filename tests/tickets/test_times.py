"""Times are RFC 3339 with an offset, and event time is a function of the ticket alone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.tickets.times import TIME_MAX_MS, BadTime, event_time, milliseconds, rfc3339

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1969-12-31T16:00:00-08:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T00:00:01.05Z", 1050),
        ("1970-01-01T00:00:01.123456789Z", 1123),
        ("1970-01-01T00:00:01.999999999Z", 1999),
        ("1970-01-01T00:00:59.999Z", 59_999),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2026-03-02T08:00:00+08:00", 1_772_409_600_000),
        ("2026-03-02T05:45:00+05:45", 1_772_409_600_000),
        ("9999-12-31T23:59:59.999Z", TIME_MAX_MS),
    ],
)
def test_a_time_is_read_to_the_millisecond(text, expected):
    assert milliseconds(text) == expected


@given(
    st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 - the offset is drawn below
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.integers(0, 9),
)
def test_reading_agrees_with_the_calendar(naive, offset_minutes, digits):
    offset = timezone(timedelta(minutes=offset_minutes))
    sign, minutes = ("-" if offset_minutes < 0 else "+"), abs(offset_minutes)
    fraction = f".{naive.microsecond:06}000"[: digits + 1] if digits else ""
    text = f"{naive:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"
    kept_us = int((fraction[1:] + "000000")[:6])
    expected = naive.replace(microsecond=kept_us, tzinfo=offset) - datetime(1970, 1, 1, tzinfo=UTC)

    assert milliseconds(text) == expected // timedelta(milliseconds=1)


@given(st.integers(0, TIME_MAX_MS))
def test_what_is_written_is_read_back(at_ms):
    assert milliseconds(rfc3339(at_ms)) == at_ms


def test_a_log_with_an_impossible_timestamp_is_still_written():
    assert rfc3339(-1) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(2**63 - 1) == "9999-12-31T23:59:59.999Z"


@given(
    st.text(max_size=40)
    | st.from_regex(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d*)?([Zz]|[+-]\d\d:?\d\d)?", fullmatch=True)
)
def test_any_text_is_read_or_refused_with_a_code(text):
    try:
        outcome = 0 <= milliseconds(text) <= TIME_MAX_MS
    except BadTime as error:
        outcome = error.code in {"time.naive", "time.malformed", "time.out-of-range"}
    assert outcome


class Reported:
    """What event time looks at."""

    def __init__(self, occurred_from_ms, detected_at_ms):
        self.occurred_from_ms = occurred_from_ms
        self.detected_at_ms = detected_at_ms


@pytest.mark.parametrize(
    ("occurred", "expected"),
    [
        (None, 10 * HOUR),
        (10 * HOUR, 10 * HOUR),
        (10 * HOUR - 1, 10 * HOUR - 1),
        (9 * HOUR, 9 * HOUR),
        (9 * HOUR - 1, 10 * HOUR),
        (10 * HOUR + 1, 10 * HOUR),
        (0, 10 * HOUR),
    ],
)
def test_the_beginning_is_believed_within_the_allowed_lateness_before_detection(occurred, expected):
    """Both edges are closed.

    occurred_from   x   |--believed--|  x
    detected_at                      ^ 10 h
                        ^ 9 h
    """
    assert event_time(Reported(occurred, 10 * HOUR), HOUR) == expected
