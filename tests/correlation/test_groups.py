"""Entry state: revisions decide, bounds hold."""

from __future__ import annotations

from fsoc.correlation import groups as module
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups

KEY = GroupKey("rule-1", "production", "[]")


def names(groups, rule):
    return [(entry.institution, entry.ticket_id, entry.revision) for entry in groups._groups[KEY].entries]


def test_a_lower_or_equal_revision_changes_nothing(rule, entry):
    groups = Groups()
    assert groups.put(rule(), KEY, entry(5, "a", revision=2))[0]

    assert not groups.put(rule(), KEY, entry(1, "a", revision=1))[0]
    assert not groups.put(rule(), KEY, entry(5, "a", revision=2))[0]
    assert not groups.withdraw(rule(), KEY, ("a", "t"), 2, 5)
    assert names(groups, rule) == [("a", "t", 2)]


def test_a_replayed_put_does_not_undo_the_withdrawal_that_followed_it(rule, entry):
    groups = Groups()
    groups.put(rule(), KEY, entry(5, "a", revision=1))
    assert groups.withdraw(rule(), KEY, ("a", "t"), 2, 5)

    assert not groups.put(rule(), KEY, entry(5, "a", revision=1))[0]
    assert not groups.put(rule(), KEY, entry(5, "a", revision=2))[0]
    assert groups.put(rule(), KEY, entry(5, "a", revision=3))[0]
    assert names(groups, rule) == [("a", "t", 3)]


def test_a_withdrawal_that_overtakes_its_put_wins(rule, entry):
    groups = Groups()
    groups.withdraw(rule(), KEY, ("a", "t"), 2, 5)

    assert not groups.put(rule(), KEY, entry(5, "a", revision=1))[0]


def test_past_the_bound_the_oldest_entry_leaves_first_and_is_counted(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    groups = Groups()
    evicted = [name for at in (5, 9, 1, 7) for name in groups.put(rule(), KEY, entry(at, "a", f"t{at}"))[1]]

    assert evicted == [(KEY, "a", "t1")]
    assert groups.evicted_total == 1
    assert [name for _, name, _ in names(groups, rule)] == ["t5", "t7", "t9"]


def test_an_entry_lives_as_long_as_the_newest_revisions_event_time_asks(rule, entry):
    one = rule()
    groups = Groups()
    groups.put(one, KEY, entry(0, "a", revision=1))
    groups.put(one, KEY, entry(1_000, "a", revision=2))

    assert list(groups.expire(one.retention_ms)) == []
    assert list(groups.expire(one.retention_ms + 1_000)) == [(KEY, "a", "t")]
    assert len(groups) == 0
