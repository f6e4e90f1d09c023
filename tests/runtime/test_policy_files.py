"""Where clocks and suppressions are read from, and that they are of the same version as the rules beside them."""

from __future__ import annotations

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped
from fsoc.runtime.rule_files import RuleFiles
from fsoc.runtime.rules import load_ruleset

RULE = """\
title: A rule
id: one
logsource: {category: test}
detection: {one: {a: 1}, condition: one}
"""
CLOCKS = "clocks: [{id: mine, name: Mine, hours: 2}]\n"
SUPPRESSIONS = "suppressions: [{id: s, rule: one, owner: me, until: 2099-01-01, reason: drill}]\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.yml").write_text(RULE)
    (tmp_path / "local").mkdir()
    return tmp_path


def read(folder):
    return RuleFiles((folder,)).read()


def test_those_that_come_with_fsoc_are_used_where_the_rules_have_none(folder):
    content = read(folder)

    assert [source.path for source in content.clocks] == [str(shipped("rules") / "clocks.yml")]
    assert [source.path for source in content.suppressions] == [str(shipped("rules") / "suppressions.yml")]


def test_those_beside_the_rules_are_used_instead_and_are_no_rules(folder):
    (folder / "local" / "clocks.yml").write_text(CLOCKS)
    (folder / "suppressions.yml").write_text(SUPPRESSIONS)
    content, rules = read(folder), load_ruleset([folder])

    assert [source.text for source in content.clocks] == [CLOCKS]
    assert len(content.rules) == 1
    assert [clock.id for clock in rules.policy.clocks] == ["mine"]
    assert [one.id for one in rules.policy.suppressions] == ["s"]
    assert rules.refused == 0


def test_a_change_of_either_is_another_version_and_is_seen_without_reading(folder):
    files = RuleFiles((folder,))
    seen = [(files.read().digest, files.signature())]
    for name, text in (("clocks.yml", CLOCKS), ("suppressions.yml", SUPPRESSIONS), ("clocks.yml", f"{CLOCKS}\n")):
        (folder / name).write_text(text)
        seen.append((files.read().digest, files.signature()))

    assert len({digest for digest, _ in seen}) == len({signature for _, signature in seen}) == 4


def test_what_is_wrong_with_them_refuses_to_start_with_every_line(folder):
    (folder / "clocks.yml").write_text("clocks: [{id: mine, name: Mine}]\n")
    (folder / "suppressions.yml").write_text("suppressions:\n  - {id: s, rule: one, owner: me, reason: drill}\n")
    with pytest.raises(RefusedToStart) as refusal:
        load_ruleset([folder])

    assert [problem.where for problem in refusal.value.problems] == [
        f"{folder / 'clocks.yml'}:1",
        f"{folder / 'suppressions.yml'}:2",
    ]
