"""k-1 colluding institutions raise no alert whose rule asks for k, whatever they write; with one more, they do.

holding-aa  aa1 aa2 aa3 aa4   |
fi-003                        |  k-1 members, as many tickets, revisions, names and claims as they like: nothing
fi-007                           one more, with one plain ticket: an alert
"""

from __future__ import annotations

import math
import os

import pytest

from tests.rules.adversary.asked import Case, joint_rules, members_asked
from tests.rules.adversary.collusion import carry_out, plan
from tests.rules.adversary.sector import registry

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
TRIES = 2_500 * MANY
PARTS = 2 * MANY
"""No test may take minutes on a busy machine: one of so many parts of the tries each."""

TRIES_OF_ONE_SECTOR = 20
JOINED_EVERY = 5 * MANY
"""One sector of so many is run a second time, with one more institution."""


@pytest.fixture(scope="module")
def known():
    return registry()


@pytest.fixture(scope="module")
def cases(ruleset, documents, correlation_cases):
    """By name of every joint rule: its case, and how many independent members it asks for."""
    rules = joint_rules(ruleset, documents)
    return {
        name: (Case(rule, correlation_cases[name], ruleset), members_asked(rule, ruleset.correlations))
        for name, rule in rules.items()
    }


def plots(cases, first=0, every=1):
    """(name, seed, plot), as many of every rule, TRIES or a few more in all; or one of so many of them."""
    sectors = PARTS * math.ceil(TRIES / TRIES_OF_ONE_SECTOR / len(cases) / PARTS)
    for name, (case, asked) in cases.items():
        for seed in range(first, sectors, every):
            yield name, seed, plan(case, asked - 1, seed, TRIES_OF_ONE_SECTOR)


def test_every_joint_rule_asks_for_two_independent_members_at_least(cases):
    assert {name: asked for name, (_, asked) in cases.items() if asked < 2} == {}
    assert len(cases) >= 11


@pytest.mark.parametrize("part", range(PARTS))
def test_one_institution_less_than_a_rule_asks_for_never_raises_its_alert(part, cases, ruleset, known):
    """Nor that of any other rule that asks for as many; and no alert names anybody who did not send."""
    rules = ruleset.correlations
    tries = 0
    for name, seed, plot in plots(cases, part, PARTS):
        colluding = cases[name][1] - 1
        tries += len(plot.tries)
        for alert in carry_out(ruleset, known, plot, joined=False):
            asked = members_asked(rules[alert["rule_id"]], rules)
            assert asked <= colluding, (name, seed, alert)
            assert alert["independent_count"] <= colluding, (name, seed, alert)
            assert set(alert["institutions"]) <= plot.colluders, (name, seed, alert)
    assert tries >= TRIES / PARTS


def test_with_one_institution_more_the_same_tries_do_raise_it(cases, ruleset, known):
    """So that the test above does not pass because the adversary is a poor one."""
    raised = {name: set() for name in cases}
    tries = dict.fromkeys(cases, 0)
    for name, seed, plot in plots(cases, 0, JOINED_EVERY):
        tries[name] += len(plot.tries)
        for alert in carry_out(ruleset, known, plot, joined=True):
            if alert["rule_id"] == cases[name][0].rule.id and alert["kind"] == "joint":
                ids = {ticket for of_one in alert["tickets"].values() for ticket in of_one}
                raised[name] |= {(seed, ticket.partition("-")[0]) for ticket in ids if "-more-" in ticket}

    assert {name for name, found in raised.items() if not found} == set()
    assert sum(map(len, raised.values())) >= sum(tries.values()) / 2
