"""Every correlation of rules/ raises its alert at its threshold, and not below, beside or beyond it.

A case gives one ticket, how many are needed and within how long; the edges are the same for every rule.

    fi-000  t=0         |---------- timespan ----------)
    fi-001  t=...            |
    fi-00k  t=timespan-1                                |   joins;  at t=timespan it does not
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from fsoc.correlation.rules import timespan_ms

MINUTE_MS = 60_000
DAY_MS = 86_400_000
EVERYDAY = {
    "category": "information-gathering.scanner",
    "severity": 1,
    "attack_unmapped_reason": "not looked at",
    "attack": None,
    "trigger": {"kind": "local", "baseline_version": "2026.1", "rule_id": "everyday"},
    "observables": [],
    "assets": [],
    "evidence": [],
}
"""What makes an institution known, and is the like of nothing."""


class Story:
    """One correlation with its case: builds the tickets around its edges."""

    def __init__(self, document: dict[str, Any], case: dict[str, Any], start_ms: int) -> None:
        self.id = document["id"]
        self.need = case["needs"]
        self.timespan_ms = timespan_ms(case["within"])
        self.group_by = document["correlation"].get("group-by", [])
        self.groups = case.get("groups", [""])
        self.group = dict.fromkeys(self.group_by, self.groups[0]) | case.get("group", {})
        past = document["fsoc"].get("warm_up", 0)
        self._known_ms = timespan_ms(past) + DAY_MS if past else 0
        self._case = json.dumps(case["ticket"])
        self._start_ms = start_ms

    def ticket(self, institution: int, after_ms: int, group: int = 0) -> tuple[str, int, dict[str, Any]]:
        text = self._case.replace("GROUP", self.groups[group]).replace("RANK", str(institution))
        changes = json.loads(text)
        return f"fi-{institution:03d}", self._start_ms + after_ms, changes

    def spread(self, last_ms: int, *, at: str, group: int = 0) -> list[tuple[str, int, dict[str, Any]]]:
        """As many tickets as the rule needs, the first at 0, the last at `last_ms`; at: 'one' institution or 'many'."""
        return [
            self.ticket(rank if at == "many" else 0, last_ms * rank // (self.need - 1), group)
            for rank in range(self.need)
        ]

    def with_past(self, tickets: Iterable[tuple[str, int, dict[str, Any]]]) -> list[tuple[str, int, dict[str, Any]]]:
        """The same, of institutions that are known for long enough where the rule asks for that."""
        sent = list(tickets)
        names = sorted({institution for institution, _, _ in sent}) if self._known_ms else []
        return [(name, self._start_ms - self._known_ms, EVERYDAY) for name in names] + sent

    def of(self, alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [alert for alert in alerts if alert["rule_id"] == self.id]


@pytest.fixture
def story(documents, correlation_cases, start_ms):
    return lambda name: Story(documents[name], correlation_cases[name], start_ms)


def test_as_many_institutions_as_the_rule_needs_raise_one_joint_alert(joint, story, sector):
    told = story(joint)

    [alert] = told.of(sector(told.with_past(told.spread(told.timespan_ms - 1, at="many"))))

    assert alert["kind"] != "local"
    assert alert["status"] == "final"
    assert alert["institutions"] == [f"fi-{number:03d}" for number in range(told.need)]
    assert alert["group"] == told.group


def test_one_institution_less_raises_nothing_however_much_it_writes(joint, story, sector):
    told = story(joint)
    tickets = [told.ticket(rank, again * MINUTE_MS) for rank in range(told.need - 1) for again in range(4)]

    assert told.of(sector(told.with_past(tickets))) == []


def test_a_last_institution_outside_the_window_raises_nothing(joint, story, sector):
    told = story(joint)

    assert told.of(sector(told.with_past(told.spread(told.timespan_ms, at="many")))) == []


def test_affiliates_of_one_holding_are_one_institution(joint, story, sector):
    told = story(joint)

    assert (
        told.of(sector(told.with_past(told.spread(MINUTE_MS, at="many")), {"fi-000": "holding", "fi-001": "holding"}))
        == []
    )


def test_tickets_that_share_nothing_do_not_join(grouped, story, sector):
    told = story(grouped)
    assert len(told.groups) >= told.need, "the case has too few groups"

    assert told.of(sector(told.with_past(told.ticket(rank, 0, group=rank) for rank in range(told.need)))) == []


def test_as_many_tickets_as_the_rule_needs_raise_one_local_alert(local, story, sector):
    told = story(local)

    [alert] = told.of(sector(told.with_past(told.spread(told.timespan_ms - 1, at="one"))))

    assert (alert["kind"], alert["institutions"]) == ("local", ["fi-000"])
    assert len(alert["ticket_ids"]) == told.need


def test_one_ticket_less_raises_nothing(local, story, sector):
    told = story(local)

    assert told.of(sector(told.spread(MINUTE_MS, at="one")[1:])) == []


def test_a_last_ticket_outside_the_window_raises_nothing(local, story, sector):
    told = story(local)

    assert told.of(sector(told.with_past(told.spread(told.timespan_ms, at="one")))) == []


def test_the_same_tickets_at_several_institutions_raise_nothing_local(local, story, sector):
    told = story(local)

    assert told.of(sector(told.with_past(told.spread(MINUTE_MS, at="many")))) == []


def test_every_correlation_has_a_case_and_every_case_a_correlation(documents, correlation_cases):
    """Those about feeds have theirs in test_feeds.py."""
    correlations = {
        name
        for name, document in documents.items()
        if "correlation" in document and document["fsoc"].get("scope") != "feed"
    }
    joint = [name for name in correlations if "scope" not in documents[name]["fsoc"]]

    assert set(correlation_cases) == correlations
    assert len(joint) >= 5
    assert len(correlations) - len(joint) >= 2


def test_no_cross_institution_rule_is_content_with_one_institution(documents):
    """By what it counts, what it counts beside, or what a correlation that it names counts."""

    def least(name):
        body, fsoc = documents[name]["correlation"], documents[name]["fsoc"]
        inner = [least(one) for one in body["rules"] if "correlation" in documents[one]]
        if inner:
            return min(inner)
        assert fsoc["independent"], name
        asked = body["condition"] if body["condition"].get("field") == "institution" else fsoc["also"]["institution"]
        return asked["gte"]

    for name, document in documents.items():
        if "correlation" in document and "scope" not in document["fsoc"]:
            assert least(name) >= 2, name
