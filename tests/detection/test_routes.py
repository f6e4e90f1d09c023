"""Routes: which rules are tried on an event and under which names; the naive answer is asked of every rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection.logsource import Logsource
from fsoc.detection.routes import ROUTES_REMEMBERED_MAX, Route, Router, is_about, over_of_ticket
from tests.detection.differential.events import LOGSOURCES, flat, windows
from tests.detection.differential.rules import MAPPING, OF_RULES, OF_TICKETS

RULES = [*OF_RULES, OF_TICKETS, *OF_RULES]
STATED = [None, *(Logsource.read(each) or None for each in LOGSOURCES)]


def naive(fields, stated):
    """Every view, every rule asked whether it covers one of the view's logsources."""
    return [
        (aliases, rules)
        for aliases, logsources in MAPPING.derive(fields, stated)
        if (
            rules := [
                index
                for index, rule in enumerate(RULES)
                if any(rule.covers(each) for each in logsources if each.product != "fsoc")
            ]
        )
    ]


@given(st.one_of(flat(), windows()), st.sampled_from(STATED))
def test_a_route_has_the_rules_that_cover_the_event(fields, stated):
    route = Router(RULES, MAPPING).route(fields, stated)

    assert [(view.aliases, list(view.rules)) for view in route.views] == naive(fields, stated)
    assert route.tried is bool(route.views)


def test_nothing_is_tried_where_nothing_is_known():
    assert Router(RULES, MAPPING).route({"A": "x"}, None) == Route(())


def test_a_view_under_other_names_stands_beside_the_events_own():
    route = Router(RULES, MAPPING).route({"Channel": "Security", "EventID": 4688}, None)

    assert [dict(view.aliases).get("Image") for view in route.views] == [None, "NewProcessName"]


def test_rules_on_tickets_are_not_for_events_whatever_the_sender_states():
    router = Router(RULES, MAPPING)

    assert router.of_tickets == (len(OF_RULES),)
    assert router.route({}, Logsource(product="fsoc")) == Route(())


def test_a_heartbeat_is_for_the_rules_that_ask_for_heartbeats_and_a_ticket_for_all_others():
    asking, other = Logsource(product="fsoc", service="source_status"), OF_TICKETS
    heartbeat, a_ticket = {"kind": "source_status"}, {"kind": "ticket", "service": "source_status"}

    assert [is_about(rule, heartbeat) for rule in (asking, other)] == [True, False]
    assert [is_about(rule, a_ticket) for rule in (asking, other)] == [False, True]


def test_intel_is_for_the_rules_that_ask_for_intel_and_they_for_nothing_else():
    asking, heartbeats, other = (
        Logsource(product="fsoc", service="intel"),
        Logsource("fsoc", None, "source_status"),
        OF_TICKETS,
    )
    intel, a_ticket, heartbeat = {"kind": "intel"}, {"kind": "ticket", "service": "intel"}, {"kind": "source_status"}

    assert [is_about(rule, intel) for rule in (asking, heartbeats, other)] == [True, False, False]
    assert [is_about(rule, heartbeat) for rule in (asking, heartbeats, other)] == [False, True, False]
    assert [is_about(rule, a_ticket) for rule in (asking, heartbeats, other)] == [False, False, True]
    assert is_about(other, {"kind": ["intel"]})


def test_what_decides_is_enough():
    """Two events alike in the deciding fields have one route."""
    router = Router(RULES, MAPPING)
    event = {"Channel": "Security", "EventID": 4688, "CommandLine": "x", "A": "b"}

    assert set(router.deciding) >= {"Channel", "EventID", "A", "B", "product", "category", "service"}
    alike = {name: value for name, value in event.items() if name in router.deciding}
    assert router.route(event, None) is router.route(alike, None)


def test_senders_cannot_fill_the_memory_with_names_no_rule_has():
    router = Router(RULES, MAPPING)
    for number in range(ROUTES_REMEMBERED_MAX * 2):
        router.route({}, Logsource(product=f"made up {number}"))

    assert router._route.cache_info().currsize <= ROUTES_REMEMBERED_MAX
    assert router._covering.cache_info().currsize == 1


def test_indicators_of_a_ticket_are_the_attackers_values_alone():
    observables = [{"role": "attacker", "value": "a"}, {"role": "victim", "value": "b"}, {"value": "c"}]

    assert over_of_ticket({"observables": observables}) == {"indicator": ["a"]}
    assert over_of_ticket({"observables": None}) == {}
