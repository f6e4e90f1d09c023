"""`also`: other fields of which there must be different values in the same window."""

from __future__ import annotations

import msgspec
import pytest

from fsoc.correlation.definitions import counts_alike, is_alike
from fsoc.correlation.entries import VALUES_MAX
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import satisfied


def feed(rule, ticket, matches=(("detection", -1),)):
    full = {"environment": "production", "indicators": "x", **ticket}
    return Feeder([rule]).feeds(matches, TicketFields(full, "fi-001"), "holding", 0)


@pytest.fixture
def chain(rule):
    """A kill chain: three tactics of one indicator, of two institutions."""
    return rule(
        **{"group-by": ["indicators"]},
        condition={"gte": 3, "field": "category"},
        fsoc={"also": {"severity": {"gte": 2}, "institution": {"gte": 2}}, "independent": True},
    )


def test_all_of_it_must_be_in_one_window(rule, entry):
    """timespan 10 s: three institutions and two tactics, the edges as ever.

    a  0 s  execution   b  4 s  execution   c  9 s  impact :  (-1, 9] has all of it
    a  0 s  impact      b  4 s  execution   c 10 s  execution :  (0, 10] has lost the impact, and a
    """
    asked = rule(condition={"gte": 2, "field": "institution"}, fsoc={"also": {"tactic": {"gt": 1}}})
    held = [
        entry(0, "a", also=(("execution",),)),
        entry(4_000, "b", also=(("execution",),)),
        entry(9_000, "c", also=(("impact",),)),
    ]
    missed = [
        entry(0, "a", also=(("impact",),)),
        entry(4_000, "b", also=(("execution",),)),
        entry(10_000, "c", also=(("execution",),)),
    ]

    assert [(one.first_ms, one.peak) for one in satisfied(asked, held, None)] == [(9_000, 3)]
    assert [one.first_ms for one in satisfied(asked, missed, None)] == [4_000]
    assert asked.rising


def test_a_ticket_adds_its_different_values_of_each_field_in_the_rules_order(chain):
    found, cut = feed(chain, {"category": "c", "severity": [4, 3, 4]})

    assert chain.also[0][0] == "institution"
    assert [one.also for one in found] == [(("holding",), ("3", "4"))]
    assert cut == 0


def test_a_ticket_that_lacks_such_a_field_feeds_all_the_same(chain):
    ((only,), _) = feed(chain, {"category": "c"})

    assert only.also == (("holding",), ())


def test_all_matches_of_a_ticket_add_to_it(chain):
    evidence = [{"fields": {"severity": 1}}, {"fields": {"severity": 2}}]
    ((only,), _) = feed(chain, {"category": "c", "evidence": evidence}, [("detection", 0), ("detection", 1)])

    assert only.also[1] == ("1", "2")


def test_what_one_ticket_adds_is_bounded_and_the_rest_is_counted(chain):
    evidence = [{"fields": {"severity": list(range(place * 20, place * 20 + 20))}} for place in (0, 1)]
    ((only,), cut) = feed(chain, {"category": "c", "evidence": evidence}, [("detection", 0), ("detection", 1)])

    assert (len(only.also[1]), cut) == (VALUES_MAX, 40 - VALUES_MAX)


def test_who_is_no_independent_institution_counts_by_its_own_name(rule):
    asked = rule(**{"group-by": []}, fsoc={"also": {"institution": {"gte": 2}}})
    ((only,), _) = feed(asked, {})

    assert only.also == (("fi-001",),)


def test_entries_of_other_fields_say_nothing(rule, entry):
    two, other = (rule(fsoc={"also": {name: {"gte": 2}}}) for name in ("tactic", "user"))

    assert is_alike(two, rule(fsoc={"also": {"tactic": {"gt": 5}}}))
    assert not is_alike(two, other)
    assert not is_alike(two, rule())
    assert counts_alike(two, entry(0, "a", also=((),)))
    assert not counts_alike(two, entry(0, "a"))
    assert not counts_alike(rule(), entry(0, "a", also=((),)))


def test_a_definition_outlasts_a_restart_and_one_from_before_is_read(rule):
    asked = rule(fsoc={"also": {"tactic": {"gte": 2}}})
    assert msgspec.json.decode(msgspec.json.encode(asked), type=CorrelationRule) == asked

    before = msgspec.to_builtins(rule())
    del before["also"]
    assert msgspec.convert(before, CorrelationRule) == rule()


@pytest.mark.parametrize(
    ("also", "says"),
    [
        ({}, "fsoc.also is not a mapping"),
        ("tactic", "fsoc.also is not a mapping"),
        ({3: {"gte": 2}}, 'fsoc.also: "3" is not a field name'),
        ({"tactic": 3}, "fsoc.also.tactic is not a mapping of gt and gte, such as {gte: 2}"),
        ({"tactic": {}}, "fsoc.also.tactic is not a mapping"),
        ({"tactic": {"lt": 3}}, "fsoc.also.tactic is not a mapping of gt and gte"),
        ({"tactic": {"gte": 2.5}}, "fsoc.also.tactic: condition gte"),
        ({"tactic": {"gte": "2"}}, "whole number"),
        ({"observable:x": {"gte": 2}}, 'fsoc.also: "observable:x"'),
    ],
)
def test_what_cannot_be_asked_for_is_refused(document, refusals, also, says):
    assert any(says in text for text in refusals(document(fsoc={"also": also})))
