"""Who is served when, against a plain account of what waits."""

from __future__ import annotations

from collections import defaultdict

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from fsoc.runtime.faust.turns import Turns

A, B, C = (TP(f"t.tickets.{name}", 0) for name in "abc")


@pytest.fixture
def turns():
    made = Turns(records_max=10, items_max=6)
    made.share = 4
    return made


def add(turns, tp, *items, records=1):
    for item in items:
        turns.add(tp, (tp.topic[-1], item), records)


def test_everyone_has_a_share_and_the_oldest_of_each_comes_first(turns):
    add(turns, A, 1, 2, 3, 4, records=2)
    add(turns, B, 1, 2)

    assert turns.take() == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert turns.take() == [("a", 3), ("a", 4)]
    assert turns.take() == []
    assert not turns
    assert turns.records == 0


def test_who_was_not_reached_is_served_before_those_who_were(turns):
    for tp in (A, B, C):
        add(turns, tp, 1, 2, records=4)

    assert turns.take() == [("a", 1), ("b", 1), ("c", 1)]  # ten records are passed by less than one item
    add(turns, A, 3, records=4)
    assert turns.take() == [("a", 2), ("b", 2), ("c", 2)]

    turns.records_max = 4
    for tp in (A, B, C):
        add(turns, tp, 4, 5, records=4)
    assert turns.take() == [("a", 3)]
    assert turns.take() == [("b", 4)]
    assert turns.take() == [("c", 4)]
    assert turns.take() == [("a", 4)]


def test_a_partition_is_held_from_two_shares_on_and_all_that_wait_once_all_is_full(turns):
    add(turns, A, *range(7))
    assert turns.held == set()
    add(turns, A, 7)
    assert turns.held == {A}
    add(turns, B, 1)
    assert turns.held == {A}
    add(turns, B, 2)  # ten in all
    assert turns.held == {A, B}
    turns.take()
    assert turns.held == set()


takes = st.just("take")
adds = st.tuples(st.sampled_from([A, B, C]), st.integers(1, 5))


@given(st.lists(adds | takes, max_size=60), st.integers(1, 8), st.integers(1, 20), st.integers(1, 8))
def test_whatever_comes_nothing_is_lost_no_order_broken_no_bound_passed_and_nobody_left_out(
    steps, share, records_max, items_max
):
    turns = Turns(records_max, items_max)
    turns.share = share
    waiting, number, passed_over = defaultdict(list), 0, defaultdict(int)
    for step in [*steps, *["take"] * 61]:
        if step != "take":
            tp, records = step
            turns.add(tp, (tp, number, records), records)
            waiting[tp].append((tp, number, records))
            number += 1
            continue
        wanting = {tp for tp, items in waiting.items() if items}
        taken = turns.take()
        assert bool(taken) == bool(wanting)
        assert len(taken) <= items_max
        assert sum(records for _, _, records in taken) < records_max + 5
        served = {tp for tp, _, _ in taken}
        for tp in served:
            mine = [item for item in taken if item[0] == tp]
            assert waiting[tp][: len(mine)] == mine
            del waiting[tp][: len(mine)]
            assert sum(records for *_, records in mine[:-1]) < share
        for tp in wanting:
            passed_over[tp] = 0 if tp in served else passed_over[tp] + 1
            assert passed_over[tp] < 3  # partitions
        left = [records for items in waiting.values() for *_, records in items]
        assert turns.records == sum(left)
        assert bool(turns) == bool(left)
        counts = {tp: sum(records for *_, records in items) for tp, items in waiting.items() if items}
        assert turns.held == {tp for tp in counts if counts[tp] >= 2 * share or sum(left) >= records_max}
    assert not turns
