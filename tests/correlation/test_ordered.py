"""`ordered`: values that come one after another, in the order that they have."""

from __future__ import annotations

import pytest

from fsoc.correlation.definitions import is_alike
from fsoc.correlation.window import satisfied


@pytest.fixture
def chain(rule):
    return rule(condition={"gte": 3, "field": "tactic"}, fsoc={"ordered": True})


def tactics(entry, *seen):
    return sorted(entry(at, "a", f"t{n}", values=tuple((one,) for one in names.split())) for n, (at, names) in seen)


@pytest.mark.parametrize(
    ("seen", "holds"),
    [
        ([(1, "access"), (2, "execution"), (3, "impact")], True),
        ([(3, "access"), (2, "execution"), (1, "impact")], False),
        ([(1, "impact"), (2, "access"), (3, "execution")], False),
        ([(1, "impact"), (2, "access"), (3, "execution"), (4, "impact")], True),
        ([(1, "access"), (2, "access"), (3, "impact")], False),
        ([(5, "impact"), (5, "execution"), (5, "access")], True),
        ([(5, "access execution impact")], True),
        ([(1, "access"), (2, "execution"), (3, "weather")], False),
        ([(1, "weather")], False),
    ],
)
def test_it_is_the_longest_chain_in_kill_chain_order(chain, entry, seen, holds):
    """access → execution → impact; tactics of one time are in either order; what has no place in the order is none."""
    assert bool(satisfied(chain, tactics(entry, *enumerate(seen)), None)) is holds


def test_a_chain_is_of_one_window(chain, entry):
    """timespan 10 s.

    access 0 s   execution 5 s   impact 10 s :  (0, 10] has no access
    access 1 ms  execution 5 s   impact 10 s :  it has
    """
    late = [(5_000, "execution"), (10_000, "impact")]

    assert satisfied(chain, tactics(entry, *enumerate([(0, "access"), *late])), None) == []
    assert [one.peak for one in satisfied(chain, tactics(entry, *enumerate([(1, "access"), *late])), None)] == [3]


def test_more_tickets_never_undo_it(chain):
    assert chain.rising


def test_the_order_is_part_of_the_definition_and_what_is_held_says_as_much_without_it(chain, rule):
    assert chain.order == ("access", "execution", "impact")
    assert is_alike(chain, rule(condition={"gte": 3, "field": "tactic"}))


@pytest.mark.parametrize(
    "change",
    [
        {"condition": {"gte": 2, "field": "institution"}},
        {"condition": {"gte": 2, "field": ["tactic", "institution"]}},
        {"type": "event_count", "condition": {"gte": 2}},
    ],
)
def test_what_has_no_order_is_refused(document, refusals, change):
    (text,) = refusals(document(**change, fsoc={"ordered": True}))
    assert text == "fsoc.ordered needs value_count of one field whose values have an order: tactic"


def test_it_is_asked_for_or_not(document, refusals, rule):
    assert refusals(document(fsoc={"ordered": "tactic"})) == ['fsoc.ordered is "tactic" — expected true or false']
    assert rule(fsoc={"ordered": False}) == rule()
