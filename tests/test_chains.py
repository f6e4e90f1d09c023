"""Correlations of correlations, from entries to alerts over several partitions, against the plainest reading of them.

Partitions work in any order, in slices of any length; any of them may crash at any step of a checkpoint.
"""

from __future__ import annotations

import os
from random import Random
from types import SimpleNamespace

import orjson
import pytest
from chain_oracle import expected
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.entries import Entry, GroupKey, is_put, name_of
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.progress import Claim
from fsoc.correlation.reader import parse
from fsoc.correlation.relays import RELAY, relay_name, relay_of
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets.times import milliseconds
from tests.builders import VERSION, progress_of, put_of, withdraw_of

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
HOUR, DAY = 3_600_000, 86_400_000
NOON = 20_000 * DAY
INSTITUTIONS = ("aa", "bb", "cc")
DETECTIONS = [SimpleNamespace(id=name, name=None) for name in ("d", "e")]


def rules_of(**correlations):
    """Rules by id. Each is given as (type, rules, group-by, timespan, condition)."""
    documents = []
    for name, (kind, named, group_by, timespan, condition, *options) in correlations.items():
        body = {"type": kind, "rules": named, "group-by": group_by, "timespan": timespan, "condition": condition}
        data = {"title": name, "id": name, "correlation": {**body, **dict(*options)}}
        documents.append(SimpleNamespace(path="rule.yml", line=1, data=data))
    rules, problems = parse(documents, DETECTIONS)
    assert not problems, problems
    return {rule.id: rule for rule in rules}


SETS = {
    "bursts at several institutions": rules_of(
        burst=("event_count", ["d"], ["institution", "indicator"], "1h", {"gte": 2}),
        joint=("value_count", ["burst"], ["indicator"], "2h", {"gte": 2, "field": "institution"}),
    ),
    "a joint match, then something else": rules_of(
        shared=("value_count", ["d"], ["indicator"], "1h", {"gte": 2, "field": "institution"}),
        then=("temporal_ordered", ["shared", "e"], ["category"], "3h", {"gte": 2}, {"generate": True}),
    ),
    "three institutions, each within an hour of another": rules_of(
        again=("event_count", ["d"], ["indicator"], "1h", {"gte": 2}),
        three=("value_count", ["again"], ["indicator"], "1h", {"gte": 3, "field": "institution"}),
    ),
    "counts that more tickets undo": rules_of(
        pair=("event_count", ["d"], ["indicator"], "1h", {"eq": 2}),
        both=("temporal", ["pair", "e"], [], "2h", {"gte": 2}),
        few=("event_count", ["both", "pair"], [], "1d", {"lte": 3}),
    ),
    "four deep": rules_of(
        a=("event_count", ["d"], ["indicator"], "30m", {"gte": 2}),
        b=("value_count", ["a", "e"], ["category"], "2h", {"gte": 2, "field": "indicator"}),
        c=("event_count", ["b"], ["institution"], "1d", {"gte": 2}),
        z=("value_count", ["c", "a"], [], "2d", {"gte": 2, "field": ["institution", "category"]}),
    ),
}

TICKETS = st.builds(
    lambda institution, number, revision, slot, names, category, matched: {
        "institution": institution,
        "ticket_id": f"t{number}",
        "revision": revision,
        # The event time is the ticket's; most lie around a midnight, where episodes meet.
        "at": NOON + (slot * 10 + number) * 60_000,
        "indicators": list(names),
        "category": category,
        "matched": list(matched),
    },
    st.sampled_from(INSTITUTIONS),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(-5, 8),
    st.sampled_from(["", "x", "x", "y", "xy"]),
    st.sampled_from("ppq"),
    st.sampled_from(["", "d", "d", "d", "e", "de"]),
)


def body_of(ticket):
    observables = [{"type": "domain", "value": name, "role": "attacker"} for name in ticket["indicators"]]
    return {"environment": "production", "observables": observables, "category": ticket["category"]}


def consistent(tickets):
    """One revision of a ticket says one thing."""
    return list({(one["institution"], one["ticket_id"], one["revision"]): one for one in tickets}.values())


