"""`fsoc check`: every problem in its place, the count, the exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.check import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped
from fsoc.tickets.sample import ticket

GOOD = """\
title: Good
id: good
tags: [attack.t1490, attack.impact, attack.ds0029, attack.g0016]
logsource: {category: webserver}
detection:
    selection: {a: 1}
    condition: selection
"""
BAD = """\
title: Bad
id: bad
logsource: {}
detection:
    selection: {'a|foo': 1}
    condition: selection and
"""
CORRELATION = """\
title: Many
id: many
correlation:
    type: event_count
    rules: [good]
    group-by: [institution]
    timespan: 1h
    condition: {gte: 3}
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "correlation.yml").write_text(CORRELATION)
    return tmp_path


def test_good_rules_are_counted(folder):
    result = run("rules", folder)
    assert (result.stdout, result.exit_code) == ("1 rule, 0 filters, 1 correlation: 0 problems\n", 0)


def test_the_rules_that_are_shipped_are_good():
    result = run("rules", shipped("rules"))
    assert result.exit_code == 0, result.stdout


def test_every_problem_of_every_file_is_told_in_the_order_of_the_lines(folder):
    (folder / "bad.yml").write_text(BAD)
    (folder / "correlation.yml").write_text(CORRELATION.replace("1h", "1x").replace("[good]", "[nowhere]"))
    (folder / "logsources.yml").write_text("logsources:\n  - x\n")
    (folder / "tag.yml").write_text(GOOD.replace("good", "tag").replace("t1490", "t9999"))
    result = run("rules", folder)
    lines = result.stdout.splitlines()
    assert [line.removeprefix(f"{folder}/").split(":")[:2] for line in lines[:-1]] == [
        *(["bad.yml", line] for line in ("3", "5", "6")),
        *(["correlation.yml", line] for line in ("5", "7")),
        ["logsources.yml", "2"],
        ["tag.yml", "3"],
    ]
    assert "'attack.t9999' is not in ATT&CK" in lines[-2]
    assert lines[-1] == "2 rules, 0 filters, 0 correlations: 7 problems"
    assert result.exit_code == 1


def test_allow_lists_are_checked_with_the_rules_that_name_them(folder):
    (folder / "correlation.yml").write_text(f"{CORRELATION}fsoc:\n  allow_list: [ours, theirs]\n")
    (folder / "allow_lists.yml").write_text("allow_lists:\n  ours:\n    entries:\n      - {value: x}\n")
    lines = run("rules", folder).stdout.splitlines()
    at = CORRELATION.count("\n") + 2
    assert [line.removeprefix(f"{folder}/").split(":")[:2] for line in lines[:-1]] == [
        *(["allow_lists.yml", "4"] for _ in range(2)),
        ["correlation.yml", str(at)],
    ]
    assert 'names "theirs", which is no list — expected one of: ours' in lines[2]


def test_the_allow_lists_that_are_shipped_are_known_where_there_are_no_others(folder):
    (folder / "correlation.yml").write_text(f"{CORRELATION}fsoc: {{allow_list: private-addresses}}\n")
    assert run("rules", folder).stdout.endswith(": 0 problems\n")


def test_json_says_the_same(folder):
    (folder / "bad.yml").write_text(BAD)
    result = run("rules", folder, "--json")
    told = json.loads(result.stdout)
    assert {name: told[name] for name in ("rules", "filters", "correlations")} == {
        "rules": 1,
        "filters": 0,
        "correlations": 1,
    }
    assert [problem["where"] for problem in told["problems"]] == [f"{folder}/bad.yml:{line}" for line in (3, 5, 6)]
    assert result.exit_code == 1


WARNED = (
    GOOD.replace("good", "warned")
    .replace("webserver", "webservre")
    .replace("t1490, attack.impact", "t1070.001, attack.defense-evasion")
)


SLOW = """\
title: Slow
logsource: {category: webserver}
detection:
    selection: {a: null}
    condition: selection
"""


def test_techniques_of_other_tactics_than_the_rule_names_are_warned_of_with_their_line(folder):
    (folder / "misplaced.yml").write_text(
        GOOD.replace("good", "misplaced").replace("attack.impact", "attack.discovery")
    )

    result = run("rules", folder / "misplaced.yml")

    assert result.exit_code == 0
    assert (
        "misplaced.yml:3: warning: tag 'attack.t1490': T1490 Inhibit System Recovery is of impact; the rule"
        in result.stdout
    )
    assert "misplaced.yml:3: warning: tag 'attack.discovery': none of the rule's techniques" in result.stdout


