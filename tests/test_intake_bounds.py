"""The intake stage at its bounds: what it forgets, what becomes of it, and that the state forgets it too."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.ruleset import Feeder, RuleSet
from fsoc.feeds import lateness, live
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets.sample import ticket
from fsoc.tickets.times import milliseconds, rfc3339
from tests.builders import VERSION, EveryTicket, NoTechniques, correlation_rule, said

INSTITUTION = "fi-001"
NOON = milliseconds("2026-03-02T12:00:00Z")
MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def pipeline(monkeypatch):
    """Three tickets may live."""
    monkeypatch.setattr(live, "LIVE_TICKETS_MAX", 3)
    return build_pipeline(correlation_rule().retention_ms)


def build_pipeline(retention_ms):
    rule = correlation_rule()
    rules = RuleSet(EveryTicket(), 1, {"rule": rule}, Feeder([rule]), NoTechniques(), {}, {}, VERSION, retention_ms)
    registry = Registry.open()
    registry.get(INSTITUTION)
    return Pipeline(rules, registry, detections_partitions=2)


def sent(number, revision=1, *indicators, **changes):
    """Ticket t-<number>, so many minutes after noon, of an attacker at x<number>.example but where others are named."""
    observables = [
        {"type": "domain", "value": value, "role": "attacker"} for value in indicators or (f"x{number}.example",)
    ]
    at = rfc3339(NOON + number * MINUTE)
    fields = {"institution": INSTITUTION, "ticket_id": f"t-{number}", "revision": revision, "observables": observables}
    return orjson.dumps(ticket(**{**fields, "detected_at": at, "created_at": at, "sent_at": at, **changes}))


class Log:
    """One institution's log, its stage, and what the stage wrote."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.stage = pipeline.intake(INSTITUTION)
        self.state = {}
        self.offset = 0

    def work(self, *payloads):
        records = [Record(self.offset + at, NOON + 9 * MINUTE, None, value) for at, value in enumerate(payloads)]
        self.offset += len(records)
        outputs = self.stage.work(records)
        for key, value in outputs.state:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
        return outputs

    def restart(self):
        self.stage = self.pipeline.intake(INSTITUTION)
        for key, value in self.state.items():
            self.stage.restore(key, value)
        self.stage.restored()

    @property
    def tickets(self):
        return sorted(key.decode().rpartition("/")[2] for key in self.state if b"/ticket/" in key)

    @property
    def header(self):
        return orjson.loads(self.state[f"{INSTITUTION}/header".encode()])


def receipts(outputs):
    topics = [item for item in outputs.published if item.topic == f"receipts.{INSTITUTION}"]
    return [receipt for item in topics for receipt in orjson.loads(item.value)]


def words(outputs, op):
    told = [said(item) for item in outputs.published if item.topic == "detections"]
    return [(one["ticket_id"], orjson.loads(one["group"])[0]) for one in told if one["op"] == op]


def test_past_the_bound_the_oldest_ticket_leaves_the_state_and_is_counted(pipeline):
    log = Log(pipeline)
    log.work(sent(2), sent(1), sent(3))
    assert log.tickets == ["t-1", "t-2", "t-3"]

    log.work(sent(4))
    assert log.tickets == ["t-2", "t-3", "t-4"]
    assert (log.header["live"], log.header["forgotten_live"]) == (3, 1)
    log.restart()
    log.work(sent(5))
    assert (log.header["live"], log.header["forgotten_live"]) == (3, 2)


def test_the_same_message_of_a_forgotten_ticket_says_again_what_it_said(pipeline):
    log = Log(pipeline)
    first = log.work(sent(1))
    log.work(sent(2), sent(3), sent(4))

    again = log.work(sent(1))
    assert words(again, "put") == words(first, "put") == [("t-1", "x1.example")]


def test_a_retraction_of_a_forgotten_ticket_takes_back_what_it_speaks_of_and_again_on_replay(pipeline):
    log = Log(pipeline)
    log.work(sent(1, 1, "x1.example", "y1.example"), sent(2), sent(3), sent(4))

    taken_back = sent(1, 2, "x1.example", "y1.example", action="retract")
    outputs = log.work(taken_back)
    assert words(outputs, "withdraw") == [("t-1", "x1.example"), ("t-1", "y1.example")]
    assert words(outputs, "put") == []
    log.restart()
    log.offset -= 1
    assert words(log.work(taken_back), "withdraw") == [("t-1", "x1.example"), ("t-1", "y1.example")]


def test_a_retraction_of_a_ticket_that_is_known_takes_back_what_it_fed_and_nothing_else(pipeline):
    log = Log(pipeline)
    log.work(sent(1), sent(2), sent(3), sent(4))

    outputs = log.work(sent(4, 2, "other.example", action="retract"))
    assert words(outputs, "withdraw") == [("t-4", "x4.example")]


def test_where_nothing_was_forgotten_a_retraction_of_an_unknown_ticket_takes_nothing_back(pipeline):
    outputs = Log(pipeline).work(sent(1, 2, action="retract"))

    assert words(outputs, "withdraw") == words(outputs, "put") == []


