"""The mappings that come with fsoc: a whole event of each form becomes a ticket, and no event breaks them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.runtime.content import read_source, shipped
from fsoc.tickets.adapters.mapping import Sender, TicketMapping
from fsoc.tickets.decode import decode

FOLDER = shipped("deploy/mappings")
NAMES = sorted(file.stem for file in FOLDER.glob("*.yml"))
SENDER = Sender("fi-001", "siem", "e-1")
SENT = "2026-03-02T12:10:00Z"


def shipped_mapping(name):
    source = read_source(FOLDER / f"{name}.yml")
    return TicketMapping.parse(source.text, source.path)


MAPPINGS = {name: shipped_mapping(name) for name in NAMES}

EVENTS = {
    "ecs": {
        "@timestamp": "2026-03-02T12:00:00.000Z",
        "event": {
            "kind": "signal",
            "id": "Jq9x+/w==",
            "category": ["process", "malware"],
            "start": "2026-03-02T11:59:00Z",
        },
        "kibana.alert.rule.name": "Credentials read from memory",
        "kibana.alert.rule.rule_id": "rule-9",
        "kibana.alert.risk_score": 73,
        "kibana.alert.updated_at": "2026-03-02T12:01:00.000Z",
        "kibana.alert.rule.threat": [
            {
                "tactic": {"id": "TA0006", "name": "Credential Access"},
                "technique": [{"id": "T1003", "subtechnique": [{"id": "T1003.001"}]}, {"id": "T1552"}],
            }
        ],
        "host": {"name": "ws-17", "os": {"type": "windows"}},
        "process": {"executable": "C:\\tools\\m.exe", "command_line": "m.exe sekurlsa", "hash": {"sha256": "AB" * 32}},
        "source": {"ip": "203.0.113.4"},
        "user": {"name": "svc"},
    },
    "ocsf-2004": {
        "class_uid": 2004,
        "activity_id": 2,
        "time": 1772452800000,
        "severity_id": 6,
        "status_id": 2,
        "confidence_score": 88,
        "finding_info": {
            "uid": "finding/1",
            "title": "Web shell",
            "types": ["Malware"],
            "modified_time": 1772452860000,
            "attacks": [
                {
                    "version": "18.1",
                    "tactic": {"name": "Persistence", "uid": "TA0003"},
                    "technique": {"uid": "T1505"},
                    "sub_technique": {"uid": "T1505.003"},
                }
            ],
            "analytic": {"uid": "an-7", "version": "2"},
        },
        "evidences": [
            {
                "src_endpoint": {"ip": "2001:db8::5"},
                "process": {"cmd_line": "cmd.exe /c whoami", "file": {"path": "C:\\Windows\\System32\\cmd.exe"}},
                "file": {"hashes": [{"algorithm_id": 3, "value": "CD" * 32}, {"algorithm_id": 9, "value": "?"}]},
            }
        ],
        "observables": [{"type_id": 6, "value": "https://shell.example/x"}, {"type_id": 4, "value": "alice"}],
        "resources": [{"uid": "web-07", "type": "Server"}],
    },
    "idea": {
        "Format": "IDEA0",
        "ID": "4390fc3f-c753-4a3e-bc83-1b44f24baf75",
        "DetectTime": "2026-03-02T12:00:07Z",
        "EventTime": "2026-03-02T11:36:00",
        "Category": ["Attempt.Login"],
        "ConnCount": 20,
        "Confidence": 0.8,
        "Source": [{"Type": ["Botnet"], "IP4": ["203.0.113.9", "203.0.113.0/28"], "Hostname": ["Bot.Example"]}],
        "Target": [{"IP4": ["198.51.100.1"], "Port": [22]}],
        "Node": [{"Name": "example.honeypot", "SW": ["Kippo"]}],
        "CorrelID": ["first/event"],
    },
}

EXPECTED = {
    "ecs": {
        "ticket_id": "Jq9x-/w-",
        "revision": 1772452860000,
        "title": "Credentials read from memory",
        "category": "malicious-code.infected-system",
        "severity": 3,
        "occurred_from": "2026-03-02T11:59:00Z",
        "attack_version": "19",
        "attack": [
            {"tactic": "credential-access", "technique": "T1003.001"},
            {"tactic": "credential-access", "technique": "T1552"},
        ],
        "observables": [
            {"type": "ipv4", "value": "203.0.113.4", "role": "attacker"},
            {"type": "sha256", "value": "ab" * 32, "role": "artefact"},
        ],
        "assets": [{"ref": "ws-17", "type": "endpoint", "criticality": 3}],
        "evidence": [
            {
                "logsource": {"product": "windows", "category": "process_creation"},
                "fields": {"Image": "C:\\tools\\m.exe", "CommandLine": "m.exe sekurlsa", "User": "svc"},
            }
        ],
    },
    "ocsf-2004": {
        "ticket_id": "finding/1",
        "revision": 1772452860000,
        "action": "update",
        "status": "in_progress",
        "detected_at": "2026-03-02T12:00:00.000Z",
        "category": "malicious-code.infected-system",
        "severity": 5,
        "confidence": 88,
        "attack_version": "18.1",
        "attack": [{"tactic": "persistence", "technique": "T1505.003"}],
        "trigger": {"kind": "local", "rule_id": "an-7", "rule_version": "2"},
        "observables": [
            {"type": "ipv6", "value": "2001:db8::5", "role": "attacker"},
            {"type": "url", "value": "https://shell.example/x", "role": "artefact"},
            {"type": "sha256", "value": "cd" * 32, "role": "artefact"},
        ],
        "assets": [{"ref": "web-07", "type": "server"}],
    },
    "idea": {
        "ticket_id": "4390fc3f-c753-4a3e-bc83-1b44f24baf75",
        "occurred_from": "2026-03-02T11:36:00Z",
        "category": "intrusion-attempts.brute-force",
        "severity": 2,
        "confidence": 80,
        "trigger": {"kind": "local", "rule_id": "Kippo"},
        "observables": [
            {"type": "ipv4", "value": "203.0.113.9", "role": "attacker"},
            {"type": "cidr", "value": "203.0.113.0/28", "role": "attacker"},
            {"type": "domain", "value": "bot.example", "role": "attacker"},
            {"type": "ipv4", "value": "198.51.100.1", "role": "victim"},
        ],
        "volume": {"count": 20},
        "relations": {"correl_ids": ["first/event"]},
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_an_event_becomes_a_ticket_that_intake_takes(name):
    mapped = MAPPINGS[name].map(EVENTS[name], SENDER, 1, SENT)

    assert mapped.faults == []
    assert {field: mapped.ticket.get(field) for field in EXPECTED[name]} == EXPECTED[name]
    assert decode(orjson.dumps(mapped.ticket), institution="fi-001").ticket_id == EXPECTED[name]["ticket_id"]


def test_there_is_one_for_every_form_that_is_promised():
    assert set(NAMES) == set(EVENTS) == set(EXPECTED)
    assert all(one.title and one.title_zh for one in MAPPINGS.values())


def _keys(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from _keys(item)


KEYS = sorted({key for event in EVENTS.values() for key in _keys(event)})
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=40)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["2026-03-02T12:00:00Z", "alert", "IDEA0", 2004, "203.0.113.1", 1772452800]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(name=st.sampled_from(NAMES), change=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
def test_no_event_breaks_a_mapping_and_what_has_no_faults_intake_takes(name, change):
    mapped = MAPPINGS[name].map({**EVENTS[name], **change}, SENDER, 1, SENT)

    if mapped.ticket is not None and not mapped.faults:
        decode(orjson.dumps(mapped.ticket), institution="fi-001")
