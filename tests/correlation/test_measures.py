"""What each type measures: by hand for the edges, and in any order of coming and going."""

from __future__ import annotations

import pytest
from correlation_oracle import measured
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.exact import NUMBER_MAX, number, plain, shown
from fsoc.correlation.measures import measure_of

STEPS = ["one", "two", "three", "four"]


TACTICS = ["unknown", "access", "execution", "impact"]


def numbers(entry, *texts):
    return [entry(at, "a", f"t{at}", values=((text,),)) for at, text in enumerate(texts)]


def steps(entry, *matched):
    """(time, rules that matched) …"""
    return [entry(at, "a", f"t{n}", rules=tuple(sorted(names.split()))) for n, (at, names) in enumerate(matched)]


def value(rule, entries):
    measure = measure_of(rule)
    for one in entries:
        measure.add(one)
    return measure.value()


def numeric(rule, kind, **condition):
    return rule(type=kind, condition={"gte": 1, "field": "n", **condition})


def test_a_sum_is_exact_in_any_order(rule, entry):
    """Floats would say 0.30000000000000004, 0.6 or 0, as they come."""
    total = numeric(rule, "value_sum")

    assert plain(value(total, numbers(entry, "0.1", "0.2"))) == 0.3
    assert plain(value(total, numbers(entry, "1e17", "0.1", "-1e17"))) == 0.1
    assert plain(value(total, numbers(entry, "0.1", "1e17", "-1e17"))) == 0.1


@pytest.mark.parametrize(
    ("percentile", "expected"), [(0, 15), (5, 15), (20, 15), (20.1, 20), (30, 20), (40, 20), (50, 35), (100, 50)]
)
def test_a_percentile_is_the_nearest_rank(rule, entry, percentile, expected):
    asked = numeric(rule, "value_percentile", percentile=percentile)

    assert value(asked, numbers(entry, "50", "15", "35", "20", "40")) == expected


def test_a_median_of_an_even_count_is_the_mean_of_the_middle_two(rule, entry):
    assert value(numeric(rule, "value_median"), numbers(entry, "9", "1", "2")) == 2
    assert plain(value(numeric(rule, "value_median"), numbers(entry, "9", "1", "2", "3"))) == 2.5


def test_an_average_is_over_numbers_not_tickets(rule, entry):
    two, one = entry(0, "a", values=(("1",), ("2",))), entry(0, "b", values=(("6",),))

    assert value(numeric(rule, "value_avg"), [two, one]) == 3


@pytest.mark.parametrize(
    ("matched", "expected"),
    [
        ([(1, "one"), (2, "two"), (3, "three")], 3),
        ([(3, "one"), (2, "two"), (1, "three")], 1),
        ([(1, "two"), (2, "one"), (3, "two")], 2),
        ([(1, "one"), (2, "three"), (3, "two")], 2),
        ([(1, "three"), (2, "one"), (3, "two"), (4, "three")], 3),
        ([(1, "two"), (2, "three"), (3, "one")], 2),
        ([(1, "one three")], 2),
        ([(5, "two"), (5, "one")], 2),
        ([(1, "unknown")], 0),
    ],
)
def test_a_chain_is_the_longest_in_the_order_of_the_rules(rule, entry, matched, expected):
    """Equal times are in either order; rules may be left out."""
    asked = rule(type="temporal_ordered", rules=["one", "two", "three"], condition=None)

    assert value(asked, steps(entry, *matched)) == expected


RULES = [
    {"type": "event_count", "condition": {"gte": 1}},
    {"type": "value_count", "condition": {"gte": 1, "field": "n"}},
    {"type": "temporal", "rules": STEPS, "condition": None},
    {"type": "temporal_ordered", "rules": STEPS, "condition": None},
    {"type": "value_sum", "condition": {"gte": 1, "field": "n"}},
    {"type": "value_avg", "condition": {"gte": 1, "field": "n"}},
    {"type": "value_percentile", "condition": {"gte": 1, "field": "n", "percentile": 30}},
    {"type": "value_median", "condition": {"gte": 1, "field": "n"}},
    {"condition": {"gte": 1, "field": "tactic"}, "fsoc": {"ordered": True}},
    {"type": "value_sum", "condition": {"gte": 9, "field": "n"}, "fsoc": {"non_negative": True, "cap_each": "half"}},
    {"condition": {"gte": 1, "field": "n"}, "fsoc": {"each": {"lt": 3}}},
    {"condition": {"gte": 1, "field": "n"}, "timespan": "9s", "fsoc": {"spread": "1s"}},
    {"condition": {"gte": 1, "field": "n"}, "fsoc": {"each": {"lte": 1}, "spread": "1s"}},
    {"type": "event_count", "condition": {"gte": 1}, "fsoc": {"also": {"a": {"gte": 2}, "b": {"gt": 2}}}},
]


@pytest.mark.parametrize("shape", RULES, ids=str)
@settings(deadline=None)
@given(data=st.data())
def test_what_came_and_went_leaves_no_trace(rule, entry, shape, data):
    asked = rule(**shape)
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 15), st.booleans()), min_size=1, max_size=9))
    entries = [
        (
            entry(
                at * 1_000 if asked.spread_ms else at,
                "a",
                f"t{n}",
                values=((TACTICS[bits % 4],), (TACTICS[bits // 4],))
                if asked.order
                else ((str(abs(bits - 7) if asked.non_negative else bits - 7),), (f"{bits}.5",)),
                member="xyz"[bits % 3],
                rules=tuple(sorted(STEPS[bit] for bit in range(4) if bits >> bit & 1)),
                also=tuple(tuple("pqrs"[bits % 4 : bits % 4 + place + 1]) for place in range(len(asked.also))),
            ),
            goes,
        )
        for n, (at, bits, goes) in enumerate(drawn)
    ]
    kept = [one for one, goes in entries if not goes] or [entries[0][0]]
    measure = measure_of(asked)
    for one, _ in data.draw(st.permutations(entries)):
        measure.add(one)
    for one, _ in data.draw(st.permutations(entries)):
        if one not in kept:
            measure.remove(one)

    assert measure.value() == measured(asked, kept)


@pytest.mark.parametrize("text", ["7", "-7.50", "+1e3", "007", "1e100", "1e-100", "0e999"])
def test_a_text_is_a_number_as_detections_read_it(text):
    assert number(text) is not None


@pytest.mark.parametrize("text", ["", "1,000", "٣", "nan", "0x10", " 1", "1.", "1.1e100", "1e-101", "-1e999"])
def test_what_is_no_number_whole_or_lies_beyond_the_bound_is_none(text):
    assert number(text) is None


def test_what_json_carries_is_whole_where_it_can_be():
    assert plain(number("2.0")) == 2
    assert isinstance(plain(number("2.0")), int)
    assert plain(number("1e30")) == 1e30
    assert plain(NUMBER_MAX * 10_000 * 64) == pytest.approx(6.4e105)
    assert (shown(number("1.23456789")), shown(number("123456789"))) == ("1.23457", "123456789")
