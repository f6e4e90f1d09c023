"""`fsoc explain` as it is called: which rule, which event, what is printed, with which exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.explain import command
from fsoc.cli.explained import VALUES_SHOWN_MAX
from fsoc.errors import RefusedToStart
from fsoc.tickets.sample import ticket

RULE = """\
title: {title}
id: {id}
name: {name}
logsource: {{category: {category}}}
detection:
    selection:
        a|contains: [x, y]
    ban: {{b: 1}}
    condition: selection and not ban
"""
FILTER = """\
title: Left out
logsource: {category: test}
filter:
    rules: any
    own: {c: 1}
    condition: not own
"""
HIT = {"logsource": {"category": "test"}, "a": "-x-"}
MISS = {**HIT, "b": 1}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (folder := tmp_path / "rules").mkdir()
    for name in ("one", "two"):
        text = RULE.format(title=f"The {name} rule", id=f"id-{name}", name=f"rule_{name}", category="test")
        (folder / f"{name}.yml").write_text(text)
    return folder


def run(*args: object, event: object = HIT) -> Result:
    given = event if isinstance(event, bytes) else json.dumps(event)
    return CliRunner().invoke(command, [*map(str, args), "--event", "-"], input=given, catch_exceptions=False)


def refused(*args: object, event: object = HIT) -> str:
    with pytest.raises(RefusedToStart) as refusal:
        run(*args, event=event)
    return "\n".join(map(str, refusal.value.problems))


def test_a_rule_that_matches_is_shown_as_a_tree(rules):
    result = run("--rule", rules / "one.yml")
    assert (
        result.stdout
        == f"""\
✔ The one rule matches
  id-one  {rules}/one.yml:1
  ✔ logsource {{category: test}}
    ✔ the event is of {{category: test}} as stated
✔ condition selection and not ban  :9
└─ ✔ all of these
   ├─ ✔ selection  :6
   │  └─ ✔ a|contains  ← -x-  :7
   │     ├─ ✔ x
   │     └─ ✘ y
   └─ ✔ not
      └─ ✘ ban  :8
         └─ ✘ b: 1  (there is no such field)  :8
