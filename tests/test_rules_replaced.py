"""Correlation while its rules are replaced between slices: added, changed, removed; with crashes at any point of it."""

from __future__ import annotations

import os
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey, Version
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.progress import Claim
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.ledger import END_MS
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from tests.builders import correlation_rule, progress_of, put_of, said, withdraw_of

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
HOUR, DAY = 3_600_000, 86_400_000
NOON = 20_000 * DAY + DAY // 2
INSTITUTIONS = ["aa", "bb", "cc"]
RULE = correlation_rule()
OTHER = replace(RULE, id="other", condition=Condition((("gte", 1),)))
CHANGES = [
    replace(RULE, condition=Condition((("gte", 3),))),
    replace(RULE, condition=Condition((("eq", 2),))),
    replace(RULE, timespan_ms=4 * HOUR),
    replace(RULE, title="renamed", level="low"),
]
UNLIKE = [
    replace(RULE, group_by=("indicator", "category")),
    replace(RULE, group_by=()),
    replace(RULE, group_by=("category",)),
    replace(RULE, fields=(), type="event_count"),
    replace(RULE, fields=("institution", "category")),
]


def ruleset(*rules):
    by_id = {rule.id: rule for rule in rules}
    version, retention_ms = Version("", repr(rules)), max((rule.retention_ms for rule in rules), default=DAY)
    return RuleSet(None, 1, by_id, Feeder(rules), None, {}, {}, version, retention_ms)


class Worker:
    """One partition's stage on a log that keeps its state and the newest of every alert."""

    def __init__(self, *rules):
        registry = Registry.open()
        for name in INSTITUTIONS:
            registry.get(name)
        self.pipeline = Pipeline(ruleset(*rules), registry, detections_partitions=1, ends=True)
        self.state, self.alerts = {}, {}
        self.restart()

    def reload(self, *rules):
        self.pipeline.rules = ruleset(*rules)

    def restart(self):
        self.stage = self.pipeline.correlate(0)
        for key, value in self.state.items():
            self.stage.restore(key, value)
        self._write(self.stage.restored())

    def work(self, *records, kept=None):
        """kept: how many state records are written when it dies; it starts again and works the same records."""
        outputs = self.stage.work(records)
        if kept is not None:
            self._write_state(outputs.state[:kept])
            self.restart()
            outputs = self.stage.work(records)
        self._write(outputs)

    def idle(self):
        self._write(self.stage.idle())

    def _write(self, outputs):
        self._write_state(outputs.state)
        for item in outputs.published:
            if item.topic == "alerts":
                self.alerts[item.key] = orjson.loads(item.value)
        self._write_state((key, None) for key in outputs.forgotten)

    def _write_state(self, records):
        for key, value in records:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def standing(self, rule_id="rule"):
        """Of one rule: what is not retracted, without how often it was revised."""
        found = [alert for alert in self.alerts.values() if alert["rule_id"] == rule_id]
        return {
            alert["alert_id"]: {name: value for name, value in alert.items() if name not in {"revision", "status"}}
            for alert in found
            if alert["status"] != "retracted"
        }


def key_of(rule, group):
    values = [f"{group}{place}" for place in range(len(rule.group_by))]
    return GroupKey(rule.id, "production", orjson.dumps(values).decode())


def put(rule, institution, at, ticket="t1", revision=1, group="x"):
    values = (tuple(f"{institution}{place}" for place in range(len(rule.fields))),) if rule.fields else ()
    entry = Entry(at, institution, ticket, revision, values, institution, 3, (), ("detection",))
    return put_of(key_of(rule, group), entry)


def relay(rule, institution, at, revision=1):
    """A ticket that a correlation inside the rule has matched."""
    entry = Entry(
        at, institution, "t1", revision, ((f"{institution}0",),), institution, 3, (), ("inner",), source="inner"
    )
    return put_of(key_of(rule, "x"), entry)


def withdraw(rule, institution, at, ticket="t1", revision=2, group="x"):
    return withdraw_of(key_of(rule, group), institution, ticket, revision, at)


def progress(watermark_ms, offset=1):
    return progress_of(dict.fromkeys(INSTITUTIONS, Claim(watermark_ms, offset, 0, idle=False)))


END = progress(END_MS, 2**40)

OPS = st.builds(
    lambda what, rule, group, institution, ticket, revision, slot: what(
        rule, institution, NOON + slot * 600_000, f"t{ticket}", revision, group
    ),
    st.sampled_from([put, put, put, withdraw]),
    st.sampled_from([RULE, OTHER]),
    st.sampled_from("xy"),
    st.sampled_from(INSTITUTIONS),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 60),
)
SLICES = st.lists(st.tuples(st.lists(OPS, max_size=8), st.none() | st.integers(0, 20)), min_size=1, max_size=6)


def consistent(slices):
    """One (rule, group, institution, ticket, revision) says one thing, as intake's digests make sure."""
    first = {}
    for records, _ in slices:
        for place, record in enumerate(records):
            name = (record.key, said(record)["revision"])
            records[place] = first.setdefault(name, record)
    return slices


@settings(max_examples=100 * MANY, deadline=None)
@given(slices=SLICES, sets=st.lists(st.sampled_from([(), (OTHER,), *((OTHER, rule) for rule in CHANGES + UNLIKE)])))
def test_reloads_change_nothing_of_a_rule_that_is_in_every_set(slices, sets):
    slices = consistent(slices)
    undisturbed, reloaded = Worker(RULE, OTHER), Worker(RULE, OTHER)
    for number, (records, kept) in enumerate(slices):
        undisturbed.work(*records)
        if number < len(sets):
            reloaded.reload(OTHER, *(rule for rule in sets[number] if rule is not OTHER))
        reloaded.work(*records, kept=kept)
    for worker in (undisturbed, reloaded):
        worker.work(END)

    assert reloaded.standing("other") == undisturbed.standing("other")