def test_warnings_are_told_and_leave_the_exit_code_alone(folder):
    (folder / "warned.yml").write_text(WARNED)
    result = run("rules", folder)
    *told, count = result.stdout.splitlines()
    assert [line.split(": ")[:2] for line in told] == [[f"{folder}/warned.yml:{line}", "warning"] for line in (3, 4)]
    assert told[0].endswith("'attack.t1070.001': in ATT&CK 19 it is T1685.005 Clear Windows Event Logs")
    assert told[1].endswith("{category: webservre}: did you mean {category: webserver}?")
    assert count == "2 rules, 0 filters, 1 correlation: 0 problems, 2 warnings"
    assert result.exit_code == 0


def test_strictly_taken_warnings_are_problems(folder):
    (folder / "warned.yml").write_text(WARNED)
    result = run("rules", folder, "--strict")
    assert result.stdout.splitlines()[-1] == "2 rules, 0 filters, 1 correlation: 2 problems"
    assert ": warning:" not in result.stdout
    assert result.exit_code == 1


def test_json_has_the_warnings_apart(folder):
    (folder / "warned.yml").write_text(WARNED)
    told = json.loads(run("rules", folder, "--json").stdout)
    assert (len(told["problems"]), [each["where"] for each in told["warnings"]]) == (
        0,
        [f"{folder}/warned.yml:{line}" for line in (3, 4)],
    )


@pytest.mark.parametrize("given", ["beside the rules", "as an option"])
def test_a_logsource_that_a_mapping_names_is_known(folder, tmp_path_factory, given):
    (folder / "warned.yml").write_text(WARNED)
    text = "logsources: []\nstated:\n  - {category: webservre}\n"
    if given == "beside the rules":
        (folder / "logsources.yml").write_text(text)
        result = run("rules", folder)
    else:
        (mapping := tmp_path_factory.mktemp("map") / "map.yml").write_text(text + "  - {category: webserver}\n")
        result = run("rules", folder, "--logsources", mapping)
    assert result.stdout.splitlines()[-1].endswith(": 0 problems, 1 warning")


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_rule(folder):
    (folder / "bad.yml").write_text(f"{GOOD.replace('good', 'first')}---\n{BAD}---\n{GOOD.replace('good', 'last')}")
    (folder / "warned.yml").write_text(WARNED)
    (folder / "broken.yml").write_text("a: [\n")
    (folder / "slow.yml").write_text(f"{GOOD.replace('good', 'quick')}---\n{SLOW}")
    result = run("rules", folder, "--junit", report := folder / "report.xml")
    root = ET.parse(report).getroot()  # noqa: S314 - our own
    assert dict(root.attrib) == {"name": "fsoc check rules", "tests": "9", "failures": "2", "errors": "0"}
    cases = {
        suite.get("name").removeprefix(f"{folder}/"): [
            (case.get("name"), case.get("line"), [part.tag for part in case]) for case in suite
        ]
        for suite in root
    }
    assert cases == {
        "bad.yml": [("Good", "1", []), ("Bad", "9", ["failure"]), ("Good", "16", [])],
        "broken.yml": [("the file", None, ["failure"])],
        "correlation.yml": [("Many", "1", [])],
        "good.yml": [("Good", "1", [])],
        "slow.yml": [("Good", "1", []), ("Slow", "9", ["system-out"])],
        "warned.yml": [("Good", "1", ["system-out"])],
    }
    [failure] = root.findall(".//*[@name='Bad']/failure")
    assert failure.text.splitlines() == [line for line in result.stdout.splitlines() if "bad.yml" in line]
    assert failure.get("message") in failure.text
    assert result.exit_code == 1


def test_junit_on_stdout_is_alone_there_and_well_formed_whatever_a_rule_is_called(folder):
    (folder / "odd.yml").write_text(BAD.replace("Bad", '"<&]]>\\x07\\uFFFE\\"\\n"'))
    result = run("rules", folder, "--junit", "-")
    names = [case.get("name") for case in ET.fromstring(result.stdout).iter("testcase")]  # noqa: S314
    assert '<&]]>\ufffd\ufffd"\n' in names
    assert result.exit_code == 1
    assert run("rules", folder / "good.yml", "--junit", "-").exit_code == 0
    assert run("rules", folder, "--junit", "-", "--json").exit_code == 2


def test_what_a_rule_holds_moves_no_cursor(folder):
    (folder / "odd.yml").write_text(BAD.replace("a|foo", "a|\\e[2J").replace("'", '"'))
    result = run("rules", folder)
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout


