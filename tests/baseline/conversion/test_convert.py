"""A rule as a query: what is put otherwise, what is noted, what is refused, and never nothing in silence."""

from __future__ import annotations

import pytest

from fsoc.baseline.conversion import TARGETS, Converted, NotExpressible, convert
from fsoc.baseline.conversion.convert import missing_backends, pipelines_of
from fsoc.errors import RefusedToStart

RULE = """\
title: T
id: 0a2f0a5e-5b0a-4d7e-9d52-1f4a4e9f9a01
logsource: {{product: {product}, service: audit}}
detection:
  selection:
    {line}
  condition: {condition}
"""


def rule(line: str, condition: str = "selection", product: str = "core_banking") -> str:
    return RULE.format(line=line, condition=condition, product=product)


def query(text: str, target: str, pipeline: str | None = None) -> str:
    found = convert(text, target, pipeline)
    assert isinstance(found, Converted), found
    return found.text


def notes(text: str, target: str) -> tuple[str, ...]:
    found = convert(text, target)
    assert isinstance(found, Converted), found
    return found.notes


def test_every_target_has_a_backend():
    assert missing_backends() == {}


@pytest.mark.parametrize("target", TARGETS)
def test_a_plain_rule_is_a_query_everywhere(target):
    assert "limit_changed" in query(rule("action: limit_changed"), target)


@pytest.mark.parametrize("target", TARGETS)
def test_a_part_of_a_time_is_never_compared_with_the_whole_time(target):
    """pySigma's backends write `time = 22`, which no time is."""
    found = query(rule("time|hour: [22, 3]"), target)

    assert ".{11}22" in found
    assert ".{11}03" in found
    assert "time-as-text" in notes(rule("time|hour: [22, 3]"), target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("line", ["time|week: 3", "time|hour|gte: 22"])
def test_what_is_no_part_of_a_times_text_is_refused_with_its_reason(target, line):
    found = convert(rule(line), target)

    assert isinstance(found, NotExpressible)
    assert found.reason


@pytest.mark.parametrize("target", ["elastic-lucene", "elastic-esql", "opensearch", "loki"])
def test_an_expression_is_searched_for_where_whole_values_are_matched(target):
    found = query(rule("object|re: 'CARD[0-9]+'"), target)

    assert ".*" in found.partition("CARD")[0][-8:] or "(?s:.*)(?:" in found
    assert "regex-anchored" in notes(rule("object|re: 'CARD[0-9]+'"), target)


@pytest.mark.parametrize("target", ["elastic-lucene", "elastic-esql", "opensearch"])
def test_what_lucene_cannot_say_is_refused_with_its_reason(target):
    found = convert(rule("object|re: '(?=CARD)X'"), target)

    assert isinstance(found, NotExpressible)
    assert found.reason.startswith("Lucene's regular expressions do not have the group")


@pytest.mark.parametrize("target", ["splunk", "sentinel", "qradar", "loki"])
def test_names_with_hyphens_and_dots_are_none_that_need_quotes(target):
    found = query(rule("{cs-method: POST, userIdentity.type: Root}"), target)

    assert "cs_method" in found
    assert "userIdentity_type" in found


def test_names_stay_where_they_can_be_said():
    assert "`cs-method`" in query(rule("cs-method: POST"), "elastic-esql")


def test_a_booleans_word_is_compared_where_there_are_no_booleans():
    assert "true" in query(rule("approved: true"), "loki")


def test_exists_is_not_null_to_qradar():
    assert "request_id IS NOT NULL" in query(rule("request_id|exists: true"), "qradar")
    assert "request_id IS NULL" in query(rule("request_id|exists: false"), "qradar")


def test_an_address_that_is_no_ipv4_is_outside_of_ranges_to_kusto():
    """Its functions are null there, and NOT of null is no match."""
    found = query(rule("ip|cidr: ['10.0.0.0/8', 'fc00::/7']", "not selection"), "sentinel")

    assert 'coalesce(ipv4_is_in_range(ip, "10.0.0.0/8"), false)' in found
    assert 'coalesce(ipv6_is_in_range(ip, "fc00::/7"), false)' in found


def test_numbers_in_a_list_are_compared_as_texts_to_kusto():
    assert 'tostring(code) in~ ("1", "2")' in query(rule("code: [1, 2]"), "sentinel")


def test_a_search_of_splunk_begins_with_events():
    assert query(rule("object: {a: 1}".replace("{a: 1}", "x"), "selection"), "splunk").startswith("object=")
    assert query(rule("object|re: [a, b]"), "splunk").startswith("*\n| ")


def test_a_kusto_query_has_a_table_unless_a_mapping_gives_one():
    assert query(rule("action: x"), "sentinel").startswith("Sigma_core_banking_audit\n| where ")
    assert "table" in notes(rule("action: x"), "sentinel")


def test_not_is_noted_where_what_is_missing_is_unknown():
    assert "missing-fields" in notes(rule("action: x", "not selection"), "elastic-esql")
    assert "missing-fields" not in notes(rule("action: x"), "elastic-esql")
    assert "missing-fields" not in notes(rule("action: x", "not selection"), "splunk")


def test_a_field_mapping_is_one_of_the_backends_or_a_text():
    process = "title: T\nlogsource: {product: windows, category: process_creation}\n" + rule("Image: a.exe").partition(
        "\n"
    )[2].replace("logsource: {product: core_banking, service: audit}\n", "")
    mapping = (
        "name: ours\npriority: 10\ntransformations:\n- id: f\n  type: field_name_mapping\n  mapping: {Image: exe}\n"
    )

    assert "ecs_windows" in pipelines_of("elastic-esql")
    assert "process.executable" in query(process, "elastic-esql", "ecs_windows")
    assert "exe" in query(process, "splunk", mapping)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((rule("a: 1"), "splnk"), "unknown; known: splunk"),
        ((rule("a: 1"), "splunk", "ecs_windows"), "is no field mapping for splunk; known: splunk_windows"),
        ((rule("a: 1"), "splunk", "transformations:\n- x"), "no pipeline of pySigma's"),
        (("title: T\n", "splunk"), "pySigma does not read it"),
    ],
)
def test_what_is_no_rule_target_or_mapping_is_refused(arguments, told):
    with pytest.raises(RefusedToStart, match=r".") as refused:
        convert(*arguments)

    assert told in str(refused.value)


def test_what_a_backend_warns_of_is_noted_and_told(recwarn):
    found = convert(rule("object: x"), "qradar", "qradar-aql-payload")

    assert isinstance(found, Converted)
    assert "backend-warns" in found.notes
    assert found.warnings
    assert not [warning for warning in recwarn if issubclass(warning.category, UserWarning)]


def test_a_reason_is_one_line():
    found = convert(rule("object: x"), "sentinel", "azure_monitor")

    assert isinstance(found, NotExpressible)
    assert found.reason == "Unable to determine table name from rule"


def test_tickets_and_correlations_stay_with_the_joint_soc():
    correlation = (
        "title: C\ncorrelation: {type: event_count, rules: [a], timespan: 1h, condition: {gte: 2}, group-by: [x]}\n"
        "---\n" + rule("a: 1").replace("title: T", "title: T\nname: a")
    )

    about_tickets = convert(rule("a: 1", product="fsoc"), "splunk")

    assert isinstance(about_tickets, NotExpressible)
    with pytest.raises(RefusedToStart, match="expected one rule, found 2"):
        convert(correlation, "splunk")
