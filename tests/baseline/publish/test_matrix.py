"""The support matrix: no empty cell, the shares that institutions are promised, and what CI holds it to."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest

from fsoc.baseline.publish.matrix import STATUSES, make_matrix, unlike
from fsoc.baseline.publish.profiles import DEFAULT, Profile
from fsoc.baseline.publish.tables import csv_of, html_of, json_of, markdown_of
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped

LOOKAHEAD = """\
title: T
id: 0a2f0a5e-5b0a-4d7e-9d52-1f4a4e9f9a01
name: lookahead
logsource: {category: proxy}
detection:
  selection:
    c-uri|re: '(?=a)b'
  condition: selection
"""


def test_no_cell_is_empty(matrix):
    for row in matrix.rows:
        assert set(row.cells) == {profile.name for profile in DEFAULT}
        for cell in row.cells.values():
            assert cell.status in STATUSES
            assert bool(cell.query) != bool(cell.reason), (row.rule.name, cell)


@pytest.mark.parametrize("target", ["splunk", "elastic-esql", "opensearch", "sentinel"])
def test_at_least_95_in_a_hundred_rules_about_single_events_have_a_query(matrix, target):
    share, of = matrix.share(target)

    assert of >= 60
    assert share / of >= 0.95


def test_the_matrix_is_as_it_was_written_down(matrix):
    """Another one is looked at by a person first, and written by `fsoc baseline matrix --format csv`."""
    assert unlike(matrix, (shipped("attack_mappings/baseline") / "matrix.csv").read_text("utf-8")) == []


def test_each_change_of_a_cell_and_each_rule_that_comes_or_goes_is_told(matrix):
    row = matrix.rows[0]
    cell = row.cells["splunk"]
    other = replace(row, cells={**row.cells, "splunk": replace(cell, status="not expressible", query="", reason="no")})
    written = csv_of(matrix)

    changed = unlike(replace(matrix, rows=(other, *matrix.rows[1:])), written)
    fewer = unlike(replace(matrix, rows=matrix.rows[1:]), written)
    more = unlike(matrix, csv_of(replace(matrix, rows=matrix.rows[1:])))

    assert [str(problem) for problem in changed] == [
        f"{row.rule.name}, splunk: was 'converted', is 'not expressible: no'"
    ]
    assert [problem.where for problem in fewer] == [row.rule.name]
    assert [problem.where for problem in more] == [row.rule.name]


def test_what_cannot_be_said_has_its_reason_unless_somebody_wrote_it_by_hand(rules):
    rule = replace(rules[0], name="lookahead", text=LOOKAHEAD)

    without = make_matrix("2026.4", [rule], [Profile("opensearch")]).rows[0].cells["opensearch"]
    by_hand = make_matrix("2026.4", [rule], [Profile("opensearch")], {("opensearch", "lookahead"): "c-uri:ab\n"})

    assert without.status == "not expressible"
    assert "do not have the group" in without.reason
    assert by_hand.rows[0].cells["opensearch"].told == "hand-written"
    assert by_hand.rows[0].cells["opensearch"].query == "c-uri:ab"


def test_a_query_by_hand_that_is_for_nothing_is_refused(rules):
    with pytest.raises(RefusedToStart, match="queries/splunk/lookahed"):
        make_matrix("2026.4", rules[:1], [Profile("splunk")], {("splunk", "lookahed"): "x"})


def test_a_mapping_of_fields_is_a_column_of_its_own(rules):
    rule = next(rule for rule in rules if rule.name == "lsass_memory_dumped")

    row = make_matrix("1", [rule], [Profile("elastic-esql"), Profile("elastic-esql", "ecs_windows")]).rows[0]

    assert "process.executable" in row.cells["elastic-esql+ecs_windows"].query
    assert "process.executable" not in row.cells["elastic-esql"].query


def test_every_table_has_every_cell(matrix):
    as_csv = list(csv.DictReader(StringIO(csv_of(matrix))))
    as_json = json.loads(json_of(matrix))
    as_html, as_markdown = html_of(matrix), markdown_of(matrix)

    assert all(all(row.values()) for row in as_csv)
    assert len(as_csv) == len(as_json["rules"]) == len(matrix.rows)
    assert as_html.count("<td ") == len(matrix.rows) * len(DEFAULT)
    assert as_html.count("<script") == 0
    for row in matrix.rows:
        assert f"`{row.rule.name}`" in as_markdown