def test_a_terminal_is_shown_how_far_it_is(folder):
    for number in range(300):
        (folder / f"{number}.yml").write_text(GOOD.replace("good", f"good-{number}"))
    ours, theirs = pty.openpty()
    fsoc = Path(sys.executable).with_name("fsoc")
    with subprocess.Popen([fsoc, "check", "rules", folder], stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        out = process.stdout.read()
    told = os.read(ours, 65_536)
    os.close(ours)
    assert out == b"301 rules, 0 filters, 1 correlation: 0 problems\n"
    drawn = [line for line in re.split(rb"\r\x1b\[K", told) if line]
    assert re.fullmatch(rb"(read [\d,]+ of 302 files|checked [\d,]+ rules? of 302 files)", drawn[0])
    assert told.endswith(b"\r\x1b[K")


def test_placeholders_and_a_pipeline_make_rules_good(tmp_path):
    (rule := tmp_path / "r.yml").write_text(GOOD.replace("{a: 1}", "{'a|expand': '%x%%y%'}"))
    (values := tmp_path / "v.yaml").write_text("x: [1]\n")
    (pipeline := tmp_path / "p.yaml").write_text("vars: {y: [2]}\ntransformations: [{type: value_placeholders}]\n")
    assert run("rules", rule).exit_code == 1
    assert run("rules", rule, "--placeholders", values).exit_code == 1
    assert run("rules", rule, "--placeholders", values, "--pipeline", pipeline).exit_code == 0


@pytest.mark.parametrize("what", ["rules", "tickets", "mappings"])
def test_a_path_that_is_not_there_is_refused(what, tmp_path):
    with pytest.raises(RefusedToStart) as refusal:
        run(what, tmp_path / "one", tmp_path / "two")
    assert [problem.text for problem in refusal.value.problems] == ["no such file or folder"] * 2


def test_the_mappings_that_are_shipped_are_good():
    result = run("mappings", shipped("attack_mappings"))
    assert (result.exit_code, result.stdout.partition(":")[2]) == (0, " 0 problems\n")


def test_a_bad_row_of_a_mapping_is_told_with_its_line(tmp_path):
    [table] = list(shipped("attack_mappings").glob("enterprise-19*.tsv"))
    (bad := tmp_path / "bad.tsv").write_text(table.read_text("utf-8") + "nonsense\n", "utf-8")
    result = run("mappings", bad)
    line = len(table.read_text("utf-8").splitlines()) + 1
    assert result.stdout.startswith(f"{bad}:{line}: ")
    assert result.exit_code == 1


def test_tickets_are_told_by_file_and_line(tmp_path):
    lines = [json.dumps(ticket()), "", json.dumps(ticket(severity=9, title=5)), "{", json.dumps(ticket(seq=2))]
    (file := tmp_path / "t.ndjson").write_text("\n".join(lines))
    result = run("tickets", file)
    *told, count = result.stdout.splitlines()
    places = sorted(line.split(": ")[0] + line.split(": ")[1].rpartition(" at ")[2] for line in told)
    assert places == [f"{file}:3/severity", f"{file}:3/title", f"{file}:4/"]
    assert count == "4 tickets: 3 problems"
    assert result.exit_code == 1


def test_good_tickets_are_counted(tmp_path):
    (one := tmp_path / "t.json").write_text(json.dumps(ticket(), indent=2))
    result = run("tickets", one)
    assert (result.stdout, result.exit_code) == ("1 ticket: 0 problems\n", 0)


def test_clocks_and_suppressions_among_the_rules_are_checked_too(folder):
    (folder / "clocks.yml").write_text("clocks: [{id: report, name: Report, hours: no}]\n")
    (folder / "suppressions.yml").write_text("suppressions:\n  - {id: one, rule: many, owner: me, until: 2099-01-01}\n")

    told = run("rules", folder)

    assert told.exit_code == 1
    assert f'{folder / "clocks.yml"}:1: hours is "False" — expected a number above 0 and up to 8784' in told.output
    assert f"{folder / 'suppressions.yml'}:2: reason is missing" in told.output


def test_suppressions_that_have_expired_or_suppress_nothing_are_warned_of(folder):
    (folder / "suppressions.yml").write_text(
        "suppressions:\n"
        "  - {id: one, rule: many, owner: me, until: 2020-01-01, reason: drill}\n"
        "  - {id: two, rule: none, owner: me, until: 2099-01-01, reason: drill}\n"
        "  - {id: three, rule: many, owner: me, until: 2099-01-01, reason: drill, group: {institution: fi-001}}\n"
    )
    told = run("rules", folder)
    file = folder / "suppressions.yml"

    assert told.exit_code == 0
    assert f'{file}:2: warning: suppression "one" of me has expired at 2020-01-01T00:00:00.000Z' in told.output
    assert f'{file}:3: warning: suppression "two" names "none", which is no rule that raises alerts' in told.output
    assert f"{file}:4" not in told.output
    assert run("rules", folder, "--strict").exit_code == 1
