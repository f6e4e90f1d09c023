"""Entry state: revisions decide, bounds hold."""

from __future__ import annotations

from fsoc.correlation import groups as module
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups, settled_from

KEY = GroupKey("rule-1", "production", "[]")
NAME = ("a", "t", "")


def names(groups, rule):
    return [(entry.institution, entry.ticket_id, entry.revision) for entry in groups._timelines[KEY].entries]


def test_a_lower_or_equal_revision_changes_nothing(rule, entry):
    groups = Groups()
    assert groups.put(rule(), KEY, entry(5, "a", revision=2))

    assert not groups.put(rule(), KEY, entry(1, "a", revision=1))
    assert not groups.put(rule(), KEY, entry(5, "a", revision=2))
    assert not groups.withdraw(rule(), KEY, NAME, 2, 5)
    assert names(groups, rule) == [("a", "t", 2)]


def test_a_replayed_put_does_not_undo_the_withdrawal_that_followed_it(rule, entry):
    groups = Groups()
    groups.put(rule(), KEY, entry(5, "a", revision=1))
    assert groups.withdraw(rule(), KEY, NAME, 2, 5)

    assert not groups.put(rule(), KEY, entry(5, "a", revision=1))
    assert not groups.put(rule(), KEY, entry(5, "a", revision=2))
    assert groups.put(rule(), KEY, entry(5, "a", revision=3))
    assert names(groups, rule) == [("a", "t", 3)]


def test_a_withdrawal_that_overtakes_its_put_wins(rule, entry):
    groups = Groups()
    groups.withdraw(rule(), KEY, NAME, 2, 5)

    assert not groups.put(rule(), KEY, entry(5, "a", revision=1))


def test_an_older_withdrawal_does_not_undo_a_newer_one(rule, entry):
    """A worker that lost the partition says it late: the put between the two stays out."""
    groups = Groups()
    assert groups.withdraw(rule(), KEY, NAME, 3, 5)

    assert not groups.withdraw(rule(), KEY, NAME, 1, 5)
    assert not groups.put(rule(), KEY, entry(5, "a", revision=2))
    assert names(groups, rule) == []


def test_past_the_bound_the_oldest_entries_leave_first_and_are_counted(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    groups, one = Groups(), rule()
    for at in (5, 9, 1, 7):
        groups.put(one, KEY, entry(at, "a", f"t{at}"))
    groups.judge(None)

    assert groups.dropped == [(KEY, ("a", "t1", ""))]
    assert (groups.evicted_total, len(groups)) == (1, 3)
    assert [name for _, name, _ in names(groups, rule)] == ["t5", "t7", "t9"]


def test_an_entry_lives_as_long_as_the_newest_revisions_event_time_asks(rule, entry):
    one = rule()
    groups = Groups()
    groups.put(one, KEY, entry(0, "a", revision=1))
    groups.put(one, KEY, entry(1_000, "a", revision=2))

    assert list(groups.expire(one.retention_ms)) == []
    assert list(groups.expire(one.retention_ms + 1_000)) == [(KEY, NAME)]
    assert len(groups) == 0


def test_a_withdrawal_is_remembered_as_long_as_its_entry_would_have_been(rule, entry):
    one = rule()
    groups = Groups()
    groups.put(one, KEY, entry(0, "a"))
    groups.withdraw(one, KEY, NAME, 2, 1_000)
    groups.withdraw(one, KEY, NAME, 3, 2_000)

    assert list(groups.expire(one.retention_ms + 1_000)) == []
    assert list(groups.expire(one.retention_ms + 2_000)) == [(KEY, NAME)]
    assert (len(groups), groups._timelines) == (0, {})


def test_a_group_is_judged_when_its_next_event_time_is_settled_and_not_before(rule, entry):
    one = rule(condition={"lt": 3, "field": "institution"})
    groups = Groups()
    groups.put(one, KEY, entry(10, "a"))
    groups.put(one, KEY, entry(20, "b"))
    assert groups.judge(5) == []

    groups.decide(10)
    assert groups.judge(10) == []
    groups.decide(11)
    ((key, timeline),) = groups.judge(11)
    assert (key, timeline.changed_from_ms) == (KEY, 10)
    assert [(found.first_ms, found.last_ms) for found in timeline.satisfied(0)] == [(10, 10)]
    groups.decide(12)
    assert groups.judge(12) == []


def test_a_group_that_is_forgotten_before_it_was_judged_is_not_judged(rule, entry):
    groups = Groups()
    groups.put(rule(condition={"gte": 1, "field": "institution"}), KEY, entry(5, "a"))

    assert list(groups.forget("rule-1")) == [(KEY, ("a", "t", ""))]
    assert groups.judge(None) == []
    assert len(groups) == 0


def test_an_episode_is_judged_until_what_is_settled_has_come_two_episodes_past_its_begin(rule):
    one = rule()
    episode = one.episode_ms

    assert settled_from(one, None) < -(2**40)
    assert settled_from(one, 12 * episode - 1) == 10
    assert settled_from(one, 12 * episode) == 11
