"""Explanations: the verdict is the plain evaluator's, the tree is the rule as it is written, the reasons are true."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsoc.detection import Logsource, LogsourceMap, PlainDetector, Source, load_rules
from fsoc.detection.explain import VALUE_LENGTH_MAX, VALUES_SHOWN_MAX, Step, explain
from fsoc.detection.given import read_pipeline
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped
from tests.detection.differential import documents, events
from tests.detection.differential.rules import MAPPING

DATA = Path(__file__).parents[3] / "shared" / "data"
TEST = Logsource(category="test")


def drafts_of(*sources: Source, **options: object):
    found = []
    load_rules(sources, tell=found.append, **options)
    return [draft for draft in found if draft.rule is not None]


@pytest.fixture
def condition(rule):
    """The step that a detection section comes to for an event."""

    def condition(detection: str, event: dict[str, object], **options: object) -> Step:
        [draft] = drafts_of(Source("a.yml", rule(detection)), **options)
        return explain(draft, event, LogsourceMap(), TEST).condition

    return condition


def shape(step: Step) -> object:
    """kind, label, verdict; and the parts."""
    mark = "+" if step.matched else "-"
    name = f"{mark} {step.kind}: {step.label}"
    return {name: [shape(part) for part in step.parts]} if step.parts else name


def line(step: Step) -> Step:
    """The only line of the only selection."""
    while step.kind != "line":
        [step] = step.parts
    return step


@pytest.mark.skipif(not (DATA / "regression").is_dir(), reason=f"the SigmaHQ rules and their events are not at {DATA}")
def test_the_verdict_on_real_events_is_the_plain_evaluators():
    mapping = LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES))
    logged = [orjson.loads(each) for each in (DATA / "regression" / "events.ndjson").read_bytes().splitlines()]
    expected = [orjson.loads(each) for each in (DATA / "regression" / "expected.ndjson").read_bytes().splitlines()]
    wanted = {demand["rule"] for demand in expected}
    sources = [each for each in read_sources([DATA / "sigmahq-rules"]) if wanted & set(each.text.split())]
    loaded = {draft.rule.id: draft for draft in drafts_of(*sources)}
    drafts = [loaded[demand["rule"]] for demand in expected]
    plain = PlainDetector([draft.rule for draft in drafts], mapping)
    pairs = hits = covered = 0
    for demand, draft in zip(expected, drafts, strict=True):
        others = [place for place in range(len(logged)) if place not in demand["events"]]
        likes = [
            place for place in others if logged[place].get("EventID") == logged[demand["events"][0]].get("EventID")
        ]
        for place in {*demand["events"], *likes[:3], others[pairs % len(others)]}:
            found = explain(draft, logged[place], mapping)
            assert found.matched == (draft.rule.id in plain.match_event(logged[place])), (draft.rule.id, place)
            pairs, hits, covered = pairs + 1, hits + found.matched, covered + found.covered
    assert hits >= 92
    assert pairs - hits >= 92
    assert covered - hits >= 92


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_the_verdict_is_the_plain_evaluators_on_any_rule_and_event(data):
    drawn = [data.draw(documents._documents(0)), *data.draw(st.lists(documents._filters(), max_size=1))]
    sources = [Source(f"{index}.yml", json.dumps(each)) for index, each in enumerate(drawn)]
    for draft in drafts_of(*sources, placeholders=documents.PLACEHOLDERS):
        plain = PlainDetector([draft.rule], MAPPING)
        stated = data.draw(st.none() | st.sampled_from([TEST, Logsource("windows", service="security")]))
        if draft.rule.logsource.product == "fsoc":
            ticket = data.draw(events.tickets())
            own = [match for match in plain.match_ticket(ticket) if match.evidence == -1]
            assert explain(draft, ticket, MAPPING).matched == bool(own)
            continue
        for event in [*data.draw(events.events()), data.draw(events.odd_events())]:
            found = explain(draft, event, MAPPING, stated)
            assert found.matched == bool(plain.match_event(event, stated))
            assert found.covered == plain.covers(event, stated)
            assert holds(found.condition) == found.condition.matched


def holds(step: Step) -> bool:
    """What the parts of a step come to, by its kind alone."""
    parts = [holds(part) for part in step.parts]
    match step.kind:
        case "line" | "value":
            return step.matched
        case "not":
            return not parts[0]
        case "or":
            return any(parts)
        case "at least":
            return sum(parts) >= int(step.label.split()[2])
    return all(parts)


def test_the_tree_is_the_condition_as_it_is_written(condition):
    step = condition(
        "sel_a: {a: 1, 'b|contains|all': [x, y]}\nsel_b:\n  - {c: 1}\n  - {d: 1, e: ''}\nwords: [this, that]\n"
        "other: {f: null}\ncondition: (all of sel_* or 2 of them) and not words",
        {"a": "1", "b": "-x-", "c": 1, "e": "they said that"},
    )
    words = ["- value: this", "+ value: that"]
    sel_a = ["+ line: a: 1", {"- line: b|contains|all": ["+ value: x", "- value: y"]}]
    mappings = [{"+ and: mapping 1": ["+ line: c: 1"]}, {"- and: mapping 2": ["- line: d: 1", "- line: e: ''"]}]
    selections = [
        {"- selection: sel_a": sel_a},
        {"+ selection: sel_b": [{"+ or: one of these": mappings}]},
        {"+ selection: words": [{"+ line: keyword": words}]},
        {"+ selection: other": ["+ line: f: null"]},
    ]
    assert shape(step) == {
        "- condition: (all of sel_* or 2 of them) and not words": [
            {
                "- and: all of these": [
                    {
                        "+ or: one of these": [
                            {"- and: all of these": selections[:2]},
                            {"+ at least: at least 2 of these": selections},
                        ]
                    },
                    {"- not: not": [selections[2]]},
                ]
            }
        ]
    }


def test_several_conditions_and_filters_are_branches_of_their_own(rule):
    ban = "title: Ban\nlogsource: {category: test}\nfilter:\n    rules: any\n    own: {b: 1}\n    condition: not own\n"
    [draft] = drafts_of(
        Source("a.yml", rule("one: {a: 1}\ntwo: {a: 2}\ncondition:\n  - one\n  - two")), Source("b.yml", ban)
    )
    found = explain(draft, {"a": 2, "b": 1}, LogsourceMap(), TEST)
    assert not found.matched
    own, of_filter = found.condition.parts
    assert [(step.label, step.matched, step.where) for step in own.parts] == [
        ("one", False, "a.yml:9"),
        ("two", True, "a.yml:10"),
    ]
    assert shape(of_filter) == {
        "- filter: Ban": [{"- condition: not own": [{"- not: not": [{"+ selection: own": ["+ line: b: 1"]}]}]}]
    }
    assert of_filter.where == "b.yml:1"


def test_selections_lines_and_values_have_their_own_lines(condition):
    step = condition("sel:\n    a: 1\n    b:\n        - x\n        - y\ncondition: sel", {})
    [selection] = step.parts
    assert (step.where, selection.where) == ("a.yml:11", "a.yml:6")
    assert [part.where for part in selection.parts] == ["a.yml:7", "a.yml:8"]
    assert [part.where for part in selection.parts[1].parts] == ["a.yml:9", "a.yml:10"]


@pytest.mark.parametrize(
    ("item", "event", "why"),
    [
        ("Image: x", {}, "there is no such field"),
        ("Image: x", {"image": "x"}, 'there is no such field of that name, but there is "image": letter case counts'),
        ("a: x", {"a": []}, "the field is an empty list"),
        ("a: x", {"a": None}, "the field is null"),
        ("a: x", {"a": {"b": "x"}}, "the field is an object, and only its parts have values"),
        ("a: x", {"a": "y"}, "another value"),
        ("a: ''", {"a": None}, "the field is null"),
        ("a|cased: X", {"a": "x"}, "only the letter case differs"),
        ("a|cased|contains: X?y", {"a": "-x-y-"}, "only the letter case differs"),
        ("a|re: ^X", {"a": "xy"}, "only the letter case differs"),
        ("a|re|i: ^X", {"a": "y"}, "another value"),
        ("a: x", {"a": "xy"}, "it is in the value, but is not the whole of it"),
        ("a|startswith: y", {"a": "xy"}, "it is in the value, but not at its start"),
        ("a|endswith: x", {"a": "xy"}, "it is in the value, but not at its end"),
        ("a|windash: -x", {"a": "+x"}, "another value"),
        ("a|windash: -x", {"a": "/x /y"}, "another value"),
        ("a|gt: 5", {"a": "many"}, "not a number"),
        ("a|gt: 5", {"a": 5}, "another value"),
        ("a: 5", {"a": True}, "not a number"),
        ("a: x", {"a": 5}, "a number, and another one as text"),
        ("a|hour: 5", {"a": "noon"}, "not a time"),
        ("a|hour|gt: 5", {"a": "noon"}, "not a time"),
        ("a|hour: 5", {"a": "2026-01-01T04:00:00"}, "another value"),
        ("a|cidr: 10.0.0.0/8", {"a": "localhost"}, "not an IP address"),
        ("a|cidr: 10.0.0.0/8", {"a": 7}, "not an IP address"),
        ("a|cidr: 10.0.0.0/8", {"a": "11.0.0.1"}, "another value"),
        ("a|exists: true", {}, "there is no such field"),
        ("a|exists: false", {"a": None}, "there is such a field"),
        ("a: null", {"a": ""}, "there is a value"),
        ("a|fieldref: b", {"a": 1}, "there is no field b to compare it with"),
        ("a|fieldref: b", {"a": 1, "b": [2, None]}, "not as b: 2, null"),
        ("a|neq: x", {"a": "X"}, "the event has it"),
        ("a|neq: [x, y]", {"a": "X"}, "the event has it"),
        ("'|contains': x", {"a": "y"}, "in no value of the event"),
        ("a: [x, y]", {"a": "z"}, "another value"),
    ],
)
def test_why_a_line_does_not_hold_is_told(item, event, why, condition):
    found = line(condition(f"sel:\n    {item}\ncondition: sel", event))
    assert not found.matched
    assert found.why.startswith(why)


@pytest.mark.parametrize("item", ["a: x", "a|neq: y", "a: [x, y]", "a|exists: true", "a|fieldref: b"])
def test_what_holds_needs_no_reason(item, condition):
    found = line(condition(f"sel:\n    {item}\ncondition: sel", {"a": "X", "b": "x"}))
    assert (found.matched, found.why) == (True, "")


def test_the_value_that_matched_is_shown_first_and_of_many_and_long_ones_not_all(condition):
    event = {"a": [*map(str, range(20)), "needle" + "x" * 1_000]}
    found = line(condition("sel:\n    'a|contains': needle\ncondition: sel", event))
    assert found.found[0] == "needle" + "x" * (VALUE_LENGTH_MAX - 6) + "…"
    assert found.found[1:] == ("0", "1", "2", "3", "… and 16 more")
    assert len(found.found) == VALUES_SHOWN_MAX + 1


def test_of_keywords_only_the_values_that_matched_are_shown(condition):
    found = line(condition("sel: [needle]\ncondition: sel", {"a": "x", "b": {"c": ["a needle", "y"]}}))
    assert found.found == ("a needle",)
    assert line(condition("sel: [needle]\ncondition: sel", {"a": "x"})).found == ()


def test_what_a_pipeline_changed_is_shown_as_it_is_understood(condition):
    pipeline = read_pipeline(
        Source(
            "p.yml",
            "transformations:\n  - {type: field_name_mapping, mapping: {a: [b.x, b.y]}}\n"
            "  - {type: replace_string, regex: old, replacement: new}\n  - {type: add_condition, conditions: {k: v}}\n",
        )
    )
    step = condition("sel: {'a|startswith': old}\ncondition: sel", {"b": {"y": "newer"}}, pipeline=pipeline)
    told = json.dumps(shape(step))
    assert "- line: b.x|startswith: new*" in told
    assert "+ line: b.y|startswith: new*" in told
    assert "- line: k: v" in told


MAP = LogsourceMap.parse(
    Source(
        "l.yml",
        "logsources:\n  - when: {kind: x}\n    logsource: {product: p}\n    events:\n"
        "      1: {category: test, fields: {a: A, z: Z, q: Q}}\n",
    )
)


def test_the_logsource_that_covers_comes_first_with_the_line_that_says_so(rule):
    [draft] = drafts_of(Source("a.yml", rule("one: {a: 1}\ncondition: one")))
    found = explain(draft, {"kind": "x", "EventID": 1, "A": 1, "Z": 1, "a": 2}, MAP)
    assert (found.matched, found.covered) == (True, True)
    assert [(each.logsource, each.where) for each in found.logsources] == [
        (Logsource("p", "test"), "l.yml:5"),
        (Logsource("p"), "l.yml:2"),
    ]
    assert found.aliases == (("a", "A"),)
    assert line(found.condition).found == ("1",)


def test_the_view_that_matches_is_shown(rule):
    [draft] = drafts_of(Source("a.yml", rule("one: {a: 1}\ncondition: one")))
    event = {"kind": "x", "EventID": 1, "A": 2, "a": 1}
    found = explain(draft, event, MAP, TEST)
    assert (found.matched, found.aliases) == (True, ())
    assert not explain(draft, event, MAP).matched


def test_a_rule_that_is_not_for_such_events_is_explained_all_the_same(rule):
    [draft] = drafts_of(Source("a.yml", rule("one: {a: 1}\ncondition: one")))
    found = explain(draft, {"a": 1}, MAP)
    assert (found.matched, found.covered, found.condition.matched) == (False, False, True)


def test_evidence_cannot_claim_to_be_a_ticket(rule):
    [draft] = drafts_of(Source("a.yml", rule("one: {a: 1}\ncondition: one")))
    assert not explain(draft, {"a": 1}, MAP, Logsource("fsoc", "test")).covered


def test_as_many_as_are_asked_for_are_enough(condition):
    text = "one: {a: 1}\ntwo: {b: 1}\nthree: {c: 1}\ncondition: 2 of them"
    assert [condition(text, dict.fromkeys(fields, 1)).matched for fields in ("a", "ac", "abc")] == [False, True, True]


def test_a_long_value_of_a_rule_is_not_shown_whole(condition):
    assert len(line(condition(f"sel: {{a: {'x' * 1_000}}}\ncondition: sel", {})).label) == VALUE_LENGTH_MAX + 4


def test_a_rule_on_tickets_looks_at_the_ticket_and_what_is_derived_of_it(rule):
    text = rule("one: {indicator: 10.0.0.1}\ncondition: one", head="title: t\nlogsource: {product: fsoc}\n")
    [draft] = drafts_of(Source("a.yml", text))
    ticket = {"observables": [{"role": "attacker", "value": "10.0.0.1"}]}
    assert explain(draft, ticket, MAP).matched
    assert not explain(draft, {"indicator": "10.0.0.2"}, MAP).matched


def test_a_rule_on_tickets_sees_how_many_logins_failed_of_all(rule):
    text = "one: {volume.failure_ratio|gte: 0.9}\ncondition: one"
    [draft] = drafts_of(Source("a.yml", rule(text, head="title: t\nlogsource: {product: fsoc}\n")))
    assert explain(draft, {"volume": {"failed_logins": 9, "successful_logins": 1}}, MAP).matched
    assert not explain(draft, {"volume": {"failed_logins": 9}}, MAP).matched
