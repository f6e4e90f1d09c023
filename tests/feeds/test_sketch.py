"""Delays in fixed buckets: what is said of them is right to within a quarter, whatever the order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsoc.feeds.sketch import BUCKETS_MAX, DELAY_MAX_MS, Sketch, bucket_of, longest_of

DELAYS = st.integers(0, 5000) | st.integers(0, DELAY_MAX_MS)


@given(DELAYS)
def test_a_bucket_is_at_most_a_quarter_wide(delay):
    longest = longest_of(bucket_of(delay))

    assert delay <= longest <= delay * 5 // 4
    assert bucket_of(longest) == bucket_of(delay)
    assert bucket_of(longest + 1) in {bucket_of(delay) + 1, BUCKETS_MAX - 1}


def test_buckets_are_bounded():
    assert [bucket_of(delay) for delay in (-5, 0, 7, 8, 9)] == [0, 0, 7, 8, 8]
    assert bucket_of(DELAY_MAX_MS) == bucket_of(10**15) == BUCKETS_MAX - 1


@given(st.lists(DELAYS, min_size=1), st.lists(DELAYS), st.sampled_from([50, 95, 99, 100]))
def test_a_quantile_covers_as_many_and_is_at_most_a_quarter_too_long(delays, others, per_cent):
    sketch, other = Sketch(), Sketch()
    for delay in delays:
        sketch.add(delay)
    for delay in others:
        other.add(delay)
    sketch.merge(other)
    ordered = sorted([*delays, *others])
    exact = ordered[-(-len(ordered) * per_cent // 100) - 1]

    assert exact <= sketch.quantile(per_cent) <= exact * 5 // 4
    assert sketch.total == len(ordered)
    assert Sketch(sketch.buckets).buckets == sketch.buckets


def test_of_nothing_there_is_no_quantile():
    assert Sketch().quantile(50) is None
