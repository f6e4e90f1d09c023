"""What a definition that is replaced leaves usable, where numbers are looked at."""

from __future__ import annotations

import orjson
import pytest

from fsoc.correlation.definitions import Definitions, fits, is_alike
from fsoc.correlation.entries import GroupKey

KEY = GroupKey("rule-1", "production", '["evil.example"]')


@pytest.fixture
def total(rule):
    return lambda **fsoc: rule(type="value_sum", condition={"gte": 0.5, "field": "n"}, fsoc=fsoc)


def test_what_was_counted_says_nothing_where_numbers_are_wanted(rule, total):
    counted = rule(condition={"gte": 2, "field": "n"})

    assert not is_alike(total(), counted)
    assert not is_alike(total(), total(non_negative=True))
    assert is_alike(total(), rule(type="value_avg", condition={"gte": 3, "field": "n"}))


def test_an_entry_that_holds_no_number_does_not_fit(total, entry):
    assert fits(total(), KEY, entry(0, "a", values=(("-1.5",), ("2",))))
    assert not fits(total(), KEY, entry(0, "a", values=(("many",),)))
    assert not fits(total(non_negative=True), KEY, entry(0, "a", values=(("-1.5",), ("2",))))


def test_a_definition_with_fractions_outlasts_a_restart(rule):
    tail = rule(type="value_percentile", condition={"gte": 0.1, "percentile": 99.9, "field": "n"})
    ((_, value),) = Definitions({tail.id: tail}).hold(tail)
    restarted = Definitions({})
    restarted.restore([value])

    assert restarted.get(tail.id) == tail


@pytest.mark.parametrize("unknown", [(), ("firm",), ("rising", "firm", "episode_ms", "retention_ms")])
def test_a_definition_of_an_fsoc_that_derived_less_means_the_same(rule, unknown):
    """What follows from a rule is worked out, whatever the state says of it."""
    held = rule(timespan="2d")
    ((_, value),) = Definitions({held.id: held}).hold(held)
    told = {name: said for name, said in orjson.loads(value).items() if name not in unknown}
    restarted = Definitions({})
    restarted.restore([orjson.dumps({**told, "rising": False} if "rising" in told else told)])

    assert restarted.get(held.id) == held
    assert (held.rising, held.firm) == (True, True)
