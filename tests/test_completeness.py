"""Loss, duplication and reordering: what is reported missing is exactly what was lost, and receipts say so.

lost     x   x x
sent     1 2 3 4 5 6 7 8       received  1 5 3 3 8 6        ask 2–4 · closed 3 · ask 6–7 · closed 6
"""

from __future__ import annotations

import os
import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets import sample
from tests.feed_sector import NOON_MS, REGISTRY, heartbeat, payload, ruleset

MEMBER = "fi-001"


def build_stage():
    return Pipeline(ruleset(), Registry.parse(REGISTRY, "x"), detections_partitions=1).intake(MEMBER)


def told(outputs):
    topics = [item for item in outputs.published if item.topic == f"receipts.{MEMBER}"]
    return [receipt for item in topics for receipt in orjson.loads(item.value)]


class Sender:
    """What an institution knows from its receipts alone: what it is still asked for, by feed and epoch."""

    def __init__(self):
        self.asked = {}
        self._offset = -1

    def read(self, receipts):
        for receipt in receipts:
            if receipt["offset"] <= self._offset:
                continue  # a repetition
            self._offset = receipt["offset"]
            if receipt["resend"] is None:
                continue
            resend = receipt["resend"]
            open_ = self.asked.setdefault((receipt["feed"], resend["seq_epoch"]), set())
            for first, last in resend["ask"]:
                assert open_.isdisjoint(range(first, last + 1)), "asked for twice"
                open_.update(range(first, last + 1))
            for first, last in resend["closed"]:
                assert open_.issuperset(range(first, last + 1)), "closed twice, or never asked for"
                open_.difference_update(range(first, last + 1))
            assert resend["given_up"] == []


def ranges(numbers):
    """{2, 3, 7} → [[2, 3], [7, 7]]"""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def missing(stage):
    sequences = stage.ledger.sequences
    return {name: one.missing for name, one in sequences.items() if one.missing}


SEQS = st.lists(st.tuples(st.sampled_from(["siem", "edr"]), st.sampled_from(["e1", "e2"]), st.integers(1, 14)))


@settings(max_examples=60, deadline=None)
@given(sent=SEQS.filter(bool), cuts=st.lists(st.integers(1, 5)), crash=st.integers(0, 40), kept=st.integers(0, 10))
def test_receipts_ask_for_exactly_what_is_missing_once_and_close_it_once_whatever_crashes(sent, cuts, crash, kept):
    """The slice that is worked when the worker stops has written `kept` of its state records, and no receipt."""
    values = [payload(f"{feed}-{epoch}-{seq}", feed=feed, seq_epoch=epoch, seq=seq) for feed, epoch, seq in sent]
    records = [Record(offset, NOON_MS, None, value) for offset, value in enumerate(values)]
    stage, sender, state, at, slices = build_stage(), Sender(), {}, 0, 0
    while at < len(records):
        part = records[at : at + (cuts[slices % len(cuts)] if cuts else 3)]
        outputs = stage.work(part)
        slices += 1
        if slices == crash + 1:
            crash = -1
            state.update(outputs.state[:kept])
            stage = build_stage()
            for key, value in state.items():
                stage.restore(key, value)
            stage.restored()
            continue
        state.update(outputs.state)
        sender.read(told(outputs))
        at += len(part)

    came = {}
    for feed, epoch, seq in sent:
        came.setdefault((feed, epoch), set()).add(seq)
    lost = {name: set(range(min(seqs), max(seqs))) - seqs for name, seqs in came.items()}
    assert missing(stage) == {name: ranges(seqs) for name, seqs in lost.items() if seqs}
    assert {name: seqs for name, seqs in sender.asked.items() if seqs} == {n: s for n, s in lost.items() if s}
    (day,) = stage.ledger.quality.newest(1).values()
    feeds = orjson.loads(day)["feeds"]
    for feed in ("siem", "edr"):
        counted = feeds.get(feed, {})
        tickets = sum(counted.get(name, 0) for name in ("used", "duplicate", "late", "quarantined"))
        assert tickets == sum(1 for name, _, _ in sent if name == feed), "a ticket was counted twice, or not at all"
        assert counted.get("asked", 0) - counted.get("closed", 0) == sum(
            len(seqs) for (name, _), seqs in lost.items() if name == feed
        )


def disturbed(count, seed):
    """`count` tickets of two feeds with two epochs each: bursts lost, some doubled, all a little out of order."""
    dice = random.Random(seed)
    sent, lost = [], {}
    for feed in ("siem", "edr"):
        for epoch in ("e1", "e2"):
            seqs, gone = range(1, count // 4 + 1), set()
            at = 2
            while at < len(seqs):
                at += dice.randrange(60, 240)
                gone.update(seq for seq in range(at, at + dice.randrange(1, 9)) if seq in seqs)
            lost[feed, epoch] = gone
            for seq in seqs:
                if seq in gone:
                    continue
                copies = 2 if dice.random() < 0.02 else 1
                place = seq if seq == 1 else seq + dice.uniform(0, 12)
                sent += [(place + 40 * copy, feed, epoch, seq) for copy in range(copies)]
    sent.sort()
    return [(feed, epoch, seq) for _, feed, epoch, seq in sent], lost


@pytest.mark.parametrize(
    "count",
    [
        4_000,
        pytest.param(100_000, marks=pytest.mark.skipif(not os.environ.get("FSOC_SOAK"), reason="FSOC_SOAK=1 runs it")),
    ],
)
def test_of_many_tickets_lost_doubled_and_out_of_order_exactly_the_lost_are_reported(count):
    """Then they are sent again, as asked, and nothing is missing any more."""
    arrivals, lost = disturbed(count, seed=6)
    body = sample.ticket(occurred_from=..., occurred_to=...)

    def wire(feed, epoch, seq):
        named = {"ticket_id": f"{feed}-{epoch}-{seq}", "feed": feed, "seq_epoch": epoch, "seq": seq}
        return orjson.dumps({**body, **named, "institution": MEMBER})

    stage, sender, offset = build_stage(), Sender(), 0

    def deliver(values):
        nonlocal offset
        for at in range(0, len(values), 500):
            part = values[at : at + 500]
            sender.read(told(stage.work([Record(offset + n, NOON_MS, None, value) for n, value in enumerate(part)])))
            offset += len(part)

    deliver([wire(*one) for one in arrivals])
    last = count // 4
    deliver([heartbeat(last, feed=feed, seq_epoch=epoch) for feed in ("siem", "edr") for epoch in ("e1", "e2")])

    assert len(arrivals) > count * 0.95
    assert sum(len(gone) for gone in lost.values()) > count // 100
    assert missing(stage) == {name: ranges(gone) for name, gone in lost.items()}
    assert sender.asked == lost
    assert stage.ledger.counts.duplicate == len(arrivals) - len(set(arrivals)) > 0

    deliver([wire(feed, epoch, seq) for (feed, epoch), gone in sender.asked.items() for seq in sorted(gone)])
    assert missing(stage) == {}
    assert not any(sender.asked.values())
