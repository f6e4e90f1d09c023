"""RFC 3339 text to milliseconds since 1970, and a ticket's event time. Pure: no clock is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fsoc.tickets.decode import Message

# What a person may write. Leap seconds (:60) and hour 24 are not times a clock of ours can show, so they are refused.
TIME_PATTERN: Final = (
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
TIME_MAX_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MINUTE_MS: Final = 60_000
_MINUTES_MAX: Final = 8192  # memo entries
_WHOLE_SECONDS_MS: Final = {f"{second:02}": second * 1000 for second in range(60)}
_FRACTIONS_MS: Final = {"": 0} | {f".{millisecond:03}": millisecond for millisecond in range(1000)}

_shape = re.compile(TIME_PATTERN).fullmatch
_fraction_shape = re.compile(r"\.[0-9]{1,9}").fullmatch
_naive_shape = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?").fullmatch


class BadTime(ValueError):  # noqa: N818 - the fault's code says what is bad
    """Text that is not a time; `code` is `time.naive`, `time.malformed` or `time.out-of-range`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def milliseconds(text: str) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z of RFC 3339 `text` with an offset; finer digits are cut off.

    Raises:
        BadTime: no offset, not a date and time that exists, or outside 1970…9999 (UTC).
    """
    # `2026-03-02T08:00:` + `30.250` + `+08:00`: tickets of one minute share the first and last, so they are remembered.
    offset_at = len(text) - (1 if text[-1:] == "Z" else 6)
    seconds = text[17:offset_at]
    whole_ms, fraction_ms = _WHOLE_SECONDS_MS.get(seconds[:2]), _FRACTIONS_MS.get(seconds[2:])
    if whole_ms is None:
        raise _refusal(text)
    if fraction_ms is None:
        if _fraction_shape(seconds[2:]) is None:
            raise _refusal(text)
        fraction_ms = int((seconds[3:6] + "00")[:3])
    minute_ms = _minute_ms(text[:17] + text[offset_at:])
    if minute_ms is None:
        raise _refusal(text)
    return minute_ms + whole_ms + fraction_ms


@lru_cache(maxsize=_MINUTES_MAX)
def _minute_ms(minute_and_offset: str) -> int | None:
    """None: not the shape of a time."""
    whole = minute_and_offset[:17] + "00" + minute_and_offset[17:]
    if _shape(whole) is None:
        return None
    try:
        value = (datetime.fromisoformat(whole) - _EPOCH) // _MILLISECOND
    except ValueError as error:  # 31 June and the like
        raise BadTime("time.malformed", f"is no date that exists ({error})") from error
    if not 0 <= value <= TIME_MAX_MS - _MINUTE_MS + 1:
        raise BadTime("time.out-of-range", "lies outside 1970-01-01 … 9999-12-31 (UTC)")
    return value


def _refusal(text: str) -> BadTime:
    if _naive_shape(text) is not None:
        return BadTime("time.naive", "has no offset; write one, such as +08:00 or Z")
    return BadTime("time.malformed", "is not RFC 3339, such as 2026-03-02T08:00:00+08:00")


def rfc3339(at_ms: int) -> str:
    """Milliseconds since 1970 as `2026-03-02T00:15:00.000Z`; the inverse of `milliseconds`, whose range bounds it."""
    at_ms = min(max(at_ms, 0), TIME_MAX_MS)  # a log's own timestamp is whatever its producer wrote
    return (_EPOCH + at_ms * _MILLISECOND).isoformat(timespec="milliseconds")[:-6] + "Z"


def event_time(message: Message, allowed_lateness_ms: int) -> int:
    """When it happened: `occurred_from` if within the allowed lateness before `detected_at`, else `detected_at`.

    Both edges are closed: `occurred_from` equal to detected_at, or to detected_at − allowed_lateness_ms, is believed;
    one after `detected_at` is not.
    """
    occurred_ms = message.occurred_from_ms
    if occurred_ms is not None and 0 <= message.detected_at_ms - occurred_ms <= allowed_lateness_ms:
        return occurred_ms
    return message.detected_at_ms
