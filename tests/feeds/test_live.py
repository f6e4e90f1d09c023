"""Which tickets may still be revised: the oldest go first, and none that a replay may still need."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds import live
from fsoc.feeds.live import LiveTicket, LiveTickets
from fsoc.feeds.outcomes import REMEMBERED_MAX


def ticket(name, at, *, revision=1, offset=0):
    return LiveTicket(("production", name), revision, b"digest", offset, at)


def names(gone):
    return [name for _, name in gone]


def test_tickets_go_by_event_time_up_to_and_including_the_bound():
    tickets = LiveTickets([ticket("c", 30), ticket("a", 10), ticket("b", 20)])

    assert names(tickets.let_go(9, offset=3)) == []
    assert names(tickets.let_go(20, offset=3)) == ["a", "b"]
    assert len(tickets) == 1


def test_a_ticket_whose_event_time_moved_goes_by_the_new_one():
    moved = ticket("a", 10)
    tickets = LiveTickets([moved])
    moved.event_time_ms = 50
    tickets.aged(moved)

    assert names(tickets.let_go(49, offset=3)) == []
    assert names(tickets.let_go(50, offset=3)) == ["a"]


def test_a_revised_ticket_stays_until_no_replay_reaches_its_newest_message():
    tickets = LiveTickets([ticket("a", 10, revision=2, offset=7), ticket("b", 10, revision=1, offset=7)])

    assert names(tickets.let_go(10, offset=7)) == ["b"]
    assert names(tickets.let_go(10, offset=7 + REMEMBERED_MAX - 1)) == []
    assert names(tickets.let_go(10, offset=7 + REMEMBERED_MAX)) == ["a"]


def test_a_ticket_that_is_revised_while_it_is_kept_is_kept_for_its_new_message():
    kept = ticket("a", 10, revision=2, offset=7)
    tickets = LiveTickets([kept])
    assert names(tickets.let_go(10, offset=8)) == []
    kept.revision, kept.offset = 3, 9
    tickets.aged(kept)

    assert names(tickets.let_go(10, offset=7 + REMEMBERED_MAX)) == []
    assert names(tickets.let_go(10, offset=9 + REMEMBERED_MAX)) == ["a"]


def test_past_the_bound_the_oldest_are_forgotten_after_those_kept_for_a_replay(monkeypatch):
    monkeypatch.setattr(live, "LIVE_TICKETS_MAX", 2)
    tickets = LiveTickets([ticket("old", 20), ticket("new", 30), ticket("newer", 40), ticket("kept", 5, revision=2)])
    assert names(tickets.let_go(5, offset=1)) == []

    assert names(tickets.forget()) == ["kept", "old"]
    assert names(tickets.forget()) == []


def test_a_ticket_that_became_young_again_is_not_forgotten_as_one_that_is_kept(monkeypatch):
    monkeypatch.setattr(live, "LIVE_TICKETS_MAX", 1)
    moved = ticket("moved", 5, revision=2)
    tickets = LiveTickets([moved, ticket("old", 20)])
    assert names(tickets.let_go(5, offset=1)) == []
    moved.event_time_ms, moved.offset = 30, 2
    tickets.aged(moved)

    assert names(tickets.forget()) == ["old"]


def test_what_revisions_leave_behind_is_bounded():
    restless = ticket("a", 10)
    tickets = LiveTickets([restless])
    for at in range(100_000):
        restless.event_time_ms = at % 7
        tickets.aged(restless)

    assert len(tickets._ages) < 2_000


STEPS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 30), st.integers(0, 12), st.booleans()), max_size=40
)


@settings(deadline=None)
@given(steps=STEPS, restarts=st.sets(st.integers(0, 40)))
def test_what_is_held_follows_from_the_tickets_and_not_from_restarts(steps, restarts):
    """One ticket a step, revised where it is known; the bound moves up; sometimes all is read back from the state."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "LIVE_TICKETS_MAX", 3)
        patch.setattr(live, "REMEMBERED_MAX", 6)
        one, other, until = LiveTickets(), LiveTickets(), -1
        records = {}
        for offset, (name, at, up, over) in enumerate(steps):
            if offset in restarts:
                other = LiveTickets(LiveTicket.of(known, record) for known, record in records.items())
            for tickets in (one, other):
                known = tickets.get(("production", name))
                if known is None:
                    tickets.add(ticket(name, at, offset=offset))
                else:
                    known.revision, known.offset, known.event_time_ms = known.revision + 1, offset, at
                    tickets.aged(known)
            records[("production", name)] = one.get(("production", name)).record()
            until = max(until, up - 5 if over else until)
            gone = [[*tickets.let_go(until, offset), *tickets.forget()] for tickets in (one, other)]
            assert gone[0] == gone[1]
            for each in gone[0]:
                del records[each]
