"""Which settings are tried, and how a value of a rule is changed."""

from __future__ import annotations

import pytest

from fsoc.detection.documents import Source, read
from fsoc.evaluation.changes import Change, changed, concerned, path_of, value_at, value_of
from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.shares import Share
from fsoc.evaluation.sweep import axes, setting

RULES = """
title: Kit
id: 11111111-1111-4111-8111-111111111111
name: kit
correlation:
  type: value_count
  rules: [landing]
  group-by: [cs-host]
  timespan: 12h
  condition: {field: institution, gte: 3}
fsoc: {independent: true, title_zh: 套件}
---
title: Chain
id: 22222222-2222-4222-8222-222222222222
correlation: {type: temporal, rules: [one, two, three], timespan: 1h, condition: {gte: 2}}
---
title: Volume
id: 33333333-3333-4333-8333-333333333333
correlation: {type: value_sum, rules: [one], timespan: 15m, condition: {field: volume.count, gte: 1000}}
---
title: At one institution
id: 44444444-4444-4444-8444-444444444444
name: local
correlation: {type: event_count, rules: [one], group-by: [institution], timespan: 1h, condition: {gte: 2}}
fsoc: {scope: institution}
---
title: Rare
id: 55555555-5555-4555-8555-555555555555
name: rare
correlation: {type: event_count, rules: [one], timespan: 1h, condition: {lt: 2}}
"""


@pytest.fixture
def documents():
    return read([Source("rules.yml", RULES)])[0]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("gte", ("correlation", "condition", "gte")),
        ("lte", ("correlation", "condition", "lte")),  # which the rule has not
        ("condition.gte", ("correlation", "condition", "gte")),
        ("correlation.timespan", ("correlation", "timespan")),
        ("timespan", ("correlation", "timespan")),
        ("independent", ("fsoc", "independent")),
        ("fsoc.surge_factor", ("fsoc", "surge_factor")),
        ("counts_when", ("fsoc", "counts_when")),  # nothing here knows it
        ("generate", ("correlation", "generate")),
        ("field", ("correlation", "condition", "field")),
    ],
)
def test_a_key_is_found_where_the_rule_has_it_or_would_have_it(documents, key, path):
    assert path_of(documents[0], key) == path


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("1.5", 1.5), ("true", True), ("4h", "4h"), ("first_ever", "first_ever"), ("", None)]
)
def test_values_are_what_they_would_be_in_a_rule(text, value):
    assert value_of(text) == value


def test_one_value_is_changed_and_everything_else_stays_as_it_was(documents):
    before = [dict(document.data) for document in documents]
    (kit, *others) = changed(documents, [Change("kit", "gte", 5)])

    assert value_at(kit, ("correlation", "condition", "gte")) == 5
    assert value_at(kit, ("correlation", "condition", "field")) == "institution"
    assert value_at(kit, ("correlation", "timespan")) == "12h"
    assert others == documents[1:]
    assert [dict(document.data) for document in documents] == before  # those given are not touched
    assert kit.line_of("correlation", "condition", "gte") == documents[0].line_of("correlation", "condition", "gte")


def test_a_section_that_a_rule_has_not_is_made_and_a_value_of_none_takes_the_key_out(documents):
    (_, chain, *_) = changed(documents, [Change("Chain", "fsoc.surge_factor", 3)])
    (kit, *_) = changed(documents, [Change("kit", "independent", None)])

    assert value_at(chain, ("fsoc",)) == {"surge_factor": 3}
    assert value_at(kit, ("fsoc",)) == {"title_zh": "套件"}


def test_without_a_rule_every_correlation_that_has_the_key_is_changed_and_no_other(documents):
    after = changed(documents, [Change(None, "gte", 9)])

    assert [value_at(each, ("correlation", "condition", "gte")) for each in after] == [9, 9, 9, 9, None]
    assert len(concerned(documents, Change(None, "scope", "sector"))) == 1
    assert concerned(documents, Change(None, "counts_when", "always")) == []
    assert concerned(documents, Change("nobody", "gte", 1)) == []


def test_alone_it_is_gte_of_every_correlation_across_institutions(documents):
    kit, chain, volume = axes(documents, [""])

    assert (kit.title, kit.title_zh, kit.key, kit.values, kit.standing) == (
        "Kit",
        "套件",
        "condition.gte",
        (2, 3, 4, 5, 6),
        3,
    )
    assert chain.values == (2, 3)  # no more rules than it names can match
    assert volume.values == (500, 750, 1000, 1500, 2000)
    assert not any(axis.given for axis in (kit, chain, volume))


def test_what_is_asked_for_is_tried_and_what_stands_is_a_point_of_it(documents):
    gte, span, independent = axes(documents, ["kit:gte=4..6:timespan=24h,1h,90m:independent=true,false"])

    assert gte.values == (3, 4, 5, 6)
    assert span.values == ("1h", "90m", "12h", "24h")  # by how long they are
    assert (span.key, span.standing) == ("timespan", "12h")
    assert set(independent.values) == {True, False}
    assert independent.key == "fsoc.independent"
    assert gte.change(4) == Change(gte.rule_id, "correlation.condition.gte", 4)


def test_a_key_that_the_rule_has_not_has_its_default_as_a_point(documents):
    (axis,) = axes(documents, ["kit:fsoc.counts_when=always,surge"])

    assert axis.values == ("always", "surge", None)
    assert axis.standing is None


def test_the_same_axis_asked_for_twice_is_one(documents):
    assert len(axes(documents, ["kit", "11111111-1111-4111-8111-111111111111:condition.gte=2..6"])) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nobody", 'no correlations are called "nobody"'),
        ("kit:gte", "expected KEY=VALUE"),
        ("kit:gte=", "expected KEY=VALUE"),
        ("kit:gte=6..2", "the lesser first"),
        ("kit:gte=a..b", "two whole numbers"),
        ("kit:gte=1..60", "60 values, limit 50"),
        ("kit:gte=" + ",".join(map(str, range(51))), "51 values, limit 50"),
        ("kit:gte={", "no YAML value"),
        ("rare", "has no condition.gte"),
    ],
)
def test_what_cannot_be_swept_is_refused_with_the_reason(documents, asked, said):
    with pytest.raises(ValueError, match=said):
        axes(documents, [asked])


def test_everything_that_is_wrong_is_told_at_once(documents):
    with pytest.raises(ValueError, match=r"(?s)nobody.*gte=6") as refused:
        axes(documents, ["nobody", "kit:gte=6..2", "kit"])
    assert len(str(refused.value).splitlines()) == 2


def test_a_setting_has_the_rules_own_figures_and_those_of_all(documents, alert, truth):
    kit = axes(documents, ["kit"])[0]
    own = alert("x", rule_id=kit.rule_id)
    found = setting(kit, 3, evaluate([own, alert("y", "c1 d1")], truth(one="a1 b1", two="e1 f1")))
    silent = setting(kit, 6, evaluate([alert("y", "c1 d1")], truth(one="a1 b1")))

    assert (found.precision, found.recall, found.stands) == (Share(1, 1), Share(1, 2), True)
    assert (found.all_precision, found.all_recall) == (Share(1, 2), Share(1, 2))
    assert (silent.precision, silent.recall, silent.stands) == (Share(0, 0), Share(0, 1), False)
