"""Samples of rules keep the shares of their logsources."""

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
    [(10, {"dns": 6, "proxy": 3, "antivirus": 1}), (50, {"dns": 30, "proxy": 15, "antivirus": 5})],
)
def test_each_logsource_has_its_share(count, shares, rules):
    assert Counter(rule.logsource.category for rule in corpus.sample(rules, count)) == shares


@pytest.mark.parametrize("count", range(1, 100, 7))
def test_there_are_as_many_as_asked_for_and_in_the_rules_order(count, rules):
    chosen = [rules.index(rule) for rule in corpus.sample(rules, count)]

    assert len(chosen) == count
    assert chosen == sorted(set(chosen))


def test_more_than_there_are_is_all_of_them(rules):
    assert corpus.sample(rules, 3_132) == list(rules)
