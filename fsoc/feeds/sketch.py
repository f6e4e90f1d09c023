"""Delays in fixed buckets, none more than a quarter wide: a sketch of bounded size, equal for equal delays. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

DELAY_MAX_MS: Final = 2**32 - 1
"""49 days; longer delays are counted as that."""

BUCKETS_MAX: Final = 124


def bucket_of(delay_ms: int) -> int:
    """Whole milliseconds up to eight, then four buckets to each doubling. Below 0 is 0."""
    if delay_ms < 8:
        return max(delay_ms, 0)
    delay_ms = min(delay_ms, DELAY_MAX_MS)
    shift = delay_ms.bit_length() - 3
    return 4 * shift + (delay_ms >> shift)


def longest_of(bucket: int) -> int:
    """The longest delay of a bucket, in milliseconds."""
    if bucket < 8:
        return bucket
    shift, quarter = divmod(bucket - 4, 4)
    return (quarter + 5 << shift) - 1


class Sketch:
    """How many delays fell into each bucket. `buckets` is as long as the longest delay needs."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: Iterable[int] = ()) -> None:
        self.buckets: list[int] = list(buckets)

    def add(self, delay_ms: int) -> None:
        """Count one delay; one below 0, by a clock that is ahead, is none at all."""
        bucket = bucket_of(delay_ms)
        buckets = self.buckets
        if bucket >= len(buckets):
            buckets.extend([0] * (bucket + 1 - len(buckets)))
        buckets[bucket] += 1

    def merge(self, other: Sketch) -> None:
        if len(other.buckets) > len(self.buckets):
            self.buckets.extend([0] * (len(other.buckets) - len(self.buckets)))
        for bucket, count in enumerate(other.buckets):
            self.buckets[bucket] += count

    @property
    def total(self) -> int:
        return sum(self.buckets)

    def quantile(self, per_cent: int) -> int | None:
        """A delay that per_cent (1 to 100) of those counted do not exceed, in ms, at most a quarter too long.

        None of none counted.
        """
        total = self.total
        if not total:
            return None
        covered, bucket = 0, -1
        while covered * 100 < total * per_cent:
            bucket += 1
            covered += self.buckets[bucket]
        return longest_of(bucket)
