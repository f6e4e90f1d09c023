"""What counts against an institution's own past: edges of hours, of the past, of warm-up; hubs; drops."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import msgspec
import pytest

from fsoc.correlation.entries import GroupKey
from fsoc.correlation.groups import Groups
from fsoc.correlation.past import HOUR_MS, Past, Seal, counted, seal_of, seal_value
from fsoc.correlation.reader import parse
from fsoc.correlation.timeline import Withdrawal
from fsoc.correlation.timeline_of_past import TimelineOfPast

DAY = 24
SINCE = {"aa": 0, "bb": 0, "cc": 0}


def counting(past, entries, since=None, seals=None):
    found = counted(past, sorted(entries), SINCE if since is None else since, seals or {}, numeric=False)
    return {one.ticket_id: why.kind if why else None for one, why in found}


def test_first_ever_is_an_hour_before_which_there_was_nothing_for_so_long(at):
    """past 10 h

    hour    100 ·    101 ·           111 ·   112 ·
            first    not: 100        not     not: 111
    """
    past = Past("first_ever", past_ms=10 * HOUR_MS, warm_up_ms=0)

    assert counting(past, [at(100), at(100.5), at(101)]) == {"100": "first_ever", "100.5": "first_ever"}
    assert counting(past, [at(100), at(110.9)]).keys() == {"100"}
    assert counting(past, [at(100.9), at(111)]).keys() == {"100.9", "111"}


def test_nothing_counts_before_the_own_past_is_as_long_as_the_warm_up_or_is_not_known(at):
    past = Past("first_ever", warm_up_ms=DAY * HOUR_MS)

    assert counting(past, [at(123.9)], {"aa": 100 * HOUR_MS}) == {}
    assert counting(past, [at(124)], {"aa": 100 * HOUR_MS}).keys() == {"124"}
    assert counting(past, [at(124)], {"aa": 101 * HOUR_MS - 1}).keys() == {"124"}
    assert counting(past, [at(124)], {"aa": 101 * HOUR_MS}) == {}
    assert counting(past, [at(124)], {}) == {}


def test_the_past_of_another_institution_says_nothing(at):
    past = Past("first_ever", warm_up_ms=0)

    assert counting(past, [at(100, "bb"), at(101, "aa")]) == {"100": "first_ever", "101": "first_ever"}


def test_a_surge_is_so_many_times_the_greatest_hour_and_never_against_nothing(at):
    """two in one hour, five in another: 3 times as many are 15"""
    past = Past("surge", surge_factor=3, warm_up_ms=0)
    before = [at(90, name=f"b{n}") for n in range(2)] + [at(95, name=f"c{n}") for n in range(5)]

    def hour(count):
        return [at(100 + n / 60, name=f"n{n}") for n in range(count)]

    assert counting(past, before + hour(14)) == {}
    assert counting(past, before + hour(15)) == {f"n{n}": "surge" for n in range(15)}
    assert counting(past, hour(15)) == {}
    assert set(counting(Past("first_ever_or_surge", warm_up_ms=0), hour(2) + before).values()) == {"first_ever"}


def test_with_a_gap_the_hour_just_before_is_no_past_yet(at):
    past = Past("first_ever", warm_up_ms=0, gap_hours=1)

    assert counting(past, [at(99.9), at(100)]).keys() == {"99.9", "100"}
    assert counting(past, [at(98.9), at(100)]).keys() == {"98.9"}


def test_a_value_that_many_had_more_than_a_day_ago_is_a_hub_until_that_is_a_week_ago(at):
    """hub 2: aa and bb had it at hour 0

    hour      0 aa bb      24 ·            25 …  168 ·        169 ·
              counts       counts: a day   not                counts again
    """
    past = Past(hub=2)
    had = [at(0, "aa", "a"), at(0, "bb", "b")]

    assert counting(past, [*had, at(24, "cc")]).keys() == {"a", "b", "24"}
    assert counting(past, [*had, at(25, "cc")]).keys() == {"a", "b"}
    assert counting(past, [*had, at(168, "cc")]).keys() == {"a", "b"}
    assert counting(past, [*had, at(169, "cc")]).keys() == {"a", "b", "169"}
    assert counting(past, [at(0, "aa", "a"), at(25, "cc")]).keys() == {"a", "25"}


def test_a_drop_is_a_day_against_the_same_day_a_week_before(rule, entry):
    """24 tickets of 2 each in a day, and 12 in the same day a week later; a tenth more is no drop by half"""
    built = rule(
        type="value_sum",
        condition={"gte": 0, "field": "n"},
        fsoc={"counts_when": "drop", "drop": 0.5, "warm_up": 0},
    )

    def day(first_hour, count):
        return [entry((first_hour + n) * HOUR_MS, "aa", f"{first_hour}.{n}", values=(("2",),)) for n in range(count)]

    assert not built.rising
    whole = sorted(day(0, 24) + day(168, 11) + [entry(191 * HOUR_MS, "aa", "end", values=(("2",),))])
    (found,) = [why for one, why in counted(built.past, whole, SINCE, {}, numeric=True) if one.ticket_id == "end"]
    assert (found.kind, found.seen, found.before) == ("drop", 24, 48)
    almost = sorted([*whole, entry(190 * HOUR_MS, "aa", "more", values=(("0.1",),))])
    assert "end" not in {one.ticket_id for one, _ in counted(built.past, almost, SINCE, {}, numeric=True)}


def test_a_seal_is_read_as_it_was_written_and_only_that_is_one():
    seal = Seal(12, {3: 4, 5: Fraction(1, 3)})
    assert seal_of(seal_value(seal, 99)) == (seal, 99)
    for bad in (b"{}", b'{"until":1,"amounts":{"1":"x"},"closed_until_ms":2}', b"[[1]]"):
        with pytest.raises(msgspec.MsgspecError):
            seal_of(bad)


@pytest.mark.parametrize(("later", "counts"), [(220, []), (221, ["221"])])
def test_what_is_sealed_is_held_against_until_it_is_out_of_reach_and_then_nothing_is_left(rule, at, later, counts):
    """timespan 1 h, so entries stay for 49 hours; past 5 days"""
    built = rule(
        timespan="1h",
        condition={"gte": 1, "field": "institution"},
        fsoc={"counts_when": "first_ever", "past": "5d", "warm_up": 0},
    )
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")

    def judged(hours):
        groups.put(built, key, at(hours))
        groups.judge(None)
        return [one.ticket_id for one in groups.get(key).entries]

    def expire(hours):
        return [name[1] for _, name in groups.expire(int(hours * HOUR_MS))]

    assert judged(100) == ["100"]
    assert expire(149.99) == []
    assert expire(150) == ["100"]
    assert list(groups.sealed.values()) == [Seal(101, {100: 1})]
    assert judged(later) == counts
    assert expire(later + 1 + 49) == [f"{later}"]
    expire(later + 49 + 120)
    assert groups.get(key) is not None
    expire(later + 1 + 49 + 120)
    assert groups.get(key) is None
    assert list(groups.sealed.values()) == [None]
    assert not groups._within


def test_what_an_institution_has_in_too_many_groups_goes_with_its_seals(rule, at, monkeypatch):
    monkeypatch.setattr("fsoc.correlation.groups.GROUPS_PER_INSTITUTION_MAX", 10)
    built = rule(
        timespan="1h", condition={"gte": 1, "field": "institution"}, fsoc={"counts_when": "first_ever", "warm_up": 0}
    )
    groups = Groups(SINCE)
    for number in range(10):
        groups.put(built, GroupKey("rule-1", "production", f"[{number}]"), at(100 + number))
    groups.judge(None)
    list(groups.expire(300 * HOUR_MS))
    assert {seal is None for seal in groups.sealed.values()} == {False}
    groups.sealed.clear()
    groups.put(built, GroupKey("rule-1", "production", "[x]"), at(400))
    groups.judge(None)

    assert groups.displaced_total == 0  # nobody's tickets: what they were is in no state any more but as amounts
    assert len(groups.sealed) == 2
    assert set(groups.sealed.values()) == {None}


def test_what_was_a_hub_by_what_was_displaced_is_none_any_more(rule, at):
    """aa and bb, long sealed, make a hub of what cc has two days later; then aa's seal goes."""
    built = rule(
        timespan="1h",
        condition={"gte": 1, "field": "institution"},
        fsoc={"counts_when": "first_ever", "warm_up": 0, "hub": 2},
    )
    timeline = TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE)
    for one in (at(100, "aa"), at(100, "bb"), at(100 + 2 * DAY, "cc")):
        timeline.put(one)
    timeline.expire(102 * HOUR_MS)
    assert (sorted(timeline.seals), timeline.entries) == (["aa", "bb"], [])

    timeline.displace("aa")
    timeline.advance(None)

    assert [one.institution for one in timeline.entries] == ["cc"]


