"""A small valid ticket for tests, benchmarks and first steps. The same every time; not the exercise's generator."""

from __future__ import annotations

from typing import Any


def ticket(**changes: Any) -> dict[str, Any]:
    """A valid ticket of `fi-001`; `changes` replace whole fields, and a field given as `...` is left out."""
    body: dict[str, Any] = {
        "schema": "fsoc.ticket/1",
        "kind": "ticket",
        "institution": "fi-001",
        "feed": "siem",
        "seq_epoch": "2026-03-02",
        "seq": 1,
        "ticket_id": "T-20260302-0001",
        "revision": 1,
        "action": "open",
        "environment": "test",
        "occurred_from": "2026-03-02T08:00:00+08:00",
        "occurred_to": "2026-03-02T08:04:30+08:00",
        "detected_at": "2026-03-02T08:05:00+08:00",
        "created_at": "2026-03-02T08:06:00+08:00",
        "sent_at": "2026-03-02T08:06:02.250+08:00",
        "title": "Web shell started a command interpreter",
        "category": "intrusions.system-compromise",
        "severity": 4,
        "is_incident": True,
        "tw_level": 2,
        "confidence": 80,
        "status": "new",
        "attack_version": "18.1",
        "attack": [{"tactic": "persistence", "technique": "T1505.003", "confidence": 80}],
        "trigger": {"kind": "baseline", "baseline_version": "2026.1", "rule_id": "B-017", "rule_version": "3"},
        "evidence": [
            {
                "logsource": {"product": "windows", "category": "process_creation"},
                "fields": {
                    "Image": "C:\\Windows\\System32\\cmd.exe",
                    "CommandLine": 'cmd.exe /c "whoami /all"',
                    "ParentImage": "C:\\Windows\\System32\\inetsrv\\w3wp.exe",
                    "User": "IIS APPPOOL\\eBank",
                    "ProcessId": 4711,
                },
            }
        ],
        "observables": [
            {"type": "ipv4", "value": "203.0.113.7", "role": "attacker", "count": 3, "share": True},
            {"type": "domain", "value": "cdn.update.example", "role": "infrastructure"},
        ],
        "assets": [{"ref": "web-07", "type": "internet_banking", "criticality": 5, "internet_facing": True}],
        "tlp": "amber",
        "attribution": "anonymous",
    }
    return _changed(body, changes)


def source_status(**changes: Any) -> dict[str, Any]:
    """A valid five-minute report of `fi-001`'s feed `siem`; `changes` as in `ticket`."""
    body: dict[str, Any] = {
        "schema": "fsoc.ticket/1",
        "kind": "source_status",
        "institution": "fi-001",
        "feed": "siem",
        "seq_epoch": "2026-03-02",
        "last_seq": 1,
        "period_from": "2026-03-02T08:05:00+08:00",
        "period_to": "2026-03-02T08:10:00+08:00",
        "tickets_opened": 1,
        "events_seen": 120_000,
        "sensors_total": 40,
        "sensors_up": 39,
        "baseline_version": "2026.1",
        "clock_offset_ms": -12,
        "environment": "test",
    }
    return _changed(body, changes)


def acknowledgement(**changes: Any) -> dict[str, Any]:
    """A valid answer of `fi-001` to one alert; `changes` as in `ticket`."""
    body: dict[str, Any] = {
        "schema": "fsoc.ticket/1",
        "kind": "acknowledgement",
        "institution": "fi-001",
        "ticket_id": "A-20260302-0001",
        "revision": 1,
        "action": "open",
        "environment": "test",
        "created_at": "2026-03-02T09:10:00+08:00",
        "sent_at": "2026-03-02T09:10:01+08:00",
        "relations": {"acknowledges": [{"alert_id": "al-0123456789abcdef0123456789abcdef", "answer": "hunting"}]},
    }
    return _changed(body, changes)


def _changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (body | changes).items() if value is not ...}
