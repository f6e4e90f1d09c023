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
from tests.rules.conftest import SILENT

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
PARTNER = "fi-900"
"""Who warns the others."""


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
        self._intel = json.dumps(case["intel"]) if "intel" in case else None
        self._start_ms = start_ms

    def ticket(self, institution: int, after_ms: int, group: int = 0) -> tuple[str, int, dict[str, Any]]:
        text = self._case.replace("GROUP", self.groups[group]).replace("RANK", str(institution))
        changes = json.loads(text)
        return f"fi-{institution:03d}", self._start_ms + after_ms, changes

    def spread(self, last_ms: int, *, at: str, group: int = 0) -> list[tuple[str, int, dict[str, Any]]]:
        """As many tickets as the rule needs, the first at 0, the last at `last_ms`; at: 'one' institution or 'many'."""
        apart = max(self.need - 1, 1)
        return [
            self.ticket(rank if at == "many" else 0, last_ms - last_ms * (self.need - 1 - rank) // apart, group)
            for rank in range(self.need)
        ]

    def warning(self, institution: str, after_ms: int = 0, group: int = 0) -> tuple[str, int, dict[str, Any]]:
        """Intel of a group."""
        changes = json.loads((self._intel or "{}").replace("GROUP", self.groups[group]))
        return institution, self._start_ms + after_ms, {"kind": "intel", **changes}

    def with_past(self, tickets: Iterable[tuple[str, int, dict[str, Any]]]) -> list[tuple[str, int, dict[str, Any]]]:
        """The same, of institutions known for long enough where the rule asks for that, and warned where it does."""
        sent = list(tickets)
        names = sorted({institution for institution, _, _ in sent}) if self._known_ms else []
        warned = [self.warning(PARTNER, group=group) for group in range(len(self.groups))] if self._intel else []
        return [(name, self._start_ms - self._known_ms, EVERYDAY) for name in names] + warned + sent

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

    assert told.of(sector(told.with_past(told.spread(MINUTE_MS, at="one")[1:]))) == []


def test_a_last_ticket_outside_the_window_raises_nothing(local, story, sector):
    told = story(local)

    assert told.of(sector(told.with_past(told.spread(told.timespan_ms, at="one")))) == []


def test_the_same_tickets_at_several_institutions_raise_nothing_local(local, story, sector):
    told = story(local)

    assert told.of(sector(told.with_past(told.spread(MINUTE_MS, at="many")))) == []


def test_without_the_warning_or_with_one_of_another_matter_nothing_is_raised(warned, story, sector):
    told = story(warned)
    met = told.spread(MINUTE_MS, at="many")

    assert told.of(sector(met)) == []
    assert told.of(sector([told.warning(PARTNER, group=1), *met])) == []


def test_a_warning_that_comes_after_finds_whom_it_was_too_late_for(warned, story, sector):
    """fi-000 t=0   fi-001 t=0   fi-900 warns t=timespan-1; at t=timespan it finds nobody."""
    told = story(warned)
    met = told.spread(0, at="many")

    [alert] = told.of(sector([*met, told.warning(PARTNER, told.timespan_ms - 1)]))

    assert alert["institutions"] == [f"fi-{number:03d}" for number in range(told.need)]
    heard = [(one["institution"], one["ticket_id"]) for one in alert["intel"]]
    assert heard == [(PARTNER, f"T-{told.need}")]
    assert PARTNER not in alert["tickets"]
    assert told.of(sector([*met, told.warning(PARTNER, told.timespan_ms)])) == []


def test_who_warns_and_then_meets_it_counts_as_any(warned, story, sector):
    told = story(warned)

    [alert] = told.of(sector([told.warning("fi-000"), *told.spread(MINUTE_MS, at="many")]))

    assert alert["institutions"] == [f"fi-{number:03d}" for number in range(told.need)]


def test_a_warning_alone_and_however_many_raises_nothing(warned, story, sector):
    told = story(warned)

    assert sector([told.warning(f"fi-{rank:03d}", rank) for rank in range(10)]) == []


def test_a_warning_that_is_withdrawn_takes_its_alert_along(warned, story, sector):
    told = story(warned)
    name, at, warning = told.warning(PARTNER)
    first = {"ticket_id": "I-1", "seq": 1}
    closed = {"ticket_id": "I-1", "seq": 2, "revision": 2, "action": "close", "status": "resolved"}
    for back in ({**closed, "action": "retract"}, {**closed, "verdict": "false_positive"}):
        warned_of = [(name, at, warning | first), (name, at + 1, warning | back)]

        alerts = told.of(sector([*told.spread(MINUTE_MS, at="many"), *warned_of]))
        assert {alert["status"] for alert in alerts} <= {"retracted"}

    kept = (name, at + 1, warning | closed | {"verdict": "true_positive"})
    [alert] = told.of(sector([*told.spread(MINUTE_MS, at="many"), (name, at, warning | first), kept]))
    assert alert["status"] == "final"


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
    """By what it counts, what it counts beside, or what a correlation that it names counts; if it raises any alert."""

    def least(name):
        body, fsoc = documents[name]["correlation"], documents[name]["fsoc"]
        inner = [least(one) for one in body["rules"] if "correlation" in documents[one]]
        if inner:
            return min(inner)
        assert fsoc["independent"], name
        asked = body.get("condition", {})
        asked = asked if asked.get("field") == "institution" else fsoc["also"]["institution"]
        return asked["gte"]

    for name, document in documents.items():
        if "correlation" in document and "scope" not in document["fsoc"] and name not in SILENT:
            assert least(name) >= 2, name