def test_what_was_found_to_be_nothing_is_past_and_never_counts_itself(rule, at):
    """aa   100 false   101 not: 100   |   bb   101 first ever   |   what two had falsely is a hub all the same"""
    past = Past("first_ever", warm_up_ms=0)
    false = at(100)._replace(dismissed=True)

    assert counting(past, [false, at(101), at(101, "bb", "b")]) == {"b": "first_ever"}
    assert counting(Past("surge", warm_up_ms=0), [false, *(at(101, name=f"{n}") for n in range(3))]).keys() == set(
        "012"
    )
    had = [at(0, name, name)._replace(dismissed=True) for name in ("aa", "bb")]
    assert counting(Past(hub=2), [*had, at(25, "cc")]) == {}


def test_a_ticket_that_is_found_to_be_nothing_makes_no_news_of_those_after_it(rule, at):
    """aa   100 first ever   102 not   and so it stays when 100 was a false positive, and none counts any more"""
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    timeline = TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE)
    for one in (at(100), at(102)):
        timeline.put(one)
    timeline.advance(None)
    assert [one.ticket_id for one in timeline.entries] == ["100"]

    timeline.put(at(100)._replace(revision=2, dismissed=True))
    timeline.advance(None)
    assert timeline.entries == []
    timeline.put(at(100)._replace(revision=3))
    timeline.advance(None)
    assert [one.ticket_id for one in timeline.entries] == ["100"]


