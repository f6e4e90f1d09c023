"""`fsoc detect` as it is called: output, order, what goes wrong."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.detect import command
from fsoc.errors import RefusedToStart
from fsoc.runtime import line_batches

RULE = """\
title: Rule {id}
id: {id}
logsource: {{category: test}}
detection:
    selection: {selection}
    condition: selection
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "deeper").mkdir(parents=True)
    (folder / "b.yml").write_text(RULE.format(id="second", selection="{a: 1}"))
    (folder / "a.yml").write_text(RULE.format(id="first", selection="{a: 1, b: 1}"))
    (folder / "deeper" / "c.yaml").write_text(RULE.format(id="third", selection="{user: '%admins%'}"))
    (folder / "logsources.yml").write_text("logsources: []\n")
    (folder / "notes.txt").write_text("no rule")
    return folder


def event(**fields: object) -> str:
    return json.dumps({"logsource": {"category": "test"}, **fields}) + "\n"


def run(*args: object, events: str | bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args], input=events, catch_exceptions=False)


def test_each_event_that_matched_is_one_line_in_the_order_of_the_input(rules, tmp_path):
    events = tmp_path / "events.ndjson"
    events.write_text(event(a=1) + event(a=2) + event(a=1, b=1))
    result = run("--rules", rules, "--events", events)
    assert result.stdout == '{"event":0,"rules":["second"]}\n{"event":2,"rules":["first","second"]}\n'
    assert (result.stderr, result.exit_code) == ("", 0)


def test_standard_input_is_a_dash_and_rules_may_be_several(rules):
    for several in (
        ("--rules", rules / "b.yml", rules / "a.yml"),
        ("--rules", rules / "b.yml", "--rules", rules / "a.yml"),
    ):
        result = run(*several, "--events", "-", events=event(a=1, b=1))
        assert result.stdout == '{"event":0,"rules":["second","first"]}\n'


def test_a_line_that_is_no_event_is_told_and_passed_over(rules):
    lines = [event(a=1).encode(), b"{not json\n", b"\n", b"[1]\n", b'{"logsource": "x"}\n', b'{"a": "\xff"}\n']
    result = run("--rules", rules, "--events", "-", events=b"".join(lines) + event(a=1).encode())
    assert result.stdout == '{"event":0,"rules":["second"]}\n{"event":6,"rules":["second"]}\n'
    told = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in told] == [*(f"standard input:{n}" for n in (2, 4, 5, 6)), "fsoc"]
    assert "standard input:4: not a JSON object" in told
    assert "standard input:5: logsource is 'x' — expected {product, category, service}" in told
    assert told[-1] == "fsoc: 4 lines could not be read"
    assert result.exit_code == 1


def test_lines_far_down_keep_their_numbers(rules, tmp_path, monkeypatch):
    monkeypatch.setattr(line_batches, "READ_BYTES", 1_000)
    monkeypatch.setattr(line_batches, "LINE_BYTES_MAX", 3_000)
    lines = [event(a=2)] * 100 + ["{\n", event(a=1), event(a="x" * 4_000), "[]\n", event(a=1)]
    (events := tmp_path / "events.ndjson").write_text("".join(lines))
    result = run("--rules", rules, "--events", events)
    assert result.stdout == '{"event":101,"rules":["second"]}\n{"event":104,"rules":["second"]}\n'
    told = [line.removeprefix(f"{events}:") for line in result.stderr.splitlines()]
    assert told[0].startswith("101: not JSON: ")
    assert told[1:] == ["103: longer than 16777216 bytes", "104: not a JSON object", "fsoc: 3 lines could not be read"]
    assert result.exit_code == 1


@pytest.mark.parametrize("engine", ["plain", "fast", "native", "auto"])
def test_every_engine_prints_the_same(rules, engine):
    if engine in ("fast", "native") and not importlib.util.find_spec(f"fsoc.detection.{engine}"):
        pytest.skip(f"the {engine} engine is not there")
    if engine == "native" and not importlib.util.find_spec("fsoc_native"):
        pytest.skip("the native engine is not built")
    lines = [event(a=1), "{\n", "\n", '{"a": 1}\n', event(a=[2, 1], b=1), event(user="%ADMINS%"), event(a=1)]
    result = run("--rules", rules, "--events", "-", "--engine", engine, events="".join(lines))
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"event": 0, "rules": ["second"]},
        {"event": 4, "rules": ["first", "second"]},
        {"event": 5, "rules": ["third"]},
        {"event": 6, "rules": ["second"]},
    ]
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == ["standard input:2", "fsoc", "fsoc"]
    assert result.exit_code == 1


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(rules):
    result = run(
        "--rules", rules, "--events", "-", events=b"\xef\xbb\xbf" + event(a=1).encode().replace(b"\n", b"\r\n")
    )
    assert result.stdout == '{"event":0,"rules":["second"]}\n'


