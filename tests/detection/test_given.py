"""Placeholders and pipelines that are given beside the rules."""

from __future__ import annotations

import pytest
from sigma.processing.pipeline import ProcessingPipeline

from fsoc.detection import LogsourceMap, PlainDetector, Source
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.errors import RefusedToStart


def pipeline(text: str) -> ProcessingPipeline:
    return read_pipeline(Source("p.yml", text))


MAPPING = """\
name: fields
transformations:
  - id: map
    type: field_name_mapping
    mapping:
      Image: process.executable
      User: [user.name, user.id]
"""


def test_a_pipeline_maps_fields(matches):
    detection = r"selection: {'Image|endswith': '\cmd.exe', User: bob}" + "\ncondition: selection"
    event = {"process": {"executable": r"C:\CMD.exe"}, "user": {"id": "bob"}}
    assert matches(detection, event, pipeline=pipeline(MAPPING))
    assert matches(detection, {"process.executable": r"\cmd.exe", "user.name": "Bob"}, pipeline=pipeline(MAPPING))
    assert not matches(detection, {"Image": r"C:\cmd.exe", "User": "bob"}, pipeline=pipeline(MAPPING))


def test_a_pipeline_adds_conditions(matches):
    text = "transformations:\n  - {type: add_condition, conditions: {index: main}}\n"
    detection = "one: {a: 1}\ntwo: {b: 1}\ncondition: one or two"
    assert matches(detection, {"b": 1, "index": "main"}, pipeline=pipeline(text))
    assert not matches(detection, {"b": 1}, pipeline=pipeline(text))


def test_a_pipeline_may_drop_items_and_what_is_left_is_evaluated(matches, refusals):
    text = (
        "transformations:\n  - type: drop_detection_item\n    field_name_conditions:\n"
        "      - {type: include_fields, fields: [b]}\n"
    )
    assert matches("one: {a: 1, b: 1}\ntwo: {b: 1}\ncondition: one and not two", {"a": 1}, pipeline=pipeline(text))
    [problem] = refusals("one: {b: 1}\ncondition: one", pipeline=pipeline(text))
    assert problem == "a.yml:5: the pipeline leaves nothing to evaluate"


def test_a_pipeline_fills_placeholders_that_were_not_given(matches):
    text = "vars: {admins: [root, 'adm*']}\ntransformations:\n  - {type: value_placeholders, include: [admins]}\n"
    detection = "selection: {'User|expand': '%admins%@%domain%'}\ncondition: selection"
    options = {"pipeline": pipeline(text), "placeholders": {"domain": ["fi-001"]}}
    assert matches(detection, {"User": "admin@fi-001"}, **options)
    assert not matches(detection, {"User": "bob@fi-001"}, **options)


def test_a_pipeline_changes_values_and_logsource(load, rule):
    text = (
        "transformations:\n  - {type: change_logsource, category: other}\n"
        "  - {type: replace_string, regex: '^x', replacement: 'y'}\n"
    )
    [changed] = load(rule("selection: {a: xz}\ncondition: selection"), pipeline=pipeline(text)).rules
    detector = PlainDetector([changed], LogsourceMap())
    assert detector.match_event({"a": "yz"}, {"category": "other"}) == ["rule-1"]
    assert detector.match_event({"a": "yz"}, {"category": "test"}) == []


def test_filters_go_through_the_pipeline_with_each_rule(load, rule):
    filtered = "title: f\nlogsource: {category: test}\nfilter: {rules: any, s: {User: bob}, condition: not s}\n"
    loaded = load(rule("selection: {Image: a}\ncondition: selection"), filtered, pipeline=pipeline(MAPPING))
    detector = PlainDetector(loaded.rules, LogsourceMap())
    assert detector.match_event({"process.executable": "a"}, {"category": "test"}) == ["rule-1"]
    assert detector.match_event({"process.executable": "a", "user.id": "bob"}, {"category": "test"}) == []


@pytest.mark.parametrize(
    ("transformation", "reason"),
    [
        ("{type: rule_failure, message: not for us}", "a.yml:1: the pipeline refuses it: not for us"),
        (
            "{type: query_expression_placeholders, expression: '{field} in {id}'}",
            "a.yml:6: User: SigmaQueryExpression has no meaning without a backend's query language",
        ),
    ],
)
def test_a_rule_that_a_pipeline_refuses_or_makes_unfit_is_refused(transformation, reason, refusals):
    given = pipeline(f"transformations:\n  - {transformation}\n")
    assert refusals("selection: {'User|expand': '%admins%'}\ncondition: selection", pipeline=given) == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("transformations:\n  - {type: nonsense}\n", "p.yml:1: no pipeline of pySigma's"),
        (
            "transformations:\n  - {type: field_name_mapping}\n",
            "p.yml:1: no pipeline of pySigma's: SigmaConfigurationError",
        ),
        ("a: 1\ntransformation: []\n", "p.yml:1: no pipeline of pySigma's: SigmaConfigurationError"),
        ("a: [\n", "p.yml:2: not YAML"),
        ("", "p.yml:1: expected one YAML document"),
    ],
)
def test_what_is_no_pipeline_is_refused_with_its_place(text, reason):
    with pytest.raises(RefusedToStart) as refusal:
        pipeline(text)
    assert str(refusal.value).startswith(reason)


def test_placeholders_are_read_from_names_and_values():
    text = "admins: [root, adm*]\nport: 443\n"
    assert read_placeholders(Source("v.yml", text)) == {"admins": ["root", "adm*"], "port": [443]}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("a: []\nb: {c: d}\nc: [true]\n5: x\n", ["v.yml:1", "v.yml:2", "v.yml:3", "v.yml:4"]),
        ("", ["v.yml:1"]),
        ("a: [\n", ["v.yml:2"]),
    ],
)
def test_what_are_no_placeholders_are_refused_all_at_once(text, reasons):
    with pytest.raises(RefusedToStart) as refusal:
        read_placeholders(Source("v.yml", text))
    assert [problem.where for problem in refusal.value.problems] == reasons


def test_a_filter_goes_through_the_pipeline_anew_for_each_rule(load, rule):
    text = "transformations:\n  - {type: replace_string, regex: '^x', replacement: 'xy'}\n"
    one = rule("selection: {a: 1}\ncondition: selection")
    two = one.replace("rule-1", "rule-2")
    filtered = "title: f\nlogsource: {category: test}\nfilter: {rules: any, s: {user: xz}, condition: not s}\n"
    loaded = load(one, two, filtered, pipeline=pipeline(text))
    detector = PlainDetector(loaded.rules, LogsourceMap())
    assert detector.match_event({"a": 1, "user": "xyz"}, {"category": "test"}) == []
    assert detector.match_event({"a": 1, "user": "xz"}, {"category": "test"}) == ["rule-1", "rule-2"]
