"""POST /v1/tickets: what is acknowledged is on Kafka, in order, under the sender's own name; once for a key."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.errors import Retry
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway import app as application
from fsoc.runtime.gateway import marks
from fsoc.runtime.gateway.batch import BODY_BYTES_MAX, LINE_BYTES_MAX, LINES_MAX
from fsoc.runtime.gateway.problems import Refusal
from fsoc.runtime.gateway.taking import WAITING_MAX, Taking
from fsoc.runtime.log import RecordTooLarge, TopicSpec, read_to_end
from fsoc.runtime.memory_log import MemoryLog
from tests.feed_sector import FeedSector
from tests.runtime.gateway.conftest import PREFIX, FaultyLog, House, ticket


async def test_every_line_is_on_the_senders_topic_in_order_and_answered_with_its_offset(house):
    first = await house.post(ticket(1), ticket(2))
    second = await house.post(ticket(3))

    assert (first.status, second.status) == (202, 202)
    assert await house.on_log() == [ticket(1), ticket(2), ticket(3)]
    assert await house.on_log("fi-002") == []
    assert [entry["offset"] for entry in first.json["entries"] + second.json["entries"]] == [0, 1, 2]
    assert first.json["entries"][1] == {
        "line": 2,
        "outcome": "taken",
        "offset": 1,
        "ticket_id": "t-2",
        "revision": 1,
        "faults": [],
    }
    assert (first.json["received"], first.json["taken"], first.json["quarantined"]) == (2, 2, 0)


async def test_a_refused_line_is_sent_on_and_answered_as_its_receipt_will_have_it(house):
    """The check is the one that intake makes: the same line through intake has the same faults."""
    lines = [ticket(1), ticket(2, severity=9, tw_level=...), b"{", ticket(3, institution="fi-002")]

    told = (await house.post(*lines)).json

    assert await house.on_log() == lines
    assert [entry["outcome"] for entry in told["entries"]] == ["taken", "quarantined", "quarantined", "quarantined"]
    sector = await asyncio.to_thread(FeedSector)
    intake = sector.pipeline().intake("fi-001")
    outputs = intake.work([Record(number, sector.now_ms, None, line) for number, line in enumerate(lines)])
    (record,) = (item.value for item in outputs.published if item.topic == "receipts.fi-001")
    receipts = orjson.loads(record)
    assert [receipt["faults"] for receipt in receipts] == [entry["faults"] for entry in told["entries"]]
    assert [receipt["outcome"] == "quarantined" for receipt in receipts] == [False, True, True, True]
    assert told["entries"][3]["faults"][0]["code"] == "identity.mismatch"


async def test_empty_lines_are_passed_over_and_lines_are_numbered_as_in_the_body(house):
    told = await house.post(b"", ticket(1) + b"\r", b"  ", ticket(2))

    assert [entry["line"] for entry in told.json["entries"]] == [2, 4]
    assert await house.on_log() == [ticket(1), ticket(2)]


async def test_one_ticket_may_be_written_over_many_lines_as_json(house):
    pretty = orjson.dumps(orjson.loads(ticket(1)), option=orjson.OPT_INDENT_2)

    told = await house.post(pretty, content_type="application/json; charset=utf-8")

    assert [entry["outcome"] for entry in told.json["entries"]] == ["taken"]
    assert await house.on_log() == [pretty]


async def test_the_same_key_and_body_is_written_once_and_answered_the_same(house):
    first = await house.post(ticket(1), b"{", key="k-1")
    again = await house.post(ticket(1), b"{", key='"k-1"')

    assert again.status == first.status == 202
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(await house.on_log()) == 2


async def test_a_restart_forgets_no_key(house):
    first = await house.post(ticket(1), ticket(2), key="k-1")
    await house.post(ticket(3))

    house.restart()

    assert (await house.post(ticket(1), ticket(2), key="k-1")).body == first.body
    assert (await house.post(ticket(9), key="k-1")).code == "key-reused"
    assert len(await house.on_log()) == 3


async def test_another_gateway_knows_the_key_at_once(house):
    """Both have looked at the topic before, so neither would look at all of it again."""
    await house.post(ticket(1), key="k-1")
    other = House(house.log)
    await other.post(ticket(2), key="k-2")

    assert (await house.post(ticket(2), key="k-2")).headers["idempotency-replayed"] == "true"
    assert (await other.post(ticket(1), key="k-1")).headers["idempotency-replayed"] == "true"
    assert len(await house.on_log()) == 2


async def test_a_key_with_another_body_is_refused_and_nothing_is_written(house):
    await house.post(ticket(1), key="k-1")

    told = await house.post(ticket(2), key="k-1")

    assert (told.status, told.code) == (422, "key-reused")
    assert await house.on_log() == [ticket(1)]
    assert (await house.post(ticket(2), key="k-1", institution="fi-002")).status == 202  # another's key is another key


async def test_what_a_crash_left_unwritten_of_a_keyed_batch_is_written_by_the_next_try(house):
    house.log.fault, house.log.written_first = Retry("no answer"), 2
    refused = await house.post(ticket(1), ticket(2), ticket(3), key="k-1")

    house.restart()
    told = await house.post(ticket(1), ticket(2), ticket(3), key="k-1")

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "log-unavailable", "5")
    assert await house.on_log() == [ticket(1), ticket(2), ticket(3)]
    assert [entry["offset"] for entry in told.json["entries"]] == [0, 1, 2]


async def test_without_a_key_the_same_body_is_written_again_for_intake_to_find_the_duplicate(house):
    await house.post(ticket(1))
    await house.post(ticket(1))

    assert await house.on_log() == [ticket(1), ticket(1)]


async def test_a_key_is_known_as_long_as_its_records_are_among_the_last(house, monkeypatch):
    monkeypatch.setattr(marks, "REMEMBERED", 3)
    monkeypatch.setattr("fsoc.runtime.gateway.taking.REMEMBERED", 3)
    await house.post(ticket(1), key="k-1")
    await house.post(ticket(2), ticket(3), key="k-2")
    assert (await house.post(ticket(1), key="k-1")).headers["idempotency-replayed"] == "true"

    await house.post(ticket(4), key="k-3")

    for _ in range(2):
        assert "idempotency-replayed" in (await house.post(ticket(2), ticket(3), key="k-2")).headers
        house.restart()
    assert "idempotency-replayed" not in (await house.post(ticket(1), key="k-1")).headers


STEPS = ["send", "restart", "fail 0", "fail 1", "other"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["send", "restart", "fail 0", "fail 1", "other"])), max_size=14
    )
)
async def test_whatever_fails_and_restarts_a_key_writes_every_line_once(steps):
    """Oracle: the set of what was asked for; each line of it at most once, of what was acknowledged exactly once."""
    log = FaultyLog()
    await log.create([TopicSpec(f"{PREFIX}tickets.fi-001")])
    gateways = [Taking(log, PREFIX), Taking(log, PREFIX)]
    asked, acknowledged, registry = set(), {}, Registry.open()
    for number, what in steps:
        if what == "restart":
            gateways[0] = Taking(log, PREFIX)
        if what.startswith("fail"):
            log.fault, log.written_first = Retry("no answer"), int(what[-1])
        lines = [b"%d %d" % (number, one) for one in range(3)]
        asked |= set(lines)
        with suppress(Refusal):
            answer = await gateways[what == "other"].take(
                "fi-001", b"\n".join(lines), registry=registry, single=False, key=f"k-{number}", at_ms=0
            )
            assert acknowledged.setdefault(number, answer.body) == answer.body
        log.fault = None
    found = [one.value async for records in read_to_end(log, f"{PREFIX}tickets.fi-001", 0) for one in records]
    assert len(found) == len(set(found))
    assert set(found) <= asked
    for number, body in acknowledged.items():
        for entry in body["entries"]:
            assert found[entry["offset"]] == b"%d %d" % (number, entry["line"] - 1)


async def test_what_is_too_large_is_refused_whole(house):
    limit = f"{BODY_BYTES_MAX}"
    large = [
        await house.post(b"x" * (BODY_BYTES_MAX + 1)),
        await house.post(ticket(1), content_length=str(BODY_BYTES_MAX + 1)),
        await house.ask(
            "POST",
            "/v1/tickets",
            [b"x" * 2**20] * 5,
            {"content-type": "application/json", "authorization": f"bearer {house.tokens['fi-001']}"},
        ),
    ]
    many = await house.post(*[b"{}"] * (LINES_MAX + 1))
    line = await house.post(ticket(1), b"x" * (LINE_BYTES_MAX + 1))

    assert [(told.status, told.code) for told in large] == [(413, "body-too-large")] * 3
    assert limit in large[0].json["detail"]
    assert (many.status, many.code) == (413, "too-many-lines")
    assert (line.status, line.code) == (413, "line-too-large")
    assert "Line 2 has 1000001 bytes" in line.json["detail"]
    assert await house.on_log() == []
    assert (await house.post(*[b"{}"] * LINES_MAX)).json["quarantined"] == LINES_MAX


async def test_what_the_topic_does_not_take_is_said_of_the_largest_line(house):
    house.log.fault = RecordTooLarge("fsoc.tickets.fi-001")

    told = await house.post(ticket(1), b"x" * 5_000)

    assert (told.status, told.code) == (413, "line-too-large")
    assert "Line 2 has 5000 bytes" in told.json["detail"]


async def test_a_body_of_another_kind_is_refused_before_it_is_read(house):
    assert (await house.post(ticket(1), content_type="text/plain")).code == "media-type"
    assert (await house.post(ticket(1), content_encoding="gzip")).code == "content-encoding"
    assert (await house.post(b" \n ", key="k")).code == "no-tickets"
    for key in ("", "two words", "ü", "k" * 129):
        assert (await house.post(ticket(1), key=key)).code == "bad-key"
    assert await house.on_log() == []


async def test_who_sends_too_slowly_is_told_so(house, monkeypatch):
    monkeypatch.setattr(application, "BODY_SECONDS_MAX", 0.01)

    told = await house.ask(
        "POST",
        "/v1/tickets",
        ticket(1),
        {"content-type": "application/json", "authorization": f"Bearer {house.tokens['fi-001']}"},
        ends=False,
    )

    assert (told.status, told.code) == (408, "too-slow")
    assert await house.on_log() == []


async def test_who_is_above_the_rate_waits_as_long_as_told_and_nobody_else_does(house):
    house = House(house.log, bytes_per_second=2_048, requests_per_second=2)
    statuses = [(await house.post(b"{}")).status for _ in range(9)]
    refused = await house.post(b"{}")

    assert statuses == [202] * 8 + [429]
    assert (refused.code, refused.headers["retry-after"]) == ("rate-limited", "1")
    assert (await house.post(b"{}", institution="fi-002")).status == 202
    house.now = 1.0
    assert (await house.post(b"x" * 20_000)).status == 202  # what comes at once may be more; it is made up for
    refused = await house.receipts()
    assert (refused.status, refused.headers["retry-after"]) == (429, "6")
    house.now += float(refused.headers["retry-after"])
    assert (await house.post(b"{}")).status == 202


async def test_batches_of_one_institution_are_taken_one_by_one_and_those_that_wait_are_bounded(house):
    house.log.gate = asyncio.Event()
    posts = [asyncio.ensure_future(house.post(ticket(number))) for number in range(WAITING_MAX + 3)]
    other = asyncio.ensure_future(house.post(ticket(1, institution="fi-002"), institution="fi-002"))
    while sum(post.done() for post in posts) < 2 or house.log.writes < 2:
        await asyncio.sleep(0)
    assert house.log.writes == 2  # one of each institution
    house.log.gate.set()

    told = await asyncio.gather(*posts)

    assert [one.status for one in told] == [202] * (WAITING_MAX + 1) + [429] * 2
    assert told[-1].code == "too-many-waiting"
    assert await house.on_log() == [ticket(number) for number in range(WAITING_MAX + 1)]
    assert (await other).status == 202


async def test_without_its_topic_an_institution_is_asked_to_come_later():
    log = FaultyLog()
    await log.create([TopicSpec(f"{PREFIX}tickets.fi-002")])

    told = await House(log).post(ticket(1), key="k")

    assert (told.status, told.code, told.headers["retry-after"]) == (503, "topic-missing", "30")


async def test_while_it_stops_nothing_new_is_begun(house):
    house.gateway.stopping = True

    told = await house.post(ticket(1))

    assert (told.status, told.code, told.headers["retry-after"]) == (503, "stopping", "5")
    assert await house.on_log() == []


async def test_above_what_it_can_hold_it_says_so(house, monkeypatch):
    monkeypatch.setattr(application, "IN_HAND_MAX", 0)

    assert (await house.post(ticket(1))).code == "busy"


async def test_a_defect_is_answered_without_a_traceback(house):
    house.log.fault = ZeroDivisionError("secret detail")
    told = []
    ask = house.app

    async def caught(scope, receive, send):
        try:
            await ask(scope, receive, send)
        except ZeroDivisionError:  # for the server to log
            told.append("raised")

    house.app = caught

    answer = await house.post(ticket(1))

    assert (answer.status, answer.code, told) == (500, "defect", ["raised"])
    assert b"secret" not in answer.body


@pytest.mark.parametrize("lines", [1, 3])
async def test_an_accepted_batch_is_used_once_by_intake_however_often_it_was_sent(house, lines):
    """Law 4 over what came through: the second copy, sent without a key, is a duplicate."""
    sent = [
        ticket(number, detected_at="2026-03-02T12:00:00Z", occurred_from=..., occurred_to=...)
        for number in range(lines)
    ]
    for _ in range(2):
        await house.post(*sent)
    sector = await asyncio.to_thread(FeedSector)
    sector.registry = Registry.open()
    intake = sector.pipeline().intake("fi-001")

    intake.work([Record(n, sector.now_ms, None, value) for n, value in enumerate(await house.on_log())])

    counts = intake.ledger.counts
    assert (counts.received, counts.used, counts.duplicate) == (2 * lines, lines, lines)


def test_the_fake_log_is_a_log():
    assert issubclass(FaultyLog, MemoryLog)


async def test_a_drills_gateway_tells_what_is_not_of_the_drill(house):
    """As intake will: a real incident that is sent to the wrong place comes back at once."""
    house.gateway.drill = "spring"
    house.gateway.__post_init__()

    told = await house.post(ticket(1), ticket(2, environment="exercise", exercise_id="spring"))

    assert [entry["outcome"] for entry in told.json["entries"]] == ["quarantined", "taken"]
    assert told.json["entries"][0]["faults"][0]["code"] == "identity.exercise"