def test_events_that_no_rule_was_tried_on_are_counted(rules):
    result = run("--rules", rules, "--events", "-", events='{"a": 1}\n' + event(a=2) + event(a=1))
    assert result.stdout == '{"event":2,"rules":["second"]}\n'
    assert (
        "fsoc: 1 of 3 events tell no logsource, or one that no rule is for: no rule was tried on them" in result.stderr
    )
    assert result.exit_code == 0


def test_the_logsource_is_derived_by_the_map_that_is_given(rules, tmp_path):
    (mapping := tmp_path / "own.yml").write_text("logsources:\n  - {when: {kind: x}, logsource: {category: test}}\n")
    result = run("--rules", rules, "--events", "-", "--logsources", mapping, events='{"kind": "X", "a": 1}\n')
    assert result.stdout == '{"event":0,"rules":["second"]}\n'


def test_windows_events_need_no_logsource(tmp_path):
    text = RULE.format(id="win", selection=r"{'Image|endswith': '\cmd.exe'}")
    (rule := tmp_path / "r.yml").write_text(
        text.replace("category: test", "category: process_creation, product: windows")
    )
    channel = "Microsoft-Windows-Sysmon/Operational"
    events = json.dumps({"Channel": channel, "EventID": 1, "Image": r"C:\CMD.EXE"})
    assert run("--rules", rule, "--events", "-", events=events).stdout == '{"event":0,"rules":["win"]}\n'


def test_refused_rules_are_counted_and_the_others_run(rules):
    (rules / "bad.yml").write_text(RULE.format(id="bad", selection="{'a|re': '(?=x)'}"))
    result = run("--rules", rules, "--events", "-", events=event(a=1))
    assert result.stdout == '{"event":0,"rules":["second"]}\n'
    assert (result.stderr, result.exit_code) == ("fsoc: 1 rule refused, see fsoc check rules\n", 0)


def test_placeholders_and_a_pipeline_may_be_given(tmp_path):
    (rule := tmp_path / "r.yml").write_text(RULE.format(id="r", selection="{'user|expand': '%admins%'}"))
    (values := tmp_path / "values.yml").write_text("admins: [root]\n")
    (pipeline := tmp_path / "pipeline.yml").write_text(
        "transformations:\n  - {type: field_name_mapping, mapping: {user: account.name}}\n"
    )
    given = ("--placeholders", values, "--pipeline", pipeline)
    result = run("--rules", rule, "--events", "-", *given, events=event(account={"name": "ROOT"}))
    assert result.stdout == '{"event":0,"rules":["r"]}\n'


@pytest.mark.parametrize(
    ("args", "problems"),
    [
        (("--rules", "nowhere", "neither", "--events", "-"), ["nowhere: no such file or folder", "neither: no such"]),
        (("--rules", "{tmp}", "--events", "-"), ["{tmp}: holds no .yaml or .yml file"]),
        (("--rules", "{rules}", "--events", "{tmp}/none"), ["--events: {tmp}/none: No such file or directory"]),
        (("--rules", "{rules}", "--events", "-", "--logsources", "{tmp}/none"), ["{tmp}/none: No such file"]),
        (
            ("--rules", "{rules}/notes.txt", "--events", "-"),
            ["{rules}/notes.txt:1: not a mapping", "--rules: no rule can"],
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_every_problem(args, problems, rules, tmp_path):
    (empty := tmp_path / "empty").mkdir()
    filled = [arg.format(tmp=empty, rules=rules) for arg in args]
    with pytest.raises(RefusedToStart) as refusal:
        run(*filled, events="")
    found = [str(problem) for problem in refusal.value.problems]
    assert len(found) == len(problems)
    for problem, start in zip(found, problems, strict=True):
        assert problem.startswith(start.format(tmp=empty, rules=rules))


def test_a_rule_file_that_is_not_utf8_is_told_with_its_line(rules):
    (rules / "bad.yml").write_bytes(b"title: x\nid: \xff\n")
    with pytest.raises(RefusedToStart, match=r"bad\.yml:2: not UTF-8"):
        run("--rules", rules, "--events", "-", events="")
