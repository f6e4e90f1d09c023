"""The intake stage: what becomes of a record, what it sends on, and that a crash at any point changes none of it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Version
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.progress import IDLE_HOLDS_MS, IDLE_TICKS
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets.receipts import original_payload
from fsoc.tickets.sample import ticket
from fsoc.tickets.times import milliseconds
from tests.builders import EveryTicket, NoTechniques, correlation_rule, said

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
INSTITUTION = "fi-001"
VERSION = Version("2026-03-02", "0a")


RULE = correlation_rule()


def build_pipeline():
    registry = Registry.open()
    registry.get(INSTITUTION)
    ruleset = RuleSet(
        EveryTicket(), 1, {"rule": RULE}, Feeder([RULE]), NoTechniques(), {}, {}, VERSION, RULE.retention_ms
    )
    return Pipeline(ruleset, registry, detections_partitions=2, ends=True)


def payload(ticket_id="t-1", revision=1, *indicators, **changes):
    observables = [{"type": "domain", "value": value, "role": "attacker"} for value in indicators]
    changes = {"institution": INSTITUTION, "ticket_id": ticket_id, "revision": revision, **changes}
    return orjson.dumps(ticket(**{**changes, "observables": observables}))


RECEIVED = milliseconds(ticket()["sent_at"])


def work(*payloads, stage=None, first=0):
    stage = stage or build_pipeline().intake(INSTITUTION)
    return stage.work([Record(first + number, RECEIVED, None, value) for number, value in enumerate(payloads)])


def receipts(outputs):
    topics = [item for item in outputs.published if item.topic == f"receipts.{INSTITUTION}"]
    return [receipt for item in topics for receipt in orjson.loads(item.value)]


def detections(outputs, *kinds):
    bodies = [said(item) for item in outputs.published if item.topic == "detections"]
    return [body for body in bodies if body["op"] in kinds]


def test_a_ticket_is_put_to_every_group_it_feeds_and_receipted():
    outputs = work(payload("t-1", 1, "a.example", "b.example"))

    assert [receipt["outcome"] for receipt in receipts(outputs)] == ["accepted"]
    puts = detections(outputs, "put")
    assert [put["group"] for put in puts] == ['["a.example"]', '["b.example"]']
    assert {put["ticket_id"] for put in puts} == {"t-1"}


def test_an_entry_says_how_critical_the_gravest_asset_is():
    def criticality(assets):
        (put,) = detections(work(payload("t-1", 1, "a.example", assets=assets)), "put")
        return put["criticality"]

    assets = [{"ref": f"r-{grade}", "type": "server", "criticality": grade} for grade in (2, 4, 3)]
    assert criticality(assets) == 4
    assert criticality([{"ref": "r", "type": "server"}]) == 0


def test_a_revision_withdraws_the_groups_it_no_longer_feeds():
    outputs = work(payload("t-1", 1, "a.example", "b.example"), payload("t-1", 2, "b.example", "c.example"))

    assert [(put["group"], put["revision"]) for put in detections(outputs, "put")][2:] == [
        ('["b.example"]', 2),
        ('["c.example"]', 2),
    ]
    assert [(one["group"], one["revision"]) for one in detections(outputs, "withdraw")] == [('["a.example"]', 2)]


@pytest.mark.parametrize(
    "taken_back",
    [{"action": "retract"}, {"action": "close", "status": "resolved", "verdict": "false_positive"}],
)
def test_a_retraction_and_a_false_positive_withdraw_everything(taken_back):
    outputs = work(payload("t-1", 1, "a.example"), payload("t-1", 2, "a.example", **taken_back))

    assert [receipt["outcome"] for receipt in receipts(outputs)] == ["accepted", "accepted"]
    assert [one["group"] for one in detections(outputs, "withdraw")] == ['["a.example"]']
    assert len(detections(outputs, "put")) == 1


def test_a_retraction_that_overtakes_its_ticket_keeps_it_out():
    outputs = work(payload("t-1", 2, "a.example", action="retract"), payload("t-1", 1, "a.example"))

    assert detections(outputs, "put", "withdraw") == []
    assert [receipt["outcome"] for receipt in receipts(outputs)] == ["accepted", "accepted"]


def test_a_refused_payload_is_whole_in_quarantine_and_its_receipt_says_why():
    outputs = work(b'{"institution": ')

    (kept,) = [item.value for item in outputs.published if item.topic == "quarantine"]
    assert original_payload(kept) == b'{"institution": '
    (receipt,) = receipts(outputs)
    assert receipt["outcome"] == "quarantined"
    assert receipt["faults"][0]["code"] == "payload.not-json"


def bad_payloads():
    path = Path(__file__).parent / "tickets" / "bad_payloads.py"
    spec = importlib.util.spec_from_file_location("bad_payloads", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [case.payload for case in module.corpus()]


def test_every_bad_payload_is_receipted_and_kept_whole_and_the_stream_goes_on():
    good = payload("t-good", 1, "a.example")
    bad = bad_payloads()
    outputs = work(*bad, good)

    told = receipts(outputs)
    assert len(told) == len(bad) + 1 > 200
    assert [receipt["outcome"] for receipt in told] == ["quarantined"] * len(bad) + ["accepted"]
    assert all(fault["code"] and fault["reason"] is not None for receipt in told[:-1] for fault in receipt["faults"])
    kept = [original_payload(item.value) for item in outputs.published if item.topic == "quarantine"]
    assert kept == bad
    assert [put["ticket_id"] for put in detections(outputs, "put")] == ["t-good"]


def test_progress_is_told_to_every_partition_and_not_twice():
    stage = build_pipeline().intake(INSTITUTION)
    outputs = work(payload("t-1", 1, "a.example"), stage=stage)

    progress = [item for item in outputs.published if item.topic == "detections" and item.key is None]
    assert [item.partition for item in progress] == [0, 1]
    assert len(stage.idle().published) == 2
    assert stage.idle().published == []


def test_that_it_is_idle_is_said_again_every_so_many_ticks():
    """For whoever hears it, it runs out (`IDLE_HOLDS_MS`): a tick is about a second."""
    stage = build_pipeline().intake(INSTITUTION)
    said = [bool(stage.idle().published) for _ in range(3 * IDLE_TICKS)]

    assert [tick for tick, told in enumerate(said, 1) if told] == [
        1,
        *range(IDLE_TICKS, 3 * IDLE_TICKS + 1, IDLE_TICKS),
    ]
    assert 2 * IDLE_TICKS * 1_000 < IDLE_HOLDS_MS


@pytest.mark.parametrize("offsets", [[[0], [1], [2]], [[0, 1], [2]], [[0, 1, 2]]])
def test_progress_is_told_after_a_crash_when_all_is_said_again_that_the_state_knows(offsets):
    """The state was written, and a kill came before the detections: they come with what is read again, in what slices
    ever, and a partition that had heard of the progress before would have settled their time without them.
    """
    payloads = [payload(f"t-{number}", 1, "a.example") for number in range(4)]
    lost = work(*payloads[:3])
    stage = build_pipeline().intake(INSTITUTION)
    for key, value in lost.state:
        stage.restore(key, value)
    assert stage.restored().published == []

    told = []
    for slice_ in offsets:
        outputs = work(*[payloads[number] for number in slice_], stage=stage, first=slice_[0])
        told.append((len(detections(outputs, "put")), len(detections(outputs, "progress")) > 0))

    assert told == [(len(slice_), slice_ is offsets[-1]) for slice_ in offsets]
    assert detections(work(payloads[3], stage=stage, first=3), "progress")


def test_who_has_nothing_to_read_again_says_how_far_it_is_with_the_next_ticket_or_once_its_log_is_at_its_end():
    before = work(payload("t-0", 1, "a.example"))
    stages = [build_pipeline().intake(INSTITUTION) for _ in range(2)]
    for stage in stages:
        for key, value in before.state:
            stage.restore(key, value)
        stage.restored()

    assert detections(work(payload("t-1"), stage=stages[0], first=1), "progress")
    assert stages[1].idle().published


def test_an_end_record_ends_the_institution():
    end = {
        "schema": "fsoc.ticket/1",
        "kind": "source_status",
        "institution": INSTITUTION,
        "feed": "siem",
        "seq_epoch": "e1",
        "last_seq": 1,
        "period_from": "2026-03-02T00:00:00Z",
        "period_to": "2026-03-02T00:05:00Z",
        "environment": "exercise",
        "exercise_id": "x",
        "ended": True,
    }
    outputs = work(payload("t-1", 1, "a.example"), orjson.dumps(end))

    assert [receipt["outcome"] for receipt in receipts(outputs)] == ["accepted", "accepted"], receipts(outputs)
    claims = [body["institutions"][INSTITUTION] for body in detections(outputs, "progress")]
    assert [claim[0] for claim in claims] == [END_MS, END_MS]


SENT = st.builds(
    lambda number, revision, names, hour, action: payload(
        f"t-{number}",
        revision,
        *sorted(names),
        action=action,
        detected_at=f"2026-03-02T{hour:02}:00:00Z",
        created_at="2026-03-02T12:00:00Z",
        sent_at="2026-03-02T12:00:00Z",
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sets(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=2),
    st.integers(8, 12),
    st.sampled_from(["open", "update", "retract"]),
)
NOON = milliseconds("2026-03-02T12:00:00Z")


def effect(published):
    """What a reader of the topics ends with: outcome by offset, and the last word on each (group, ticket)."""
    outcomes, words = {}, {}
    for item in published:
        if item.topic.startswith("receipts."):
            for receipt in orjson.loads(item.value):
                known = outcomes.setdefault(receipt["offset"], receipt["outcome"])
                assert known == receipt["outcome"], "a replay was judged anew"
        elif item.topic == "detections" and item.key is not None:
            body = said(item)
            name = (body["group"], body["ticket_id"])
            if name not in words or words[name][0] < body["revision"]:
                words[name] = (body["revision"], body["op"])
    return outcomes, words


def test_a_ticket_that_was_late_and_then_in_time_is_judged_so_again_whatever_part_of_its_state_is_kept():
    """Were its record kept without what was decided, its first revision would be one of a ticket that is known."""
    at = {
        hour: dict.fromkeys(("detected_at", "created_at", "sent_at"), f"2026-03-02T{hour}:00:00Z")
        for hour in ("09", "12")
    }
    sent = [
        payload("t-2", **at["12"]),
        payload("t-1", 1, "x.example", **at["09"]),
        payload("t-1", 2, "x.example", **at["12"]),
    ]
    records = [Record(number, NOON, None, value) for number, value in enumerate(sent)]
    pipeline = build_pipeline()
    state = pipeline.intake(INSTITUTION).work(records).state
    assert len(state) == 4

    for kept in range(len(state) + 1):
        stage = pipeline.intake(INSTITUTION)
        for key, value in state[:kept]:
            stage.restore(key, value)
        stage.restored()
        outcomes = [receipt["outcome"] for receipt in receipts(stage.work(records))]
        assert outcomes == ["accepted", "late", "accepted"], f"with the first {kept} of {len(state)} records"


@settings(max_examples=200 * MANY, deadline=None)
@given(data=st.data())
def test_a_crash_at_any_step_of_the_checkpoint_changes_nothing(data):
    sent = data.draw(st.lists(SENT, min_size=1, max_size=16))
    records = [Record(number, NOON, None, value) for number, value in enumerate(sent)]
    pipeline = build_pipeline()
    undisturbed = pipeline.intake(INSTITUTION)
    expected = effect(undisturbed.work(records).published)

    cut = data.draw(st.integers(0, len(records)))
    state, published = {}, []

    def write(records):
        for key, value in records:
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value

    stage = pipeline.intake(INSTITUTION)
    first = stage.work(records[:cut])
    committed = data.draw(st.sampled_from([0, cut]))
    kept = len(first.state) if committed else data.draw(st.integers(0, len(first.state)))
    write(first.state[:kept])
    if kept == len(first.state):
        published += first.published if committed else first.published[: data.draw(st.integers(0, 20))]
    again = pipeline.intake(INSTITUTION)
    for key, value in state.items():
        again.restore(key, value)
    again.restored()
    published += again.work(records[committed:]).published

    assert effect(published) == expected
    assert again.ledger.counts == undisturbed.ledger.counts
    assert again.ledger.detections == undisturbed.ledger.detections


def test_intel_feeds_what_names_it_as_nobodys_and_nothing_that_asks_whose_it_is():
    """By institution it feeds no group and adds no value, to the first rule nor to those around it."""
    by_institution = correlation_rule(id="own", group_by=("institution", "indicator"), fields=(), type="event_count")
    counted = correlation_rule(id="counted", independent=True)
    around = correlation_rule(
        id="around", rules=("list",), group_by=("institution",), fields=(), type="event_count", depth=2
    )
    listed = correlation_rule(
        id="list", fields=(), type="event_count", also=(("institution", Condition((("gte", 1),))),), independent=True
    )
    rules = [by_institution, counted, listed, around]
    registry = Registry.open()
    registry.get(INSTITUTION)
    ruleset = RuleSet(
        EveryTicket(),
        1,
        {rule.id: rule for rule in rules},
        Feeder(rules),
        NoTechniques(),
        {},
        {},
        VERSION,
        RULE.retention_ms,
    )

    def puts(*payloads):
        stage = Pipeline(ruleset, registry, detections_partitions=2, ends=True).intake(INSTITUTION)
        return detections(work(*payloads, stage=stage), "put", "withdraw")

    [put] = puts(payload("t-1", 1, "a.example", kind="intel"))
    assert (put["rule"], put["group"], put["member"], put["also"]) == ("list", '["a.example"]', "", ((),))
    assert put["onward"] == ()
    of_a_ticket = puts(payload("t-1", 1, "a.example"))
    assert {one["rule"]: one["member"] for one in of_a_ticket} == dict.fromkeys(("own", "counted", "list"), INSTITUTION)
    assert [one["onward"][0].rule for one in of_a_ticket if one["rule"] == "list"] == ["around"]


def test_the_past_of_who_has_only_warned_of_things_is_not_known_yet():
    stage = build_pipeline().intake(INSTITUTION)
    work(payload("t-1", 1, "a.example", kind="intel"), stage=stage)
    assert (stage.ledger.counts.used, stage.ledger.since_ms) == (1, None)
    work(payload("t-2", 1, "a.example"), stage=stage, first=1)
    assert stage.ledger.since_ms == stage.ledger.watermark_ms


@pytest.mark.parametrize(
    "back", [{"action": "retract"}, {"action": "close", "status": "resolved", "verdict": "false_positive"}]
)
def test_intel_that_is_taken_back_and_a_ticket_that_becomes_intel_are_withdrawn(back):
    listed = correlation_rule(id="list", fields=(), type="event_count")
    rules = [RULE, listed]
    registry = Registry.open()
    registry.get(INSTITUTION)
    ruleset = RuleSet(
        EveryTicket(), 1, {rule.id: rule for rule in rules}, Feeder(rules), NoTechniques(), {}, {}, VERSION, 0
    )
    stage = Pipeline(ruleset, registry, detections_partitions=2, ends=True).intake(INSTITUTION)

    def words(body, offset):
        found = detections(work(body, stage=stage, first=offset), "put", "withdraw")
        return {(one["op"], one["rule"]) for one in found}

    assert words(payload("t-1", 1, "a.example"), 0) == {("put", "rule"), ("put", "list")}
    assert words(payload("t-1", 2, "a.example", kind="intel"), 1) == {("withdraw", "rule"), ("put", "list")}
    assert ("withdraw", "list") in words(payload("t-1", 3, "a.example", kind="intel", **back), 2)
