"""`fsoc replay` as a person calls it."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.replay import command
from fsoc.errors import RefusedToStart
from fsoc.tickets.sample import ticket

RULES = """
title: Web shell
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection:
  selection: {ParentImage|endswith: '\\w3wp.exe'}
  condition: selection
---
title: One web shell attacker at two institutions
id: 22222222-2222-4222-8222-222222222222
level: high
correlation:
  type: value_count
  rules: [11111111-1111-4111-8111-111111111111]
  group-by: [indicator]
  timespan: 1h
  condition: {field: institution, gte: 2}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "web.yml").write_text(RULES)
    return tmp_path


def write(path, *bodies):
    path.write_bytes(b"".join(body if isinstance(body, bytes) else orjson.dumps(body) + b"\n" for body in bodies))
    return str(path)


def sent(institution, number=1, **changes):
    return ticket(institution=institution, ticket_id=f"{institution}-{number}", seq=number, **changes)


def replayed(*args):
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 0, result.output
    alerts = [orjson.loads(line) for line in result.stdout.splitlines()]
    return alerts, orjson.loads(result.stderr.splitlines()[-1])


def test_several_files_are_one_stream_and_every_value_belongs_to_its_option(folder):
    first = write(folder / "a.ndjson", sent("fi-001"))
    second = write(folder / "b.ndjson", sent("fi-002"))
    alerts, summary = replayed("--tickets", first, second, "--rules", str(folder / "rules"))

    assert sorted(alert["group"]["indicator"] for alert in alerts) == ["203.0.113.7", "cdn.update.example"]
    assert {alert["status"] for alert in alerts} == {"final"}
    assert {tuple(alert["institutions"]) for alert in alerts} == {("fi-001", "fi-002")}
    assert [alert["alert_id"] for alert in alerts] == sorted(alert["alert_id"] for alert in alerts)
    assert len(alerts) == 2  # the sample ticket names two indicators
    assert list(summary) == [
        "received",
        "used",
        "duplicate",
        "late",
        "quarantined",
        "detections",
        "alerts",
        "seconds",
    ]
    assert (summary["received"], summary["used"], summary["detections"], summary["alerts"]) == (2, 2, 2, 2)


def test_days_of_one_institution_and_then_of_another_still_meet(folder):
    """The second file's institution is waited for, however far ahead the first one's time has run."""
    days = [
        sent(
            "fi-001",
            day,
            occurred_from=None,
            detected_at=f"2026-03-{day:02}T00:05:00Z",
            sent_at=f"2026-03-{day:02}T00:06:00Z",
        )
        for day in range(1, 15)
    ]
    days = [{key: value for key, value in day.items() if value is not None and key != "occurred_to"} for day in days]
    one = write(folder / "a.ndjson", *days)
    other = write(folder / "b.ndjson", *({**day, "institution": "fi-002"} for day in days))
    alerts, summary = replayed("--tickets", one, other, "--rules", str(folder / "rules"))

    assert summary["used"] == 28
    assert len(alerts) == 28


def test_lines_that_are_no_tickets_are_counted_and_the_rest_goes_on(folder):
    path = write(
        folder / "a.ndjson", b"{broken\n", sent("fi-001"), b"[]\n", b"\n", sent("fi-001"), sent("fi-001", title=7)
    )
    _, summary = replayed("--tickets", path, "--rules", str(folder / "rules"))

    assert (summary["received"], summary["used"], summary["duplicate"], summary["quarantined"]) == (5, 1, 1, 3)


def test_a_registry_decides_who_may_send_and_who_counts_as_one(folder):
    registry = folder / "institutions.yml"
    registry.write_text(
        "institutions:\n"
        "  - {id: fi-001, name: One, sector: bank, tier: 1, group: holding-a, feeds: [siem]}\n"
        "  - {id: fi-002, name: Two, sector: bank, tier: 1, group: holding-a, feeds: [siem]}\n"
    )
    path = write(folder / "a.ndjson", sent("fi-001"), sent("fi-002"), sent("fi-099"))
    rules = folder / "rules" / "web.yml"
    arguments = ("--tickets", path, "--rules", str(rules), "--institutions", str(registry))
    alerts, summary = replayed(*arguments)
    assert summary["quarantined"] == 1
    assert {alert["kind"] for alert in alerts} == {"local"}  # two affiliates are not two independent institutions

    rules.write_text(RULES + "fsoc: {independent: true}\n")
    assert replayed(*arguments)[0] == []


def test_alerts_go_to_a_file_when_asked(folder):
    path = write(folder / "a.ndjson", sent("fi-001"), sent("fi-002"))
    out = folder / "alerts.ndjson"
    printed, _ = replayed("--tickets", path, "--rules", str(folder / "rules"), "--out", str(out))

    assert printed == []
    assert len(out.read_bytes().splitlines()) == 2


def test_everything_that_cannot_be_read_is_named_at_once():
    arguments = ["--tickets", "no.ndjson", "none.ndjson", "--rules", "nowhere", "--institutions", "nobody.yml"]
    result = CliRunner().invoke(command, arguments)

    assert isinstance(result.exception, RefusedToStart)
    named = [problem.where for problem in result.exception.problems]
    assert named == ["nowhere", "nobody.yml", "no.ndjson", "none.ndjson"]


def test_a_retracted_ticket_takes_its_alert_back(folder):
    path = write(
        folder / "a.ndjson",
        sent("fi-001"),
        sent("fi-002"),
        {**sent("fi-002", seq_epoch="x"), "revision": 2, "action": "retract"},
    )
    alerts, _ = replayed("--tickets", path, "--rules", str(folder / "rules"))

    assert {alert["status"] for alert in alerts} == {"retracted"}
