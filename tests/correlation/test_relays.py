"""Relays by themselves: what is said of one ticket as its group's entries come, change and go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.correlation.entries import Entry, GroupKey, Onward, Withdrawn
from fsoc.correlation.groups import Groups
from fsoc.correlation.relays import Relays, relay_of, relay_value, source

KEY = GroupKey("rule-1", "production", '["x"]')
COUNTED, ORDERED = ("counting", "[]"), ("ordering", "[]")
FIRST, SECOND = ("a", "t", ""), ("b", "t", "")


@pytest.fixture
def inner(rule):
    """Two tickets in ten seconds."""
    return rule(type="event_count", condition={"gte": 2})


@pytest.fixture
def stage(inner, entry):
    return Stage(inner, entry)


class Stage:
    """A group that is judged after every word, and what its relays say then. Onward: by name of the outer group."""

    def __init__(self, inner, entry):
        self.inner, self._entry = inner, entry
        self.groups, self.relays = Groups(), Relays()

    def put(self, at, institution, revision=1, onward=(COUNTED,)):
        told = tuple(Onward(*outer, ((institution,),), (), outer is ORDERED) for outer in onward)
        self.groups.put(self.inner, KEY, self._entry(at, institution, revision=revision, onward=told))
        self.touch()

    def withdraw(self, name, revision, at):
        self.groups.withdraw(self.inner, KEY, name, revision, at)
        self.touch()

    def touch(self):
        self.groups.judge(None)
        timeline = self.groups.get(KEY)
        self.relays.touch(KEY, {FIRST, SECOND, *(timeline.by_name if timeline else ())})

    def revise(self, settled_ms=None):
        """What changed, by ticket."""
        self.changed = self.relays.revise(self.groups, settled_ms)
        return {name: relay for (_, name), relay in self.changed.items()}

    def say(self):
        """All that is said of what changed last: (outer rule, ticket) → revision and event time; None is withdrawn."""
        said = {}
        for name, relay in self.changed.items():
            for (group, ticket), word in self.relays.words(name, relay, self.groups.get(KEY)):
                put = isinstance(word, Entry)
                said[group.rule, ticket[0]] = (word.revision, word.event_time_ms if put else None)
                assert put or word == Withdrawn(relay.revision, relay.at)
        return said


def test_a_ticket_is_relayed_when_its_match_is_complete_to_who_counts_at_its_own_time_to_others_at_that(stage):
    stage.put(1_000, "a", onward=(COUNTED, ORDERED))
    assert stage.revise() == {}

    stage.put(4_000, "b", onward=(COUNTED,))
    relays = stage.revise()
    first, second = relays[FIRST], relays[SECOND]
    assert (first.revision, first.of, first.at, first.keys, first.gone) == (1, 1, 4_000, (COUNTED, ORDERED), ())
    assert (second.at, second.keys) == (4_000, (COUNTED,))
    assert first.until == 4_000 + stage.inner.retention_ms
    assert stage.say() == {("counting", "a"): (1, 1_000), ("ordering", "a"): (1, 4_000), ("counting", "b"): (1, 4_000)}
    stage.touch()
    assert stage.revise() == {}


@pytest.mark.parametrize(
    ("at", "revision", "onward", "expected"),
    [
        (1_000, 2, (COUNTED,), (2, 2, 4_000)),
        (5_000, 2, (COUNTED,), (2, 2, 5_000)),
        (1_000, 2, (COUNTED, ORDERED), (2, 2, 4_000)),
    ],
    ids=["revised", "moved", "to one more"],
)
def test_whatever_changes_in_a_relay_is_a_revision_more(stage, at, revision, onward, expected):
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.revise()

    stage.put(at, "a", revision, onward)
    relay = stage.revise()[FIRST]
    assert (relay.revision, relay.of, relay.at) == expected
    assert (relay.keys, relay.until) == (onward, relay.at + stage.inner.retention_ms)


def test_a_match_that_is_complete_earlier_is_a_revision_more(stage):
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.revise()

    stage.put(2_000, "c")
    assert {name[0]: (relay.revision, relay.of, relay.at) for name, relay in stage.revise().items()} == {
        "a": (2, 1, 2_000),
        "c": (1, 1, 2_000),
    }


def test_what_a_ticket_was_ever_relayed_to_and_is_no_more_is_withdrawn_again_with_every_revision(stage):
    third = ("third", "[]")
    stage.put(4_000, "b")
    seen = []
    for revision, onward in enumerate([(COUNTED,), (ORDERED,), (third,), (COUNTED, third)], 1):
        stage.put(1_000, "a", revision, onward)
        relay = stage.revise()[FIRST]
        seen.append((relay.revision, relay.keys, relay.gone))
    stage.withdraw(FIRST, 5, 1_000)
    relay = stage.revise()[FIRST]

    assert seen == [
        (1, (COUNTED,), ()),
        (2, (ORDERED,), (COUNTED,)),
        (3, (third,), (ORDERED, COUNTED)),
        (4, (COUNTED, third), (ORDERED,)),
    ]
    assert (relay.revision, relay.keys, relay.gone) == (5, (), (COUNTED, third, ORDERED))
    assert stage.say()["counting", "a"] == stage.say()["ordering", "a"] == (5, None)


def test_a_relay_is_withdrawn_when_nothing_holds_around_it_and_comes_back_with_a_revision_more(stage):
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.revise()

    stage.withdraw(SECOND, 2, 4_000)
    gone = stage.revise()
    assert {name: (relay.revision, relay.keys, relay.gone) for name, relay in gone.items()} == {
        FIRST: (2, (), (COUNTED,)),
        SECOND: (2, (), (COUNTED,)),
    }
    assert stage.say() == {("counting", "a"): (2, None), ("counting", "b"): (2, None)}
    stage.touch()
    assert stage.revise() == {}

    stage.put(4_000, "b", 3)
    back = stage.revise()
    assert {name: (relay.revision, relay.keys, relay.gone) for name, relay in back.items()} == {
        FIRST: (3, (COUNTED,), ()),
        SECOND: (3, (COUNTED,), ()),
    }


def test_what_may_have_lost_entries_is_left_as_it_was_relayed(stage):
    """The window of a ticket is whole as long as nothing in it was let go of: a timespan longer than itself."""
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.revise()
    whole_until = 1_000 + stage.inner.retention_ms - stage.inner.timespan_ms
    stage.withdraw(SECOND, 2, 4_000)

    assert FIRST not in stage.revise(whole_until)
    stage.touch()
    assert stage.revise(whole_until - 1)[FIRST].keys == ()


def test_what_was_withdrawn_is_forgotten_when_nobody_can_say_it_again_and_what_stands_is_not(stage):
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.put(5_000, "c")
    stage.revise()
    stage.withdraw(SECOND, 2, 4_000)
    stage.revise()
    until = 4_000 + stage.inner.retention_ms

    assert list(stage.relays.expire(until - 1)) == []
    assert list(stage.relays.expire(until)) == [(KEY, SECOND)]
    assert list(stage.relays.expire(2 * until)) == []
    assert len(stage.relays) == 2


def test_a_ticket_that_came_back_since_it_was_withdrawn_is_not_forgotten(stage):
    stage.put(1_000, "a")
    stage.put(4_000, "b")
    stage.revise()
    stage.withdraw(SECOND, 2, 4_000)
    stage.revise()
    stage.put(4_000, "b", 3)
    stage.revise()

    assert list(stage.relays.expire(2**62)) == []
    assert len(stage.relays) == 2


def test_relays_of_other_groups_rules_and_matches_are_told_apart(inner, rule):
    other = replace(inner, id="other")
    counted = rule(condition={"gte": 2, "field": "institution"})
    grouped = replace(inner, group_by=("category",))
    names = [source(one, KEY, "") for one in (inner, other, counted, grouped)]
    names += [source(inner, KEY._replace(group='["y"]'), ""), source(inner, KEY, "deeper")]

    assert len(set(names)) == len(names)


def test_a_relay_is_what_its_record_says(stage):
    stage.put(1_000, "a", onward=(COUNTED, ORDERED))
    stage.put(4_000, "b")
    relay = stage.revise()[FIRST]

    assert relay_of(relay_value(relay)) == relay
