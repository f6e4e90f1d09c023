"""Sliding windows over event time, against the plainest reading of law 7."""

from __future__ import annotations

import os

import pytest
from correlation_oracle import episodes
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.window import satisfied

MANY = 20 if os.environ.get("FSOC_SOAK") else 1


def test_the_far_edge_of_a_window_is_open_and_the_near_edge_closed(rule, entry):
    """timespan 10 s, three institutions wanted.

    a  0 s   b  5 s   c 10 s :  (0, 10] does not hold a
    a  1 ms  b  5 s   c 10 s :  it does
    """
    three = rule()
    missed = [entry(0, "a"), entry(5_000, "b"), entry(10_000, "c")]
    held = [entry(1, "a"), entry(5_000, "b"), entry(10_000, "c")]

    assert satisfied(three, missed, None) == []
    assert [(found.first_ms, found.peak) for found in satisfied(three, held, None)] == [(10_000, 3)]


def test_one_institution_counts_once_however_much_it_sends(rule, entry):
    entries = sorted(entry(at, name, f"t{at}") for at in range(0, 9_000, 100) for name in ("a", "b"))

    assert satisfied(rule(), entries, None) == []


def test_an_event_count_counts_tickets(rule, entry):
    three = rule(type="event_count", condition={"gte": 3})
    entries = [entry(at, "a", f"t{at}", values=()) for at in (0, 1, 2)]

    assert [found.peak for found in satisfied(three, entries, None)] == [3]
    assert satisfied(three, entries[:2], None) == []


def test_the_members_are_the_union_of_the_satisfied_windows(rule, entry):
    """a 0 | b 4 c 8 d 12 | e 30 : (−2, 8] = a b c and (2, 12] = b c d hold; e is alone."""
    times = {"a": 0, "b": 4_000, "c": 8_000, "d": 12_000, "e": 30_000}
    (found,) = satisfied(rule(), [entry(at, name) for name, at in times.items()], None)

    assert [member.institution for member in found.entries] == ["a", "b", "c", "d"]
    assert (found.first_ms, found.last_ms) == (8_000, 12_000)


def test_a_condition_that_more_entries_can_undo_is_decided_only_for_settled_times(rule, entry):
    exactly_two = rule(condition={"eq": 2, "field": "institution"})
    entries = [entry(0, "a"), entry(1_000, "b")]

    assert satisfied(exactly_two, entries, 1_000) == []
    assert len(satisfied(exactly_two, entries, 1_001)) == 1


DAY = 86_400_000
NUMBERS = ["0", "1", "2", "0.1", "0.2", "-3", "2.50", "1e2", "100", "7"]
STEPS = ["one", "two", "three"]
TACTICS = ["access", "execution", "impact", "unknown"]
SHAPES = [
    {"condition": {"gte": 2, "field": "institution"}},
    {"condition": {"gte": 3, "field": "institution"}, "timespan": "2d"},
    {"condition": {"eq": 2, "field": "institution"}},
    {"condition": {"gt": 1, "lte": 2, "field": "institution"}},
    {"type": "event_count", "condition": {"gte": 4}},
    {"type": "event_count", "condition": {"lt": 3}},
    {"type": "temporal", "rules": STEPS, "condition": None},
    {"type": "temporal", "rules": STEPS, "condition": {"gte": 2}},
    {"type": "temporal", "rules": STEPS, "condition": {"neq": 2}},
    {"type": "temporal_ordered", "rules": STEPS, "condition": None},
    {"type": "temporal_ordered", "rules": STEPS, "condition": {"gte": 2}},
    {"type": "temporal_ordered", "rules": STEPS, "condition": {"eq": 1}},
    {"type": "value_sum", "condition": {"gte": 0.3, "field": "n"}},
    {"type": "value_sum", "condition": {"lt": 5.5, "gt": -2, "field": "n"}},
    {"type": "value_avg", "condition": {"gt": 1.5, "field": "n"}},
    {"type": "value_avg", "condition": {"lte": 2, "field": "n"}},
    {"type": "value_percentile", "condition": {"gte": 2.5, "percentile": 95, "field": "n"}},
    {"type": "value_percentile", "condition": {"lt": 1, "percentile": 0, "field": "n"}},
    {"type": "value_percentile", "condition": {"eq": 1, "percentile": 33.3, "field": "n"}},
    {"type": "value_median", "condition": {"gte": 1.5, "field": "n"}},
    {"condition": {"gte": 2, "field": "institution"}, "fsoc": {"also": {"tactic": {"gte": 2}, "user": {"gt": 1}}}},
    {"type": "temporal", "rules": STEPS, "condition": None, "fsoc": {"also": {"tactic": {"gte": 3}}}},
    {"type": "value_sum", "condition": {"lt": 9, "field": "n"}, "fsoc": {"also": {"user": {"gte": 2}}}},
    {"type": "value_sum", "condition": {"gte": 3, "field": "n"}, "fsoc": {"non_negative": True, "cap_each": "half"}},
    {
        "type": "value_sum",
        "condition": {"gt": 0.5, "gte": 2, "lt": 7, "field": "n"},
        "fsoc": {"non_negative": True, "cap_each": "half", "also": {"tactic": {"gte": 1}}},
    },
    {"condition": {"gte": 2, "field": "tactic"}, "fsoc": {"ordered": True}},
    {"condition": {"gte": 2, "field": "institution"}, "fsoc": {"each": {"lt": 2}}},
    {"condition": {"gte": 1, "field": "institution"}, "fsoc": {"each": {"lte": 2}, "spread": "3s"}},
    {"condition": {"lt": 3, "field": "institution"}, "fsoc": {"spread": "2s", "also": {"tactic": {"gte": 1}}}},
    {"condition": {"lt": 2, "field": "tactic"}, "fsoc": {"ordered": True, "also": {"user": {"gte": 2}}}},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@settings(max_examples=40 * MANY, deadline=None)
@given(data=st.data())
def test_the_sliding_evaluation_is_the_naive_one(rule, entry, shape, data):
    built = rule(**shape)
    drawn = data.draw(st.lists(st.integers(0, 2**24), max_size=20))
    entries = sorted(made(entry, built, n, seed) for n, seed in enumerate(drawn))

    assert [tuple(found)[:5] for found in satisfied(built, entries, None)] == episodes(built, entries)


def made(entry, rule, n, seed):
    """An entry out of one number: half of them within a minute of a midnight, the others over five days."""
    seed, slot = divmod(seed, 64)
    seed, near = divmod(seed, 2)
    seed, number = divmod(seed, len(NUMBERS))
    seed, several = divmod(seed, 3)
    seed, steps = divmod(seed, 7)
    name = "abcde"[seed % 5]
    texts = sorted(NUMBERS[(number + place) % len(NUMBERS)] for place in range(several + 1))
    if rule.non_negative:
        texts = [text.removeprefix("-") for text in texts]
    if rule.order:
        texts = sorted({TACTICS[(number + place) % 4] for place in range(several)} | {TACTICS[steps % 4]})
    return entry(
        DAY - 30_000 + slot * 1_000 if near else slot * DAY // 12,
        name,
        f"t{n}",
        values=tuple((text,) for text in texts) if rule.numeric or rule.order else ((name,),),
        member="ab"[steps % 2],
        rules=tuple(sorted(STEPS[bit] for bit in range(3) if (steps + 1) >> bit & 1))
        if len(rule.rules) > 1
        else ("detection",),
        also=tuple(tuple("pqr"[: (steps + place) % 4]) for place in range(len(rule.also))),
    )
