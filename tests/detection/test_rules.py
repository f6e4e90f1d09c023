"""Loading: what a rule says of itself, ids, and refusals of every kind at once."""

from __future__ import annotations

import pytest

from fsoc.detection import Logsource
from fsoc.detection.nodes import And, AtLeast, Item, Not, Or, fields_of

DETECTION = "detection:\n    selection: {a: 1}\n    condition: selection\n"
WHOLE = f"""\
title: Whole
id: 0f06a3a5-6a09-413f-8743-e6cf35561297
name: whole_rule
status: deprecated
level: critical
date: 2026-03-02
author: someone
references: [https://soc.example/1]
falsepositives: [none]
tags: [attack.t1059.001, attack.T1490, attack.defense-evasion, attack.impact, attack.g0016, cve.2024-1, tlp.red]
logsource: {{product: Windows, category: process_creation, definition: some text}}
fsoc: {{independent: true}}
{DETECTION}"""


def test_a_rule_keeps_what_its_document_says_of_itself(load):
    [rule] = load(WHOLE).rules
    assert (rule.id, rule.title, rule.name) == ("0f06a3a5-6a09-413f-8743-e6cf35561297", "Whole", "whole_rule")
    assert (rule.level, rule.status, rule.path, rule.line) == ("critical", "deprecated", "a.yml", 1)
    assert rule.logsource == Logsource("windows", "process_creation")
    assert rule.techniques == ("T1059.001", "T1490")
    assert rule.tactics == ("defense_evasion", "impact")
    assert rule.tags[0] == "attack.t1059.001"
    assert rule.fsoc == {"independent": True}


@pytest.mark.parametrize("status", ["unsupported", "deprecated", "experimental", "test", "stable"])
def test_a_rule_of_any_status_is_loaded(status, load):
    assert [
        rule.status for rule in load(f"title: t\nstatus: {status}\nlogsource: {{category: a}}\n{DETECTION}").rules
    ] == [status]


def test_little_is_needed_and_an_id_may_be_any_text(load):
    loaded = load(
        f"title: t1\nlogsource: {{category: a}}\n{DETECTION}",
        f"title: t2\nname: n2\nlogsource: {{category: a}}\n{DETECTION}",
        f"title: t3\nid: my own id\nlogsource: {{category: a}}\n{DETECTION}",
    )
    assert [rule.id for rule in loaded.rules] == ["t1", "n2", "my own id"]
    assert [(rule.level, rule.fsoc, rule.tags) for rule in loaded.rules] == [(None, {}, ())] * 3


def test_ids_and_names_are_used_once(load):
    text = "title: t\nid: {id}\nname: {name}\nlogsource: {{category: a}}\n" + DETECTION.replace("{", "{{").replace(
        "}", "}}"
    )
    one, same_id, same_name = (text.format(id=i, name=n) for i, n in (("x", "n"), ("x", "m"), ("y", "n")))
    loaded = load(one, same_id, same_name)
    assert [rule.id for rule in loaded.rules] == ["x"]
    assert [str(problem) for problem in loaded.problems] == [
        'b.yml:2: id "x" is used twice, first in a.yml:1',
        'c.yml:3: name "n" is used twice, first in a.yml:1',
    ]


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        ("logsource: {category: a}", ["1: Sigma rule must have a title"]),
        ("title: 5\nlogsource: {category: a}", ["1: Sigma rule title must be a string"]),
        ("title: t", ["1: logsource is missing — expected a mapping with product, category or service"]),
        ("title: t\nlogsource: windows", ["2: logsource is missing — expected a mapping"]),
        ("title: t\nlogsource: {definition: x}", ["2: logsource sets none of product, category, service"]),
        ("title: t\nlogsource: {product: 5}", ["2: logsource product is 5 — expected text"]),
        ("title: t\nid: 5\nlogsource: {category: a}", ["2: id is 5 — expected text, best a UUID"]),
        ("title: t\nid: ''\nlogsource: {category: a}", ["2: id is '' — expected text"]),
        ("title: t\nlogsource: {category: a}\nlevel: grave", ["3: 'grave' is not a valid Sigma rule level"]),
        ("title: t\nlogsource: {category: a}\nstatus: new", ["3: 'new' is not a valid Sigma rule status"]),
        ("title: t\nlogsource: {category: a}\ndate: yesterday", ["3: Rule date 'yesterday' is invalid"]),
        ("title: t\nlogsource: {category: a}\ntags: x", ["3: Sigma tags fields must be a list"]),
        ("title: t\nlogsource: {category: a}\ntags: [x]", ["3: Sigma tag must start with namespace"]),
        ("title: t\nlogsource: {category: a}\nrelated: [{id: 5, type: similar}]", ["3: Sigma related identifier"]),
        ("title: t\nlogsource: {category: a}\nfsoc: [x]", ["3: fsoc is not a mapping"]),
        ("title: t\nlogsource: {}\nlevel: x\nid: 5", ["4: id is 5", "3: 'x' is not a valid", "2: logsource sets none"]),
    ],
)
def test_bad_metadata_is_told_with_its_line_all_at_once(lines, problems, load):
    loaded = load(f"{lines}\n{DETECTION}")
    assert loaded.rules == ()
    found = [str(problem) for problem in loaded.problems]
    assert len(found) == len(problems)
    for start in problems:
        assert any(problem.startswith(f"a.yml:{start}") for problem in found), found


