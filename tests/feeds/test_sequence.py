"""Completeness: the missing ranges are exactly the numbers that never came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.asks import ASKS_MAX, Asks
from fsoc.feeds.outcomes import REMEMBERED_MAX
from fsoc.feeds.sequence import MISSING_RANGES_MAX, Change, Gap, Sequence


def numbers(gaps):
    return {number for start, last in gaps for number in range(start, last + 1)}


@settings(deadline=None)
@given(seqs=st.lists(st.integers(0, 60), min_size=1, max_size=80))
def test_the_missing_numbers_are_those_between_the_lowest_and_the_highest_that_never_came(seqs):
    sequence = Sequence()
    for seq in seqs:
        sequence.note(seq)

    assert numbers(sequence.missing) == set(range(min(seqs), max(seqs))) - set(seqs)
    assert sequence.missing_total() == len(numbers(sequence.missing))
    assert sequence.next == max(seqs) + 1
    assert sequence.missing == sorted(sequence.missing)


def test_a_heartbeat_tells_of_numbers_that_were_lost_at_the_end():
    sequence = Sequence()
    sequence.note(1)
    sequence.expect(4)

    assert sequence.missing == [[2, 4]]
    sequence.note(3)
    assert sequence.missing == [[2, 2], [4, 4]]


def test_a_heartbeat_before_any_ticket_opens_the_epoch():
    sequence = Sequence()
    sequence.expect(9)
    sequence.note(10)

    assert sequence.missing == []


def test_past_the_bound_the_oldest_gap_is_given_up_and_counted():
    sequence = Sequence()
    for seq in range(0, 2 * MISSING_RANGES_MAX + 4, 2):
        sequence.note(seq)

    assert len(sequence.missing) == MISSING_RANGES_MAX
    assert sequence.missing[0] == [3, 3]
    assert sequence.forgotten == 1


def open_asks(told):
    """What a sender has still been asked for, by what it was told in turn; each told once and closed once."""
    asked = set()
    for gap in told:
        changed = numbers([(gap.first, gap.last)])
        if gap.change is Change.ASK:
            assert not asked & changed, "asked for twice"
            asked |= changed
        else:
            # What is given up as soon as it is missed was never asked for.
            assert changed <= asked or gap.change is Change.GIVEN_UP, "closed, and never asked for"
            asked -= changed
    return asked


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["note", "note", "note", "expect"]), st.integers(0, 40)), max_size=60),
    bound=st.integers(1, 4) | st.just(MISSING_RANGES_MAX),
)
def test_what_a_sender_is_asked_for_is_what_is_missing_whatever_comes(steps, bound):
    """Also where ranges are split and given up: never more are held than the bound."""
    sequence, told = Sequence(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fsoc.feeds.sequence.MISSING_RANGES_MAX", bound)
        for what, number in steps:
            told += sequence.note(number) if what == "note" else sequence.expect(number)
            assert len(sequence.missing) <= bound

    assert open_asks(told) == numbers(sequence.missing)
    given_up = sum(gap.numbers for gap in told if gap.change is Change.GIVEN_UP)
    assert given_up == sequence.forgotten


def test_a_range_that_is_given_up_at_once_is_not_asked_for():
    sequence = Sequence()
    for seq in range(10, 10 + 2 * MISSING_RANGES_MAX + 2, 2):
        sequence.note(seq)

    assert sequence.note(5) == (Gap(Change.GIVEN_UP, 6, 9),)
    assert len(sequence.missing) == MISSING_RANGES_MAX


def test_splitting_ranges_holds_no_more_than_the_bound():
    """A hostile member tells of a huge range and then sends numbers out of its middle."""
    sequence = Sequence()
    sequence.note(0)
    sequence.note(10**9)
    for seq in range(2, 4 * MISSING_RANGES_MAX, 2):
        sequence.note(seq)

    assert len(sequence.missing) == MISSING_RANGES_MAX
    assert sequence.forgotten == MISSING_RANGES_MAX


@given(
    st.lists(
        st.lists(st.builds(Gap, st.sampled_from(list(Change)), st.integers(0, 9), st.integers(10, 99)), max_size=2),
        max_size=12,
    )
)
def test_what_was_told_is_told_again_after_a_restart(told):
    asks = Asks()
    for offset, gaps in enumerate(told):
        asks.add(offset, tuple(gaps))
    again = Asks.decode(asks.encode())

    assert [list(again.of(offset)) for offset in range(len(told) + 1)] == [*told, []]
    assert again.encode() == asks.encode()


def test_what_was_told_long_ago_is_forgotten():
    asks = Asks()
    gap = (Gap(Change.ASK, 1, 2),)
    asks.add(0, gap)
    asks.add(REMEMBERED_MAX - 1, ())
    assert asks.of(0) == gap
    asks.add(REMEMBERED_MAX, ())
    assert asks.of(0) == ()
    for offset in range(REMEMBERED_MAX + 1, REMEMBERED_MAX + ASKS_MAX + 2):
        asks.add(offset, gap)
    assert asks.of(REMEMBERED_MAX + 1) == ()
    assert asks.of(REMEMBERED_MAX + 2) == gap