def test_what_a_worker_that_lost_the_institution_writes_late_changes_nothing(pipeline):
    """Its checkpoint holds the first ticket; the next owner has written three messages since."""
    log = Log(pipeline)
    stale = log.work(sent(1)).state
    log.work(sent(1, 2, "y1.example"), sent(2))
    newest = dict(log.state)
    log.stage = log.pipeline.intake(INSTITUTION)
    for key, value in [*newest.items(), *stale]:
        log.stage.restore(key, value)
    again = log.stage.restored().state

    assert dict(again) == {key: newest[key] for key in dict(stale)}
    assert log.stage.ledger.counts.received == 3
    taken_back = log.work(sent(1, 3, "y1.example", action="retract"))
    assert words(taken_back, "withdraw") == [("t-1", "y1.example"), ("t-1", "x1.example")]


def test_what_was_deleted_after_it_was_written_late_stays_deleted(pipeline):
    log = Log(pipeline)
    stale = dict(log.work(sent(1)).state)
    newest = dict(log.work(sent(1, 2)).state)
    (key,) = [key for key in stale if b"/ticket/" in key]
    log.stage = log.pipeline.intake(INSTITUTION)
    for value in (newest[key], stale[key], None):
        log.stage.restore(key, value)

    assert log.stage.restored().state == []
    assert len(log.stage.ledger._live) == 0


def test_a_state_of_before_there_were_bounds_and_measured_delays_is_taken_up(pipeline):
    log = Log(pipeline)
    log.work(sent(0), sent(5))
    old = ("rules", "settled_ms", "read_until_ms", "allowed_lateness_ms", "delays")
    counts = ("forgotten_live", "forgotten_feeds", "unregistered")
    log.state[f"{INSTITUTION}/header".encode()] = orjson.dumps(
        {name: value for name, value in log.header.items() if name not in {*old, *counts}}
    )
    log.restart()

    assert [one["outcome"] for one in receipts(log.work(sent(-56), sent(-55)))] == ["late", "accepted"]
    assert [log.header[name] for name in counts] == [0, 0, 0]


def test_the_header_says_by_which_rules_it_was_written(pipeline):
    log = Log(pipeline)
    log.work(sent(1))

    assert log.header["rules"] == {"version": VERSION.version, "digest": VERSION.digest, "attack": VERSION.attack}


def test_a_late_tickets_receipt_names_what_is_allowed(pipeline):
    log = Log(pipeline)
    outputs = log.work(sent(0), sent(-61))

    told = receipts(outputs)
    assert [one["outcome"] for one in told] == ["accepted", "late"]
    (fault,) = told[1]["faults"]
    assert (fault["code"], "60 min" in fault["reason"]) == ("time.late", True)


SENT = st.builds(
    lambda number, revision, attackers, moved, action: sent(
        number,
        revision,
        *sorted(attackers),
        detected_at=rfc3339(NOON + (30 * number + moved) * MINUTE),
        created_at=rfc3339(NOON + 9 * HOUR),
        sent_at=rfc3339(NOON + 9 * HOUR),
        action=action,
    ),
    st.integers(0, 14),
    st.integers(1, 3),
    st.sets(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=2),
    st.sampled_from([0, 0, 0, 40]),
    st.sampled_from(["open", "update", "retract"]),
)


def effect(published):
    """What a reader of the topics ends with: outcome by offset, and the last word on each (group, ticket)."""
    outcomes, last = {}, {}
    for item in published:
        if item.topic.startswith("receipts."):
            for receipt in orjson.loads(item.value):
                known = outcomes.setdefault(receipt["offset"], receipt["outcome"])
                assert known == receipt["outcome"], "a replay was judged anew"
        elif item.topic == "detections" and item.key is not None:
            word = said(item)
            name = (word["group"], word["ticket_id"])
            if name not in last or last[name][0] < word["revision"]:
                last[name] = (word["revision"], word["op"])
    return outcomes, last


def slices(data, records):
    """The records in runs of one to five."""
    while records:
        length = data.draw(st.integers(1, 5))
        yield records[:length]
        records = records[length:]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_split_and_a_crash_anywhere_decide_the_same_where_tickets_are_let_go_and_lateness_is_adopted(data):
    """One half is worked in checkpoints, the last of which breaks off; then all since the commit is worked again."""
    sent_all = data.draw(st.lists(SENT, min_size=2, max_size=24))
    records = [Record(number, NOON + 9 * HOUR, None, value) for number, value in enumerate(sent_all)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lateness, "SAMPLES_MIN", 4)
        pipeline = build_pipeline(HOUR)
        undisturbed = pipeline.intake(INSTITUTION)
        expected = effect(undisturbed.work(records).published)

        half = data.draw(st.integers(1, len(records)))
        stage, state, published, committed, at = pipeline.intake(INSTITUTION), {}, [], 0, 0
        made = [stage.work(run) for run in slices(data, records[:half])]
        for outputs in made:
            breaks = outputs is made[-1]
            kept = data.draw(st.integers(0, len(outputs.state))) if breaks else len(outputs.state)
            for key, value in outputs.state[:kept]:
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
            if kept == len(outputs.state):
                published += outputs.published[: data.draw(st.integers(0, 9))] if breaks else outputs.published
            if not breaks:
                at += sum(len(orjson.loads(i.value)) for i in outputs.published if i.topic.startswith("receipts."))
                committed = data.draw(st.sampled_from([committed, at]))

        again = pipeline.intake(INSTITUTION)
        for key, value in state.items():
            again.restore(key, value)
        again.restored()
        for run in slices(data, records[committed:]):
            published += again.work(run).published

    assert effect(published) == expected
    assert again.ledger.counts == undisturbed.ledger.counts
    assert again.ledger.lateness.encode() == undisturbed.ledger.lateness.encode()
    assert again.ledger.settled_ms == undisturbed.ledger.settled_ms
