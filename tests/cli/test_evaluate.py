"""`fsoc evaluate` as a person calls it: on files, on tickets, with floors, changes and sweeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import orjson
import pytest
from click.testing import CliRunner
from evaluation_schema import SCHEMA

from fsoc.cli.evaluate import command
from fsoc.cli.replay import command as replay_command
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
title: One web shell attacker
id: 22222222-2222-4222-8222-222222222222
name: attacker
level: high
correlation:
  type: value_count
  rules: [11111111-1111-4111-8111-111111111111]
  group-by: [indicator]
  timespan: 1h
  condition: {field: institution, gte: 2}
fsoc: {title_zh: 同一攻擊者, independent: true}
"""


def write(path, *bodies):
    path.write_bytes(b"".join(orjson.dumps(body) + b"\n" for body in bodies))
    return str(path)


def sent(institution, minute, indicator):
    at = f"2026-03-02T00:{minute:02}:00Z"
    observables = [{"type": "ipv4", "value": indicator, "role": "attacker"}]
    body = ticket(
        institution=institution,
        ticket_id=f"{institution}-{minute}",
        seq=minute + 1,
        detected_at=at,
        sent_at=at,
        observables=observables,
    )
    return {key: value for key, value in body.items() if key not in {"occurred_from", "occurred_to"}}


