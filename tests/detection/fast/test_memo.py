"""What is remembered, under which key, and how much of it."""

from __future__ import annotations

import pytest

from fsoc.detection.fast.memo import KEPT_LENGTH_MAX, Ledger, Memo


class Found:
    """Answers with the length of what it was asked for so far, so that no two answers are alike."""

    def __init__(self) -> None:
        self.asked = []

    def __call__(self, raw):
        self.asked.append(raw)
        return (len(self.asked),)


@pytest.fixture
def find():
    return Found()


@pytest.mark.parametrize("value", ["a", "", 5, True, 2.5, 0])
def test_a_value_is_searched_once(find, value):
    memo = Memo(find, (), Ledger())
    assert memo[value] == memo[value] == (1,)
    assert len(find.asked) == 1


def test_values_that_are_equal_and_not_the_same_are_told_apart(find):
    memo = Memo(find, (), Ledger())
    values = [1, True, 1.0, "1", 0.0, -0.0, False, 0]
    first = [memo[value] for value in values]
    assert len(set(first)) == len(values)
    assert [memo[value] for value in values] == first


def test_none_is_answered_without_a_search(find):
    memo = Memo(find, (9,), Ledger())
    assert memo[None] == (9,)
    memo.forget()
    assert memo[None] == (9,)
    assert find.asked == []


@pytest.mark.parametrize("value", ["x" * (KEPT_LENGTH_MAX + 1), 2**70])
def test_what_is_long_is_searched_each_time(find, value):
    memo = Memo(find, (), Ledger())
    assert memo[value] != memo[value]
    assert len(memo) == 1


@pytest.mark.parametrize("value", [[], {}, ["a"]])
def test_what_cannot_be_a_key_is_refused(find, value):
    with pytest.raises(TypeError):
        Memo(find, (), Ledger())[value]


@pytest.mark.parametrize("kind", [str, int, float])
def test_values_without_end_take_room_with_an_end(find, kind):
    ledger = Ledger()
    memo = Memo(find, (), ledger, entries_max=8)
    for number in range(1000):
        memo[kind(number)]
    assert len(memo) + len(memo._others) + len(memo._old) <= 3 * 10
    assert ledger.bytes <= 2 * ledger.slab_bytes


def test_what_is_asked_for_again_outlives_what_is_not(find):
    memo = Memo(find, (), Ledger(), entries_max=8)
    kept = memo["kept"]
    for number in range(100):
        memo[str(number)]
        assert memo["kept"] == kept


def test_past_the_ledgers_bound_every_memo_forgets(find):
    ledger = Ledger(bytes_max=4000, slab_bytes=400)
    memos = [Memo(find, (), ledger) for _ in range(3)]
    for number in range(300):
        memos[number % 3][f"value {number}"]
        assert 0 <= ledger.bytes <= 4000
    assert sum(map(len, memos)) < 60


def test_a_ledger_that_lets_go_counts_nothing(find):
    ledger = Ledger()
    memo = Memo(find, (), ledger)
    memo["a"], memo[5]
    ledger.forget()
    assert (ledger.bytes, len(memo)) == (0, 1)