def test_what_is_news_to_many_counts_only_where_so_many_of_them_hold_it_for_something(at):
    """A roll-out: five see it for the first time within two hours, and one holds it for more; then another does.

    hour 100   aa tells   bb cc      one of three
    hour 101   dd tells   ee         of all five: two
    hour 102   ff tells              of dd, ee, ff: two of three; 100 is out of reach
    """
    since = dict.fromkeys(("aa", "bb", "cc", "dd", "ee", "ff"), 0)
    low, medium = {"rules": ("any",)}, {"rules": ("any", "some")}
    entries = [at(100, name, name)._replace(**(medium if name == "aa" else low)) for name in ("aa", "bb", "cc")] + [
        at(101, "dd", "dd")._replace(**medium),
        at(101, "ee", "ee")._replace(**low),
        at(102, "ff", "ff")._replace(**medium),
    ]

    def counts(share, those=entries):
        past = Past("first_ever", warm_up_ms=0, rules=("any",), agreed=share, agreed_hours=2)
        return set(counting(past, those, since))

    assert counts(0.34) == {"dd", "ff"}
    assert counts(0.4) == {"dd", "ff"}
    assert counts(0.5) == {"ff"}
    assert counts(0.67) == set()
    assert counts(0.33) == {"aa", "dd", "ff"}
    was_there = [*entries, at(90, "bb", "before")._replace(**low), at(90, "cc", "before too")._replace(**low)]
    assert counts(0.5, was_there) == {"aa", "dd", "ff"}, "to whom it is no news, it is no matter"
    false = [one._replace(dismissed=one.institution in {"dd", "ff"}) for one in entries]
    assert counts(0.33, false) == {"aa"}


