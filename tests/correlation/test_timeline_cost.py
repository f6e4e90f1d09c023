"""What judging costs, in entries taken into and out of measures: no more than what an entry changes."""

from __future__ import annotations

import pytest

from fsoc.correlation import timeline as module
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.measures import measure_of
from fsoc.correlation.timeline import Timeline

KEY = GroupKey("rule-1", "production", "[]")
WINDOW = 100  # entries in a full window: one every 100 ms for 10 s
ENTRIES = 2_000


class Counting:
    """A measure that tells how often it was given an entry, asked to forget one, and asked for its value."""

    taken = asked = 0

    def __init__(self, rule):
        self._measure = measure_of(rule)

    def add(self, entry):
        Counting.taken += 1
        self._measure.add(entry)

    def remove(self, entry):
        Counting.taken += 1
        self._measure.remove(entry)

    def value(self):
        Counting.asked += 1
        return self._measure.value()


@pytest.fixture
def cost(monkeypatch):
    """What a piece of work costs: (entries in and out, windows asked)."""
    monkeypatch.setattr(module, "measure_of", Counting)

    def counted(work):
        Counting.taken = Counting.asked = 0
        work()
        return Counting.taken, Counting.asked

    return counted


@pytest.fixture
def full(rule, entry, cost):
    """A timeline of many windows' entries, put and judged one by one."""
    timeline = Timeline(rule(condition={"gte": 3, "field": "institution"}), KEY)

    def fill():
        for number in range(ENTRIES):
            timeline.put(entry(number * 100, f"fi-{number % 40:03}", f"t-{number}"))
            timeline.advance(None)

    assert cost(fill) == (2 * ENTRIES - WINDOW, ENTRIES)
    return timeline


def put_and_judge(timeline, *entries):
    def work():
        for one in entries:
            timeline.put(one)
        timeline.advance(None)

    return work


def test_the_newest_entry_costs_one_window_however_many_lie_in_it(full, entry, cost):
    assert cost(put_and_judge(full, entry(ENTRIES * 100, "late", "late"))) == (2, 1)


def test_an_entry_that_is_a_little_late_costs_what_is_newer_than_it(full, entry, cost):
    """Ten newer ones out of the window and ten older ones in at its far edge, and both the other way round again."""
    taken, asked = cost(put_and_judge(full, entry(ENTRIES * 100 - 1_001, "late", "late")))

    assert taken <= 4 * 10 + 4
    assert asked == 11


def test_a_late_entry_costs_the_windows_it_lies_in_never_the_group(full, entry, cost):
    taken, asked = cost(put_and_judge(full, entry(50_001, "late", "late")))

    assert taken <= 3 * WINDOW + 2
    assert asked == WINDOW + 1


def test_many_late_entries_of_one_slice_cost_the_windows_they_lie_in_once(full, entry, cost):
    late = [entry(50_001 + 10 * number, "late", f"late-{number}") for number in range(500)]
    taken, asked = cost(put_and_judge(full, *late[::2], *reversed(late[1::2])))

    windows = 500 + WINDOW + 50  # at the time of each of them, and at those of the others in [50_001, 65_000)
    assert taken <= 2 * windows + 2 * WINDOW
    assert asked <= windows


def test_late_entries_that_share_no_window_cost_each_its_own(full, entry, cost):
    taken, asked = cost(put_and_judge(full, *(entry(at, "late", "late" + str(at)) for at in (20_001, 60_001, 120_001))))

    assert taken <= 3 * (3 * WINDOW + 2)
    assert asked == 3 * (WINDOW + 1)


def test_letting_go_costs_nothing_that_is_not_in_the_newest_window(full, entry, cost):
    assert cost(lambda: full.expire((ENTRIES - WINDOW) * 100 - 1)) == (0, 0)
