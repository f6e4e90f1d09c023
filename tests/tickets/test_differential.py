"""The hot decode and the pydantic model take and refuse the same; duplicate keys are found however they are written."""

import json
import os
from copy import deepcopy

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsoc.errors import InvalidTicket
from fsoc.tickets import model, sample, wire
from fsoc.tickets.decode import decode
from fsoc.tickets.explain import explain

MANY = 20 if os.environ.get("FSOC_SOAK") else 1

INTERESTING = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 5, 100, 101, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.0, 1.0, 1.5, 1e19, -1e19),
        *(
            "",
            "x",
            "fi-001",
            "fi-002",
            "T1498",
            "production",
            "exercise",
            "close",
            "baseline",
            "intel",
            "source_status",
            "acknowledgement",
            "retract",
            "not_affected",
            "al-1",
        ),
        *(
            "false_positive",
            "amber",
            "fsoc.ticket/1",
            "fsoc.ticket/2",
            "2026-03-02T08:00:00+08:00",
            "2026-03-02T08:00:00",
        ),
        *("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "a\0b", "é" * 130, "x" * 201, 'k":'),
        *([], {}, [None], [[]], [{}], {"a": {}}, {"": 1}, ["x"] * 101, {"a": [1, "b", None, True, 1.5]}),
    ]
).map(deepcopy)
NAMES = st.sampled_from(
    sorted(
        {
            *wire.Ticket.__struct_fields__,
            *wire.SourceStatus.__struct_fields__,
            *wire.Acknowledges.__struct_fields__,
            *wire.Observable.__struct_fields__,
        }
        | {*wire.Volume.__struct_fields__, *wire.Relations.__struct_fields__, *wire.Trigger.__struct_fields__}
        | {"unknown", "tactic", "technique", "fields", "logsource", "Image", "supplier_id", "ref"}
    )
)
FULL = sample.ticket(
    suppliers=[{"supplier_id": "sup-1"}],
    volume={"count": 1},
    impact={"downtime_s": 1},
    relations={"related_ids": ["T-1"], "acknowledges": [{"alert_id": "al-1", "answer": "seen"}]},
    ext={"a": {"b": [1, "x"]}},
    pap="green",
    description="what happened",
)


def _containers(body):
    found = [body]
    for one in found:
        inner = one.values() if isinstance(one, dict) else one
        found.extend(value for value in inner if isinstance(value, dict | list))
    return found


@st.composite
def mutated(draw):
    """A valid message with up to three things changed, removed or added anywhere."""
    body = orjson.loads(
        orjson.dumps(draw(st.sampled_from([FULL, sample.ticket(), sample.source_status(), sample.acknowledgement()])))
    )
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from(_containers(body)))
        if isinstance(target, list):
            if target and draw(st.booleans()):
                target[draw(st.integers(0, len(target) - 1))] = draw(INTERESTING)
            else:
                target.append(draw(INTERESTING))
        elif target and draw(st.booleans()):
            name = draw(st.sampled_from(sorted(target)))
            if draw(st.booleans()):
                del target[name]
            else:
                target[name] = draw(INTERESTING)
        else:
            target[draw(NAMES)] = draw(INTERESTING)
    return body


def is_taken(payload):
    try:
        decode(payload, institution="fi-001")
    except InvalidTicket as refused:
        faults = refused.faults
    else:
        return True
    assert faults, "refused without a reason: the model takes what the hot decode refuses"
    return False


@settings(max_examples=400 * MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
@example(sample.ticket(attack_unmapped_reason=""))
@example(sample.ticket(attack=[], attack_unmapped_reason="none fits"))
@example(sample.ticket(trigger={"kind": "baseline", "baseline_version": "", "rule_id": "x"}))
@example(sample.source_status(ended=True, environment=None))
@example(sample.source_status(sensors_up=2**63))
@example(sample.acknowledgement(relations=None))
@example(sample.acknowledgement(relations=None, action="retract"))
@example(sample.acknowledgement(relations={"acknowledges": []}))
@example(sample.acknowledgement(environment="exercise"))
@example(sample.ticket(ext={"a": 2**63}))
@example(sample.ticket(ext={"a": float(2**63)}))
@example(sample.ticket(evidence=[{"fields": {"a": float(2**63)}}]))
@example(sample.ticket(evidence=[{"fields": {"a": -float(2**63)}}]))
def test_the_hot_decode_and_the_model_agree(body):
    payload = orjson.dumps(body)

    assert is_taken(payload) == (explain(payload, "fi-001") == [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('a":\\ \n{}[],é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab":\\ ', max_size=2), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def written(draw, value):
    """`value` as JSON text with white space, escapes and, now and then, a key written twice. Returns (text, twice)."""
    space = st.sampled_from(["", "", " ", "\n", "\t", " \r\n"])

    def string(text):
        return json.dumps(text) if draw(st.booleans()) else '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'

    def write(value):
        if isinstance(value, dict):
            pairs = list(value.items())
            if pairs and draw(st.integers(0, 9)) == 0:
                pairs.insert(draw(st.integers(0, len(pairs))), draw(st.sampled_from(pairs)))
            parts = [
                f"{draw(space)}{string(key)}{draw(space)}:{draw(space)}{write(inner)}{draw(space)}"
                for key, inner in pairs
            ]
            return "{" + ",".join(parts) + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{draw(space)}{write(inner)}{draw(space)}" for inner in value) + "]"
        return string(value) if isinstance(value, str) else json.dumps(value)

    return write(value)


@st.composite
def tickets_as_written(draw):
    body = sample.ticket(
        ext=draw(st.dictionaries(st.text('ab":\\ ', max_size=2), JSON, max_size=4) | st.just(...)),
        title=draw(st.text('a":\\ ', min_size=1, max_size=8)),
    )
    return draw(written(body)).encode()


def has_duplicate_keys(payload):
    """The oracle: the standard library shows the pairs as they were written."""
    found = []

    def look(pairs):
        found.append(len({key for key, _ in pairs}) != len(pairs))
        return dict(pairs)

    json.loads(payload, object_pairs_hook=look)
    return any(found)


@settings(max_examples=200 * MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tickets_as_written())
def test_duplicate_keys_are_found_however_the_json_is_written(payload):
    faults = [] if is_taken(payload) else explain(payload, "fi-001")

    assert has_duplicate_keys(payload) == any(fault.code == "payload.duplicate-key" for fault in faults)
    assert {fault.code for fault in faults} <= {"payload.duplicate-key"}


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason_and_never_raise_otherwise(payload):
    assert not is_taken(payload)


@settings(max_examples=200 * MANY)
@given(st.data())
def test_a_broken_ticket_never_raises_otherwise(data):
    payload = bytearray(orjson.dumps(FULL))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    is_taken(bytes(payload))


@pytest.mark.parametrize(
    "name",
    [
        *("Ticket", "SourceStatus", "Attack", "Trigger", "Evidence", "Logsource", "Observable"),
        *("Asset", "Supplier", "Volume", "Impact", "Relations"),
    ],
)
def test_both_models_name_the_same_fields_and_require_the_same(name):
    described = {field.alias or key: field.is_required() for key, field in getattr(model, name).model_fields.items()}
    checked = {field.name: field.required for field in msgspec.structs.fields(getattr(wire, name))}

    assert described == checked