@pytest.fixture
def folder(tmp_path):
    """An attack at three institutions in minutes 0, 10 and 20; an address that two share by chance; the truth of it."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "web.yml").write_text(RULES)
    attack = [sent(f"fi-00{number + 1}", 10 * number, "203.0.113.7") for number in range(3)]
    chance = [sent("fi-001", 30, "198.51.100.9"), sent("fi-002", 40, "198.51.100.9")]
    write(tmp_path / "tickets.ndjson", *attack, *chance)
    write(tmp_path / "truth.ndjson", *({"ticket_id": body["ticket_id"], "label": "kit"} for body in attack))
    result = CliRunner().invoke(
        replay_command,
        [
            "--tickets",
            f"{tmp_path}/tickets.ndjson",
            "--rules",
            f"{tmp_path}/rules",
            "--out",
            f"{tmp_path}/alerts.ndjson",
        ],
    )
    assert result.exit_code == 0, result.output
    return tmp_path


def run(folder, *args):
    return CliRunner().invoke(command, ["--truth", f"{folder}/truth.ndjson", *args])


def on_alerts(folder, *args):
    return run(folder, "--alerts", f"{folder}/alerts.ndjson", *args)


def on_tickets(folder, *args):
    return run(folder, "--tickets", f"{folder}/tickets.ndjson", "--rules", f"{folder}/rules", *args)


def measured(result):
    assert result.exit_code == 0, result.output
    body = orjson.loads(result.stdout)
    jsonschema.validate(body, SCHEMA)
    return body


def refusals(result):
    assert isinstance(result.exception, RefusedToStart), result.output
    return [str(problem) for problem in result.exception.problems]


def test_alerts_that_replay_wrote_are_measured(folder):
    body = measured(on_alerts(folder, "--json", "--tickets", f"{folder}/tickets.ndjson"))

    assert (body["precision"]["hits"], body["precision"]["total"]) == (1, 2)
    assert (body["recall"]["hits"], body["recall"]["total"]) == (1, 1)
    (kit,) = body["labels"]
    # With two institutions it was raised at minute 10; the third came ten minutes later.
    assert (kit["after_first_s"], kit["after_third_s"], kit["after_deciding_s"]) == (600.0, -600.0, 0.0)
    (alarm,) = body["false_alarms"]
    assert alarm["group"] == {"indicator": "198.51.100.9"}
    assert body["rules"][0]["title_zh"] == "同一攻擊者"
    assert body["comparison"] is None
    assert body["curves"] == []


def test_on_a_terminal_or_in_a_pipe_the_same_is_a_table(folder):
    text = on_alerts(folder).stdout

    assert "0.50 (1/2, 0.09–0.91)" in text
    assert "One web shell attacker" in text
    assert "indicator = 198.51.100.9" in text
    assert "note: No tickets were given" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("floors", "code", "said"),
    [
        (("--min-precision", "0.5", "--min-recall", "1"), 0, ""),
        (("--min-precision", "0.51"), 1, "precision is 0.50 (1/2, 0.09–0.91), --min-precision asks for 0.51"),
        (("--min-recall", "1", "--min-precision", "0.9"), 1, "--min-precision asks for 0.9"),
    ],
)
def test_floors_decide_the_exit_code(folder, floors, code, said):
    result = on_alerts(folder, *floors)

    assert result.exit_code == code
    assert said in result.stderr
    assert "precision" in result.stdout  # the figures are shown whatever comes of them


def test_what_cannot_be_given_meets_no_floor(folder):
    (folder / "alerts.ndjson").write_text("")
    (folder / "truth.ndjson").write_text("")

    assert on_alerts(folder).exit_code == 0
    for floor in ("--min-precision", "--min-recall"):
        result = on_alerts(folder, floor, "0")
        assert result.exit_code == 1
        assert "cannot be given" in result.stderr


def test_every_bad_line_of_every_file_is_named_at_once(folder):
    with (folder / "alerts.ndjson").open("a") as lines:
        lines.write('{"alert_id": "x"}\n[]\n')
    with (folder / "truth.ndjson").open("a") as lines:
        lines.write("{broken\n")
    result = on_alerts(folder, "--tickets", "nowhere.ndjson")
    places = [line.split(": ")[0] for line in refusals(result)]

    assert places == [
        f"{folder}/alerts.ndjson:3",
        f"{folder}/alerts.ndjson:4",
        f"{folder}/truth.ndjson:4",
        "nowhere.ndjson",
    ]


def test_bad_lines_are_told_without_a_traceback_and_exit_with_2(folder):
    (folder / "truth.ndjson").write_text('{"ticket_id": "1"}\n7\n')
    fsoc = Path(sys.executable).with_name("fsoc")
    arguments = ["evaluate", "--alerts", f"{folder}/alerts.ndjson", "--truth", f"{folder}/truth.ndjson"]
    result = subprocess.run([fsoc, *arguments], capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert result.stderr.startswith(f"fsoc: {folder}/truth.ndjson:2: no truth: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), ["--tickets: is needed", "--rules: is needed"]),
        (("--alerts", "a", "--sweep"), ["--alerts: cannot be used with"]),
        (("--alerts", "a", "--set", "gte=2"), ["--alerts: cannot be used with"]),
        (("--alerts", "a", "--rules", "r"), ["--alerts: cannot be used with"]),
        (("--alerts", "a", "--report", "no/where.md"), ["no/where.md: no such folder"]),
        (("--tickets", "t", "--rules", "r", "--set", "gte", ":x=1", "a:=2"), ['"gte"', '":x=1"', '"a:=2"']),
        (("--tickets", "t", "--rules", "r", "--set", "gte={"), ["gte={"]),
    ],
)
def test_options_that_do_not_belong_together_are_refused(folder, args, said):
    found = refusals(run(folder, *args))

    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


def test_a_report_and_its_pictures_are_written_beside_each_other(folder):
    (folder / "week.md").write_text("before")
    result = on_alerts(folder, "--tickets", f"{folder}/tickets.ndjson", "--report", f"{folder}/week.md")
    text = (folder / "week.md").read_text(encoding="utf-8")

    assert result.exit_code == 0, result.output
    assert text.startswith("# Evaluation of joint alerts · 聯防告警評估")
    assert str(folder) not in text
    pictures = sorted(folder.glob("week-*.svg"))
    assert [path.name for path in pictures] == [
        "week-alerts-per-day.svg",
        "week-precision-recall.svg",
        "week-time-to-alert.svg",
    ]
    for path in pictures:
        assert path.name in text
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_tickets_are_replayed_where_no_alerts_are_given(folder):
    replayed = measured(on_tickets(folder, "--json"))

    assert replayed == measured(on_alerts(folder, "--json", "--tickets", f"{folder}/tickets.ndjson"))


def test_a_registry_says_who_belongs_together(folder):
    registry = folder / "institutions.yml"
    registry.write_text(
        "institutions:\n"
        + "".join(
            f"  - {{id: fi-00{number}, name: N, sector: bank, tier: 1, group: {group}, feeds: [siem]}}\n"
            for number, group in ((1, "holding"), (2, "holding"), (3, "null"))
        )
    )
    (kit,) = measured(on_tickets(folder, "--json", "--institutions", str(registry)))["labels"]

    # fi-001 and fi-002 count once: raised with fi-003, and there is no third.
    assert (kit["after_first_s"], kit["after_third_s"]) == (1200.0, None)


def test_changes_are_shown_beside_what_is_written(folder):
    body = measured(on_tickets(folder, "--json", "--set", "attacker:gte=3"))

    assert body["precision"]["total"] == 1
    assert body["comparison"]["changes"] == ["attacker:gte=3"]
    whole, rule = body["comparison"]["rows"]
    assert (whole["rule_id"], rule["title"]) == (None, "One web shell attacker")
    assert (whole["as_written"]["false_alarms"], whole["changed"]["false_alarms"]) == (1, 0)
    assert "as written, and with attacker:gte=3" in on_tickets(folder, "--set", "attacker:gte=3").stdout


def test_a_key_without_rule_changes_every_rule_that_has_it_and_an_empty_value_takes_it_out(folder):
    registry = folder / "institutions.yml"
    registry.write_text(
        "institutions:\n"
        + "".join(
            f"  - {{id: fi-00{number}, name: N, sector: bank, tier: 1, group: holding, feeds: [siem]}}\n"
            for number in (1, 2, 3)
        )
    )
    for change in ("fsoc.independent=false", "independent="):
        body = measured(on_tickets(folder, "--json", "--institutions", str(registry), "--set", change))
        rows = body["comparison"]["rows"]

        assert rows[0]["as_written"]["precision"]["total"] == 0
        assert body["apart"] == {"local": 2}  # raised with affiliates, who make no joint alert


def test_a_change_that_no_rule_may_have_or_that_is_about_none_is_refused(folder):
    assert "about no correlation" in refusals(on_tickets(folder, "--set", "surprise=1"))[0]
    assert "about no correlation" in refusals(on_tickets(folder, "--set", "nobody:gte=1"))[0]
    (wrong,) = refusals(on_tickets(folder, "--set", "attacker:gte=x"))
    assert wrong.startswith("--set: ")
    assert "web.yml:" in wrong


def test_a_sweep_draws_a_curve_for_each_key(folder):
    body = measured(
        on_tickets(
            folder, "--json", "--sweep", "attacker:gte=2..4:timespan=5m,10m,1h", "--report", f"{folder}/sweep.md"
        )
    )
    gte, span = body["curves"]

    assert [(each["value"], each["stands"]) for each in gte["settings"]] == [(2, True), (3, False), (4, False)]
    assert [each["precision"]["value"] for each in gte["settings"]] == [0.5, 1.0, None]
    assert [each["recall"]["value"] for each in gte["settings"]] == [1.0, 1.0, 0.0]
    assert [each["value"] for each in span["settings"]] == ["5m", "10m", "1h"]
    assert [each["precision"]["total"] for each in span["settings"]] == [0, 0, 2]
    assert (gte["key"], span["key"]) == ("condition.gte", "timespan")
    assert {path.name for path in folder.glob("sweep-sweep-*.svg")} == {"sweep-sweep-1.svg", "sweep-sweep-2.svg"}


def test_alone_it_sweeps_gte_of_every_joint_correlation_and_its_table_marks_what_stands(folder):
    result = on_tickets(folder, "--sweep")

    assert result.exit_code == 0, result.output
    assert "One web shell attacker: condition.gte" in result.stdout
    assert "2  as it stands" in result.stdout
    assert [curve["key"] for curve in measured(on_tickets(folder, "--json", "--sweep"))["curves"]] == ["condition.gte"]


def test_every_value_is_looked_at_before_the_first_run(folder):
    found = refusals(on_tickets(folder, "--sweep", "attacker:gte=2,x,1.5:nokey=3"))

    assert len(found) == 3
    assert all("web.yml:" in line for line in found)
    assert any("nokey" in line for line in found)


def test_rules_that_stand_changed_are_swept_from_there(folder):
    body = measured(on_tickets(folder, "--json", "--set", "attacker:gte=3", "--sweep", "attacker"))

    assert [each["value"] for each in body["curves"][0]["settings"] if each["stands"]] == [3]
