"""Absence: where something was and then nothing came for a timespan; kept as entries come and go, and found plainly."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from correlation_oracle import absences
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups
from fsoc.correlation.timeline import Withdrawal
from fsoc.correlation.timeline_of_absence import TimelineOfAbsence
from fsoc.correlation.window import satisfied
from fsoc.feeds.ledger import END_MS

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
KEY = GroupKey("rule-1", "production", "[]")
FAR = 2**62
TIMESPAN_MS = 10
# Half of the times that are drawn lie so near to each other that most are within a timespan of another.
SEEDS = st.integers(0, 2**20) | st.integers(0, 8 * 30)
OPS = st.lists(st.tuples(st.sampled_from("ppppwjjxb"), SEEDS), max_size=40)
LATE_AFTER_THE_LAST = [("p", 1), ("j", 8 * 12), ("p", 8 * 5 + 3), ("j", 8 * 13)]
WITHDRAWN = [("p", 1), ("p", 8 * 10 + 3), ("j", 8 * 39), ("w", 8 * 10 + 3), ("j", 8 * 39)]


def build_absent(rule, **changes):
    asked = {"type": "event_count", "condition": {"eq": 0}, "fsoc": {"absent": True}}
    return rule(**{**asked, **changes})


@pytest.fixture
def absent(rule):
    """timespan 10 ms"""
    return replace(build_absent(rule), timespan_ms=TIMESPAN_MS)


@pytest.fixture
def silences(absent, entry):
    """The times at which an absence is complete, of entries at these times, as far as decided; both ways agree."""

    def found(*times, until, ends=()):
        entries = sorted(entry(at, "a", f"t{at}", values=(), ends=at in ends) for at in times)
        timeline = TimelineOfAbsence(absent, KEY)
        for one in entries:
            timeline.put(one)
        timeline.advance(until)
        assert timeline.satisfied(0) == satisfied(absent, entries, until)
        return [at for at, _ in timeline._held]

    return found


def test_nothing_within_the_timespan_is_an_absence_and_its_far_edge_is_closed(silences):
    """timespan 10

    t=0    |---------]        one at 10 is in it, one at 11 is not
    """
    assert silences(0, 10, until=FAR) == []
    assert silences(0, 11, until=FAR) == [10]
    assert silences(0, 11, 12, 40, until=FAR) == [10, 22]


def test_it_is_decided_when_event_time_is_settled_beyond_its_end(silences):
    assert silences(0, until=10) == []
    assert silences(0, until=11) == [10]


def test_where_everything_has_ended_what_comes_last_is_followed_by_no_absence(silences):
    assert silences(0, 20, until=END_MS) == [10]
    assert silences(0, 20, until=None) == [10]


def test_nothing_is_absent_after_the_end_of_its_feed(silences):
    assert silences(0, until=FAR, ends=(0,)) == []
    assert silences(0, 20, until=FAR, ends=(20,)) == [10]


def test_what_was_absent_until_then_stays_so_when_all_ends(absent, entry):
    """And as well where a crash lost that it had been judged before all ended."""
    for judged_before in (True, False):
        groups = Groups()
        groups.put(absent, KEY, entry(0, "a", values=()))
        if judged_before:
            groups.judge(50)
            groups.decide(END_MS)
        groups.judge(END_MS, before_ms=50)

        assert [one.first_ms for one in groups.get(KEY).satisfied(0)] == [10]


def test_a_group_waits_for_the_end_of_its_absence_and_is_judged_again_then(absent, entry):
    groups = Groups()
    groups.put(absent, KEY, entry(0, "a", values=()))

    def judged(until):
        groups.decide(until)
        return [timeline._held for _, timeline in groups.judge(until)]

    assert judged(5) == []
    assert judged(10) == []
    assert judged(11) == [[(10, 0)]]


def test_an_entry_that_comes_late_undoes_it_and_its_withdrawal_does_it_again(absent, entry):
    timeline = TimelineOfAbsence(absent, KEY)

    def held():
        timeline.advance(50)
        return [at for at, _ in timeline._held]

    timeline.put(entry(0, "a", "first", values=()))
    timeline.put(entry(30, "a", "last", values=()))
    assert held() == [10, 40]
    timeline.put(entry(9, "a", "late", values=()))
    assert held() == [19, 40]
    timeline.withdraw(("a", "late", ""), Withdrawal(2, FAR))
    assert held() == [10, 40]


def build(entry, seed, at, name, revision):
    return entry(at, name, "t", revision=revision, values=(), ends=seed % 7 == 0)


@settings(max_examples=300 * MANY, deadline=None)
@given(ops=OPS)
@example(ops=LATE_AFTER_THE_LAST)
@example(ops=WITHDRAWN)
def test_after_every_step_it_is_what_the_plain_way_finds(rule, entry, ops):
    """p puts, w withdraws, j judges up to some time, x lets go of the oldest, b begins again."""
    asked = replace(build_absent(rule), timespan_ms=TIMESPAN_MS)
    timeline, kept, judged, gone, before, first = TimelineOfAbsence(asked, KEY), {}, 0, -1, [], {}
    for revision, (op, seed) in enumerate([*ops, ("j", 60 * 8)], 1):
        name, at = "abcdefgh"[seed % 8], gone + 1 + seed // 8 % (60 - gone)
        if op == "p":
            kept[name] = build(entry, seed, at, name, revision)
            timeline.put(kept[name])
        elif op == "w":
            kept.pop(name, None)
            timeline.withdraw((name, "t", ""), Withdrawal(revision, FAR))
        elif op == "b":
            timeline.begin_again(asked)
        elif op == "j":
            judged = max(judged, at)
            timeline.advance(judged)
            entries = sorted(kept.values())
            plain = [(t, 0) for t, _ in absences(asked, entries, judged) if t < judged]
            assert timeline._held == plain
            assert timeline.satisfied(0) == satisfied(asked, entries, judged)
            since = FAR if timeline.changed_from_ms is None else timeline.changed_from_ms
            assert [one for one in plain if one[0] < since] == [one for one in before if gone + 10 < one[0] < since]
            alike = first.keys() & set(entries) - set(timeline.unlike(since))
            assert all(timeline.first_held_ms(one) == first[one] for one in alike)
            timeline.changed_from_ms, before = None, plain
            first = {one: timeline.first_held_ms(one) for one in entries}
            times = {t for t, _ in plain}
            assert all((one.event_time_ms + 10 in times) == (at is not None) for one, at in first.items())
        elif judged and op == "x":
            timeline.advance(judged)
            gone = max(gone, min(judged - TIMESPAN_MS - 2, at))
            kept = {name: one for name, one in kept.items() if one.event_time_ms > gone}
            timeline.expire(gone)
    assert timeline.entries == sorted(kept.values())
    assert set(timeline.by_name.values()) == set(kept.values())


def test_an_entry_costs_a_look_at_itself_and_at_the_one_before_however_many_there_are(absent, entry, monkeypatch):
    timeline, looks = TimelineOfAbsence(absent, KEY), []
    look = TimelineOfAbsence._look
    monkeypatch.setattr(TimelineOfAbsence, "_look", lambda self, at, **how: (looks.append(at), look(self, at, **how)))
    for number in range(1_000):
        timeline.put(entry(number * 5, "a", f"t{number}", values=()))
        timeline.advance(number * 5)
    assert len(looks) <= 2 * 1_000
    looks.clear()
    timeline.put(entry(2_501, "a", "late", values=()))
    timeline.advance(5_000)

    assert sorted(set(looks) - {at for at in looks if at > 4_900}) == [2_500, 2_501]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "value_count", "condition": {"eq": 0, "field": "institution"}}, "fsoc.absent needs event_count"),
        ({"condition": {"lt": 1}}, "fsoc.absent asks for nothing: its condition is eq: 0, or left out"),
        ({"condition": {"gte": 3}}, "fsoc.absent asks for nothing: its condition is eq: 0, or left out"),
        ({"fsoc": {"absent": "yes"}}, 'fsoc.absent is "yes" — expected true or false'),
        ({"fsoc": {"absent": True, "also": {"tactic": {"gte": 2}}}}, "fsoc.also is asked of tickets"),
        ({"fsoc": {"absent": True, "counts_when": "first_ever"}}, "fsoc.counts_when is asked of tickets"),
        ({"fsoc": {"absent": True, "hub": 3}}, "fsoc.hub is asked of tickets"),
    ],
    ids=str,
)
def test_what_cannot_be_absent_is_refused(document, refusals, changes, said):
    asked = {"type": "event_count", "condition": {"eq": 0}, "fsoc": {"absent": True}}

    assert any(text.startswith(said) for text in refusals(document(**{**asked, **changes})))


def test_a_condition_may_be_left_out_and_it_is_never_raised_at_once(rule):
    read = build_absent(rule, condition=None)

    assert (read.absent, read.rising, read.condition.bounds) == (True, False, (("eq", 0),))
    assert rule(type="event_count", condition={"eq": 0}, fsoc={"absent": False}).absent is False


def test_an_alert_about_a_feed_needs_its_institution(document, refusals, rule):
    assert rule(**{"group-by": ["institution", "feed"]}, fsoc={"scope": "feed"}).scope == "feed"
    assert refusals(document(fsoc={"scope": "feed"})) == ["fsoc.scope: feed needs institution in group-by"]