def test_intel_always_counts_and_is_nobodys_past(at, heard):
    """aa warns at hour 100, and meets it at 101 for the first time; it is known of nobody before

    aa   100 heard   101 first ever   102 heard   103 not: 101
    """
    past = Past("first_ever", warm_up_ms=0)
    entries = [heard(100), at(101), heard(102), at(103)]

    assert counting(past, entries) == {"heard 100": None, "101": "first_ever", "heard 102": None}
    assert counting(past, [heard(100, "zz")], since={}) == {"heard 100": None}


def test_who_only_warned_of_a_value_makes_no_hub_of_it_and_intel_on_a_hub_counts(at, heard):
    past = Past(hub=2)
    had = [at(0, "aa", "a"), at(0, "bb", "b")]

    assert counting(past, [at(0, "aa", "a"), heard(0, "bb"), heard(0, "cc"), at(25, "dd")]).keys() >= {"25"}
    assert counting(past, [*had, heard(25, "cc"), at(25, "dd")]).keys() == {"a", "b", "heard 25"}


def test_intel_expires_with_what_is_as_old_and_leaves_no_seal(rule, at, heard):
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")
    for one in (heard(100, "aa"), at(100, "bb"), heard(101, "aa")):
        groups.put(built, key, one)
    groups.judge(None)

    gone = [name for _, name in groups.expire(150 * HOUR_MS)]

    assert gone == [("aa", "heard 100", ""), ("bb", "100", "")]
    assert list(groups.sealed) == [(key, "bb")]
    assert [one.ticket_id for one in groups.get(key).held] == ["heard 101"]
    assert [name for _, name in groups.expire(151 * HOUR_MS)] == [("aa", "heard 101", "")]
    assert set(groups._within) == {"bb"}


def test_intel_is_held_with_what_it_completes_as_any_that_counts(rule, at, heard):
    """aa warns at hour 100; bb meets it at 100.5, and, which is no news, at 102"""
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    timeline = TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE)
    warned, met, again = heard(100), at(100.5, "bb")._replace(values=(("x",),)), at(102, "bb")
    for one in (warned, met, again):
        timeline.put(one)
    timeline.advance(None)

    assert [timeline.first_held_ms(one) for one in (warned, met, again)] == [met.event_time_ms, met.event_time_ms, None]
    assert [found.novelty.keys() for found in timeline.satisfied(0)] == [{"bb"}]


def test_a_ticket_that_is_revised_into_intel_leaves_its_institutions_past_and_back(rule, at, heard):
    built = rule(timespan="1h", condition={"gte": 1, "field": "n"}, fsoc={"counts_when": "first_ever", "warm_up": 0})
    groups, key = Groups(SINCE), GroupKey("rule-1", "production", "[]")

    def judged(*entries):
        for one in entries:
            groups.put(built, key, one)
        groups.judge(None)
        return [one.ticket_id for one in groups.get(key).entries]

    assert judged(at(100, name="x"), at(101)) == ["x"]
    assert judged(heard(100, name="x")._replace(revision=2)) == ["x", "101"]
    assert judged(at(100, name="x")._replace(revision=3)) == ["x"]