def said_by_intake(rules, tickets):
    """The records of `fsoc.detections`, as (group, record), in the order of the tickets."""
    feeder, fed, told = Feeder(rules.values()), {}, []
    newest = {}
    for ticket in tickets:
        name = (ticket["institution"], ticket["ticket_id"])
        if newest.get(name, 0) > ticket["revision"]:
            continue  # it came after its successor
        newest[name] = ticket["revision"]
        matches = [(detection, -1) for detection in ticket["matched"]]
        feeds, _ = feeder.feeds(matches, TicketFields(body_of(ticket), name[0]), name[0], 0)
        keys = {GroupKey(feed.rule, "production", feed.group): feed for feed in feeds}
        gone = sorted(fed.get(name, set()) - keys.keys())
        told += [(key, withdraw_of(key, *name, ticket["revision"], ticket["at"])) for key in gone]
        fed[name] = fed.get(name, set()) | keys.keys()
        for key, feed in keys.items():
            entry = Entry(
                ticket["at"], *name, ticket["revision"], feed.values, name[0], 3, (), feed.rules, onward=feed.onward
            )
            told.append((key, put_of(key, entry)))
    return told


class Partition:
    def __init__(self, pipeline, number):
        self.pipeline, self.number = pipeline, number
        self.records, self.state, self.next = [], {}, 0
        self.stage = pipeline.correlate(number)

    def append(self, record):
        self.records.append(record._replace(offset=len(self.records)))

    def restart(self):
        self.stage = self.pipeline.correlate(self.number)
        for key, value in self.state.items():
            self.stage.restore(key, value)
        return self.stage.restored()


class Log:
    def __init__(self, rules, partitions):
        registry = Registry.open()
        for name in INSTITUTIONS:
            registry.get(name)
        retention = max(rule.retention_ms for rule in rules.values())
        ruleset = RuleSet(None, 1, rules, Feeder(rules.values()), None, {}, {}, VERSION, retention)
        pipeline = Pipeline(ruleset, registry, partitions, ends=True)
        self.partitions = [Partition(pipeline, number) for number in range(partitions)]
        self.alerts, self.bodies = {}, {}
        self.over = False

    def append(self, key, record):
        self.partitions[key.partition(len(self.partitions))].append(record)

    def progress(self, watermark_ms, offset):
        for partition in self.partitions:
            partition.append(progress_of(dict.fromkeys(INSTITUTIONS, Claim(watermark_ms, offset, 0, idle=False))))

    def work(self, partition, length, crash):
        """One slice. crash: (state records kept, published kept): the rest is lost, and the slice is worked again."""
        records = partition.records[partition.next : partition.next + length]
        outputs = partition.stage.work(records)
        if crash is not None:
            kept, published = crash
            self.keep(partition, outputs.state[:kept])
            if kept >= len(outputs.state):
                self.publish(outputs.published[:published])
            self.write(partition, partition.restart())
            return
        self.write(partition, outputs)
        partition.next += len(records)

    def write(self, partition, outputs):
        self.keep(partition, outputs.state)
        self.publish(outputs.published)
        self.keep(partition, ((key, None) for key in outputs.forgotten))

    def keep(self, partition, state):
        for key, value in state:
            if value is None:
                partition.state.pop(key, None)
            else:
                partition.state[key] = value

    def publish(self, published):
        for item in published:
            if item.topic == "detections":
                self.partitions[item.partition].append(Record(0, 0, item.key, item.value))
            elif item.topic == "alerts":
                alert = orjson.loads(item.value)
                name = (alert["alert_id"], alert["revision"])
                assert self.bodies.setdefault(name, item.value) == item.value, "one revision has two bodies"
                self.alerts[alert["alert_id"]] = alert

    def standing(self):
        newest = [alert for alert in self.alerts.values() if alert["status"] != "retracted"]
        kept = {alert["alert_id"]: {**alert} for alert in newest}
        for alert in kept.values():
            del alert["revision"], alert["status"]
        return kept


