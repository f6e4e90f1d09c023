"""Matches to tickets: counts within a time, by a field's value; what is open makes no second; what a ticket carries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.baseline.assess.triggers import FOLDED_MS, OPENED_AFTER_MS, Happening, first_line
from fsoc.baseline.model import Baseline, Item, Trigger
from fsoc.tickets.decode import decode

START_MS = 1_781_481_600_000
MINUTE_MS = 60_000


class Matching:
    """A detector by whose one rule every event matches that says so."""

    def match_event(self, fields, logsource=None):
        return ["r"] if fields.get("hit", True) else []


def line(happenings, tier=1, **trigger):
    asked = Trigger(
        **{
            "count": 1,
            "within_ms": 10 * MINUTE_MS,
            "per": "host",
            "severity": 4,
            "category": "intrusions.system-compromise",
            "asset": "server",
            "carries": ("evidence", "assets", "observables"),
        }
        | trigger
    )
    item = Item(
        id="FB-0001",
        title="A title",
        title_zh="標題",
        technique="T1490",
        tactic="impact",
        why="why",
        why_zh="理由",
        themes=("general",),
        tiers=(1, 2),
        sources=("Process Creation",),
        rules=("r",),
        references=(),
        trigger=asked,
        samples=(),
        steps=(),
        where="x",
    )
    return first_line("fi-001", tier, happenings, Baseline("2026.4", "19", [item]), Matching(), exercise_id="drill")


def at(minute: float, host: str = "a", step: str = "s", **adds) -> Happening:
    return Happening(START_MS + int(minute * MINUTE_MS), {"host": host}, {"product": "windows"}, step, adds)


def opened(happenings, **trigger):
    return [(one.opened_ms - OPENED_AFTER_MS - START_MS) / MINUTE_MS for one in line(happenings, **trigger).opened]


def test_a_ticket_is_due_with_the_match_that_makes_the_count():
    assert opened([at(0), at(1), at(2)], count=3) == [2]


def test_matches_a_whole_time_apart_do_not_count_together():
    assert opened([at(0), at(10)], count=2) == []
    assert opened([at(0), at(9.99)], count=2) == [9.99]


def test_each_value_of_the_field_counts_for_itself():
    assert opened([at(0, "a"), at(1, "b"), at(2, "a")], count=2) == [2]
    assert opened([at(0, "a"), at(1, "b"), at(2, "a")], count=2, per=None) == [1]


def test_what_a_ticket_is_open_about_makes_no_second_and_its_steps_are_the_tickets():
    found = line([at(0, step="first"), at(30, step="second"), at(61, step="third")]).opened

    assert [one.steps for one in found] == [{"first", "second"}, {"third"}]


def test_an_institution_opens_no_ticket_of_what_its_tier_need_not_see():
    found = line([at(0)], tier=3)

    assert found.opened == ()
    assert len(found.detected) == 1


def test_a_ticket_carries_what_the_trigger_says_and_nothing_besides():
    seen = [{"type": "ipv4", "value": "198.18.0.1", "role": "attacker"}]
    happening = at(0, observables=seen, suppliers=[{"supplier_id": "sup-1"}])

    (full,) = line([happening]).opened
    (bare,) = line([happening], carries=("assets",)).opened

    assert full.body["observables"] == seen
    assert full.body["evidence"] == [{"logsource": {"product": "windows"}, "fields": {"host": "a"}}]
    assert "suppliers" not in full.body
    assert not {"evidence", "observables", "suppliers"} & bare.body.keys()


@pytest.mark.parametrize("severity", range(6))
def test_every_ticket_is_one_that_the_joint_soc_takes(severity):
    (one,) = line([at(0)], severity=severity).opened

    body = decode(json.dumps(one.body).encode(), institution="fi-001").body
    assert body["trigger"] == {"kind": "baseline", "baseline_version": "2026.4", "rule_id": "FB-0001"}
    assert body["environment"] == "exercise"
    assert body["severity"] == severity


def plain(minutes, count, within):
    """An oracle: look at each match anew, with all that went before it."""
    due, used_until, open_until = [], -1, -1.0
    for place, minute in enumerate(minutes):
        if minute < open_until:
            used_until = place
            continue
        window = [
            other for where, other in enumerate(minutes[: place + 1]) if where > used_until and other > minute - within
        ]
        if len(window) >= count:
            due.append(minute)
            used_until, open_until = place, minute + max(FOLDED_MS / MINUTE_MS, within)
    return due


@given(st.lists(st.integers(0, 300), max_size=25).map(sorted), st.integers(1, 4), st.integers(1, 90))
def test_tickets_are_due_when_a_plain_twin_says_so(minutes, count, within):
    assert opened([at(minute) for minute in minutes], count=count, within_ms=within * MINUTE_MS) == plain(
        minutes, count, within
    )
