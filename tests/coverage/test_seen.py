"""What is kept of an institution's messages: bounded, the same however it was read, nothing of what was taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.coverage.seen import TICKETS_KEPT, Seen, declared_by, is_line, line_of, of_line
from fsoc.feeds.figures import FeedState
from tests.coverage.conftest import DAY_MS, HOUR_MS, NOW_MS, heartbeat_body, message, ticket_body


def test_a_ticket_names_an_item_by_its_id_or_by_a_rule_of_it(read):
    seen = read(ticket_body(1, NOW_MS, "FB-0001"), ticket_body(2, NOW_MS + 5, "rule-FB-0002"))

    assert seen.items == {"FB-0001": {"t-1": NOW_MS}, "FB-0002": {"t-2": NOW_MS + 5}}
    assert (seen.newest_ms, seen.unknown) == (NOW_MS + 5, 0)


def test_a_rule_that_no_item_has_is_counted(read):
    assert read(ticket_body(1, NOW_MS, "MB-011")).unknown == 1


def test_what_own_rules_named_is_kept_by_technique_in_the_newest_words(read):
    attack = [
        {"tactic": "defense_evasion", "technique": "T1562.001", "confidence": 50},
        {"tactic": "x", "technique": "T9999"},
    ]

    assert read(ticket_body(1, NOW_MS, attack=attack)).own == {"T1685": {"t-1": NOW_MS}}


@pytest.mark.parametrize(
    "back",
    [
        {"action": "retract", "revision": 2},
        {"action": "close", "revision": 2, "status": "resolved", "verdict": "false_positive"},
    ],
)
def test_a_ticket_that_is_taken_back_shows_nothing(read, back):
    seen = read(
        ticket_body(1, NOW_MS, "FB-0001"), ticket_body(2, NOW_MS, "FB-0001"), ticket_body(1, NOW_MS, "FB-0001", **back)
    )

    assert seen.items == {"FB-0001": {"t-2": NOW_MS}}


def test_the_version_is_what_each_feed_told_last_whatever_came_last(read):
    seen = read(
        heartbeat_body(NOW_MS, "2026.4"),
        heartbeat_body(NOW_MS - HOUR_MS, "2026.3"),
        heartbeat_body(NOW_MS - DAY_MS, "2026.2", feed="edr"),
        heartbeat_body(NOW_MS, None, feed="edr"),
    )

    assert {feed: told.version for feed, told in seen.declared.items()} == {"siem": "2026.4", "edr": "2026.2"}
    assert seen.heard_ms == NOW_MS


def test_tickets_before_the_window_are_nothing_and_heartbeats_are_read_all_the_same(read):
    seen = read(ticket_body(1, NOW_MS - 1, "FB-0001"), heartbeat_body(NOW_MS - DAY_MS), since_ms=NOW_MS)

    assert (seen.items, seen.own, seen.said) == ({}, {}, None)
    assert seen.declared["siem"].version == "2026.4"


def test_intel_is_what_others_have_seen(read):
    assert read(ticket_body(1, NOW_MS, "FB-0001", kind="intel")).items == {}


def test_of_many_tickets_of_an_item_the_newest_are_kept(read):
    bodies = [ticket_body(number, NOW_MS + number * 1000, "FB-0001") for number in range(TICKETS_KEPT + 5)]

    kept = read(*reversed(bodies)).items["FB-0001"]

    assert len(kept) == TICKETS_KEPT
    assert min(kept.values()) == NOW_MS + 5_000


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            lambda number, hour, rule: ticket_body(number, NOW_MS - hour * HOUR_MS, rule),
            st.integers(1, 99),
            st.integers(0, 50),
            st.sampled_from(["FB-0001", "rule-wide", "MB-1", None]),
        ),
        st.builds(
            lambda hour, version, feed: heartbeat_body(NOW_MS - hour * HOUR_MS, version, feed=feed),
            st.integers(0, 50),
            st.sampled_from(["2026.4", "2026.2", None]),
            st.sampled_from(["siem", "edr"]),
        ),
    ),
    max_size=12,
    # One thing cannot be two at one time: which of the two counts then is nobody's to say.
    unique_by=lambda body: body.get("ticket_id") or (body["feed"], body["period_to"]),
)


@given(MESSAGES, st.integers(0, 12))
def test_what_was_read_in_two_parts_and_written_down_between_is_what_was_read_at_once(norm, bodies, cut):
    def read(several):
        seen = Seen()
        for body in several:
            seen.take(message(body), norm.baselines, norm.techniques)
        return seen

    whole, first, rest = read(bodies), read(bodies[:cut]), read(bodies[cut:])
    line = line_of("fi-001", first)
    institution, again = of_line(line)
    again.merge(rest)

    assert is_line(line)
    assert institution == "fi-001"
    for name in ("declared", "heard_ms", "items", "own", "newest_ms"):
        assert getattr(again, name) == getattr(whole, name), name
    assert (again.said and again.said.at_ms) == (whole.said and whole.said.at_ms)


def test_the_state_of_feeds_tells_versions_as_heartbeats_do():
    day = b'{"offset": 5, "feeds": {"siem": {"baseline": "2026.3", "heard_until_ms": 7}, "edr": {"used": 3}}}'
    state = FeedState.of("fi-001", b'{"feeds": {}}', {"2026-03-02": day})

    assert list(declared_by(state)) == [("siem", "2026.3", 7)]
