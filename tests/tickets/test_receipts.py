"""Receipts tell a sender everything; refused and late payloads come back byte for byte."""

from enum import Enum

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.errors import Fault, InvalidTicket
from fsoc.tickets import sample
from fsoc.tickets.decode import decode
from fsoc.tickets.receipts import (
    KEPT_BYTES_MAX,
    RECORD_BYTES_MAX,
    Receipt,
    late_record,
    original_payload,
    quarantine_record,
    receipts_records,
)


class Outcome(Enum):
    """As intake names them."""

    USED = 1
    DUPLICATE = 2
    LATE = 3
    QUARANTINED = 4


def message(body=None):
    return decode(orjson.dumps(body or sample.ticket()), institution="fi-001")


def told(*receipts):
    return [told for record in receipts_records(receipts) for told in orjson.loads(record)]


def test_an_accepted_ticket_is_named_and_has_no_faults():
    assert told(Receipt.of(7, message(), Outcome.USED, ())) == [
        {
            "schema": "fsoc.receipt/1",
            "offset": 7,
            "outcome": "accepted",
            "feed": "siem",
            "seq": 1,
            "ticket_id": "T-20260302-0001",
            "revision": 1,
            "faults": [],
            "resend": None,
        }
    ]


def test_a_source_status_has_no_ticket():
    (receipt,) = told(Receipt.of(8, message(sample.source_status()), Outcome.USED, ()))

    assert (receipt["ticket_id"], receipt["revision"], receipt["seq"]) == (None, None, None)
    assert receipt["feed"] == "siem"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.USED, "accepted"),
        (Outcome.DUPLICATE, "duplicate"),
        (Outcome.LATE, "late"),
        (Outcome.QUARANTINED, "quarantined"),
    ],
)
def test_outcomes_are_told_in_the_senders_words(outcome, expected):
    assert told(Receipt.of(0, message(), outcome, ()))[0]["outcome"] == expected


def test_a_late_ticket_is_told_that_it_is_late():
    (receipt,) = told(Receipt.of(0, message(), Outcome.LATE, ()))

    assert [fault["code"] for fault in receipt["faults"]] == ["time.late"]


def test_a_refused_payload_is_told_every_reason_in_two_languages():
    with pytest.raises(InvalidTicket) as refused:
        message(sample.ticket(severity=9, tw_level=...))
    (receipt,) = told(Receipt.of(3, None, Outcome.QUARANTINED, refused.value.faults))

    assert receipt["outcome"] == "quarantined"
    assert receipt["ticket_id"] is None
    assert receipt["faults"] == [
        {
            "pointer": "/severity",
            "code": "field.out-of-range",
            "reason": "Input should be less than or equal to 5; found 9",
            "reason_zh": "數值超出允許範圍。",
            "hint": "Send a number within the bounds of the schema, in the unit of the field.",
            "hint_zh": "請填寫 schema 範圍內之數值，並確認單位。",
        },
        {
            "pointer": "/tw_level",
            "code": "condition.tw-level",
            "reason": "tw_level is required when is_incident is true",
            "reason_zh": "資安事件必須填寫 tw_level。",
            "hint": "Add tw_level 1 to 4, or set is_incident to false.",
            "hint_zh": "請填寫 tw_level（1 至 4），或將 is_incident 設為 false。",
        },
    ]


def test_a_slice_is_cut_into_records_that_a_log_takes():
    faults = [Fault("field.unknown", "/" + "x" * 255, "y" * 200)] * 32
    receipts = [Receipt(offset, "quarantined", faults=faults) for offset in range(100)]

    records = list(receipts_records(receipts))

    assert len(records) > 1
    assert max(map(len, records)) <= RECORD_BYTES_MAX + 200
    assert [one["offset"] for record in records for one in orjson.loads(record)] == list(range(100))
    assert list(receipts_records([])) == []
    assert len(list(receipts_records(receipts[:2]))) == 1


@given(st.binary(max_size=300))
def test_a_refused_payload_comes_back_byte_for_byte(payload):
    record = quarantine_record("fi-001", 12, 1_772_409_600_000, [Fault("payload.not-json", "", "no")], payload)
    kept = orjson.loads(record)

    assert original_payload(record) == payload
    assert (kept["schema"], kept["institution"], kept["offset"]) == ("fsoc.quarantine/1", "fi-001", 12)
    assert kept["received_at"] == "2026-03-02T00:00:00.000Z"
    assert kept["faults"][0]["code"] == "payload.not-json"


def test_a_late_payload_comes_back_byte_for_byte():
    record = late_record("fi-001", 12, 1_772_409_600_000, b" {} ")

    assert original_payload(record) == b" {} "
    assert orjson.loads(record)["schema"] == "fsoc.late/1"


def test_a_batch_that_unpacks_to_more_than_any_ticket_is_kept_up_to_a_bound_and_its_size_told():
    payload = b"x" * (KEPT_BYTES_MAX + 1)
    record = quarantine_record("fi-001", 7, 0, [], payload)

    assert original_payload(record) == payload[:-1]
    assert orjson.loads(record)["payload_bytes"] == len(payload)


def test_hints_stand_beside_the_faults_and_only_where_there_are_any():
    hint = Fault("category.technique-unlikely", "/category", "found fraud.phishing with T1486")
    with_hint, without = Receipt(1, "accepted", notes=(hint,)).wire(), Receipt(1, "accepted").wire()

    [note] = with_hint["notes"]
    assert (note["code"], note["pointer"], note["reason"]) == (hint.code, hint.pointer, hint.text)
    assert "僅供參考" in note["hint_zh"]
    assert with_hint["faults"] == []
    assert "notes" not in without
