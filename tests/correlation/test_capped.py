"""`cap_each`: no member alone brings a sum to its bound, however great what it claims, or how often."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import satisfied


def total(rule, **condition):
    return rule(
        type="value_sum",
        condition={"field": "volume.peak_bps", **condition},
        fsoc={"non_negative": True, "cap_each": "half"},
    )


def claims(entry, *said):
    """(seconds, institution, number) …"""
    return sorted(
        entry(at * 1_000, name, f"t{n}", values=((number,),), member=name.partition("/")[0])
        for n, (at, name, number) in enumerate(said)
    )


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ([(0, "a", "1000000")], None),
        ([(at, "a", "1000000") for at in range(9)], None),
        ([(0, "a", "50"), (1, "b", "50")], 100),
        ([(0, "a", "1000"), (1, "b", "49.9")], None),
        ([(0, "a", "1000"), (1, "b", "2000")], 100),
        ([(0, "a", "30"), (1, "a", "20"), (2, "b", "60")], None),
        ([(0, "a", "20"), (1, "a", "60"), (2, "b", "50")], 100),
        ([(0, "a", "60"), (1, "a", "20"), (2, "b", "50")], 100),
        ([(0, "a", "40"), (1, "b", "30"), (2, "c", "30")], 100),
        ([(0, "h/1", "1000"), (1, "h/2", "1000")], None),
        ([(0, "a", "50"), (10, "b", "50")], None),
    ],
)
def test_each_holdings_greatest_number_counts_up_to_half(rule, entry, said, seen):
    """timespan 10 s, 100 wanted."""
    found = satisfied(total(rule, gte=100), claims(entry, *said), None)

    assert [one.peak for one in found] == ([] if seen is None else [seen])


def test_what_somebody_heard_of_is_nobodys_claim(rule, entry):
    said = claims(entry, (0, "a", "1000"), (1, "b", "20"))
    heard = [entry(at, name, "i", values=(("1000",),), member="") for at, name in ((500, "b"), (2_000, "c"))]

    assert satisfied(total(rule, gte=100), sorted([*said, *heard]), None) == []
    (found,) = satisfied(total(rule, gte=40), sorted([*said, *heard]), None)
    assert (found.peak, len(found.entries)) == (40, 4)  # it stands in the window, for nothing


def test_two_halves_are_not_beyond_the_bound(rule, entry):
    beyond = total(rule, gt=100)

    assert satisfied(beyond, claims(entry, (0, "a", "500"), (1, "b", "500")), None) == []
    assert len(satisfied(beyond, claims(entry, (0, "a", "500"), (1, "b", "500"), (2, "c", "0.1")), None)) == 1


def test_half_of_an_odd_bound_is_exact(rule, entry):
    (found,) = satisfied(total(rule, gte=0.3), claims(entry, (0, "a", "7"), (1, "b", "0.15")), None)

    assert found.peak == Fraction(3, 10)


@given(said=st.lists(st.tuples(st.integers(0, 20), st.just("a"), st.integers(0, 10**9).map(str)), max_size=20))
def test_nobody_alone_ever_raises_it(rule, entry, said):
    assert satisfied(total(rule, gte=1), claims(entry, *said), None) == []


def test_it_is_raised_at_once(rule):
    assert total(rule, gte=100).rising


def test_a_definition_outlasts_a_restart_and_one_from_before_is_read(rule):
    asked = total(rule, gte=100)
    assert msgspec.json.decode(msgspec.json.encode(asked), type=CorrelationRule) == asked

    before = msgspec.to_builtins(rule())
    del before["cap_each"]
    assert msgspec.convert(before, CorrelationRule) == rule()


SUM = {"type": "value_sum", "condition": {"gte": 5, "field": "n"}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({**SUM, "fsoc": {"non_negative": True, "cap_each": True}}, 'fsoc.cap_each is "True" — expected half'),
        ({**SUM, "fsoc": {"cap_each": "half"}}, "needs fsoc.non_negative: true"),
        ({"fsoc": {"non_negative": True, "cap_each": "half"}}, "fsoc.cap_each needs value_sum"),
        (
            {**SUM, "condition": {"lt": 5, "field": "n"}, "fsoc": {"non_negative": True, "cap_each": "half"}},
            "needs a condition with gt or gte above 0",
        ),
        (
            {**SUM, "condition": {"gte": 0, "field": "n"}, "fsoc": {"non_negative": True, "cap_each": "half"}},
            "needs a condition with gt or gte above 0",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(document, refusals, change, says):
    assert any(says in text for text in refusals(document(**change)))