def run(rules, told, seed, partitions, *, crashes):
    """Let partitions come up with their records in an order, slices and crashes that the seed says."""
    chance, log = Random(seed), Log(rules, partitions)
    waiting = list(told)
    while True:
        behind = [partition for partition in log.partitions if partition.next < len(partition.records)]
        if waiting and (not behind or chance.random() < 0.3):
            log.append(*waiting.pop(0))
        elif behind:
            partition = chance.choice(behind)
            crash = None
            if crashes and chance.random() < 0.2:
                crashes -= 1
                crash = (chance.randrange(12), chance.randrange(6))
            log.work(partition, chance.randint(1, 6), crash)
        elif not log.over:
            log.over = True
            log.progress(END_MS, 2**40)
        else:
            return log


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=75 * MANY, deadline=None)
@given(
    tickets=st.lists(TICKETS, min_size=4, max_size=30),
    seed=st.integers(0, 2**20),
    partitions=st.integers(1, 3),
    crashes=st.integers(0, 4),
)
def test_any_order_split_partitions_and_crashes_give_the_alerts_of_the_final_set(
    name, tickets, seed, partitions, crashes
):
    rules, tickets = SETS[name], consistent(tickets)
    sent = Random(seed).sample(tickets, len(tickets))
    log = run(rules, said_by_intake(rules, sent), seed, partitions, crashes=crashes)

    assert log.standing() == expected(rules, tickets)
    assert {alert["status"] for alert in log.alerts.values()} <= {"final", "retracted"}
    for partition in log.partitions:
        header = orjson.loads(partition.state[b"header"])
        assert (header["closed_until_ms"], header["alerts_open"]) == (END_MS, 0)


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=30 * MANY, deadline=None)
@given(tickets=st.lists(TICKETS, min_size=4, max_size=30), seed=st.integers(0, 2**20), partitions=st.integers(1, 3))
def test_progress_on_the_way_changes_nothing_in_the_end(name, tickets, seed, partitions):
    """Tickets in event-time order, a month apart at last, and progress after each: nothing is let go of too early."""
    rules = SETS[name]
    newest = list({(one["institution"], one["ticket_id"]): one for one in tickets}.values())
    sent = sorted(newest, key=lambda one: one["at"])
    chance, log = Random(seed), Log(rules, partitions)
    for number, ticket in enumerate([*sent, None]):
        for key, record in said_by_intake(rules, [ticket] if ticket else []):
            log.append(key, record)
        log.progress(ticket["at"] if ticket else NOON + 400 * DAY, number)
        while behind := [partition for partition in log.partitions if partition.next < len(partition.records)]:
            log.work(chance.choice(behind), chance.randint(1, 6), None)

    assert log.standing() == expected(rules, newest)
    assert {alert["status"] for alert in log.alerts.values()} <= {"final", "retracted"}
    for partition in log.partitions:
        assert list(partition.state) == [b"header"], "what is settled for good is let go of"


def ticket(institution, number, minute, revision=1, matched="d"):
    known = {"institution": institution, "ticket_id": f"t{number}", "revision": revision, "category": "p"}
    return {**known, "at": NOON + minute * 60_000, "indicators": ["x"], "matched": list(matched)}


def test_a_crash_that_keeps_a_withdrawal_and_loses_what_follows_leaves_no_match():
    rules = SETS["bursts at several institutions"]
    bursts = [ticket("aa", 1, 0), ticket("aa", 2, 1), ticket("bb", 1, 60), ticket("bb", 2, 61)]
    told = said_by_intake(rules, [*bursts, ticket("bb", 2, 61, 2, "")])
    log = Log(rules, 1)
    (partition,) = log.partitions
    for key, record in told[:-1]:
        log.append(key, record)
    while partition.next < len(partition.records):
        log.work(partition, 9, None)
    log.append(*told[-1])
    log.work(partition, 9, (1, 0))
    while partition.next < len(partition.records):
        log.work(partition, 9, None)

    assert [alert["status"] for alert in log.alerts.values()] == ["retracted"]
    relays = {key: relay_of(value) for key, value in partition.state.items() if key.startswith(RELAY)}
    assert [relay_name(key)[1][:2] for key, relay in relays.items() if relay.keys] == [("aa", "t1"), ("aa", "t2")]


