"""`each` and `spread`: values that count only where few tickets have them, and only where they did not come at once."""

from __future__ import annotations

import msgspec
import pytest

from fsoc.correlation.entries import GroupKey
from fsoc.correlation.measures import measure_of
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.timeline import Timeline
from fsoc.correlation.window import satisfied

SECOND = 1_000
KEY = GroupKey("rule-1", "production", "[]")


def several(entry, **times):
    """Institution → the seconds of its tickets."""
    return sorted(entry(at * SECOND, name, f"t{n}") for name, seen in times.items() for n, at in enumerate(seen))


def found(rule, entries):
    return [(one.first_ms // SECOND, one.last_ms // SECOND, one.peak) for one in satisfied(rule, entries, None)]


def low_and_slow(rule, **each):
    return rule(condition={"gte": 2, "field": "institution"}, fsoc={"each": each})


def test_a_value_counts_only_where_few_tickets_have_it(rule, entry):
    """timespan 10 s, fewer than three tickets each.

    a  0   2   4        loud from 4 to 9
    b      2
    c          4
    """
    entries = several(entry, a=[0, 2, 4], b=[2], c=[4])

    assert found(low_and_slow(rule, lt=3), entries) == [(2, 4, 2)]
    assert found(low_and_slow(rule, lte=3), entries) == [(2, 4, 3)]
    assert found(low_and_slow(rule, lt=2), entries) == [(4, 4, 2)]


def test_the_window_decides_how_many_tickets_a_value_has(rule, entry):
    """a has two tickets until its first is a timespan old: the far edge is open.

    a  0 s   8 s
    b            9 s      10 s
    """
    assert found(low_and_slow(rule, lt=2), several(entry, a=[0, 8], b=[9])) == []
    assert found(low_and_slow(rule, lt=2), several(entry, a=[0, 8], b=[10])) == [(10, 10, 2)]


def test_a_ticket_that_came_by_several_matches_is_one(rule, entry):
    """As of a correlation that a correlation names."""
    entries = [entry(0, "a", source="x"), entry(0, "a", source="y"), entry(1, "b")]

    assert len(satisfied(low_and_slow(rule, lt=2), entries, None)) == 1


def test_a_ticket_is_there_until_the_last_of_its_matches_has_left(rule, entry):
    """a has two tickets, one of them by two matches, of which one leaves."""
    measure = measure_of(low_and_slow(rule, lt=2))
    gone = entry(0, "a", source="x")
    for one in (gone, entry(0, "a", source="y"), entry(1, "a", "t2"), entry(2, "b")):
        measure.add(one)
    measure.remove(gone)

    assert measure.value() == 1


def test_one_ticket_more_undoes_it_so_it_waits_for_settled_time(rule, entry):
    quiet = low_and_slow(rule, lt=2)
    timeline = Timeline(quiet, KEY)
    for one in several(entry, a=[1], b=[2]):
        timeline.put(one)
    timeline.advance(2 * SECOND + 1)
    assert [one.peak for one in timeline.satisfied(0)] == [2]
    timeline.put(entry(0, "a", "t-late"))
    timeline.advance(2 * SECOND + 1)

    assert timeline.satisfied(0) == []
    assert not quiet.rising


def test_the_first_tickets_must_lie_so_far_apart(rule, entry):
    """spread 5 s, closed.

    a  0 s  1 s  2 s ...
    b        4.999 s   :  at once
    b            5 s   :  apart
    """
    apart = rule(condition={"gte": 2, "field": "institution"}, fsoc={"spread": "5s"})
    loud = several(entry, a=range(5))

    assert satisfied(apart, sorted([*loud, entry(4_999, "b")]), None) == []
    assert [one.first_ms for one in satisfied(apart, sorted([*loud, entry(5_000, "b")]), None)] == [5_000]


def test_what_follows_the_first_tickets_is_not_looked_at(rule, entry):
    """A rule that is wrong fires everywhere within a second of its publishing, and then goes on."""
    apart = rule(condition={"gte": 2, "field": "institution"}, fsoc={"spread": "5s"})

    assert satisfied(apart, several(entry, a=[0, 7], b=[1, 8], c=[0, 9]), None) == []


def test_an_earlier_ticket_of_the_same_value_that_comes_late_undoes_it_and_it_is_raised_at_once_all_the_same(
    rule, entry
):
    """To wait until none can come costs every wave the lateness of the slowest; most of them never come."""
    apart = rule(condition={"gte": 2, "field": "institution"}, fsoc={"spread": "5s"})
    entries = several(entry, a=[0], b=[6])

    assert found(apart, entries) == [(6, 6, 2)]
    assert found(apart, sorted([*entries, entry(1_000, "b", "t-late")])) == []
    assert found(apart, sorted([*entries, entry(1_000, "c")])) == [(6, 6, 3)]
    assert (apart.rising, apart.firm) == (True, False)


def test_only_values_that_count_are_looked_at(rule, entry):
    """c came last and is loud: a and b alone lie one second apart."""
    both = rule(condition={"gte": 2, "field": "institution"}, fsoc={"each": {"lt": 3}, "spread": "5s"})

    assert found(both, several(entry, a=[0], b=[1], c=[7, 8])) == [(7, 8, 3)]
    assert found(both, several(entry, a=[0], b=[1], c=[7, 7, 7])) == []


def test_a_definition_outlasts_a_restart_and_one_from_before_is_read(rule):
    asked = rule(fsoc={"each": {"lt": 3}, "spread": "5s"})
    assert msgspec.json.decode(msgspec.json.encode(asked), type=CorrelationRule) == asked

    before = msgspec.to_builtins(rule())
    del before["each"], before["spread_ms"]
    assert msgspec.convert(before, CorrelationRule) == rule()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fsoc": {"each": 3}}, "fsoc.each is not a mapping of lt and lte, such as {lte: 2}"),
        ({"fsoc": {"each": {"gte": 3}}}, "fsoc.each is not a mapping of lt and lte"),
        ({"fsoc": {"each": {"lt": 1}}}, "fsoc.each lt 1 never holds"),
        ({"fsoc": {"each": {"lte": 0}}}, "fsoc.each lte 0 never holds"),
        ({"fsoc": {"each": {"lt": 2.5}}}, "whole number"),
        ({"fsoc": {"each": {"lt": 3}}, "type": "event_count", "condition": {"gte": 2}}, "fsoc.each needs value_count"),
        ({"fsoc": {"spread": "2x"}}, 'fsoc.spread: timespan "2x"'),
        ({"fsoc": {"spread": "10s"}}, 'fsoc.spread "10s" never lies within the timespan'),
        ({"fsoc": {"spread": "1s"}, "type": "event_count", "condition": {"gte": 2}}, "fsoc.spread needs value_count"),
        (
            {"fsoc": {"spread": "1s", "ordered": True}, "condition": {"gte": 2, "field": "tactic"}},
            "not values that fsoc.spread",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(document, refusals, change, says):
    assert any(says in text for text in refusals(document(**change)))
