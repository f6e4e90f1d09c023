"""Shares, intervals, spreads."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.evaluation.shares import Z_95, Share, Spread, f1


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        # Worked by hand from (p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n).
        (3, 3, 0.4385, 1.0),
        (0, 3, 0.0, 0.5615),
        (9, 10, 0.5958, 0.9821),
        (1, 2, 0.0945, 0.9055),
        (95, 100, 0.8882, 0.9785),
    ],
)
def test_wilsons_interval_of_known_cases(hits, total, low, high):
    assert Share(hits, total).interval == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_not_known_and_its_interval_is_everything():
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)
    assert f1(Share(0, 0), Share(1, 1)) is None
    assert f1(Share(1, 1), Share(0, 0)) is None


@given(st.integers(1, 2_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_interval_is_the_shares_that_a_test_at_95_percent_would_not_refuse(case):
    """The plain twin: Wilson's ends are where (p − share)² = z² share (1 − share) / n."""
    hits, total = case
    low, high = Share(hits, total).interval
    share = hits / total

    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if end not in {0.0, 1.0}:
            assert (share - end) ** 2 == pytest.approx(Z_95**2 * end * (1 - end) / total, rel=1e-6, abs=1e-12)
    assert (low == 0) == (hits == 0)
    assert (high == 1) == (hits == total)


def test_f1_is_the_harmonic_mean_and_nothing_where_both_are_nothing():
    assert f1(Share(1, 2), Share(1, 1)) == pytest.approx(2 / 3)
    assert f1(Share(0, 2), Share(0, 3)) == 0


@given(st.lists(st.integers(-1000, 1000), max_size=60))
def test_a_spreads_percentiles_are_the_first_figures_below_which_so_many_are(figures):
    spread = Spread.of(figures)
    if not figures:
        assert spread == Spread(0, None, None, None, None)
        return

    def by_rank(share):
        return next(each for each in sorted(figures) if sum(other <= each for other in figures) >= share * len(figures))

    assert (spread.least, spread.most, spread.count) == (min(figures), max(figures), len(figures))
    assert spread.median == by_rank(Fraction(1, 2))
    assert spread.p90 == by_rank(Fraction(9, 10))
