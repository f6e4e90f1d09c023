"""A good payload becomes a message; the digest says which messages are the same."""

import json
import random

import orjson
import pytest

from fsoc.errors import InvalidTicket
from fsoc.tickets import sample
from fsoc.tickets.decode import decode
from fsoc.tickets.explain import explain


def message(body=None, **changes):
    return decode(orjson.dumps(body or sample.ticket(**changes)), institution="fi-001")


def codes(payload, institution="fi-001"):
    with pytest.raises(InvalidTicket) as refused:
        decode(payload, institution=institution)
    return [fault.code for fault in refused.value.faults]


def test_a_ticket_is_decoded():
    body = sample.ticket(received_at="2026-03-02T00:06:05Z")
    found = message(body)

    assert (found.kind, found.institution, found.environment) == ("ticket", "fi-001", "test")
    assert (found.feed, found.seq_epoch, found.seq) == ("siem", "2026-03-02", 1)
    assert (found.ticket_id, found.revision, found.action) == ("T-20260302-0001", 1, "open")
    assert (found.status, found.verdict) == ("new", None)
    assert found.occurred_from_ms == 1_772_409_600_000
    assert found.occurred_to_ms == 1_772_409_870_000
    assert found.detected_at_ms == 1_772_409_900_000
    assert found.sent_at_ms == 1_772_409_962_250
    assert found.received_at_ms == 1_772_409_965_000
    assert found.body == body
    assert len(found.digest) == 16


def test_what_is_optional_may_be_left_out_or_null():
    bare = dict.fromkeys(("occurred_from", "occurred_to", "evidence", "observables", "assets"), ...)
    found = message(**bare)
    null = message(**dict.fromkeys(bare), verdict=None, exercise_id=None, pap=None, ext=None, volume=None)

    assert found.occurred_from_ms is None
    assert found.occurred_to_ms is None
    assert found.received_at_ms is None
    assert null.occurred_from_ms is None


def test_an_intelligence_ticket_is_decoded():
    assert message(kind="intel").kind == "intel"


def test_a_source_status_is_decoded():
    found = message(sample.source_status())

    assert (found.kind, found.feed, found.seq_epoch, found.environment) == (
        "source_status",
        "siem",
        "2026-03-02",
        "test",
    )
    assert found.seq is None
    assert (found.ticket_id, found.revision) == ("", 0)
    assert (found.action, found.status, found.verdict) == (None, None, None)
    assert found.detected_at_ms == found.occurred_to_ms == found.sent_at_ms == 1_772_410_200_000
    assert found.body["last_seq"] == 1
    assert message(sample.source_status(environment=...)).environment == "production"


def test_an_exercise_may_end():
    ended = sample.source_status(environment="exercise", exercise_id="drill-1", ended=True)

    assert message(ended).body["ended"] is True
    assert message(sample.source_status(ended=False, environment="production")).body["ended"] is False


def test_everything_the_table_names_is_taken_at_its_bounds():
    full = sample.ticket(
        submitted_by="mssp-1",
        environment="exercise",
        exercise_id="drill-1",
        received_at="2026-03-02T00:06:05Z",
        processed_at="2026-03-02T00:06:06Z",
        title="字" * 200,
        description="字" * 2730,
        severity=0,
        tw_level=4,
        confidence=100,
        seq=2**63 - 1,
        revision=2**63 - 1,
        ticket_id="T" * 64,
        action="close",
        verdict="false_positive",
        attack=[{"tactic": "TA0001", "technique": "T1566"}] * 50,
        attack_unmapped_reason="also",
        evidence=[{"fields": {f"f{n}": ["x", 1, 1.5, True, None, 2**63 - 1, -(2**63)] for n in range(9)}}] * 50,
        observables=[
            {
                "type": "sha256",
                "value": "x" * 2048,
                "role": "artefact",
                "first_seen": "2026-03-02T00:00:00Z",
                "last_seen": "2026-03-02T00:00:00Z",
                "count": 0,
                "share": False,
            }
        ]
        * 200,
        assets=[{"ref": "a", "type": "swift", "criticality": 1, "core_system": True, "internet_facing": False}],
        suppliers=[{"supplier_id": "sup-1", "product": "p", "version": "1", "relation": "remote_access"}],
        volume={"count": 0, "distinct_sources": 1, "peak_bps": 2**40, "peak_pps": 1, "peak_rps": 1, "duration_s": 9},
        impact={
            "service_down": True,
            "downtime_s": 1,
            "customers_affected": 2,
            "funds_at_risk_twd": 3,
            "data_breach": False,
        },
        relations={
            "correl_ids": ["a"],
            "aggr_ids": [],
            "replaces_ids": ["b"],
            "related_ids": ["c"],
            "external_refs": ["u"],
        },
        tlp="amber+strict",
        pap="red",
        attribution="sector_only",
        signature="s",
        ext={"mine": [1, {"a": None}]},
    )

    assert message(full).body == full


