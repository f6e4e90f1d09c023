"""A signature goes with every line to Kafka, byte for byte; what is wrong with it is told as intake will tell it."""

from __future__ import annotations

import orjson
import pytest

from fsoc.institutions.registry import Registry
from fsoc.runtime.log import read_to_end
from tests.runtime.gateway.conftest import PREFIX, ticket
from tests.signing import FOREIGN, OLD, OWN, SIGNING_REGISTRY, signed
from tests.test_intake_signed import pipeline

LINES = [ticket(number) for number in (1, 2, 3)]


@pytest.fixture
async def house(house):
    house.registry = Registry.parse(SIGNING_REGISTRY, "institutions.yml")
    house.restart()
    return house


async def records(house):
    return [one async for found in read_to_end(house.log, f"{PREFIX}tickets.fi-001", 0) for one in found]


def codes(told):
    return [[fault["code"] for fault in entry["faults"]] for entry in told.json["entries"]]


async def test_every_record_has_the_signature_as_it_came(house):
    signature = signed(OWN, LINES)

    told = await house.post(*LINES, fsoc_signature=signature.decode())

    assert (told.status, told.json["taken"]) == (202, 3)
    assert [(one.value, one.signature) for one in await records(house)] == [(line, signature) for line in LINES]


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (signed(OWN, LINES[1:]), "signature.not-covered"),
        (signed(FOREIGN, LINES, kid="own"), "signature.wrong"),
        (signed(FOREIGN, LINES, kid="foreign"), "signature.foreign-key"),
        (signed(OLD, LINES, kid="old"), "signature.expired-key"),
        (signed(OWN, LINES, kid="who"), "signature.unknown-key"),
        ("Ünterschrift".encode("latin-1"), "signature.malformed"),
        (b"", "signature.malformed"),
    ],
)
async def test_a_bad_one_is_sent_on_and_told_as_its_receipt_will_have_it(house, signature, code):
    told = await house.post(LINES[0], fsoc_signature=signature.decode("latin-1"))

    assert (told.status, codes(told)) == (202, [[code]])
    found = await records(house)
    assert [one.signature for one in found] == [signature]
    outputs = pipeline().intake("fi-001").work(found)
    (receipts,) = (orjson.loads(item.value) for item in outputs.published if item.topic.startswith("receipts"))
    assert [receipt["faults"] for receipt in receipts] == [entry["faults"] for entry in told.json["entries"]]


async def test_lines_without_one_have_none_and_are_asked_for_it_from_its_day_on(house):
    assert codes(await house.post(LINES[0])) == [[]]
    assert [one.signature for one in await records(house)] == [None]

    house.day = house.day.replace(day=5)
    assert codes(await house.post(LINES[1])) == [["signature.missing"]]


async def test_no_more_lines_than_one_signature_may_cover(house):
    lines = [ticket(number) for number in range(101)]
    signature = signed(OWN, lines[:100]).decode()

    told = await house.post(*lines, fsoc_signature=signature)

    assert (told.status, told.code) == (413, "too-many-lines")
    assert "At most 100" in told.json["detail"]
    assert (await house.post(*lines[:100], fsoc_signature=signature)).json["taken"] == 100


async def test_one_that_is_too_large_is_refused_whole(house):
    told = await house.post(LINES[0], fsoc_signature="a" * 8_193)

    assert (told.status, told.code) == (431, "signature-too-large")
    assert await records(house) == []


async def test_it_counts_as_often_as_it_is_written(house):
    """8 kB beside each of a hundred lines is 800 kB on Kafka."""
    house.limits = (200_000, 1_000)
    house.restart()

    assert (await house.post(*[b"x"] * 100, fsoc_signature="a" * 8_192)).status == 202
    assert (await house.post(b"x")).code == "rate-limited"


async def test_a_key_with_another_signature_is_a_key_with_another_body(house):
    good, bad = signed(OWN, LINES).decode(), signed(FOREIGN, LINES, kid="own").decode()

    assert (await house.post(*LINES, key="k", fsoc_signature=bad)).status == 202
    assert (await house.post(*LINES, key="k", fsoc_signature=good)).code == "key-reused"
    assert (await house.post(*LINES, key="k")).code == "key-reused"
    again = await house.post(*LINES, key="k", fsoc_signature=bad)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await records(house)) == 3