@pytest.mark.parametrize("first", [[], ["other"]])
def test_with_other_rules_as_past_all_that_is_held_is_judged_as_if_it_had_come_now(document, entry, first):
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]

    def read(past_rules):
        fsoc = {"counts_when": "first_ever", "warm_up": 0, "past_rules": past_rules}
        named = {"rules": [name for name in ("detection", "other") if name not in past_rules]}
        (read,), problems = parse([document(**named, fsoc=fsoc)], detections)
        assert not problems
        return read

    rules = {name: read([name] if name else []) for name in ("", "other")}
    old, new = (rules["other"], rules[""]) if first else (rules[""], rules["other"])
    key = GroupKey("rule-1", "production", "[]")
    entries = [
        entry(100 * HOUR_MS, "aa", "a", rules=("other",)),
        entry(100 * HOUR_MS + 1, "aa", "b"),
        entry(100 * HOUR_MS + 2, "bb", "c", rules=("other",), member=""),
        entry(100 * HOUR_MS + 3, "bb", "d", member=""),
    ]
    timelines = [TimelineOfPast(rule, key, rule.past, SINCE) for rule in (old, new)]
    for one in entries:
        for timeline in timelines:
            timeline.put(one)
            timeline.advance(None)
    timelines[0].begin_again(new)
    timelines[0].advance(None)
    again = [
        entry(one.event_time_ms, one.institution, one.ticket_id, rules=one.rules, member=one.member, revision=2)
        for one in entries
    ]

    assert timelines[0].entries == timelines[1].entries
    assert [one.ticket_id for one in timelines[0].entries] == (["a", "b", "c", "d"] if first else ["b", "d"])
    for one in again:
        timelines[0].put(one)
    timelines[0].advance(None)
    assert [one.revision for one in timelines[0].entries] == [2] * len(timelines[1].entries)


def test_what_is_only_past_never_counts_and_makes_the_rest_no_news(entry):
    past = Past("first_ever", warm_up_ms=0, rules=("weak",))
    hours = [(100, ("weak",)), (101, ("strong", "weak")), (200, ("weak",)), (200, ("strong",))]
    entries = [entry(at * HOUR_MS + n, "aa", f"{at}.{n}", rules=rules) for n, (at, rules) in enumerate(hours)]

    assert counting(past, entries) == {}
    assert counting(past, entries[1:]).keys() == {"101.1"}
    assert counting(past, entries[2:]).keys() == {"200.3"}


def test_what_an_hour_amounts_to_is_reckoned_anew_when_a_ticket_leaves_it(rule, at):
    """aa   100 three tickets, one of them withdrawn   102 four: twice as many as are left"""
    fsoc = {"counts_when": "surge", "surge_factor": 2, "warm_up": 0}
    built = rule(timespan="1h", condition={"gte": 1, "field": "institution"}, fsoc=fsoc)
    timeline = TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE)
    for one in (*(at(100, name=f"a{n}") for n in range(3)), *(at(102, name=f"b{n}") for n in range(4))):
        timeline.put(one)
    timeline.advance(None)
    assert timeline.entries == []

    timeline.withdraw(("aa", "a0", ""), Withdrawal(2, 2**60))
    timeline.advance(None)
    assert [one.ticket_id for one in timeline.entries] == ["b0", "b1", "b2", "b3"]


def test_who_takes_its_only_ticket_back_is_not_asked_whether_it_agrees(document, at):
    """bb, to whom it is news and who holds it for nothing, keeps aa's from counting until it is gone"""
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
    fsoc = {"counts_when": "first_ever", "warm_up": 0, "past_rules": ["other"], "agreed": 0.6}
    (built,), _ = parse([document(fsoc=fsoc, timespan="2h")], detections)
    timeline = TimelineOfPast(built, GroupKey("rule-1", "production", "[]"), built.past, SINCE)
    timeline.put(at(100, "aa"))
    timeline.put(at(100, "bb", "low")._replace(rules=("other",)))
    timeline.advance(None)
    assert timeline.entries == []

    timeline.withdraw(("bb", "low", ""), Withdrawal(2, 2**60))
    timeline.advance(None)
    assert [one.institution for one in timeline.entries] == ["aa"]
