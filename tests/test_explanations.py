"""What an alert says of its deciding tickets is true without any one of them: every type, through the correlate stage.

One rule after another, with and without own pasts, and correlations of correlations: the tickets are worked once, and
again without each ticket that decided.
"""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.conditions import Condition
from fsoc.correlation.exact import exactly, shown
from tests import correlate_stage as stage
from tests import test_chains as chains
from tests.correlate_stage import INSTITUTIONS, NOON, RULES, RULES_OF_PAST, build_rule

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
PROMISE, PROMISE_ZH = "the alert says less or falls", "告警即減弱或不成立"

BESIDE = [
    build_rule({"gt": 3}, ("n",), kind="value_sum", non_negative=True, cap_each=True),
    build_rule({"gte": 2}, each=Condition((("lt", 2),))),
]

# A ticket is put once: what would be another revision of it is another ticket.
TICKETS = st.lists(
    st.tuples(st.sampled_from("ttti"), st.sampled_from("xy"), st.sampled_from(INSTITUTIONS), st.integers(-8, 30)),
    min_size=1,
    max_size=16,
).map(
    lambda drawn: [
        ("put", group, institution, f"{kind}{place}", 1, NOON + slot * 900_000)
        for place, (kind, group, institution, slot) in enumerate(drawn)
    ]
)


def deciding(alert):
    return [(name, ticket) for name, ids in alert["explanation"]["deciding"].items() for ticket in ids]


def alerts_of(rule, ops):
    return stage.run(rule, [[stage.record_of(rule, op) for op in ops], [stage.END]]).standing()


def says_less(alert, without, institution, ticket):
    """Never more, never earlier; later, where that ticket alone completed it."""
    assert ticket not in without["tickets"].get(institution, [])
    assert named(without) < named(alert)
    assert without["explanation"]["seen"] <= alert["explanation"]["seen"]
    assert without["raised_at_event_time"] >= alert["raised_at_event_time"]
    if len(deciding(alert)) == 1:
        assert without["raised_at_event_time"] > alert["raised_at_event_time"]


def named(alert):
    """Intel too."""
    heard = {(one["institution"], one["ticket_id"]) for one in alert["intel"]}
    return heard | {(name, ticket) for name, ids in alert["tickets"].items() for ticket in ids}


@pytest.mark.parametrize("rule", [*RULES, *RULES_OF_PAST, *BESIDE], ids=lambda rule: f"{rule.type} {rule.condition}")
@settings(max_examples=80 * MANY, deadline=None)
@given(ops=TICKETS)
def test_without_a_deciding_ticket_an_alert_of_any_type_is_what_it_says(rule, ops):
    for name, alert in alerts_of(rule, ops).items():
        why = alert["explanation"]
        assert (PROMISE in why["text"]) == (PROMISE_ZH in why["text_zh"]) == rule.firm
        if PROMISE not in why["text"]:
            continue
        for institution, ticket in deciding(alert):
            rest = [op for op in ops if op[2:4] != (institution, ticket)]
            without = alerts_of(rule, rest).get(name)
            if without is not None:
                says_less(alert, without, institution, ticket)
            elif rule.type == "event_count" or rule.fields == ("institution",):
                alone = {(institution, ticket)} | {(one["institution"], one["ticket_id"]) for one in alert["intel"]}
                assert why["margin"] == 0 or alert["continues"] is not None or named(alert) <= alone


@pytest.mark.parametrize("rule", [*RULES, *RULES_OF_PAST, *BESIDE], ids=lambda rule: f"{rule.type} {rule.condition}")
@settings(max_examples=20 * MANY, deadline=None)
@given(ops=TICKETS)
def test_the_text_names_what_was_seen_against_what_is_asked(rule, ops):
    for alert in alerts_of(rule, ops).values():
        why = alert["explanation"]
        numbers = [shown(exactly(bound)) for bound in why["condition"].values()]
        numbers += [shown(exactly(why["seen"])), why["timespan"], alert["raised_at_event_time"]]
        numbers += [f"{name} {count}" for name, count in why["share"].items()]
        numbers += [f"{name} = {value}" for name, value in alert["group"].items()]
        for text in (why["text"], why["text_zh"]):
            assert [number for number in numbers if number not in text] == []


CHAINS = {
    **chains.SETS,
    "exactly two, at two institutions": chains.rules_of(
        pair=("event_count", ["d"], ["institution", "indicator"], "1h", {"eq": 2}),
        joint=("value_count", ["pair"], ["indicator"], "2h", {"gte": 2, "field": "institution"}),
    ),
    "a pair, then another thing": chains.rules_of(
        pair=("event_count", ["d"], ["indicator"], "1h", {"gte": 2}),
        both=("temporal_ordered", ["pair", "e"], ["category"], "3h", {"gte": 2}),
    ),
}


@pytest.mark.parametrize("name", CHAINS)
@settings(max_examples=80 * MANY, deadline=None)
@given(tickets=st.lists(chains.TICKETS, min_size=4, max_size=16))
def test_over_correlations_it_promises_only_what_holds_all_the_way_in(name, tickets):
    """Of tickets that more tickets take out of a match, one fewer may be one more: nothing is promised there."""
    rules = CHAINS[name]
    tickets = list({(one["institution"], one["ticket_id"]): one for one in tickets}.values())

    def alerts(told):
        return chains.run(rules, chains.said_by_intake(rules, told), 0, 1, crashes=0).standing()

    for alert_id, alert in alerts(tickets).items():
        promises = PROMISE in alert["explanation"]["text"]
        assert promises == firm(rules, alert["rule_id"])
        for institution, ticket in itertools.islice(deciding(alert), 4 if promises else 0):
            rest = [one for one in tickets if (one["institution"], one["ticket_id"]) != (institution, ticket)]
            without = alerts(rest).get(alert_id)
            if without is not None:
                says_less(alert, without, institution, ticket)


def firm(rules, name):
    """Whether more tickets undo neither this nor anything inside."""
    return rules[name].firm and all(firm(rules, one) for one in rules[name].rules if one in rules)
