"""Alerts read back off the wire, and the choice among them."""

from __future__ import annotations

import orjson
import pytest

from fsoc.alerts.read import read_alert
from fsoc.alerts.selection import Selection
from fsoc.tickets.times import milliseconds
from tests.alerts.conftest import make_alert, make_entry


def wire(**changes):
    alert = make_alert(
        [make_entry("fi-001", "T-1"), make_entry("fi-002", "T-2", 5)], title="Same indicator", title_zh="同一指標"
    )
    return orjson.dumps({**alert, **changes})


def test_what_is_composed_is_read_back_whole():
    alert = read_alert(wire())

    assert alert.tickets == {"fi-001": ("T-1",), "fi-002": ("T-2",)}
    assert alert.techniques == ("T1566.002",)
    assert alert.last_seen_ms == milliseconds("2026-03-02T12:05:00Z")


def test_an_alert_of_an_earlier_fsoc_lacks_what_was_added_since():
    old = orjson.loads(wire())
    for name in ("rule_version", "severity_reasons", "suggested_grade", "timeline", "clocks", "suppressed"):
        del old[name]
    for name in ("margin", "deciding", "novelty"):
        del old["explanation"][name]
    alert = read_alert(orjson.dumps(old))

    assert (alert.suggested_grade, alert.clocks, alert.explanation.margin) == (None, (), None)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"[]",
        b'"x"',
        b"\xff",
        wire(last_seen="yesterday"),
        wire(revision="1"),
        wire(tickets=["T-1"]),
        wire(clocks=[{"id": "c", "name": "c", "name_zh": "c", "starts_at": "x", "due_at": "soon"}]),
    ],
)
def test_what_is_no_alert_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - its text is msgspec's
        read_alert(value)


@pytest.mark.parametrize(
    ("selection", "holds"),
    [
        (Selection(), True),
        (Selection(level="high"), True),
        (Selection(level="low"), True),
        (Selection(level="critical"), False),
        (Selection(kinds=("joint",)), True),
        (Selection(kinds=("local",)), False),
        (Selection(statuses=("final", "open")), True),
        (Selection(statuses=("retracted",)), False),
        (Selection(rule="rule"), True),
        (Selection(rule="INDICATOR"), True),
        (Selection(rule="指標"), True),
        (Selection(rule="supplier"), False),
        (Selection(institutions=("fi-009", "fi-002")), True),
        (Selection(institutions=("fi-009",)), False),
        (Selection(since_ms=milliseconds("2026-03-02T12:05:00Z")), True),
        (Selection(since_ms=milliseconds("2026-03-02T12:05:00.001Z")), False),
        (Selection(since_span_ms=55 * 60_000), True),
        (Selection(since_span_ms=54 * 60_000), False),
        (Selection(kinds=("joint",), institutions=("fi-009",)), False),
    ],
)
def test_all_that_is_asked_must_hold(selection, holds):
    assert selection.holds(read_alert(wire()), milliseconds("2026-03-02T13:00:00Z")) is holds


def test_suppressed_ones_are_left_out_unless_asked_for():
    alert = read_alert(wire(suppressed={"id": "s", "owner": "o", "until": "u", "reason": "r"}))

    assert not Selection().holds(alert, 0)
    assert Selection(suppressed=True).holds(alert, 0)


def test_a_level_that_is_not_known_is_looked_at():
    assert Selection(level="critical").holds(read_alert(wire(level="apocalyptic")), 0)