def test_every_problem_of_every_part_is_told_and_the_good_rules_load(load):
    bad = (
        "title: t\nid: 7\nlogsource: {category: a}\nlevel: x\ndetection:\n    one: {'a|foo': 1, 'b|re': '(?=x)'}\n"
        "    two: {'c|cidr': x}\n    condition: one and three\n"
    )
    loaded = load(
        f"title: good\nlogsource: {{category: a}}\n{DETECTION}",
        bad,
        "x: [",
        f"title: good2\nlogsource: {{category: a}}\n{DETECTION}",
    )
    assert [rule.id for rule in loaded.rules] == ["good", "good2"]
    assert [problem.where for problem in loaded.problems] == [
        *("c.yml:2", "b.yml:4", "b.yml:2", "b.yml:6", "b.yml:7", "b.yml:8"),
    ]
    assert loaded.refused == 2


def test_regexes_and_conditions_are_told_together(load):
    text = "title: t\nlogsource: {category: a}\ndetection:\n    one:\n        'b|re': '(?=x)'\n    condition: one and\n"
    assert [problem.where for problem in load(text).problems] == ["a.yml:5", "a.yml:6"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\n", "a.yml:1: neither a detection nor a correlation nor a filter"),
        (
            "title: t\nlogsource: {category: a}\n",
            "a.yml:1: detection is missing — expected search identifiers and a condition",
        ),
        ("title: t\nlogsource: {category: a}\ndetection: x\n", "a.yml:3: detection is missing — expected search"),
        ("title: t\nlogsource: {category: a}\ndetection: {condition: a}\n", "a.yml:3: no search identifier is defined"),
        (
            "title: t\nlogsource: {category: a}\ndetection:\n    a: {b: 1}\n    timeframe: 5m\n    condition: a\n",
            "a.yml:5: timeframe is no longer part of Sigma — write a correlation with a timespan",
        ),
        (
            "title: t\nlogsource: {category: a}\ndetection:\n    5: {b: 1}\n    condition: '5'\n",
            'a.yml:4: "5" is no search identifier; quote it',
        ),
    ],
)
def test_a_document_that_is_no_rule_is_told(text, problem, load):
    [found] = load(text).problems
    assert str(found).startswith(problem)


def test_correlations_are_handed_on_as_written_with_their_place(load):
    loaded = load(
        f"title: t\nlogsource: {{category: a}}\n{DETECTION}---\ntitle: c\nid: c1\ncorrelation:\n    type: event_count\n"
    )
    [document] = loaded.correlations
    assert (document.path, document.line, document.data["correlation"]["type"]) == ("a.yml", 7, "event_count")
    assert document.line_of("correlation", "type") == 10
    assert len(loaded.rules) == 1


def test_nodes_tell_the_fields_they_look_at(load, rule):
    text = rule("a: {x: 1, 'y|fieldref': z}\nb: [k, {v: 1}]\nc: {w: 1}\ncondition: 2 of * and not c")
    [loaded] = load(text).rules
    assert set(fields_of(loaded.condition)) == {"x", "y", "z", None, "v", "w"}
    assert isinstance(loaded.condition, And)
    assert isinstance(loaded.condition.parts[0], AtLeast)
    assert isinstance(loaded.condition.parts[1], Not)
    assert isinstance(loaded.condition.parts[0].parts[1], Or)
    assert isinstance(loaded.condition.parts[0].parts[2], Item)


def test_a_value_that_is_refused_is_told_with_its_own_line(load):
    text = (
        "title: t\nlogsource: {category: a}\ndetection:\n    one:\n"
        "        'a|re':\n            - fine\n            - '(?=x)'\n"
        "        'b|cidr':\n            - 10.0.0.0/8\n            - 10.0.0.1/8\n            - x\n    condition: one\n"
    )
    assert [problem.where for problem in load(text.replace("b|cidr", "b")).problems] == ["a.yml:7"]
    assert [problem.where for problem in load(text.replace("(?=x)", "x")).problems] == ["a.yml:10", "a.yml:11"]


def test_each_rule_is_told_with_what_it_was_made_of(load):
    told = []
    ban = "title: f\nlogsource: {category: a}\nfilter:\n    rules: any\n    own: {c: 1}\n    condition: not own\n"
    loaded = load(
        f"title: good\nlogsource: {{category: a}}\n{DETECTION}",
        f"title: bad\nlogsource: {{category: a}}\n{DETECTION}    timeframe: 5m\n",
        f"title: good\nlogsource: {{category: a}}\n{DETECTION}",
        "x: 1\n",
        ban,
        tell=told.append,
    )
    assert [(draft.document.path, draft.rule) for draft in told] == [
        ("a.yml", loaded.rules[0]),
        *((path, None) for path in ("b.yml", "c.yml", "d.yml")),
    ]
    assert [[section.key for section in draft.sections] for draft in told] == [
        ["detection", "filter"],
        ["detection"],
        ["detection", "filter"],
        [],
    ]
