"""What the flood is made of, what receipts say of the others, what is made of several rounds. No broker, no clock."""

from __future__ import annotations

import orjson
import pytest

from benchmarks import planted
from benchmarks.fairness import summary
from benchmarks.receipts import of_institutions
from benchmarks.under_load import Load, prepare
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.tickets.decode import decode

FLOODING = "fi-008"


@pytest.fixture(scope="module")
def flooded():
    return prepare(Load(rate=20.0, seconds=5.0, institutions=8, workers=2, flood=100.0))


@pytest.fixture(scope="module")
def calm():
    return prepare(Load(rate=20.0, seconds=5.0, institutions=8, workers=2))


def test_the_others_send_the_same_with_the_flood_and_without(flooded, calm):
    (_, trios, with_flood), (_, trios_without, without) = flooded, calm

    def others(planned):
        return [(one.at_seconds, one.institution, one.body) for one in planned if one.institution != FLOODING]

    assert trios == trios_without
    assert others(with_flood) == others(without)
    assert not any(FLOODING in trio.institutions for trio in trios)
    assert len(with_flood) - len(without) == round(20.0 * 15 / 8 * 100)
    assert [one.at_seconds for one in with_flood] == sorted(one.at_seconds for one in with_flood)


def test_every_ticket_of_the_flood_is_a_new_one_and_valid(flooded):
    sent = [ticket for ticket in planted.stamped(flooded[2], 1_795_900_000_000) if ticket.institution == FLOODING]
    flood = sent[-3000:]

    messages = [decode(ticket.payload, institution=FLOODING) for ticket in flood[::50]]
    assert len({orjson.loads(ticket.payload)["ticket_id"] for ticket in flood}) >= 2990
    assert all(message.kind == "ticket" for message in messages)


async def test_receipts_are_told_of_tickets_since_then_by_the_first_that_names_each():
    log = MemoryLog(clock=iter([10, 20, 30, 40, 90, 95, 99]).__next__)
    await log.create([TopicSpec("t.tickets.a", 1), TopicSpec("t.receipts.a", 1)])
    for value in (b"0", b"1", b"2", b"3"):
        await log.write([("t.tickets.a", 0, None, value)])
    for offsets in ([0, 1], [1, 2]):
        told = [{"offset": offset, "outcome": "accepted" if offset != 2 else "duplicate"} for offset in offsets]
        await log.write([("t.receipts.a", 0, None, orjson.dumps(told))])

    found = await of_institutions(log, "t.", ["a"], from_ms=20)

    assert found.waits_ms == [90 - 20, 95 - 30]
    assert found.told == {"accepted": 1, "duplicate": 1}
    assert found.missing == 1


def figures(p99, *, valid=True, **calm):
    return {"valid": valid, "receipt_ms": {"p99": p99}, "latency_ms": {"p99": 2 * p99}, "calm": calm or {"accepted": 9}}


def test_the_ratio_is_the_median_of_the_rounds_own_and_what_is_not_valid_counts_for_nothing():
    rounds = [
        (figures(100), figures(110)),
        (figures(200), figures(200)),
        (figures(100), figures(150, accepted=8, late=2)),
        (figures(10), figures(900, valid=False)),
    ]

    told = summary(rounds)

    assert (told["rounds"], told["valid"], told["not_accepted"], told["not_accepted_without"]) == (4, 3, 2, 0)
    assert told["receipt_ms"] == {"without": 100, "flooded": 150, "ratio": 1.1}
    assert told["latency_ms"]["ratio"] == 1.1


def test_no_valid_round_has_no_ratio():
    assert summary([(figures(1, valid=False), figures(2))])["receipt_ms"]["ratio"] is None
