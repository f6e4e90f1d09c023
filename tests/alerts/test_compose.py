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


def test_bounds_that_are_no_whole_numbers_are_told_as_they_are():
    explanation = composed("value_avg", (("gte", 0.1), ("lt", 40)))["explanation"]

    assert explanation["condition"] == {"gte": 0.1, "lt": 40}
    assert "at least 0.1 and less than 40, 2.31667 to spare" in explanation["text"]
    assert "至少 0.1且少於 40，尚有餘裕 2.31667" in explanation["text_zh"]


def test_where_only_upper_bounds_are_asked_the_least_is_what_was_seen():
    assert composed("value_sum", (("lt", 10),))["explanation"]["seen"] == 3.25