@pytest.mark.parametrize("name", [name for name, rules in SETS.items() if all(rule.rising for rule in rules.values())])
@settings(max_examples=50 * MANY, deadline=None)
@given(tickets=st.lists(TICKETS, min_size=4, max_size=30), seed=st.integers(0, 2**20))
def test_what_is_raised_at_once_more_tickets_never_take_back(name, tickets, seed):
    """Also where a late ticket completes a match earlier than others did, or one that was none before."""
    newest = list({(one["institution"], one["ticket_id"]): one for one in tickets}.values())
    log = run(SETS[name], said_by_intake(SETS[name], newest), seed, 2, crashes=0)

    assert "retracted" not in {orjson.loads(body)["status"] for body in log.bodies.values()}


def test_tickets_are_counted_at_their_own_time_whenever_their_match_was_complete():
    """Of 80, 100 and 140 two are in an hour. At their matches' times they were three, until 30 came: then two."""
    rules = SETS["three institutions, each within an hour of another"]
    tickets = [
        {"institution": name, "ticket_id": f"t{minute}", "revision": 1, "at": NOON + minute * 60_000}
        | {"indicators": ["x"], "category": "p", "matched": ["d"]}
        for name, minute in [("aa", 80), ("bb", 100), ("cc", 140), ("bb", 30)]
    ]

    assert run(rules, said_by_intake(rules, tickets), 1, 1, crashes=0).alerts == {}
    assert (
        len(
            run(
                rules, said_by_intake(rules, [*tickets[1:3], {**tickets[0], "at": NOON + 81 * 60_000}]), 1, 1, crashes=0
            ).alerts
        )
        == 1
    )


def test_a_withdrawal_of_which_a_crash_kept_only_the_first_record_takes_its_relays_back():
    """Inner and outer group lie in one partition; the outer one must not keep what its inner one has lost."""
    rules = SETS["a joint match, then something else"]
    pair = [
        {"institution": name, "ticket_id": "t1", "revision": 1, "at": NOON + place, "matched": ["d"]}
        for place, name in enumerate(["aa", "bb"])
    ]
    taken_back = [{**pair[1], "revision": 2, "matched": []}]
    tickets = [{**one, "indicators": ["x"], "category": "p"} for one in [*pair, *taken_back]]
    log = Log(rules, 1)
    (partition,) = log.partitions
    put, put_too, withdraw = said_by_intake(rules, tickets)
    for key, record in (put, put_too):
        log.append(key, record)
    while partition.next < len(partition.records):
        log.work(partition, 1, None)
    assert [alert["rule_id"] for alert in log.standing().values()] == ["shared"]
    log.append(*withdraw)
    log.work(partition, 1, (1, 0))
    while partition.next < len(partition.records):
        log.work(partition, 1, None)

    assert log.standing() == {}
    entries = {key: value for key, value in partition.state.items() if key.startswith(b"[")}
    assert [name_of(key)[0].rule for key, value in entries.items() if is_put(value)] == ["shared"]


def test_a_match_is_withdrawn_when_its_tickets_are_and_comes_back_with_them():
    rules = SETS["bursts at several institutions"]
    bursts = [ticket("aa", 1, 0), ticket("aa", 2, 1), ticket("bb", 1, 60), ticket("bb", 2, 61)]
    told = said_by_intake(rules, [*bursts, ticket("bb", 2, 61, 2, ""), ticket("bb", 2, 61, 3)])
    log, statuses = Log(rules, 2), []
    for key, record in told:
        log.append(key, record)
        while behind := [partition for partition in log.partitions if partition.next < len(partition.records)]:
            log.work(behind[0], 9, None)
        statuses.append([alert["status"] for alert in log.alerts.values()])

    assert [is_put(record.value) for _, record in told] == [True, True, True, True, False, True]
    assert statuses == [[], [], [], ["open"], ["retracted"], ["open"]]
    (alert,) = log.alerts.values()
    assert alert["rule_id"] == "joint"
    assert alert["tickets"] == {"aa": ["t1", "t2"], "bb": ["t1", "t2"]}
    assert alert["explanation"]["detections"] == {"burst": 4}
    assert milliseconds(alert["raised_at_event_time"]) == NOON + 60 * 60_000