"""
    )
    assert (result.stderr, result.exit_code) == ("", 0)


def test_a_rule_that_does_not_match_leaves_with_1(rules):
    result = run("--rule", rules / "one.yml", event=MISS)
    assert result.stdout.startswith("✘ The one rule does not match\n")
    assert result.exit_code == 1


@pytest.mark.parametrize("wanted", ["id-two", "rule_two", "The two rule", "the TWO rule"])
def test_a_rule_is_found_by_its_id_name_or_title(wanted, rules):
    result = run("--rule", wanted, "--rules", rules)
    assert result.stdout.startswith("✔ The two rule matches\n")
    assert "The one rule" not in result.stdout


def test_a_title_is_found_however_it_is_written_in_its_file(rules):
    text = RULE.format(title='"\\u0054hree"', id="id-three", name="rule_three", category="test")
    (rules / "three.yml").write_text(text)
    assert run("--rule", "Three", "--rules", rules).exit_code == 0


def test_the_rules_that_are_shipped_are_looked_through(tmp_path):
    result = run("--rule", "shadow_copies_deleted", event={"logsource": {"category": "process_creation"}})
    assert (result.exit_code, "✘" in result.stdout) == (1, True)


@pytest.mark.parametrize("by", ["file", "id"])
def test_filters_among_the_rules_are_applied(by, rules):
    (rules / "filter.yml").write_text(FILTER)
    result = run("--rule", rules / "one.yml" if by == "file" else "id-one", "--rules", rules, event={**HIT, "c": 1})
    assert "├─ ✔ condition selection and not ban" in result.stdout
    assert f"└─ ✘ filter Left out  {rules}/filter.yml:1" in result.stdout
    assert result.exit_code == 1
    assert run("--rule", rules / "one.yml", event={**HIT, "c": 1}).exit_code == 0


def test_every_rule_of_a_file_is_explained_and_one_that_matches_is_enough(rules):
    both = rules / "both.yml"
    both.write_text(
        RULE.format(title="A", id="a", name="a", category="other") + "---\n" + (rules / "one.yml").read_text()
    )
    result = run("--rule", both)
    assert [line for line in result.stdout.splitlines() if line.endswith(("matches", "match"))] == [
        "✘ A does not match",
        "✔ The one rule matches",
    ]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (json.dumps(HIT, indent=2), ""),
        ("\ufeff" + json.dumps(HIT) + "\n", ""),
        (json.dumps(MISS) + "\n\n" + json.dumps(HIT) + "\n", ":3"),
        ("\ufeff" + json.dumps(HIT) + "\nnot json", ":1"),
    ],
)
def test_an_event_is_a_file_or_a_line_of_one(content, place, rules, tmp_path):
    (file := tmp_path / "events:1.json").write_text(content, encoding="utf-8")
    args = ["--rule", str(rules / "one.yml"), "--event", f"{file}{place}"]
    assert CliRunner().invoke(command, args, catch_exceptions=False).exit_code == 0


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        ("{}\n{}\n", "", "of 2 lines name one: {file}:1"),
        ("{}\n", ":2", "{file} has no line 2"),
        ("[1]", "", "{file}: not a JSON object"),
        ("{", "", "{file}: not JSON: "),
        ('{"logsource": "x"}', "", "logsource is 'x' — expected {product, category, service}"),
        ('{"logsource": {"product": 1}}', "", "logsource is {'product': 1}"),
        (None, "", "{file}: No such file or directory"),
    ],
)
def test_an_event_that_is_none_is_refused(content, place, problem, rules, tmp_path):
    file = tmp_path / "e.json"
    if content is not None:
        file.write_text(content)
    args = ["--rule", str(rules / "one.yml"), "--event", f"{file}{place}"]
    with pytest.raises(RefusedToStart) as refusal:
        CliRunner().invoke(command, args, catch_exceptions=False)
    [found] = refusal.value.problems
    assert found.where == "--event"
    assert problem.replace("{file}", str(file)) in found.text


def test_a_rule_that_is_refused_is_told_with_its_problems_and_no_others(rules):
    bad = (
        (rules / "one.yml").read_text().replace("a|contains", "a|foo").replace("condition: sel", "condition: x and sel")
    )
    (rules / "one.yml").write_text(bad)
    (rules / "other.yml").write_text("title: x\nlogsource: 5\n")
    for args in (["--rule", rules / "one.yml"], ["--rule", "id-one", "--rules", rules]):
        problems = refused(*args).splitlines()
        assert [problem.partition(": ")[0] for problem in problems] == [f"{rules}/one.yml:7", f"{rules}/one.yml:9"]


def test_a_refused_rule_beside_a_good_one_is_told(rules):
    good = (rules / "one.yml").read_text()
    (rules / "one.yml").write_text(good + "---\n" + good.replace("one", "bad").replace("a|contains", "a|foo"))
    result = run("--rule", rules / "one.yml")
    assert result.stderr.startswith(f'fsoc: {rules}/one.yml:17: a|foo: "foo" is no modifier')
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("the onne rule", "near: The one rule"),
        ("two", "near: The two rule"),
        ("id-t", "near: id-two"),
        ("nothing like it", "of 2 rules none has such an id, name or title"),
    ],
)
def test_a_rule_that_is_not_there_is_refused_with_what_is_near(wanted, hint, rules):
    assert hint in refused("--rule", wanted, "--rules", rules)


def test_a_correlation_has_nothing_to_explain(rules):
    counted = "{type: event_count, rules: [rule_one], timespan: 1h, condition: {gte: 2}}"
    (rules / "many.yml").write_text(f"title: Many\nname: many\ncorrelation: {counted}\n")
    for wanted in ("many", rules / "many.yml"):
        assert "is a correlation, and looks at no event itself; explain a rule it counts: ['rule_one']" in refused(
            "--rule", wanted, "--rules", rules
        )


def test_an_event_of_another_logsource_is_not_tried_and_it_is_said_what_would_be(rules):
    for event, known in (
        ({"a": "x"}, "of no logsource that is known"),
        ({**HIT, "logsource": {"product": "p"}}, "of none"),
    ):
        result = run("--rule", rules / "one.yml", event=event)
        assert f"the event is {known}" in result.stdout
        assert "the rule is not tried on it though its condition holds" in result.stdout
        assert result.exit_code == 1


def test_the_logsource_may_be_stated_beside_the_event(rules):
    assert run("--rule", rules / "one.yml", "--logsource", "category=TEST, product=p", event={"a": "x"}).exit_code == 0
    for wrong in ("test", "category=", "kind=x", ""):
        assert "expected product=…, category=… or service=…" in refused(
            "--rule", rules / "one.yml", "--logsource", wrong
        )


def test_the_mapping_that_says_so_is_named(rules, tmp_path):
    (mapping := tmp_path / "map.yml").write_text(
        "logsources:\n  - when: {kind: x}\n    logsource: {category: test}\n    events: {1: {fields: {a: A}}}\n"
    )
    result = run("--rule", rules / "one.yml", "--logsources", mapping, event={"kind": "x", "EventID": 1, "A": "y"})
    assert f"    ✔ the event is of {{category: test}} by {mapping}:4\n    a is A in the event\n" in result.stdout
    assert result.exit_code == 0


def test_of_a_ticket_each_evidence_item_is_explained(rules):
    evidence = [{"logsource": {"category": "test"}, "fields": fields} for fields in ({"a": "x"}, {"a": "z"})]
    result = run("--rule", rules / "one.yml", event=ticket(evidence=evidence))
    assert "✔ The one rule matches evidence 0" in result.stdout
    assert "✘ The one rule does not match evidence 1" in result.stdout
    assert result.exit_code == 0
    assert "no evidence" in refused("--rule", rules / "one.yml", event=ticket(evidence=[]))


def test_a_rule_on_tickets_is_shown_the_ticket(tmp_path):
    text = RULE.format(title="T", id="t", name="t", category="x").replace("{category: x}", "{product: fsoc}")
    (rule := tmp_path / "t.yml").write_text(text.replace("a|contains", "title|contains"))
    assert run("--rule", rule, event=ticket(title="axe")).exit_code == 0
    assert "no ticket" in refused("--rule", rule, event={"observables": 5})


def test_json_says_the_same(rules):
    told = json.loads(run("--rule", rules / "one.yml", "--json", event=MISS).stdout)
    condition = told.pop("condition")
    assert told == {
        "rule": {"id": "id-one", "title": "The one rule", "where": f"{rules}/one.yml:1"},
        "matched": False,
        "covered": True,
        "logsource": {"category": "test"},
        "logsources": [{"category": "test", "from": "stated", "covered": True}],
    }
    [both] = condition["parts"]
    assert [part["matched"] for part in both["parts"]] == [True, False]
    assert both["parts"][0]["parts"][0] == {
        "kind": "line",
        "label": "a|contains",
        "matched": True,
        "where": f"{rules}/one.yml:7",
        "found": ["-x-"],
        "parts": [
            {"kind": "value", "label": "x", "matched": True, "where": f"{rules}/one.yml:7"},
            {"kind": "value", "label": "y", "matched": False, "where": f"{rules}/one.yml:7", "why": "another value"},
        ],
    }


def test_of_many_values_that_did_not_match_only_some_are_shown(rules):
    text = (rules / "one.yml").read_text().replace("[x, y]", str([f"v{number}" for number in range(1_000)] + ["x"]))
    (rules / "one.yml").write_text(text)
    result = run("--rule", rules / "one.yml")
    assert result.stdout.count(" ✘ v") == VALUES_SHOWN_MAX
    assert f"└─ ✘ … {1_000 - VALUES_SHOWN_MAX} more values" in result.stdout
    assert "✔ x" in result.stdout


def test_what_an_event_holds_moves_no_cursor(rules):
    result = run("--rule", rules / "one.yml", event={**HIT, "a": "\x1b[2Jx\r\n\u202e[red]"})
    assert "← \\x1b[2Jx\\r\\n\\u202e[red]" in result.stdout


def test_there_are_colours_on_a_terminal_only(rules, tmp_path):
    (event := tmp_path / "e.json").write_text(json.dumps(HIT))
    command_line = [Path(sys.executable).with_name("fsoc"), "explain", "--rule", rules / "one.yml", "--event", event]
    assert b"\x1b[" not in subprocess.run(command_line, capture_output=True, check=True).stdout
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    subprocess.run(command_line, stdout=theirs, check=True, env=environment)
    os.close(theirs)
    told = os.read(ours, 65_536)
    os.close(ours)
    assert "\x1b[32m✔".encode() in told
