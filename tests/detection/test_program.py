"""Rules as plain data: nothing of what they mean is lost on the way there, through bytes, and back."""

from __future__ import annotations

from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection import matchers, nodes, program
from fsoc.detection.event import Event
from fsoc.detection.logsource import Logsource
from fsoc.detection.program import EVERYTHING, Program, flatten, matcher_of, unflatten
from tests.detection.differential.events import flat
from tests.detection.differential.rules import items, rule_of, rule_sets

EVERY_MATCHER = [
    matchers.Text("cmd.exe", "end"),
    matchers.Text("5", "whole", cased=True, number=5),
    matchers.Wildcards((matchers.MANY, "a", matchers.ONE, "b"), cased=True),
    matchers.Regex("(?i)^a+$"),
    matchers.Number(5),
    matchers.Bool(True),
    matchers.Compare("gte", 1.5),
    matchers.Compare("lt", 8, "hour"),
    matchers.TimeIs("week", 10),
    matchers.Network(ip_network("10.0.0.0/8")),
    matchers.Network(ip_network("2001:db8::/32")),
    matchers.SameAs("B", "start", cased=True),
    matchers.Null(),
    matchers.Exists(wanted=False),
]


def of(*conditions):
    return flatten([rule_of(index, each, Logsource(category="test")) for index, each in enumerate(conditions)])


def item(*matcher, field="A", every=False):
    return nodes.Item(field, matcher, every)


@pytest.mark.parametrize("matcher", EVERY_MATCHER, ids=repr)
def test_a_matcher_comes_back_as_it_was(matcher):
    flattened = of(item(matcher))

    assert matcher_of(flattened, flattened.clauses[0]) == matcher
    assert unflatten(flattened) == (item(matcher),)


def test_there_is_a_matcher_for_every_kind_of_clause():
    kinds = {type(of(item(matcher)).clauses[0]) for matcher in EVERY_MATCHER}

    assert kinds == set(program.Clause.__args__)


def test_the_same_matcher_on_the_same_field_is_one_clause():
    text = matchers.Text("x", "whole")
    flattened = of(item(text), item(text, matchers.Text("x", "whole", cased=True)), item(text, field="B"))

    assert len(flattened.clauses) == 3
    assert flattened.conditions[0] == program.Is(0)
    assert flattened.conditions[1] == program.Or((program.Is(0), program.Is(1)))


def test_numbers_are_told_apart_that_python_finds_equal():
    """1 == 1.0 == True as keys; as clauses each keeps its own way of being written."""
    flattened = of(item(matchers.Number(1), matchers.Number(1.0), matchers.Bool(True)))

    assert len(flattened.clauses) == 3


@pytest.mark.parametrize("number", [0, -1, 2**64 + 1, 10**40, 0.1, 1e300, 5e-324, 2.0**53, -0.0])
def test_no_number_is_rounded(number):
    flattened = of(item(matchers.Number(number)))
    again = msgspec.json.decode(msgspec.json.encode(flattened), type=Program)
    matcher = matcher_of(again, again.clauses[0])

    assert isinstance(matcher, matchers.Number)
    assert repr(matcher.number) == repr(number)


def test_a_keyword_is_of_everything_and_of_no_field():
    flattened = of(item(matchers.Text("x", "anywhere"), field=None))

    assert flattened.fields == ()
    assert flattened.clauses[0].field == EVERYTHING


def test_the_field_referred_to_is_a_field():
    flattened = of(item(matchers.SameAs("B", "whole")))

    assert flattened.fields == ("A", "B")
    assert flattened.clauses[0] == program.SameAs(0, 1, "whole")


def test_several_values_are_any_or_every_and_expansions_are_any():
    one, two, three = (matchers.Text(text, "whole") for text in "abc")
    any_of, every = of(item(one, two), item(one, matchers.AnyOf((two, three)), every=True)).conditions

    assert any_of == program.Or((program.Is(0), program.Is(1)))
    assert every == program.And((program.Is(0), program.Or((program.Is(1), program.Is(2)))))


def test_logsources_stand_beside_the_conditions():
    rules = [rule_of(0, item(matchers.Null()), Logsource("windows", None, "security"))]

    assert flatten(rules).logsources == (("windows", None, "security"),)


@given(rule_sets())
def test_a_program_goes_through_json_and_msgpack_loss_free(rules):
    flattened = flatten(rules)

    assert msgspec.json.decode(msgspec.json.encode(flattened), type=Program) == flattened
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(flattened), type=Program) == flattened


@given(st.lists(items(), min_size=1, max_size=3), flat())
def test_conditions_mean_the_same_when_they_come_back(conditions, fields):
    event = Event(fields)

    assert [node(event) for node in unflatten(of(*conditions))] == [node(event) for node in conditions]