@pytest.mark.parametrize("name", ["sent_at", "seq", "seq_epoch", "received_at", "processed_at", "signature"])
def test_a_re_send_has_the_same_digest(name):
    times = {"sent_at", "received_at", "processed_at"}
    value = "2026-03-03T00:00:00Z" if name in times else 99 if name == "seq" else "other"

    assert message(**{name: value}).digest == message().digest


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "x"},
        {"revision": 2},
        {"ticket_id": "x"},
        {"detected_at": "2026-03-02T00:05:00Z"},
        {"ext": {}},
        {"pap": None},
    ],
)
def test_any_other_change_has_another_digest(changes):
    assert message(**changes).digest != message().digest


def test_the_digest_does_not_depend_on_how_the_json_was_written():
    body = sample.ticket(ext={"b": {"z": 1, "a": 2}, "a": "資安"})
    keys = list(body)
    random.Random(7).shuffle(keys)
    shuffled = {key: body[key] for key in keys}
    expected = message(body).digest

    for text in (
        json.dumps(shuffled),
        json.dumps(body, indent=4),
        json.dumps(body, ensure_ascii=False, sort_keys=True),
    ):
        assert decode(text.encode(), institution="fi-001").digest == expected


def test_a_valid_ticket_of_another_institution_is_only_that():
    assert codes(orjson.dumps(sample.ticket()), "fi-002") == ["identity.mismatch"]


def test_a_payload_exactly_at_the_limit_is_taken():
    payload = orjson.dumps(sample.ticket())

    assert decode(payload + b" " * (512 * 1024 - len(payload)), institution="fi-001").seq == 1
    assert codes(payload + b" " * (512 * 1024 - len(payload) + 1)) == ["payload.too-large"]


def test_ext_may_nest_to_the_limit():
    deepest = 1
    for _ in range(14):
        deepest = [deepest]

    assert message(ext={"a": deepest})
    assert codes(orjson.dumps(sample.ticket(ext={"a": [deepest]}))) == ["payload.too-deep"]


def test_what_is_far_too_deep_is_only_that():
    payload = orjson.dumps(sample.ticket())[:-1] + b',"ext":{"a":' + b"[" * 600 + b"]" * 600 + b"}}"

    assert codes(payload) == ["payload.too-deep"]


def test_every_fault_is_told_at_once():
    payload = orjson.dumps(
        sample.ticket(schema="fsoc.ticket/1", severity=9, titel="x", tw_level=..., tlp="white", institution="fi-009")
    ).replace(b'"seq":1,', b'"seq":1,"seq":1,')

    assert set(codes(payload)) == {
        "payload.duplicate-key",
        "field.out-of-range",
        "field.unknown",
        "condition.tw-level",
        "field.not-allowed",
        "identity.mismatch",
    }


def test_faults_past_the_limit_are_counted_not_listed():
    payload = orjson.dumps(sample.ticket(**{f"x{n}": n for n in range(500)}))
    faults = explain(payload, "fi-001")

    assert len(faults) == 32
    assert faults[-1].code == "payload.more-faults"
    assert faults[-1].text == "469 more faults are not listed"


def test_a_good_ticket_has_no_faults():
    assert explain(orjson.dumps(sample.ticket()), "fi-001") == []
    assert explain(orjson.dumps(sample.source_status()), "fi-001") == []


@pytest.mark.parametrize("title", ['a":b', '":', ': "x" :', "\\u0000", 'x\\":', " :", '"', "\\", '"\n:'])
def test_a_string_that_looks_like_a_key_is_not_one(title):
    assert message(title=title).body["title"] == title
    assert decode(json.dumps(sample.ticket(title=title), indent=1).encode(), institution="fi-001")
