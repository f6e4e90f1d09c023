"""What becomes of pasts where a group has more than it may hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups
from fsoc.correlation.past import HOUR_MS, Seal
from fsoc.correlation.timeline_of_past import TimelineOfPast

SINCE = {"aa": 0, "bb": 0, "cc": 0}


def bounded(patch, entries_max):
    """Have groups hold so many, however many institutions are known."""
    patch.setattr("fsoc.correlation.groups.ENTRIES_MAX", entries_max)
    patch.setattr("fsoc.correlation.groups.ENTRIES_EACH_MAX", 0)


def test_a_group_that_overflows_judges_what_is_left(rule, at, monkeypatch):
    bounded(monkeypatch, 4)
    built = rule(
        timespan="1h", condition={"gte": 1, "field": "institution"}, fsoc={"counts_when": "first_ever", "warm_up": 0}
    )
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")
    for number in range(5):
        groups.put(built, key, at(100 + number))
    groups.judge(None)

    assert groups.evicted_total == 1
    assert [one.ticket_id for one in groups.get(key).entries] == ["101"]
    assert isinstance(groups.get(key), TimelineOfPast)


def overflowing(rule, monkeypatch, entries, settled_hours, bound=4):
    """A group of what is new to anybody, which has had so many too many."""
    bounded(monkeypatch, bound)
    built = rule(
        timespan="1h", condition={"gte": 1, "field": "institution"}, fsoc={"counts_when": "first_ever", "warm_up": 0}
    )
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")
    for one in entries:
        groups.put(built, key, one)
    groups.judge(settled_hours * HOUR_MS)
    return groups, key, built


def test_what_had_to_leave_a_full_group_is_past_all_the_same(rule, at, monkeypatch):
    """aa   100 101 102 103 104 | 105: nothing of it is news but 100, which has left"""
    groups, key, built = overflowing(rule, monkeypatch, [at(100 + number) for number in range(5)], 100)

    assert groups.evicted_total == 1
    assert groups.get(key).entries == []
    assert groups.sealed == {(key, "aa"): Seal(101, {100: 1})}
    assert groups.put(built, key, at(105))
    assert not groups.put(built, key, at(100.5)), "it is in the seal"
    groups.judge(100 * HOUR_MS)
    assert groups.get(key).entries == []


def test_the_hour_of_which_a_part_stays_is_judged_by_it(rule, at, monkeypatch):
    """aa   100 · · · · ·   all of one hour, the first: two of them leave, and those that stay are news"""
    groups, key, _ = overflowing(rule, monkeypatch, [at(100 + number / 10) for number in range(6)], 100)

    assert groups.evicted_total == 2
    assert groups.sealed == {}
    assert [one.ticket_id for one in groups.get(key).entries] == ["100.2", "100.3", "100.4", "100.5"]


def test_what_overflows_before_anything_is_settled_leaves_nothing_behind(rule, at, monkeypatch):
    """A seal says until when all was settled."""
    bounded(monkeypatch, 2)
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")
    for number in range(3):
        groups.put(built, key, at(100 + number))
    groups.judge(None)

    assert (groups.evicted_total, groups.sealed) == (1, {})


@settings(max_examples=200, deadline=None)
@given(
    tickets=st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(("aa", "aa", "bb", "cc")), st.booleans()), min_size=2, max_size=40
    ),
    bound=st.integers(1, 20),
    hub=st.sampled_from((0, 2)),
)
def test_what_stays_of_a_full_group_is_judged_as_if_nothing_had_left(rule, entry, tickets, bound, hub):
    """Also by a part of an hour: all that is asked of the past is whether there was anything."""
    if len(tickets) <= bound:
        return
    fsoc = {"counts_when": "first_ever", "warm_up": 0, "past": "20h"} | ({"hub": hub} if hub else {})
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc=fsoc)
    whole, full = (TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE) for _ in range(2))
    for number, (hours, institution, warns) in enumerate(tickets):
        of = {"member": "", "values": ()} if warns else {}
        one = entry(100 * HOUR_MS + hours * HOUR_MS // 2, institution, f"t{number}", **of)
        whole.put(one)
        full.put(one)
    whole.advance(None)
    gone = full.evict(bound, seals=True)
    full.advance(None)

    assert len(full.held) == bound == len(tickets) - len(gone)
    assert full.entries == [one for one in whole.entries if one.name not in set(gone)]


def test_intel_of_who_floods_a_group_leaves_first_and_the_rest_is_judged(rule, at, heard, monkeypatch):
    bounded(monkeypatch, 4)
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")
    for one in (at(100, "bb"), *(heard(101 + number / 10) for number in range(4))):
        groups.put(built, key, one)
    groups.judge(None)

    assert groups.evicted_total == 1
    assert [one.ticket_id for one in groups.get(key).entries] == ["100", "heard 101.1", "heard 101.2", "heard 101.3"]
    groups.get(key).displace("aa")
    assert [one.ticket_id for one in groups.get(key).entries] == ["100"]
