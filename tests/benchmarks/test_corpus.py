"""Samples of rules keep the shares of their logsources, and are of the routes of events."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import corpus

RULE = """
title: {category} {number}
id: {category}-{number}
logsource: {{category: {category}}}
detection:
  selection: {{field: '{number}'}}
  condition: selection
"""
SIZES = {"dns": 60, "proxy": 30, "antivirus": 10}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "all.yml"
    path.write_text(
        "---".join(
            RULE.format(category=category, number=number) for category, size in SIZES.items() for number in range(size)
        ),
        encoding="utf-8",
    )
    return corpus.load([path])[0].rules


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (2, {"dns": 1, "proxy": 1}),
        (3, {"dns": 1, "proxy": 1, "antivirus": 1}),
        (10, {"dns": 5, "proxy": 3, "antivirus": 2}),
        (50, {"dns": 30, "proxy": 15, "antivirus": 5}),
    ],
)
def test_each_logsource_has_one_where_they_suffice_and_its_share_of_the_rest(count, shares, rules):
    assert Counter(rule.logsource.category for rule in corpus.sample(rules, count)) == shares


@pytest.mark.parametrize("count", range(1, 100, 7))
def test_there_are_as_many_as_asked_for_and_in_the_rules_order(count, rules):
    chosen = [rules.index(rule) for rule in corpus.sample(rules, count)]

    assert len(chosen) == count
    assert chosen == sorted(set(chosen))


def test_more_than_there_are_is_all_of_them(rules):
    assert corpus.sample(rules, 3_132) == list(rules)


def test_rules_of_the_same_routes_are_those_that_some_event_is_tried_against(rules):
    lines = [b'{"logsource":{"category":"proxy","product":"squid"}}', b'{"category":"antivirus"}', b'{"x":1}']
    logsources = corpus.load([])[1]

    chosen = corpus.of_same_routes(rules, logsources, lines)

    assert Counter(rule.logsource.category for rule in chosen) == {"proxy": 30, "antivirus": 10}
    assert chosen == [rule for rule in rules if rule.logsource.category != "dns"]
