"""How late an institution's tickets come, and the allowed lateness that follows from it. Pure: a function of its log.

A ticket's delay is how far its event time lies below the institution's own watermark when its first message arrives,
used or late. It is measured all the time and acted on only where the watermark enters a new step of event time, so that
a log split, stopped or read again anywhere adopts the same. When a ticket may still come is decided by nobody's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fsoc.institutions.registry import ALLOWED_LATENESS_MAX_MS

STEP_MS: Final = 3_600_000
"""Event time between two looks at what was measured: whole hours since 1970."""

DAYS_MAX: Final = 7
"""Days of event time that are looked at, the watermark's own among them."""

SAMPLES_MIN: Final = 400
"""With fewer delays than this the registry's word stands: of fewer, the last half per cent is a ticket or none."""

COVERED_PER_MILLE: Final = 995
"""Of the delays that could be allowed at all, so many are."""

ADOPTED_FACTOR_MAX: Final = 4
"""Most that is adopted, times the registry's value: the whole sector waits as long before an alert is final."""

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


class Lateness:
    """What one institution is allowed.

    registered_ms: the registry's value: what holds until enough is measured, and the least there ever is.
    allowed_ms: what holds now.
    """

    __slots__ = ("_days", "allowed_ms", "registered_ms")

    def __init__(self, registered_ms: int) -> None:
        self.registered_ms = self.allowed_ms = registered_ms
        self._days: dict[int, dict[int, int]] = {}  # day → bucket → tickets

    @property
    def ceiling_ms(self) -> int:
        """The most that may be adopted."""
        return max(self.registered_ms, min(ADOPTED_FACTOR_MAX * self.registered_ms, ALLOWED_LATENESS_MAX_MS))

    def measure(self, delay_ms: int, watermark_ms: int) -> None:
        """Count one ticket's delay, 0 or more, under the watermark's day. What nobody could be allowed is left out."""
        if delay_ms <= ALLOWED_LATENESS_MAX_MS:
            day = self._days.setdefault(watermark_ms // _DAY_MS, {})
            bucket = bucket_of(delay_ms)
            day[bucket] = day.get(bucket, 0) + 1

    def move(self, before_ms: int, watermark_ms: int) -> None:
        """The watermark rose: where it entered a new step, adopt what the last days say."""
        if watermark_ms // STEP_MS == before_ms // STEP_MS:
            return
        first = watermark_ms // _DAY_MS - DAYS_MAX + 1
        self._days = {day: buckets for day, buckets in self._days.items() if day >= first}
        self.allowed_ms = self._adopted()

    def _adopted(self) -> int:
        """What covers nearly all delays within the ceiling, and a quarter more.

        A delay beyond the ceiling says nothing here: a backlog and a wrong clock are not cured by waiting, and would
        only make everybody wait as long as may be.
        """
        last = bucket_of(self.ceiling_ms)
        counts: dict[int, int] = {}
        for buckets in self._days.values():
            for bucket, count in buckets.items():
                if bucket <= last:
                    counts[bucket] = counts.get(bucket, 0) + count
        total = sum(counts.values())
        if total < SAMPLES_MIN:
            return self.registered_ms
        covered = 0
        for bucket in sorted(counts):
            covered += counts[bucket]
            if covered * 1000 >= total * COVERED_PER_MILLE:
                break
        minutes = -(-minutes_of(bucket) * 5 // 4)
        return min(max(minutes * _MINUTE_MS, self.registered_ms), self.ceiling_ms)

    def encode(self) -> dict[str, dict[str, int]]:
        """Day since 1970 → bucket → tickets."""
        return {
            str(day): {str(bucket): count for bucket, count in buckets.items()} for day, buckets in self._days.items()
        }

    def restore(self, allowed_ms: int, days: Mapping[str, Mapping[str, int]]) -> None:
        """The inverse of `encode`; what was adopted is held to what the registry says today."""
        self.allowed_ms = min(max(allowed_ms, self.registered_ms), self.ceiling_ms)
        self._days = {
            int(day): {int(bucket): count for bucket, count in buckets.items()} for day, buckets in days.items()
        }


def bucket_of(delay_ms: int) -> int:
    """Whole minutes up to four, then four buckets to each doubling: none is taken for more than a quarter longer."""
    minutes = -(-delay_ms // _MINUTE_MS)
    if minutes <= 4:
        return minutes
    shift = (minutes - 1).bit_length() - 3
    return 4 * shift + 1 + (minutes - 1 >> shift)


def minutes_of(bucket: int) -> int:
    """The longest delay of a bucket, in minutes."""
    if bucket <= 4:
        return bucket
    shift, quarter = divmod(bucket - 5, 4)
    return quarter + 5 << shift
