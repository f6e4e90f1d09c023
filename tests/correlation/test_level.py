"""One depth by itself: whose relays are looked at again as entries come, move and go; how far it is settled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.correlation.entries import Entry, GroupKey, Onward, Withdrawn
from fsoc.correlation.level import Level
from fsoc.correlation.levels import Levels
from fsoc.feeds.ledger import END_MS

KEY = GroupKey("rule-1", "production", '["x"]')
OUTER = (Onward("outer", "[]", (), (), at_match=False),)


@pytest.fixture
def inner(rule):
    """Two tickets in ten seconds, which a correlation asks for."""
    return replace(rule(type="event_count", condition={"gte": 2}), silent=True, outlasted_ms=1)


@pytest.fixture
def level(inner, entry):
    """Two tickets are relayed."""
    level = Level()
    for at, name in [(101_000, "a"), (104_000, "b")]:
        level.put(inner, KEY, entry(at, name, onward=OUTER))
    assert said(level) == {"a": (1, 101_000), "b": (1, 104_000)}
    return level


def said(level):
    """What is said now of each ticket: revision and event time; None is withdrawn."""
    words = {}
    for (_, ticket), word in level.judge(None).words:
        assert isinstance(word, Entry | Withdrawn)
        words[ticket[0]] = (word.revision, word.event_time_ms if isinstance(word, Entry) else None)
    return words


def test_a_ticket_that_has_moved_away_from_where_anything_holds_is_taken_back(level, inner, entry):
    """What changed is where it was, and it is long before that."""
    level.put(inner, KEY, entry(1_000, "a", revision=2, onward=OUTER))

    assert said(level) == {"a": (2, None), "b": (2, None)}


def test_a_ticket_that_is_withdrawn_is_taken_back_with_those_that_hold_no_more(level, inner):
    level.withdraw(inner, KEY, ("a", "t", ""), Withdrawn(2, 101_000))

    assert said(level) == {"a": (2, None), "b": (2, None)}


def test_what_was_said_is_not_said_again(level, inner, entry):
    assert said(level) == {}
    level.put(inner, KEY, entry(101_000, "a", onward=OUTER))
    assert said(level) == {}


def test_a_depth_is_settled_for_the_next_a_timespan_behind_what_it_is_itself(inner):
    """A ticket that is still to come may complete a match with those of a timespan before it."""
    longer = replace(inner, id="not asked for", timespan_ms=9 * inner.timespan_ms, outlasted_ms=0)
    levels = Levels({rule.id: rule for rule in (inner, longer)})
    (first, *_) = levels

    assert levels.settled(3) == []
    first.closed_until_ms = 100_000
    assert levels.settled(3) == [90_000]
    assert levels.settled(0) == []
    first.closed_until_ms = END_MS
    assert levels.settled(3) == [END_MS]
