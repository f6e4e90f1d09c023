"""The published schemas are JSON Schema 2020-12, take what is good, and refuse what they can of what is bad."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.errors import Fault
from fsoc.tickets import sample
from fsoc.tickets.receipts import Receipt, receipts_records
from fsoc.tickets.schema import receipt_schema, ticket_schema

TICKET = Draft202012Validator(ticket_schema())
RECEIPT = Draft202012Validator(receipt_schema())

# What JSON Schema cannot say: how the text was written, who sends it, order, bytes, days that do not exist.
BEYOND_A_SCHEMA = {
    "payload.too-large",
    "payload.duplicate-key",
    "payload.nul",
    "payload.too-deep",
    "identity.mismatch",
    "time.order",
    "time.out-of-range",
    "condition.sensors",
}
ALSO_BEYOND = (
    "description of 8,193 bytes",
    "ext of 16 KiB and more",
    "no time '2026-02-29T00:00:00Z'",
    "no time '2026-04-31T00:00:00Z'",
    "no time '0000-01-01T00:00:00Z'",
    "number beyond 64 bit in ext",
    "wrong type at /volume/peak_bps",  # 1500000000.0
    "in evidence: 9223372036854775808",  # JSON Schema's own numbers are no better than a float's
    "in evidence: -9223372036854775809",
)


@pytest.mark.parametrize("validator", [TICKET, RECEIPT])
def test_a_schema_is_a_schema(validator):
    Draft202012Validator.check_schema(validator.schema)
    assert validator.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "body",
    [
        sample.ticket(),
        sample.ticket(kind="intel"),
        sample.ticket(is_incident=False, tw_level=None, occurred_from=None),
        sample.ticket(attack=..., attack_version=..., attack_unmapped_reason="an outage"),
        sample.ticket(action="close", verdict="benign", trigger={"kind": "manual"}),
        sample.ticket(environment="exercise", exercise_id="drill-1", ext={"a": [1]}),
        sample.source_status(),
        sample.source_status(environment="exercise", exercise_id="drill-1", ended=True),
    ],
)
def test_what_is_good_is_valid(body):
    assert [error.message for error in TICKET.iter_errors(body)] == []


def test_what_the_decoder_refuses_is_invalid(bad_payloads):
    """But for what JSON Schema cannot say; to it 1.0 is an integer, and in Python its `$` lets a line feed through."""
    checked, taken = 0, []
    for bad in bad_payloads.corpus():
        if (
            bad.code in BEYOND_A_SCHEMA
            or bad.name.startswith(ALSO_BEYOND)
            or bad.name.endswith((" is a float", "\\n'"))
        ):
            continue
        try:
            body = orjson.loads(bad.payload)
        except orjson.JSONDecodeError:
            continue
        checked += 1
        if TICKET.is_valid(body):
            taken.append(bad.name)

    assert taken == []
    assert checked > 250


@pytest.mark.parametrize("faults", [(), [Fault("field.missing", "/seq", "is required and missing")]])
def test_a_receipt_record_is_valid(faults):
    (record,) = receipts_records([Receipt(1, "quarantined", faults=faults), Receipt(2, "accepted", "siem", 1, "T", 1)])

    assert [error.message for error in RECEIPT.iter_errors(orjson.loads(record))] == []


@pytest.mark.parametrize(
    "changes",
    [{"outcome": "ok"}, {"offset": -1}, {"extra": 1}, {"schema": "fsoc.receipt/2"}, {"faults": [{"code": "x"}]}],
)
def test_a_receipt_that_is_none_is_invalid(changes):
    (record,) = receipts_records([Receipt(1, "accepted")])
    (receipt,) = orjson.loads(record)

    assert RECEIPT.is_valid([receipt])
    assert not RECEIPT.is_valid([receipt | changes])
    assert not RECEIPT.is_valid(receipt)
