"""Tickets that are JSON and yet no tickets: wrong types, words, numbers, lengths, forms, times, and rules broken.

Loaded by `bad_payloads.py`; a plain module beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from fsoc.tickets import sample


class BadPayload(NamedTuple):
    """reason: a part of the English text that must be found in it."""

    name: str
    payload: bytes
    code: str
    pointer: str
    reason: str


def ticket(**changes: Any) -> bytes:
    return orjson.dumps(sample.ticket(**changes))


def status(**changes: Any) -> bytes:
    return orjson.dumps(sample.source_status(**changes))


def acknowledgement(**changes: Any) -> bytes:
    return orjson.dumps(sample.acknowledgement(**changes))


def observable(**changes: Any) -> dict[str, Any]:
    return {"type": "ipv4", "value": "203.0.113.7", "role": "attacker"} | changes


def bad_fields() -> list[BadPayload]:
    """Everything of this module, in a fixed order."""
    return [
        *_wrong_types(),
        *_missing(),
        *_enums(),
        *_ranges(),
        *_lengths(),
        *_forms(),
        *_times(),
        *_conditions(),
    ]


_WRONG: dict[str, Any] = {"string": 7, "integer": "7", "boolean": "yes", "array": {}, "object": []}
_TICKET_TYPES = {
    "string": "institution submitted_by feed seq_epoch ticket_id exercise_id occurred_from occurred_to detected_at"
    " created_at sent_at received_at processed_at title description attack_version attack_unmapped_reason signature",
    "integer": "seq revision severity tw_level confidence",
    "boolean": "is_incident",
    "array": "attack evidence observables assets suppliers",
    "object": "trigger volume impact relations ext",
}
_STATUS_TYPES = {
    "string": "institution submitted_by feed seq_epoch period_from period_to baseline_version exercise_id sent_at"
    " received_at processed_at signature",
    "integer": "last_seq tickets_opened events_seen sensors_total sensors_up clock_offset_ms",
    "boolean": "ended",
    "object": "ext",
}
_REQUIRED = (
    "kind institution feed seq_epoch seq ticket_id revision action environment detected_at created_at sent_at title"
    " category severity is_incident confidence status trigger tlp attribution"
)
_REQUIRED_OF_STATUS = "institution feed seq_epoch last_seq period_from period_to"


def _wrong_types() -> Iterator[BadPayload]:
    for make, types in ((ticket, _TICKET_TYPES), (status, _STATUS_TYPES)):
        for kind, names in types.items():
            for name in names.split():
                payload = make(**{name: _WRONG[kind]})
                yield BadPayload(f"{make.__name__} {name} is no {kind}", payload, "field.wrong-type", f"/{name}", "")
    for name in ("seq", "revision", "severity", "confidence"):
        yield BadPayload(f"{name} is a float", ticket(**{name: 1.0}), "field.wrong-type", f"/{name}", "1.0")
        yield BadPayload(f"{name} is true", ticket(**{name: True}), "field.wrong-type", f"/{name}", "True")
    yield BadPayload("is_incident is 1", ticket(is_incident=1), "field.wrong-type", "/is_incident", "1")
    for place, changes in {
        "/attack/0": {"attack": ["T1498"]},
        "/attack/0/confidence": {"attack": [{"tactic": "impact", "technique": "T1498", "confidence": "80"}]},
        "/evidence/0": {"evidence": ["event"]},
        "/evidence/0/fields": {"evidence": [{"fields": "a=b"}]},
        "/evidence/0/logsource": {"evidence": [{"fields": {}, "logsource": "windows"}]},
        "/evidence/0/logsource/product": {"evidence": [{"fields": {}, "logsource": {"product": 1}}]},
        "/evidence/0/fields/process": {"evidence": [{"fields": {"process": {"name": "cmd.exe"}}}]},
        "/evidence/0/fields/args": {"evidence": [{"fields": {"args": [["a"]]}}]},
        "/evidence/0/fields/list": {"evidence": [{"fields": {"list": [{"a": 1}]}}]},
        "/observables/0": {"observables": ["203.0.113.7"]},
        "/observables/0/value": {"observables": [observable(value=3405803783)]},
        "/observables/0/count": {"observables": [observable(count="3")]},
        "/observables/0/share": {"observables": [observable(share="yes")]},
        "/observables/0/first_seen": {"observables": [observable(first_seen=1772409600)]},
        "/assets/0/ref": {"assets": [{"ref": 7, "type": "server"}]},
        "/assets/0/core_system": {"assets": [{"ref": "a", "type": "server", "core_system": 1}]},
        "/suppliers/0/supplier_id": {"suppliers": [{"supplier_id": 7}]},
        "/volume/peak_bps": {"volume": {"peak_bps": 1.5e9}},
        "/volume/count": {"volume": {"count": "many"}},
        "/impact/service_down": {"impact": {"service_down": "yes"}},
        "/impact/funds_at_risk_twd": {"impact": {"funds_at_risk_twd": 0.5}},
        "/relations/related_ids": {"relations": {"related_ids": "T-1"}},
        "/relations/related_ids/0": {"relations": {"related_ids": [1]}},
        "/trigger/rule_version": {"trigger": {"kind": "manual", "rule_version": 3}},
    }.items():
        yield BadPayload(f"wrong type at {place}", ticket(**changes), "field.wrong-type", place, "")


def _missing() -> Iterator[BadPayload]:
    for name in _REQUIRED.split():
        yield BadPayload(f"no {name}", ticket(**{name: ...}), "field.missing", f"/{name}", "required and missing")
    for name in _REQUIRED_OF_STATUS.split():
        yield BadPayload(f"status without {name}", status(**{name: ...}), "field.missing", f"/{name}", "missing")
    for place, changes in {
        "/trigger/kind": {"trigger": {}},
        "/attack/0/technique": {"attack": [{"tactic": "impact"}]},
        "/attack/0/tactic": {"attack": [{"technique": "T1498"}]},
        "/evidence/0/fields": {"evidence": [{"logsource": {"product": "windows"}}]},
        "/observables/0/role": {"observables": [{"type": "ipv4", "value": "203.0.113.7"}]},
        "/observables/1/value": {"observables": [observable(), {"type": "ipv4", "role": "victim"}]},
        "/assets/0/type": {"assets": [{"ref": "a"}]},
        "/suppliers/0/supplier_id": {"suppliers": [{"product": "x"}]},
    }.items():
        yield BadPayload(f"nothing at {place}", ticket(**changes), "field.missing", place, "required and missing")


def _enums() -> Iterator[BadPayload]:
    for name, value in (
        ("action", "delete"),
        ("action", "OPEN"),
        ("environment", "prod"),
        ("category", "phishing"),
        ("category", "fraud.Phishing"),
        ("category", "fraud/phishing"),
        ("category", "intrusion-attempts.login-attempts"),
        ("status", "open"),
        ("verdict", "false-positive"),
        ("tlp", "TLP:AMBER"),
        ("tlp", "AMBER"),
        ("tlp", "white"),
        ("pap", "amber+strict"),
        ("attribution", "public"),
    ):
        yield BadPayload(f"{name} {value}", ticket(**{name: value}), "field.not-allowed", f"/{name}", ascii(value))
    yield BadPayload("severity as a word in an enum", ticket(action=None), "field.not-allowed", "/action", "None")
    yield BadPayload(
        "a long value is cut", ticket(tlp="x" * 10_000), "field.not-allowed", "/tlp", "'" + "x" * 40 + "'…"
    )
    yield BadPayload(
        "a hostile value is quoted", ticket(tlp="\x1b[31m\n</td>"), "field.not-allowed", "/tlp", r"\x1b[31m\n"
    )
    for place, changes in {
        "/trigger/kind": {"trigger": {"kind": "automatic"}},
        "/observables/0/type": {"observables": [observable(type="ip")]},
        "/observables/0/role": {"observables": [observable(role="target")]},
        "/assets/0/type": {"assets": [{"ref": "a", "type": "mainframe"}]},
    }.items():
        yield BadPayload(f"not allowed at {place}", ticket(**changes), "field.not-allowed", place, "allowed")
    yield BadPayload("status's environment", status(environment="live"), "field.not-allowed", "/environment", "'live'")


def _ranges() -> Iterator[BadPayload]:
    for name, value in (
        ("seq", -1),
        ("seq", 2**63),
        ("revision", 0),
        ("revision", -3),
        ("revision", 2**64 - 1),
        ("severity", -1),
        ("severity", 6),
        ("severity", 99),
        ("tw_level", 0),
        ("tw_level", 5),
        ("confidence", -1),
        ("confidence", 101),
    ):
        yield BadPayload(f"{name} {value}", ticket(**{name: value}), "field.out-of-range", f"/{name}", "")
    for place, changes in {
        "/attack/0/confidence": {"attack": [{"tactic": "impact", "technique": "T1498", "confidence": 101}]},
        "/observables/0/count": {"observables": [observable(count=-1)]},
        "/assets/0/criticality": {"assets": [{"ref": "a", "type": "server", "criticality": 6}]},
        "/volume/failed_logins": {"volume": {"failed_logins": -5}},
        "/impact/downtime_s": {"impact": {"downtime_s": -1}},
    }.items():
        yield BadPayload(f"out of range at {place}", ticket(**changes), "field.out-of-range", place, "")
    yield BadPayload("last_seq -1", status(last_seq=-1), "field.out-of-range", "/last_seq", "-1")
    yield BadPayload("sensors_up -1", status(sensors_up=-1), "field.out-of-range", "/sensors_up", "-1")


def _lengths() -> Iterator[BadPayload]:
    long = "field.too-long"
    yield BadPayload("title of 201", ticket(title="字" * 201), long, "/title", "200")
    yield BadPayload("description of 8,193", ticket(description="x" * 8193), long, "/description", "8192")
    yield BadPayload("description of 8,193 bytes", ticket(description="字" * 2731), long, "/description", "8193 bytes")
    yield BadPayload("ext of 16 KiB and more", ticket(ext={"a": "x" * 16_384}), long, "/ext", "limit 16384")
    yield BadPayload(
        "observable of 2,049",
        ticket(observables=[observable(value="x" * 2049)]),
        long,
        "/observables/0/value",
        "2048",
    )
    yield BadPayload(
        "field of 65,537", ticket(evidence=[{"fields": {"a": "x" * 65_537}}]), long, "/evidence/0/fields/a", "65536"
    )
    yield BadPayload(
        "field's name of 129",
        ticket(evidence=[{"fields": {"x" * 129: 1}}]),
        long,
        "/evidence/0/fields/" + "x" * 129,
        "128",
    )
    yield BadPayload(
        "asset's ref of 129", ticket(assets=[{"ref": "x" * 129, "type": "server"}]), long, "/assets/0/ref", "128"
    )
    yield BadPayload("signature of 1,025", ticket(signature="x" * 1025), long, "/signature", "1024")
    yield BadPayload(
        "reference of 1,025",
        ticket(relations={"external_refs": ["x" * 1025]}),
        long,
        "/relations/external_refs/0",
        "1024",
    )
    short = "field.too-short"
    yield BadPayload("empty title", ticket(title=""), short, "/title", "at least 1")
    yield BadPayload(
        "empty observable", ticket(observables=[observable(value="")]), short, "/observables/0/value", "at least 1"
    )
    yield BadPayload(
        "empty field name", ticket(evidence=[{"fields": {"": 1}}]), short, "/evidence/0/fields/", "at least 1"
    )
    yield BadPayload(
        "empty product",
        ticket(evidence=[{"fields": {}, "logsource": {"product": ""}}]),
        short,
        "/evidence/0/logsource/product",
        "at least 1",
    )
    many = "field.too-many"
    yield BadPayload("51 evidence", ticket(evidence=[{"fields": {}}] * 51), many, "/evidence", "50")
    yield BadPayload("201 observables", ticket(observables=[observable()] * 201), many, "/observables", "200")
    yield BadPayload("101 assets", ticket(assets=[{"ref": "a", "type": "server"}] * 101), many, "/assets", "100")
    yield BadPayload("51 suppliers", ticket(suppliers=[{"supplier_id": "s"}] * 51), many, "/suppliers", "50")
    yield BadPayload(
        "51 techniques", ticket(attack=[{"tactic": "impact", "technique": "T1498"}] * 51), many, "/attack", "50"
    )
    yield BadPayload(
        "101 relations", ticket(relations={"related_ids": ["T-1"] * 101}), many, "/relations/related_ids", "100"
    )
    yield BadPayload(
        "257 fields",
        ticket(evidence=[{"fields": {f"f{n}": 1 for n in range(257)}}]),
        many,
        "/evidence/0/fields",
        "256",
    )
    yield BadPayload("257 values", ticket(evidence=[{"fields": {"f": [1] * 257}}]), many, "/evidence/0/fields/f", "256")


def _forms() -> Iterator[BadPayload]:
    for name, values in {
        "institution": ("FI-001", "fi_001", "f", "x" * 33, "fi-001 ", "fi-001\n", "fi/001", "機構", "../fi-001"),
        "feed": ("", "si em", "-siem", "x" * 33, "siem\n"),
        "ticket_id": ("", " ", "T 1", "x" * 65, "-1", "T\n1", "<b>", "工單"),
        "seq_epoch": ("", "a b", "x" * 65),
        "submitted_by": ("MSSP", "x", "mssp-1\n"),
        "exercise_id": ("", "drill 1"),
    }.items():
        for value in values:
            yield BadPayload(f"{name} {value!r}", ticket(**{name: value}), "field.malformed", f"/{name}", "pattern")
    for value in ("1498", "T14", "T1498.1", "T1498/001", "t1498", "TA0040", "T1498\n"):
        payload = ticket(attack=[{"tactic": "impact", "technique": value}])
        yield BadPayload(f"technique {value!r}", payload, "field.malformed", "/attack/0/technique", "pattern")
    payload = ticket(attack=[{"tactic": "initial access", "technique": "T1566"}])
    yield BadPayload("tactic with a blank", payload, "field.malformed", "/attack/0/tactic", "pattern")


def _times() -> Iterator[BadPayload]:
    for name in ("occurred_from", "occurred_to", "detected_at", "created_at", "sent_at", "received_at", "processed_at"):
        payload = ticket(**{name: "2026-03-02T08:00:00"})
        yield BadPayload(f"{name} naive", payload, "time.naive", f"/{name}", "no offset")
    for value in ("2026-03-02T08:00:00.123", "2026-03-02T08:00:30.1234567", "2026-03-02 08:00:00", "2026-03-02T08:00"):
        yield BadPayload(f"naive {value}", ticket(detected_at=value), "time.naive", "/detected_at", "no offset")
    for value in (
        "",
        "now",
        "2026-03-02",
        "2026-03-02T08:00Z",
        "2026-03-02 08:00:00Z",
        "2026-03-02t08:00:00z",
        "20260302T080000Z",
        "2026-03-02T08:00:00+0800",
        "2026-03-02T08:00:00+08",
        "2026-03-02T08:00:00 +08:00",
        "2026-03-02T08:00:00+24:00",
        "2026-03-02T08:00:00+08:60",
        "2026-03-02T24:00:00Z",
        "2026-03-02T08:60:00Z",
        "2026-03-02T08:00:60Z",
        "2016-12-31T23:59:60Z",
        "2026-03-02T08:00:00.Z",
        "2026-03-02T08:00:00,5Z",
        "2026-03-02T08:00:00.1234567890Z",
        "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "+2026-03-02T08:00:00Z",
        "2026-3-2T08:00:00Z",
        "2026-W10-1T08:00:00Z",
        "2026-03-02T08:00:00Z\n",
        "２０２６-03-02T08:00:00Z",
        "1772409600",
        "Mon, 02 Mar 2026 08:00:00 +0800",
    ):
        yield BadPayload(f"no time {value!r}", ticket(detected_at=value), "time.malformed", "/detected_at", "is no")
    for value in (
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+08:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
    ):
        yield BadPayload(
            f"out of range {value}", ticket(detected_at=value), "time.out-of-range", "/detected_at", "1970"
        )
    payload = ticket(observables=[observable(first_seen="yesterday")])
    yield BadPayload("first_seen", payload, "time.malformed", "/observables/0/first_seen", "RFC 3339")
    yield BadPayload("period_to naive", status(period_to="2026-03-02T08:00:00"), "time.naive", "/period_to", "offset")


def _conditions() -> Iterator[BadPayload]:
    def broken(name: str, payload: bytes, code: str, pointer: str, reason: str = "required") -> BadPayload:
        return BadPayload(f"condition: {name}", payload, code, pointer, reason)

    yield broken("incident without level", ticket(tw_level=...), "condition.tw-level", "/tw_level")
    yield broken("incident with level null", ticket(tw_level=None), "condition.tw-level", "/tw_level")
    yield broken("exercise without id", ticket(environment="exercise"), "condition.exercise-id", "/exercise_id")
    yield broken("status of an exercise", status(environment="exercise"), "condition.exercise-id", "/exercise_id")
    yield broken("close without verdict", ticket(action="close"), "condition.verdict", "/verdict")
    yield broken("neither attack nor reason", ticket(attack=...), "condition.attack", "/attack")
    yield broken("no technique and no reason", ticket(attack=[]), "condition.attack", "/attack")
    yield broken("techniques of no version", ticket(attack_version=...), "condition.attack-version", "/attack_version")
    yield broken(
        "intel without observables", ticket(kind="intel", observables=...), "condition.observables", "/observables"
    )
    yield broken("intel with none", ticket(kind="intel", observables=[]), "condition.observables", "/observables")
    for name in ("baseline_version", "rule_id"):
        trigger = {"kind": "baseline", "baseline_version": "1", "rule_id": "B-1"}
        del trigger[name]
        yield broken(
            f"baseline without {name}", ticket(trigger=trigger), "condition.trigger-baseline", f"/trigger/{name}"
        )
    payload = ticket(occurred_to="2026-03-02T07:59:59.999+08:00")
    yield broken("ended before it began", payload, "time.order", "/occurred_to", "before occurred_from")
    payload = ticket(occurred_from="2026-03-02T08:00:00+08:00", occurred_to="2026-03-02T08:00:00+09:00")
    yield broken("before by its offset", payload, "time.order", "/occurred_to", "before occurred_from")
    seen = observable(first_seen="2026-03-02T08:00:00Z", last_seen="2026-03-01T08:00:00Z")
    yield broken(
        "last before first",
        ticket(observables=[observable(), seen]),
        "time.order",
        "/observables/1/last_seen",
        "before",
    )
    payload = status(period_to="2026-03-02T08:00:00+08:00")
    yield broken("period ends first", payload, "time.order", "/period_to", "before period_from")
    yield broken(
        "end of production", status(environment="production", ended=True), "condition.ended", "/ended", "only when"
    )
    yield broken(
        "end of production by default", status(environment=..., ended=True), "condition.ended", "/ended", "only"
    )
    yield broken(
        "an answer to nothing",
        acknowledgement(relations={}),
        "condition.acknowledges",
        "/relations/acknowledges",
        "at least one",
    )
    yield broken(
        "more up than there are", status(sensors_up=41), "condition.sensors", "/sensors_up", "41 sensors are up of 40"
    )
