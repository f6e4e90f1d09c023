"""Completeness: the missing ranges are exactly the numbers that never came."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.sequence import MISSING_RANGES_MAX, Sequence


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
