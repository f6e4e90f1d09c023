"""Sigma filters: and-ed to the rules they cover, refused alone, and never in vain without a word."""

from __future__ import annotations

from fsoc.detection import LogsourceMap, PlainDetector

RULE = """\
title: Rule {id}
id: {id}
name: name_{id}
logsource: {{category: test, product: windows}}
detection:
    selection: {{a: 1}}
    condition: selection
"""
FILTER = """\
title: A filter
id: filter-1
logsource: {logsource}
filter:
    rules: {rules}
    selection: {{user: admin}}
    condition: not selection
"""


def rules(*ids: str) -> str:
    return "---\n".join(RULE.format(id=each) for each in ids)


def filter_of(rules: str, logsource: str = "{category: test}") -> str:
    return FILTER.format(rules=rules, logsource=logsource)


def match(loaded, event):
    detector = PlainDetector(loaded.rules, LogsourceMap())
    return detector.match_event(event, {"category": "test", "product": "windows"})


def test_a_filter_takes_its_events_out_of_the_rules_it_names(load):
    for named in ("[one]", "one", "[name_one]"):
        loaded = load(rules("one", "two"), filter_of(named))
        assert not loaded.problems
        assert [each.id for each in loaded.filters] == ["filter-1"]
        assert match(loaded, {"a": 1}) == ["one", "two"]
        assert match(loaded, {"a": 1, "user": "admin"}) == ["two"]


def test_any_is_every_rule_its_logsource_covers(load):
    for named in ("any", "Any", "[]"):
        loaded = load(filter_of(named), rules("one", "two"))
        assert match(loaded, {"a": 1, "user": "admin"}) == []
    loaded = load(filter_of("any", "{product: linux}"), rules("one"))
    assert match(loaded, {"a": 1, "user": "admin"}) == ["one"]
    assert not loaded.problems


def test_several_filters_all_apply(load):
    second = filter_of("any").replace("filter-1", "filter-2").replace("admin", "root")
    loaded = load(rules("one"), filter_of("any"), second)
    assert match(loaded, {"a": 1, "user": "bob"}) == ["one"]
    assert match(loaded, {"a": 1, "user": "root"}) == match(loaded, {"a": 1, "user": "admin"}) == []


def test_a_filter_applies_to_each_condition_of_a_list_and_keeps_its_names_to_itself(load):
    rule = RULE.format(id="one").replace("condition: selection", "other: {b: 1}\n    condition: [selection, 1 of them]")
    loaded = load(rule, filter_of("one").replace("selection", "other"))
    assert match(loaded, {"b": 1}) == ["one"]
    assert match(loaded, {"a": 1, "b": 1, "user": "admin"}) == []


def test_a_filter_that_names_a_rule_in_vain_is_a_problem(load):
    loaded = load(rules("one"), filter_of("[one, three]"))
    assert [str(problem) for problem in loaded.problems] == [
        'b.yml:5: filter names "three", which is no rule that was loaded'
    ]
    loaded = load(rules("one"), filter_of("[one]", "{product: linux}"))
    assert [str(problem) for problem in loaded.problems] == [
        'b.yml:5: filter names "one", whose logsource its own does not cover'
    ]
    assert match(loaded, {"a": 1, "user": "admin"}) == ["one"]


def test_a_filter_that_cannot_be_evaluated_is_refused_alone_with_every_reason(load):
    broken = "title: f\nlogsource: {}\nfilter:\n    selection: {'a|re': '(?=x)'}\n    condition: not\n"
    loaded = load(rules("one"), broken)
    assert [problem.where for problem in loaded.problems] == ["b.yml:2", "b.yml:4", "b.yml:5", "b.yml:3"]
    assert [rule.id for rule in loaded.rules] == ["one"]
    assert loaded.filters == ()
    assert loaded.refused == 1


def test_a_filter_is_no_mapping_or_names_no_rules(load):
    [problem] = load("title: f\nlogsource: {category: a}\nfilter: x\n").problems
    assert str(problem) == "a.yml:3: filter is missing — expected search identifiers and a condition"
    text = "title: f\nlogsource: {category: a}\nfilter:\n    rules: [5]\n    s: {a: 1}\n    condition: s\n"
    [problem] = load(text).problems
    assert str(problem) == 'a.yml:4: rules is missing — expected "any", or ids or names of rules'
