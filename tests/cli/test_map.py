"""`fsoc map` as an institution's engineer calls it."""

from __future__ import annotations

import json

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.check import command as check
from fsoc.cli.map import command
from fsoc.tickets.decode import decode

ALERT = {"Format": "IDEA0", "DetectTime": "2026-03-02T12:00:07Z", "Category": ["Attempt.Login"]}


def idea(name, **changes):
    return orjson.dumps({**ALERT, "ID": name, **changes})


@pytest.fixture
def run(tmp_path):
    file = tmp_path / "events.ndjson"

    def call(*lines, arguments=("--mapping", "idea", "--institution", "fi-001")):
        file.write_bytes(b"\n".join(lines))
        return CliRunner().invoke(command, [str(file), *arguments])

    return call


def test_tickets_come_out_numbered_without_gaps_and_what_intake_would_refuse_does_not(run):
    told = run(idea("a"), b"", idea("b", DetectTime="soon"), idea("c"), b'{"Format": "other"}', b"nonsense")
    tickets = [decode(line.encode(), institution="fi-001") for line in told.stdout.splitlines()]

    assert told.exit_code == 1
    assert [(one.ticket_id, one.seq, one.feed) for one in tickets] == [("a", 1, "siem"), ("c", 2, "siem")]
    assert len({one.seq_epoch for one in tickets}) == 1
    assert "line 3:" in told.stderr
    assert "/detected_at" in told.stderr
    assert "DetectTime is 'soon' — expected a date and a time" in told.stderr
    assert "line 6: not JSON" in told.stderr
    assert told.stderr.splitlines()[-1] == "fsoc: 4 events, 2 tickets, 1 faulty, 1 passed over, 1 unreadable"


def test_numbers_go_on_where_they_are_told_to(run):
    told = run(
        idea("a"),
        arguments=("--mapping", "idea", "--institution", "fi-1", "--feed", "w", "--seq-epoch", "E", "--seq-from", "9"),
    )
    (line,) = told.stdout.splitlines()

    assert told.exit_code == 0
    assert {"institution": "fi-1", "feed": "w", "seq_epoch": "E", "seq": 9}.items() <= json.loads(line).items()


def test_counts_can_be_had_as_json(run):
    told = run(idea("a"), arguments=("--mapping", "idea", "--institution", "fi-001", "--seq-epoch", "E", "--json"))

    assert json.loads(told.stderr) == {
        "events": 1,
        "tickets": 1,
        "faulty": 0,
        "passed_over": 0,
        "unreadable": 0,
        "seq_epoch": "E",
        "seq_next": 2,
    }


def test_a_dry_run_shows_events_before_and_after_with_faults_at_their_places_and_what_was_left(run):
    arguments = ("--mapping", "idea", "--institution", "fi-001", "--dry-run", "--events", "2")
    told = run(idea("a", Port=22), idea("b\x1b[2J", Confidence="high"), idea("never shown"), arguments=arguments)

    assert told.exit_code == 1
    assert "line 1 · before" in told.stdout
    assert '"Port": 22' in told.stdout
    assert '"category": "intrusion-attempts.brute-force"' in told.stdout
    assert "nothing was made of\n  Port\n" in told.stdout
    lines = told.stdout.splitlines()
    marked = next(number for number, line in enumerate(lines) if line.startswith(">"))
    assert '"confidence": 50' in lines[marked]
    assert "Confidence is 'high'" in lines[marked + 1]
    assert "never shown" not in told.stdout
    assert "\x1b" not in told.stdout


def test_a_dry_run_as_json_is_an_object_an_event(run):
    arguments = ("--mapping", "idea", "--institution", "fi-001", "--dry-run", "--json")
    told = run(idea("a", Port=22), arguments=arguments)
    one = json.loads(told.stdout)

    assert (one["line"], one["event"]["ID"], one["ticket"]["ticket_id"]) == (1, "a", "a")
    assert (one["faults"], one["left_over"]) == ([], ["Port"])


def test_a_mapping_of_ones_own_is_checked_and_used(run, tmp_path):
    own = tmp_path / "own.yml"
    own.write_text("schema: fsoc.mapping/1\ntitle: t\nticket:\n  titel: x\n")
    refused = run(idea("a"), arguments=("--mapping", str(own), "--institution", "fi-001"))
    checked = CliRunner().invoke(check, ["mappings", str(own)])

    assert f'{own}:4: "titel" is unknown; did you mean "title"?' in str(refused.exception)
    assert checked.exit_code == 1
    assert f'{own}:4: "titel" is unknown' in checked.stdout

    own.write_text("schema: fsoc.mapping/1\ntitle: t\nticket:\n  title: {from: ID}\n")
    shown = run(idea("a"), arguments=("--mapping", str(own), "--institution", "fi-001", "--dry-run", "--json"))
    assert json.loads(shown.stdout)["ticket"]["title"] == "a"
    assert CliRunner().invoke(check, ["mappings", str(own)]).exit_code == 0


def test_a_name_that_is_none_is_refused_with_those_there_are(run):
    told = run(idea("a"), arguments=("--mapping", "edi", "--institution", "fi-001"))

    assert "ecs, idea, ocsf-2004" in str(told.exception)


def test_its_help_has_examples_in_both_languages():
    told = CliRunner().invoke(command, ["--help"])

    assert "Examples:" in told.stdout
    assert "事件單" in told.stdout
