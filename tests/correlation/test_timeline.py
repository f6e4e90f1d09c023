"""What is kept as entries come and go is what walking over everything finds."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from correlation_oracle import holds, measured
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fsoc.correlation.entries import GroupKey
from fsoc.correlation.timeline import Timeline, Withdrawal
from fsoc.correlation.window import satisfied

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
KEY = GroupKey("rule-1", "production", "[]")
FAR = 2**62
TIMESPAN_MS = 10
STEPS = ["one", "two", "three"]
TACTICS = ["access", "execution", "impact", "unknown"]
SHAPES = [
    {"type": "event_count", "condition": {"gte": 3}},
    {"type": "event_count", "condition": {"lte": 2}},
    {"condition": {"gte": 2, "field": "institution"}},
    {"condition": {"eq": 2, "field": "institution"}},
    {"type": "temporal", "rules": STEPS, "condition": None},
    {"type": "temporal_ordered", "rules": STEPS, "condition": {"gte": 2}},
    {"type": "value_sum", "condition": {"gte": 3, "field": "n"}},
    {"type": "value_avg", "condition": {"gt": 1.5, "field": "n"}},
    {"type": "value_percentile", "condition": {"gte": 2, "percentile": 70, "field": "n"}},
    {"type": "value_median", "condition": {"lt": 2, "field": "n"}},
    {"condition": {"gte": 2, "field": "institution"}, "fsoc": {"also": {"tactic": {"gte": 2}, "user": {"gt": 1}}}},
    {"type": "event_count", "condition": {"eq": 3}, "fsoc": {"also": {"tactic": {"gte": 3}}}},
    {"type": "value_sum", "condition": {"gte": 3, "field": "n"}, "fsoc": {"non_negative": True, "cap_each": "half"}},
    {
        "type": "value_sum",
        "condition": {"gt": 0.5, "gte": 2, "lt": 7, "field": "n"},
        "fsoc": {"non_negative": True, "cap_each": "half", "also": {"tactic": {"gte": 1}}},
    },
    {"condition": {"gte": 2, "field": "tactic"}, "fsoc": {"ordered": True}},
    {"condition": {"gte": 2, "field": "institution"}, "fsoc": {"each": {"lt": 2}}},
    {"condition": {"gte": 1, "field": "institution"}, "fsoc": {"each": {"lte": 2}, "spread": "3s"}},
    {"condition": {"lt": 3, "field": "institution"}, "fsoc": {"spread": "2s", "also": {"tactic": {"gte": 1}}}},
    {"condition": {"lt": 2, "field": "tactic"}, "fsoc": {"ordered": True, "also": {"user": {"gte": 2}}}},
]


def build(entry, rule, seed, at, name, revision):
    values = (("abc"[seed % 3],), ("d",))[: 1 + seed % 2] if rule.each or rule.spread_ms else ((name,),)
    if rule.numeric:
        values = ((str(seed % 5 - (not rule.non_negative)),), (f"{seed % 3}.5",))
    if rule.order:
        values = tuple((value,) for value in sorted({TACTICS[seed % 4], TACTICS[seed // 4 % 4]}))
    matched = STEPS[: seed % 3 + 1] if len(rule.rules) > 1 else ["detection"]
    also = tuple(
        (("a", "b", "c")[seed % 3], "d")[seed % 2 :] if (seed >> place) % 4 else () for place in range(len(rule.also))
    )
    return entry(
        at,
        name,
        "t",
        revision=revision,
        values=values,
        rules=tuple(sorted(matched)),
        also=also,
        member="ab"[seed % 2],
    )


# Judging has gone back to 10 and will go on at 13; at 0, where the window of 10 has its far edge, one more comes.
AT_THE_EDGE = [("p", 0), ("p", 10 * 8 + 1), ("p", 15 * 8 + 2), ("j", 39 * 8), ("p", 13 * 8 + 3), ("p", 4)]

OPS = st.lists(st.tuples(st.sampled_from("ppppwjjx"), st.integers(0, 2**20)), max_size=40)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@settings(max_examples=100 * MANY, deadline=None)
@given(ops=OPS)
@example(ops=AT_THE_EDGE)
def test_after_every_step_it_is_what_the_plain_way_finds(rule, entry, shape, ops):
    """p puts, w withdraws, j judges up to some time, x lets go of the oldest.

    timespan 10 ms over 40 ms of entries: every edge of a window is hit, and missed by the least there is.
    """
    built = rule(**shape)
    asked = replace(built, timespan_ms=TIMESPAN_MS, spread_ms=built.spread_ms // 1_000)
    timeline, kept, judged, gone, before, first = Timeline(asked, KEY), {}, 0, -1, [], {}
    for revision, (op, seed) in enumerate([*ops, ("j", 39 * 8)], 1):
        name, at = "abcdefgh"[seed % 8], gone + 1 + seed // 8 % (40 - gone)
        if op == "p":
            kept[name] = build(entry, asked, seed, at, name, revision)
            timeline.put(kept[name])
        elif op == "w":
            kept.pop(name, None)
            timeline.withdraw((name, "t", ""), Withdrawal(revision, FAR))
        elif op == "j":
            judged = max(judged, at)
            timeline.advance(judged)
            assert held(timeline, gone) == naive(asked, kept.values(), judged, gone)
            if gone < 0:
                assert timeline.satisfied(0) == satisfied(asked, sorted(kept.values()), judged)
            since = FAR if timeline.changed_from_ms is None else timeline.changed_from_ms
            assert below(held(timeline, gone), since) == below([one for one in before if whole(one[0], gone)], since)
            assert timeline.unlike(since) == unlike(timeline, since)
            alike = first.keys() & set(timeline.entries) - set(timeline.unlike(since))
            assert all(timeline.first_held_ms(one) == first[one] for one in alike if whole(one.event_time_ms, gone))
            timeline.changed_from_ms, before = None, held(timeline, gone)
            first = {one: timeline.first_held_ms(one) for one in kept.values() if whole(one.event_time_ms, gone)}
            assert first == {one: first_held(before, asked, one) for one in first}
        elif judged and op == "x":
            timeline.advance(judged)
            gone = max(gone, min(judged - TIMESPAN_MS - 2, at))
            kept = {name: one for name, one in kept.items() if one.event_time_ms > gone}
            timeline.expire(gone)
            assert [at for at, _ in timeline._held if at <= gone] == []
    assert timeline.entries == sorted(kept.values())
    assert set(timeline.by_name.values()) == set(kept.values())


def test_only_the_episodes_that_are_asked_for_are_told(rule, entry):
    """One time in each of three episodes; the second lies just where its own begins."""
    asked = rule(condition={"gte": 1, "field": "institution"})
    timeline = Timeline(asked, KEY)
    for number in range(3):
        timeline.put(entry(number * asked.episode_ms, "a", f"t{number}"))
    timeline.advance(None)

    assert [found.episode for found in timeline.satisfied(0)] == [0, 1, 2]
    assert [found.episode for found in timeline.satisfied(1)] == [1, 2]
    assert timeline.satisfied(3) == []


def below(held, at):
    return [one for one in held if one[0] < at]


def first_held(held, rule, entry):
    return next((at for at, _ in held if entry.event_time_ms <= at < entry.event_time_ms + rule.timespan_ms), None)


def unlike(timeline, since):
    """Those with a window that is otherwise from then on, and none before it that holds."""
    found = [one for one in timeline.entries if one.event_time_ms + timeline.rule.timespan_ms > since]
    return [one for one in found if not any(one.event_time_ms <= at < since for at, _ in timeline._held)]


def whole(at, gone):
    """Nothing that this time's window held was let go of."""
    return at >= gone + TIMESPAN_MS


def held(timeline, gone):
    return [(at, value) for at, value in timeline._held if whole(at, gone)]


def naive(rule, entries, judged, gone):
    found = []
    for t in sorted({one.event_time_ms for one in entries}):
        window = [one for one in entries if t - rule.timespan_ms < one.event_time_ms <= t]
        if t < judged and whole(t, gone) and holds(rule, measured(rule, window)):
            found.append((t, measured(rule, window)))
    return found
