"""Law 12 in the correlation: who fills a group or takes up many displaces only itself, and it is counted."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation import groups as module
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups
from fsoc.correlation.timeline import Timeline, fair_share

KEY = GroupKey("rule-1", "production", "[]")


def group(name):
    return GroupKey("rule-1", "production", f'["{name}"]')


def dropped(groups):
    names = sorted((key.group, *name[:2]) for key, name in groups.dropped)
    groups.dropped.clear()
    return names


def held(groups):
    return sorted((key.group, *name[:2]) for key, timeline in groups._timelines.items() for name in timeline.by_name)


@settings(max_examples=300)
@given(held=st.lists(st.integers(1, 30), min_size=1, max_size=8), total=st.integers(1, 60))
def test_a_fair_share_is_the_least_that_fills_the_total(held, total):
    if sum(held) <= total:
        return
    share = fair_share(held, total)

    assert sum(min(count, share) for count in held) >= total
    assert sum(min(count, share - 1) for count in held) < total


@settings(max_examples=300)
@given(owners=st.lists(st.sampled_from("abcd"), min_size=2, max_size=40), bound=st.integers(1, 39))
def test_who_has_most_loses_its_oldest_again_and_again(rule, entry, owners, bound):
    if len(owners) <= bound:
        return
    timeline = Timeline(rule(), KEY)
    for at, owner in enumerate(owners):
        timeline.put(entry(at, owner, f"t{at}"))
    gone = timeline.evict(bound)

    counts = Counter(owners)
    for owner, count in Counter(name[0] for name in gone).items():
        counts[owner] -= count
        own = [f"t{at}" for at, name in enumerate(owners) if name == owner]
        assert [name[1] for name in gone if name[0] == owner] == own[:count]
    assert counts.total() == len(timeline.entries) == len(timeline.by_name) == bound
    losers = {name[0] for name in gone}
    assert max(counts.values()) - min(counts[owner] for owner in losers) <= 1


def test_a_full_group_loses_the_entries_of_who_filled_it(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_MAX", 6)
    groups, one = Groups(), rule()
    for at, name in enumerate(["quiet", "other", *["loud"] * 8]):
        groups.put(one, KEY, entry(at, name, f"t{at}"))
    ((_, timeline),) = groups.judge(None, every=True)

    assert dropped(groups) == [("[]", "loud", f"t{at}") for at in (2, 3, 4, 5)]
    assert [one.ticket_id for one in timeline.entries] == ["t0", "t1", "t6", "t7", "t8", "t9"]
    assert (groups.evicted_total, groups.displaced_total, len(groups)) == (4, 0, 6)


def test_a_group_may_hold_more_where_more_institutions_are_known(rule, entry, monkeypatch):
    """Bounds of 6, and of 2 for each: four institutions may have 8 together."""
    monkeypatch.setattr(module, "ENTRIES_MAX", 6)
    monkeypatch.setattr(module, "ENTRIES_EACH_MAX", 2)
    evicted = []
    for known in (0, 3, 4):
        groups, one = Groups(dict.fromkeys("abcd"[:known], 0)), rule()
        for at in range(8):
            groups.put(one, KEY, entry(at, "a", f"t{at}"))
        groups.judge(None)
        evicted.append(groups.evicted_total)

    assert evicted == [2, 2, 0]


def test_room_is_made_for_a_tenth_at_once(rule, entry, monkeypatch):
    """So that a flood that goes on has its group judged from the start once in so many entries, not with each."""
    monkeypatch.setattr(module, "ENTRIES_MAX", 100)
    groups, one, begun = Groups(), rule(), []
    begin_again = Timeline.begin_again
    monkeypatch.setattr(Timeline, "begin_again", lambda *given: begun.append(begin_again(*given)))
    for at in range(1_000):
        groups.put(one, KEY, entry(at, "loud", f"t{at}"))
        groups.judge(None)

    assert len(begun) == 1 + (1_000 - 101) // 11
    assert 90 <= len(groups) <= 100
    assert groups.evicted_total == len(groups.dropped) == 1_000 - len(groups)


def test_an_institution_in_too_many_groups_loses_what_it_has_in_its_oldest(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 3)
    groups, one = Groups(), rule()
    for at, name in [(50, "b"), (10, "a"), (40, "c"), (20, "d"), (90, "a")]:
        groups.put(one, group(name), entry(at, "loud", f"t{at}"))
        groups.put(one, group(name), entry(at, "quiet", f"t{at}"))
    groups.judge(None)

    assert dropped(groups) == sorted(('["d"]', name, "t20") for name in ("loud", "quiet"))
    assert (groups.evicted_total, groups.displaced_total, len(groups)) == (0, 2, 8)
    assert group("d") not in groups._timelines

    groups.put(one, group("e"), entry(60, "loud", "t60"))
    groups.judge(None)

    assert dropped(groups) == [('["c"]', "loud", "t40")]
    assert ('["c"]', "quiet", "t40") in held(groups)
    assert groups.displaced_total == 3


def test_room_is_made_for_a_tenth_of_the_groups_at_once(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 20)
    groups, one = Groups(), rule()
    for at in range(21):
        groups.put(one, group(at), entry(at, "loud", f"t{at}"))
    groups.judge(None)

    assert [key.group for key, _ in groups.dropped] == ['["0"]', '["1"]', '["2"]']


def test_what_an_institution_withdrew_counts_and_goes_with_the_rest(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 1)
    groups, one = Groups(), rule()
    groups.withdraw(one, group("a"), ("loud", "t1", ""), 2, 10)
    groups.put(one, group("b"), entry(5, "loud", "t2"))
    groups.judge(None)

    assert dropped(groups) == [('["a"]', "loud", "t1")]
    assert list(groups._timelines) == [group("b")]
    assert list(groups.expire(2**62)) == [(group("b"), ("loud", "t2", ""))]
    assert (len(groups), groups._within) == (0, {})


def test_an_alert_that_stood_on_what_was_displaced_is_looked_at_again(rule, entry, monkeypatch):
    monkeypatch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 1)
    groups, one = Groups(), rule(condition={"gte": 2, "field": "institution"})
    for name in ("quiet", "loud"):
        groups.put(one, group("a"), entry(10, name))
    ((_, timeline),) = groups.judge(None)
    timeline.changed_from_ms = None
    assert timeline.satisfied(0)

    groups.put(one, group("b"), entry(20, "loud", "t2"))
    ((key, timeline),) = groups.judge(None)

    assert key == group("a")
    assert timeline.satisfied(0) == []


def test_a_flood_by_one_member_leaves_what_the_others_see(rule, entry, monkeypatch):
    """A flooder puts twice as much as fits in the others' group and in its own groups; theirs hold as without it."""
    monkeypatch.setattr(module, "ENTRIES_MAX", 60)
    monkeypatch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 25)
    chance, one = Random(7), rule(condition={"gte": 3, "field": "institution"})
    calm = [(group(chance.randrange(4)), entry(1_000 * at, f"fi-{chance.randrange(5)}", f"t{at}")) for at in range(60)]
    flood = [
        (group(chance.randrange(50)), entry(chance.randrange(60_000), "loud", f"f{number}")) for number in range(2_000)
    ]
    flood += [(group(0), entry(chance.randrange(60_000), "loud", f"g{number}")) for number in range(200)]
    mixed = [*calm, *flood]
    chance.shuffle(mixed)

    seen = []
    for puts in (calm, mixed):
        groups = Groups()
        for at in range(0, len(puts), 50):
            for key, put in puts[at : at + 50]:
                groups.put(one, key, put)
            groups.judge(None)
        seen.append(dict(groups._timelines))
    alone, flooded = seen
    assert min(groups.evicted_total, groups.displaced_total) > 0
    assert {name[0] for _, name in groups.dropped} == {"loud"}
    assert len(groups._within["loud"]) <= 25
    for key, timeline in alone.items():
        others = [put for put in flooded[key].entries if put.institution != "loud"]
        assert others == timeline.entries
        held_alone = dict(timeline._held)
        assert held_alone.keys() <= dict(flooded[key]._held).keys()
        for found, with_flood in zip(timeline.satisfied(0), flooded[key].satisfied(0), strict=True):
            assert with_flood.first_ms <= found.first_ms
            assert set(found.entries) <= set(with_flood.entries)


