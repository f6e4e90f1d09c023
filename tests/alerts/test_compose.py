"""Every type's alert says what was seen, in both languages."""

from __future__ import annotations

import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.alerts.compose import compose
from fsoc.alerts.schema import alert_schema
from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.rules import TYPES
from fsoc.correlation.window import satisfied
from tests.builders import correlation_rule

ALERT = Draft202012Validator(alert_schema())
NOON = 1_772_452_800_000
SAID = {
    "event_count": ("2 tickets within 1h", "1h 內有 2 張事件單"),
    "value_count": ("3 distinct values of bytes within 1h", "1h 內有 3 個不同的 bytes"),
    "temporal": ("2 of 2 rules matched within 1h", "1h 內 2 條規則中有 2 條符合"),
    "temporal_ordered": ("2 of 2 rules matched in their order within 1h", "1h 內 2 條規則中有 2 條依序符合"),
    "value_sum": ("bytes adds up to 7.25 within 1h", "1h 內 bytes 總和為 7.25"),
    "value_avg": ("bytes is 2.41667 on average within 1h", "1h 內 bytes 平均為 2.41667"),
    "value_percentile": ("percentile 99.9 of bytes is 4 within 1h", "1h 內 bytes 第 99.9 百分位數為 4"),
    "value_median": ("the median of bytes is 2 within 1h", "1h 內 bytes 中位數為 2"),
}


def composed(kind, condition=(("gte", 2),)):
    rule = correlation_rule(
        type=kind,
        rules=("one", "two"),
        condition=Condition(condition),
        fields=("bytes",) if kind.startswith("value_") else (),
        percentile=99.9 if kind == "value_percentile" else None,
    )
    entries = [
        Entry(NOON, "fi-001", "T-1", 1, (("1.25",), ("2",)), "fi-001", 3, (), ("one",)),
        Entry(NOON + 1, "fi-002", "T-2", 1, (("4",),), "fi-002", 3, (), ("two",)),
    ]
    (found,) = satisfied(rule, entries, None)
    body = compose(rule, GroupKey("rule", "production", '["evil.example"]'), found, None, {})
    return orjson.loads(orjson.dumps({**body, "revision": 1, "status": "open"}))


@pytest.mark.parametrize("kind", TYPES)
def test_an_alert_says_what_was_seen(kind):
    alert = composed(kind)
    explanation = alert["explanation"]

    assert [f"{error.json_path}: {error.message}" for error in ALERT.iter_errors(alert)] == []
    assert explanation["text"].startswith(f"{SAID[kind][0]} for indicator = evil.example; the rule asks for at least 2")
    assert explanation["text_zh"].startswith(f"{SAID[kind][1]}（indicator = evil.example），規則門檻為至少 2")


@pytest.mark.parametrize(
    ("scope", "institutions", "kind"),
    [
        ("sector", 2, "joint"),
        ("sector", 1, "local"),
        ("institution", 1, "local"),
        ("feed", 1, "feed"),
        ("rule", 1, "rule"),
        ("rule", 12, "rule"),
    ],
)
def test_the_kind_of_an_alert_is_what_it_is_about(scope, institutions, kind, entry, alert_of):
    entries = [entry(f"fi-{rank:03d}", f"T-{rank}") for rank in range(institutions)]
    alert = alert_of(entries, (("gte", 1),), scope=scope)

    assert alert["kind"] == kind
    assert [error.message for error in ALERT.iter_errors(alert)] == []


