"""The correlate stage against the plainest reading of the laws: shuffled, split, doubled, crashed, it says the same."""

from __future__ import annotations

import itertools
import os

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation import groups
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.past import Past
from fsoc.feeds.record import Record
from tests.correlate_stage import (
    DAY,
    END,
    INSTITUTIONS,
    NOON,
    RULES,
    RULES_OF_PAST,
    Topics,
    build_pipeline,
    expected,
    key_of,
    progress,
    record_of,
    run,
)

MANY = 20 if os.environ.get("FSOC_SOAK") else 1


def ops(slots):
    return st.builds(
        lambda what, group, institution, ticket, revision, slot: (
            what,
            group,
            institution,
            ticket,
            revision,
            # A ticket's event time may change with its revision; most lie around a midnight, where episodes meet, and
            # the rest over the days after it, in which what is settled is let go.
            NOON + (slot + revision) * 900_000 if slot < 20 else NOON + (slot - 20) * DAY // 8,
        ),
        st.sampled_from(["put", "put", "put", "withdraw"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(INSTITUTIONS),
        st.sampled_from(("t1", "t2", "t3", "t4", "i1", "x1")),
        st.integers(1, 3),
        slots,
    )


OPS = ops(st.integers(-8, 60))
# And so far apart that what is compared was sealed long ago.
FAR_OPS = ops(st.integers(-8, 60) | st.integers(-8, 20 + 8 * 12) | st.sampled_from([20, 21, 44, 76, 77]))


def str_of(rule):
    past = f" {rule.past.counts_when}" if rule.past is not None else ""
    return f"{rule.type} {rule.condition}{past}{' absent' if rule.absent else ''}"


def consistent(ops):
    """One (group, institution, ticket, revision) says one thing, as intake's digests make sure."""
    return list({(op[1], op[2], op[3], op[4]): op for op in ops}.values())


@pytest.mark.parametrize("rule", [*RULES, *RULES_OF_PAST], ids=str_of)
@settings(max_examples=50 * MANY, deadline=None)
@given(data=st.data())
def test_any_order_split_repetition_and_crash_gives_the_alerts_of_the_final_set(rule, data):
    ops = consistent(data.draw(st.lists(OPS, max_size=30)))
    sent = data.draw(st.permutations(ops + ops[: len(ops) // 3]))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(sent))), max_size=5)))
    bounds = [0, *cuts, len(sent)]
    slices = [[record_of(rule, op) for op in sent[a:b]] for a, b in itertools.pairwise(bounds)]
    slices.append([END])
    crashes = data.draw(
        st.dictionaries(st.integers(0, len(slices)), st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=3)
    )

    topics = run(rule, slices, crashes.items())

    assert topics.standing() == expected(rule, ops)
    assert {alert["status"] for alert in topics.alerts.values()} <= {"final", "retracted"}
    header = orjson.loads(topics.state[b"header"])
    assert (header["alerts_open"], header["raised_total"]) == (0, len(topics.alerts))


@pytest.mark.parametrize("kept", range(6))
def test_what_made_a_ticket_news_is_not_lost_in_a_crash_that_keeps_its_alert(kept):
    """An institution becomes known, and everything ends, in one checkpoint that breaks off after so many records."""
    rule = RULES_OF_PAST[0]
    ops = [put("aa", NOON)]

    topics = run(rule, [[record_of(rule, op) for op in ops], [END]], [(1, (kept, 0))])

    assert topics.standing() == expected(rule, ops)
    assert [alert["revision"] for alert in topics.alerts.values()] == [2]


@pytest.mark.parametrize("kept", range(6))
def test_a_past_is_not_lost_in_a_crash_that_loses_the_alert_it_decided(kept):
    """A surge above it, the alert and its end, and the past's own end, in one checkpoint that breaks off."""
    (rule,) = (one for one in RULES_OF_PAST if one.condition.bounds == (("gte", 0.01),))
    ops = [put("aa", NOON, "t1"), put("aa", NOON, "t3"), put("aa", NOON + 2 * DAY + 10_800_000, "t2")]
    assert expected(rule, ops, NOON + 27 * DAY)
    slices = [[record_of(rule, op), progress(op[5], number)] for number, op in enumerate(ops)]
    slices += [[progress(NOON + days * DAY, 100 + days)] for days in (13, 27)]

    topics = run(rule, [*slices, [END]], [(len(ops), (kept, 0))])

    assert topics.standing() == expected(rule, ops, NOON + 27 * DAY)


@pytest.mark.parametrize("kept", range(12))
def test_what_made_room_in_a_full_group_is_past_whatever_a_crash_keeps(kept, monkeypatch):
    """Two may stay. The first two are of a checkpoint before; what they were must be in the state before they go."""
    monkeypatch.setattr(groups, "ENTRIES_MAX", 2)
    monkeypatch.setattr(groups, "ENTRIES_EACH_MAX", 0)
    (rule,) = (one for one in RULES_OF_PAST if one.past == Past("first_ever", warm_up_ms=0) and one.fields)
    first, second = (
        [record_of(rule, put("aa", NOON + hour * 3_600_000, f"t{hour}")) for hour in hours]
        for hours in ((0, 1), (2, 3))
    )

    topics = run(rule, [[progress(NOON - DAY // 2, 1)], first, second, [END]], [(2, (kept, 0))])

    assert topics.taken_back == len(topics.alerts) == 1, "the very first was news, until it left"
    assert topics.standing() == {}


def offsets(slices):
    """Number the records as their partition would."""
    number = itertools.count()
    return [[record._replace(offset=next(number)) for record in records] for records in slices]


def restored(pipeline, log, topics):
    stage = pipeline.correlate(0)
    for key, value in log:
        stage.restore(key, value)
    outputs = stage.restored()
    log += [*outputs.state, *((key, None) for key in outputs.forgotten)]
    topics.publish(outputs.published)
    return stage


@pytest.mark.parametrize("rule", [*RULES, *RULES_OF_PAST], ids=str_of)
@settings(max_examples=20 * MANY, deadline=None)
@given(data=st.data())
def test_what_a_worker_that_lost_the_partition_writes_late_changes_nothing(rule, data):
    """It has worked a slice when it is frozen; the next owner works on, until the late writes and a crash."""
    ops = consistent(data.draw(st.lists(OPS, min_size=3, max_size=20)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(ops)), max_size=4)))
    pieces = [ops[a:b] for a, b in itertools.pairwise([0, *cuts, len(ops)])]
    slices = offsets([[record_of(rule, op) for op in piece] for piece in pieces if piece] + [[END]])
    lost, back = sorted(data.draw(st.tuples(*[st.integers(0, len(slices))] * 2)))
    pipeline, topics, log, late = build_pipeline(rule), Topics(), [], []
    stage = restored(pipeline, log, topics)
    for place, records in enumerate(slices):
        if place == lost:
            late = restored(pipeline, list(log), Topics()).work(records).state
        if place == back:
            log += late
            stage = restored(pipeline, log, topics)
        outputs = stage.work(records)
        log += [*outputs.state, *((key, None) for key in outputs.forgotten)]
        topics.publish(outputs.published)

    assert topics.standing() == expected(rule, ops)


@pytest.mark.parametrize("rule", [*RULES, *RULES_OF_PAST], ids=str_of)
@settings(max_examples=15 * MANY, deadline=None)
@given(data=st.data())
def test_progress_on_the_way_changes_nothing_in_the_end(rule, data):
    """Tickets come in event-time order, progress follows at once, and crashes: letting go early loses no alert."""
    puts = (FAR_OPS if rule.past else OPS).filter(lambda op: op[0] == "put")
    drawn = data.draw(st.lists(puts, max_size=30))
    ops = list({op[1:4]: op for op in drawn}.values())
    arrival = sorted(ops, key=lambda op: op[5])
    slices = [[record_of(rule, op), progress(op[5], number)] for number, op in enumerate(arrival)]
    slices += [[progress(NOON + days * DAY, 100 + days)] for days in range(13, 34, 7)]
    crashes = data.draw(
        st.dictionaries(st.integers(0, len(slices)), st.tuples(st.integers(0, 8), st.integers(0, 6)), max_size=3)
    )

    topics = run(rule, [*slices, [END]], crashes.items())

    assert topics.standing() == expected(rule, ops, NOON + 27 * DAY)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.firm], ids=str_of)
@settings(max_examples=15 * MANY, deadline=None)
@given(data=st.data())
def test_what_is_firm_more_tickets_never_take_back(rule, data):
    drawn = data.draw(st.lists(OPS.filter(lambda op: op[0] == "put"), max_size=30))
    ops = list({op[1:4]: op for op in drawn}.values())

    assert run(rule, [[record_of(rule, op)] for op in ops]).taken_back == 0


def test_every_type_is_raised_at_once_where_more_entries_cannot_undo_it_and_beside_these_only_what_is_spread():
    assert [rule for rule in RULES if rule.rising and not rule.firm] == [rule for rule in RULES if rule.spread_ms]
    at_once = {str_of(rule) for rule in RULES if rule.firm}

    assert at_once == {
        "value_count gte 2",
        "value_count gte 3",
        "event_count gte 3",
        "temporal gte 2",
        "temporal gte 3",
        "temporal_ordered gte 2",
        "temporal_ordered gte 3",
        "value_sum gte 2.7",
    }


def put(institution, at, ticket="t1", revision=1, group="x"):
    return ("put", group, institution, ticket, revision, at)


def test_an_alert_is_raised_at_once_where_more_entries_cannot_undo_it():
    rule = RULES[0]
    topics = run(rule, [[record_of(rule, put("aa", NOON))], [record_of(rule, put("bb", NOON + 1))]])

    (alert,) = topics.alerts.values()
    assert (alert["status"], alert["revision"], alert["institutions"]) == ("open", 1, ["aa", "bb"])
    header = orjson.loads(topics.state[b"header"])
    assert (header["alerts_open"], header["raised_total"], header["entries"]) == (1, 1, 2)


def test_what_is_spread_is_raised_at_once_and_taken_back_when_an_institutions_first_ticket_comes_late():
    """spread 30 min

    aa  0      |            first
    bb  40 min       2 |    raised
    bb  10 min   1 |        late, and ten minutes after aa's: retracted
    cc  35 min      3 |     raised again: whoever is new can only widen it
    """
    (rule,) = (rule for rule in RULES if rule.spread_ms)
    minute = 60_000
    told = [("aa", 0, "t1"), ("bb", 40, "t2"), ("bb", 10, "t1"), ("cc", 35, "t1")]
    slices = [[record_of(rule, put(name, NOON + at * minute, ticket))] for name, at, ticket in told]

    assert [after(rule, slices[:many]) for many in (1, 2, 3, 4)] == [[], ["open"], ["retracted"], ["open"]]


def after(rule, slices):
    return [alert["status"] for alert in run(rule, slices).alerts.values()]


def test_a_condition_that_can_be_undone_waits_until_event_time_is_settled():
    rule = RULES[3]
    entries = [record_of(rule, put("aa", NOON)), record_of(rule, put("bb", NOON + 1))]

    assert not run(rule, [entries]).alerts
    assert not run(rule, [entries, [progress(NOON + 1, 1)]]).alerts
    assert len(run(rule, [entries, [progress(NOON + 2, 1)]]).alerts) == 1


def test_a_withdrawal_retracts_what_it_undoes_and_a_return_raises_it_again():
    rule = RULES[0]
    raised = [record_of(rule, put("aa", NOON)), record_of(rule, put("bb", NOON + 1))]
    taken_back = [record_of(rule, ("withdraw", "x", "bb", "t1", 2, NOON + 1))]
    back = [record_of(rule, put("bb", NOON + 1, revision=3))]

    assert [alert["status"] for alert in run(rule, [raised, taken_back]).alerts.values()] == ["retracted"]
    (alert,) = run(rule, [raised, taken_back, back]).alerts.values()
    assert (alert["status"], alert["revision"]) == ("open", 3)


def test_an_alert_is_final_when_progress_reaches_the_end_of_its_episode():
    rule = RULES[0]
    pair = [record_of(rule, put("aa", NOON)), record_of(rule, put("bb", NOON + 1))]

    assert [a["status"] for a in run(rule, [pair, [progress(NOON + DAY - 1, 1)]]).alerts.values()] == ["open"]
    assert [a["status"] for a in run(rule, [pair, [progress(NOON + DAY, 1)]]).alerts.values()] == ["final"]


def test_an_alert_that_comes_back_after_its_episode_has_ended_is_final():
    rule = RULES[0]
    pair = [record_of(rule, put("aa", NOON)), record_of(rule, put("bb", NOON + 1))]
    taken_back = [record_of(rule, ("withdraw", "x", "bb", "t1", 2, NOON + 1)), progress(NOON + DAY, 1)]
    back = [record_of(rule, put("bb", NOON + 1, revision=3))]

    (alert,) = run(rule, [pair, taken_back, back]).alerts.values()
    assert (alert["status"], alert["institution_count"]) == ("final", 2)


def test_an_alert_of_the_next_episode_continues_the_one_before():
    """timespan 1 h, episodes of a day; the same two institutions just before and just after midnight."""
    rule = RULES[0]
    times = [(-2_000, "aa"), (-1_000, "bb"), (1_000, "aa"), (2_000, "bb")]
    entries = [record_of(rule, put(name, NOON + at, f"t{at}")) for at, name in times]
    first, second = sorted(run(rule, [entries]).alerts.values(), key=lambda alert: alert["raised_at_event_time"])

    assert first["continues"] is None
    assert second["continues"] == first["alert_id"]


def test_a_settled_alert_is_forgotten_and_a_straggler_does_not_raise_it_again():
    rule = RULES[0]
    pair = [record_of(rule, put("aa", NOON)), record_of(rule, put("bb", NOON + 1))]
    topics = run(rule, [pair, [progress(NOON + 5 * DAY, 1)], pair])

    assert sorted(topics.state) == [b"header", b"since"]
    assert [alert["status"] for alert in topics.alerts.values()] == ["final"]


def test_an_entry_that_had_to_leave_leaves_the_state_too(monkeypatch):
    monkeypatch.setattr(groups, "ENTRIES_MAX", 2)
    rule = RULES[0]
    topics = run(rule, [[record_of(rule, put("aa", NOON + at, f"t{at}")) for at in (3, 1, 2)]])

    assert sorted(orjson.loads(key)[-1] for key in topics.state if key.startswith(b"[")) == ["t2", "t3"]
    assert orjson.loads(topics.state[b"header"])["evicted_total"] == 1


def test_what_is_no_record_of_ours_is_counted_and_passed_over():
    rule = RULES[0]
    stage = build_pipeline(rule).correlate(0)
    good = record_of(rule, put("aa", NOON))
    bad = [(None, b"{"), (None, None), (good.key, b"[[]]"), (good.key, b"[]"), (good.key, None), (b"[]", good.value)]
    outputs = stage.work([Record(0, 0, key, value) for key, value in bad] + [good])

    assert stage.malformed_total == len(bad)
    assert (good.key, good.value) in outputs.state


@pytest.mark.parametrize("partitions", [1, 8, 64])
def test_a_group_is_worked_by_one_partition(partitions):
    key = key_of(RULES[0], "x")

    assert 0 <= key.partition(partitions) < partitions
    assert key.partition(partitions) == GroupKey(*key).partition(partitions)