@settings(max_examples=200, deadline=None)
@given(
    ops=st.lists(
        st.tuples(st.sampled_from("pppwje"), st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 60)),
        max_size=60,
    )
)
def test_what_is_counted_is_what_is_there(rule, entry, ops):
    """Whatever is put, withdrawn, displaced and expired, by institution and group it is counted as it lies there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "GROUPS_PER_INSTITUTION_MAX", 3)
        patch.setattr(module, "ENTRIES_MAX", 5)
        groups, one, closed = Groups(), rule(), 0
        for revision, (op, name, place, at) in enumerate(ops, 1):
            if op == "p":
                groups.put(one, group(place), entry(closed + at, name, f"t{at % 7}", revision=revision))
            elif op == "w":
                groups.withdraw(one, group(place), (name, f"t{at % 7}", ""), revision, closed + at)
            elif op == "j":
                groups.judge(None)
            else:
                groups.judge(None)
                closed += at
                list(groups.expire(closed + one.retention_ms))
            counted: dict[str, dict[Timeline, int]] = {}
            for timeline in groups._timelines.values():
                assert timeline.entries or timeline.withdrawn
                for institution, *_ in [*timeline.by_name, *(timeline.withdrawn or ())]:
                    within = counted.setdefault(institution, {})
                    within[timeline] = within.get(timeline, 0) + 1
            assert groups._within == counted
            assert len(groups) == sum(sum(within.values()) for within in counted.values())
        groups.judge(None)
        assert all(len(within) <= 3 for within in groups._within.values())
        assert all(len(timeline.entries) <= 5 for timeline in groups._timelines.values())
