"""What was decided of an offset is remembered through a restart."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.outcomes import REMEMBERED_MAX, Outcome, Outcomes


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(list(Outcome))), max_size=60))
def test_every_offset_keeps_its_outcome_through_encoding(steps):
    outcomes, decided, offset = Outcomes(), {}, -1
    for step, outcome in steps:
        offset += step
        outcomes.add(offset, outcome)
        decided[offset] = outcome
    again = Outcomes.decode(outcomes.encode(), offset)

    for known in (outcomes, again):
        assert {at: known.of(at) for at in decided} == decided
        assert known.of(offset + 1) is None
        assert known.last == offset


def test_what_is_older_than_remembered_is_taken_for_done():
    outcomes = Outcomes()
    outcomes.add(0, Outcome.USED)
    outcomes.add(1, Outcome.LATE)
    outcomes.add(REMEMBERED_MAX + 2, Outcome.USED)

    assert outcomes.of(0) is Outcome.DUPLICATE
    assert outcomes.of(REMEMBERED_MAX + 2) is Outcome.USED