def test_what_is_counted_beside_is_told_with_what_was_seen():
    rule = correlation_rule(also=(("tactic", Condition((("gte", 2),))), ("user", Condition((("gt", 0),)))))
    entries = [
        Entry(NOON + n, name, "T-1", 1, ((name,),), name, 3, (), ("detection",), also=(tactics, ("eve",)))
        for n, (name, tactics) in enumerate((("fi-001", ("impact",)), ("fi-002", ("execution", "impact"))))
    ]
    (found,) = satisfied(rule, entries, None)
    alert = compose(rule, GroupKey("rule", "production", '["x"]'), found, None, {})
    explanation = alert["explanation"]

    assert explanation["also"] == [
        {"field": "tactic", "condition": {"gte": 2}, "seen": 2},
        {"field": "user", "condition": {"gt": 0}, "seen": 1},
    ]
    assert (
        "asks for at least 2, no more than it needs, and for at least 2 values of tactic, of which there are 2, "
        "and for more than 0 values of user, of which there are 1." in explanation["text"]
    )
    assert (
        "門檻為至少 2，恰達門檻，另須 tactic 之不同值至少 2（有 2 個），另須 user 之不同值超過 0"
        in explanation["text_zh"]
    )
    assert list(ALERT.iter_errors(orjson.loads(orjson.dumps({**alert, "revision": 1, "status": "open"})))) == []


def test_a_chain_of_values_is_told_as_one():
    rule = correlation_rule(fields=("tactic",), order=("execution", "impact"))
    entries = [
        Entry(NOON + n, "fi-001", f"T-{n}", 1, ((tactic,),), "fi-001", 3, (), ("detection",))
        for n, tactic in enumerate(("execution", "impact"))
    ]
    (found,) = satisfied(rule, entries, None)
    explanation = compose(rule, GroupKey("rule", "production", '["x"]'), found, None, {})["explanation"]

    assert explanation["ordered"]
    assert explanation["text"].startswith("2 values of tactic, one after another in their order within 1h")
    assert explanation["text_zh"].startswith("1h 內有 2 個依序出現的 tactic（")


def test_how_few_and_how_far_apart_is_told():
    rule = correlation_rule(fields=("user",), each=Condition((("lt", 5),)), spread_ms=90_000)
    entries = [
        Entry(NOON + n * 100_000, "fi-001", f"T-{n}", 1, ((user,),), "fi-001", 3, (), ("detection",))
        for n, user in enumerate(("eve", "bob"))
    ]
    (found,) = satisfied(rule, entries, None)
    explanation = compose(rule, GroupKey("rule", "production", '["x"]'), found, None, {})["explanation"]

    assert (explanation["each"], explanation["spread"]) == ({"lt": 5}, "90s")
    assert (
        "asks for at least 2, no more than it needs, counting values of less than 5 tickets alone, "
        "with 90s or more between their first tickets." in explanation["text"]
    )
    assert "門檻為至少 2，恰達門檻，僅計事件單數少於 5之值，其首張事件單須相隔 90s 以上。" in explanation["text_zh"]


def test_that_no_member_brings_more_than_half_is_told():
    rule = correlation_rule(type="value_sum", fields=("bps",), non_negative=True, cap_each=True)
    entries = [
        Entry(NOON + n, name, "T-1", 1, (("5",),), name, 3, (), ("detection",))
        for n, name in enumerate(("fi-001", "fi-002"))
    ]
    (found,) = satisfied(rule, entries, None)
    explanation = compose(rule, GroupKey("rule", "production", '["x"]'), found, None, {})["explanation"]

    assert (explanation["cap_each"], explanation["seen"]) == ("half", 2)
    assert (
        "at least 2, no more than it needs, of which each member's greatest number brings half at most. "
        in explanation["text"]
    )
    assert "恰達門檻，每一成員僅計其最大值，至多為門檻之半。" in explanation["text_zh"]


def test_bounds_that_are_no_whole_numbers_are_told_as_they_are():
    explanation = composed("value_avg", (("gte", 0.1), ("lt", 40)))["explanation"]

    assert explanation["condition"] == {"gte": 0.1, "lt": 40}
    assert "at least 0.1 and less than 40, 2.31667 to spare" in explanation["text"]
    assert "至少 0.1且少於 40，尚有餘裕 2.31667" in explanation["text_zh"]


def test_where_only_upper_bounds_are_asked_the_least_is_what_was_seen():
    assert composed("value_sum", (("lt", 10),))["explanation"]["seen"] == 3.25
