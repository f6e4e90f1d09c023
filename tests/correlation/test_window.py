"""Sliding windows over event time, against the plainest reading of law 7."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsoc.correlation.window import satisfied


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


def naive(rule, entries):
    """Law 7 word by word: every entry's event time, every entry of (t − timespan, t], in quadratic time."""
    found = {}
    for t in sorted({entry.event_time_ms for entry in entries}):
        window = [entry for entry in entries if t - rule.timespan_ms < entry.event_time_ms <= t]
        measure = len({value for entry in window for value in entry.values}) if rule.fields else len(window)
        if rule.condition.holds(measure):
            episode = found.setdefault(t // rule.episode_ms, [t, t, 0, set()])
            episode[1] = t
            episode[2] = max(episode[2], measure)
            episode[3].update(window)
    return [
        (number, first, last, peak, tuple(sorted(members))) for number, (first, last, peak, members) in found.items()
    ]


DAY = 86_400_000
SHAPES = [
    {"condition": {"gte": 2, "field": "institution"}},
    {"condition": {"gte": 3, "field": "institution"}, "timespan": "2d"},
    {"condition": {"eq": 2, "field": "institution"}},
    {"condition": {"gt": 1, "lte": 2, "field": "institution"}},
    {"type": "event_count", "condition": {"gte": 4}},
    {"type": "event_count", "condition": {"lt": 3}},
]


@given(data=st.data())
def test_the_sliding_evaluation_is_the_naive_one(rule, entry, data):
    shape = rule(**data.draw(st.sampled_from(SHAPES)))
    times = st.integers(0, 60).map(lambda n: DAY - 30_000 + n * 1_000) | st.integers(0, 40).map(lambda n: n * DAY // 8)
    drawn = data.draw(st.lists(st.tuples(times, st.sampled_from("abcde")), max_size=40))
    entries = sorted(entry(at, name, f"t{n}") for n, (at, name) in enumerate(drawn))

    assert [tuple(found) for found in satisfied(shape, entries, None)] == naive(shape, entries)