@settings(max_examples=100 * MANY, deadline=None)
@given(slices=SLICES, changed=st.sampled_from(CHANGES), at=st.integers(0, 6))
def test_a_changed_rule_judges_what_is_held_as_if_it_had_always_been_so(slices, changed, at):
    slices = consistent(slices)
    always, later = Worker(changed), Worker(RULE)
    for number, (records, kept) in enumerate(slices):
        always.work(*records)
        if number == at:
            later.reload(changed)
        later.work(*records, kept=kept)
    later.reload(changed)
    for worker in (always, later):
        worker.work(END)

    assert later.standing() == always.standing()


@settings(max_examples=100 * MANY, deadline=None)
@given(before=SLICES, after=SLICES)
def test_a_removed_rule_takes_nothing_new_and_what_it_holds_can_still_be_withdrawn(before, after):
    slices = consistent([*before, *after])
    removed, expected = Worker(RULE, OTHER), Worker(RULE, OTHER)
    for number, (records, kept) in enumerate(slices):
        taken = records
        if number >= len(before):
            removed.reload(OTHER)
            taken = [record for record in records if said(record)["op"] == "withdraw"]
        removed.work(*records, kept=kept)
        expected.work(*taken)
    for worker in (removed, expected):
        worker.work(END)

    assert removed.standing() == expected.standing()


def test_a_removed_rule_goes_on_with_what_correlations_inside_it_match_as_long_as_anything_of_it_is_held():
    worker, holds_nothing = Worker(RULE), Worker(RULE)
    worker.work(relay(RULE, "aa", NOON), relay(RULE, "bb", NOON + 1))
    for one in (worker, holds_nothing):
        one.reload()
        one.work(relay(RULE, "bb", NOON + 2, revision=2), relay(RULE, "cc", NOON + 3))

    (alert,) = worker.alerts.values()
    assert (alert["institutions"], alert["last_seen"]) == (["aa", "bb", "cc"], "2024-10-04T12:00:00.003Z")
    assert holds_nothing.alerts == {}
    assert list(holds_nothing.state) == [b"header"]


def test_a_removed_rules_alerts_become_final_and_nothing_of_it_stays():
    """
    pair             ^^
    rule removed       |
    progress                     ^ its episode has ended            ^ its retention too
    """
    worker = Worker(RULE)
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    worker.reload()
    worker.work(put(RULE, "cc", NOON + 2))
    worker.work(progress(NOON + DAY))

    (alert,) = worker.alerts.values()
    assert (alert["status"], alert["institutions"]) == ("final", ["aa", "bb"])
    assert len(worker.state) > 1
    worker.work(progress(NOON + 5 * DAY, 2))
    assert list(worker.state) == [b"header"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("unlike", UNLIKE)
def test_a_rule_that_groups_or_counts_otherwise_begins_anew_and_its_alerts_stay(unlike, restarted):
    worker = Worker(RULE)
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    before = worker.standing()
    worker.reload(unlike)
    if restarted:
        worker.restart()
    else:
        worker.work()

    assert not [key for key in worker.state if key.startswith((b"[", b"definition/"))]
    assert worker.standing() == before
    worker.work(put(unlike, "aa", NOON, "t2", group="y"), put(unlike, "bb", NOON, "t3", group="y"))
    assert len(worker.standing()) == 2
    worker.work(END)
    assert {alert["status"] for alert in worker.alerts.values()} == {"final"}


def test_an_entry_that_another_workers_definition_made_is_counted_and_passed_over():
    worker = Worker(RULE)
    for unlike in UNLIKE:
        if unlike.group_by != ("category",):
            worker.work(put(unlike, "aa", NOON))

    assert worker.stage.levels.misfits_total == 4
    assert not [key for key in worker.state if key.startswith(b"[")]


def test_a_rule_that_returns_finds_what_it_holds_still():
    worker = Worker(RULE)
    worker.work(put(RULE, "aa", NOON))
    worker.reload()
    worker.work()
    worker.restart()
    worker.reload(RULE)
    worker.work(put(RULE, "bb", NOON + 1))

    assert [alert["institutions"] for alert in worker.standing().values()] == [["aa", "bb"]]


def test_a_longer_timespan_names_new_alerts_and_leaves_those_named_before():
    worker, longer = Worker(RULE), replace(RULE, timespan_ms=3 * DAY)
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    worker.reload(longer)
    worker.work(END)

    assert sorted(alert["status"] for alert in worker.alerts.values()) == ["final", "final"]


def test_a_rule_that_now_waits_until_event_time_is_settled_does_so_for_what_is_held():
    worker = Worker(CHANGES[0])
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    worker.reload(CHANGES[1])
    worker.work()
    assert not worker.alerts
    worker.work(progress(NOON + 2))

    assert len(worker.standing()) == 1


def test_new_rules_judge_what_is_held_though_nothing_more_comes():
    worker = Worker(CHANGES[0])
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    worker.idle()
    assert not worker.alerts
    worker.reload(RULE)
    worker.idle()

    assert len(worker.standing()) == 1


def test_a_slice_of_nothing_new_is_judged_by_the_new_rules_too():
    worker = Worker(CHANGES[0])
    worker.work(put(RULE, "aa", NOON), put(RULE, "bb", NOON + 1))
    assert not worker.alerts
    worker.reload(RULE)
    worker.work(progress(NOON + 2))

    assert len(worker.standing()) == 1
