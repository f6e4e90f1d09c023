"""Every alert on an exercise names the numbers that raised it, and is what it says without any one deciding ticket.

The whole exercise runs again without the ticket, all its revisions and re-sends. An alert of a rule that more tickets
can never undo says that it falls then, or says less; one that looks at own pasts, or that more tickets can undo, makes
no such promise, and may not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import pytest

from fsoc.alerts.explain import LISTED_MAX
from fsoc.correlation.exact import exactly, shown
from fsoc.exercise.generate import generate
from fsoc.exercise.spec import ExerciseSpec
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct

# A day without a past, and five days with one.
SPECS = [
    {"institutions": 12, "hours": 24, "seed": seed, "tickets_per_institution": 20, "heartbeat_minutes": 240}
    for seed in range(1, 41 if os.environ.get("FSOC_SOAK") else 2)
] + [
    {"institutions": 12, "hours": 120, "seed": seed, "tickets_per_institution": 60, "heartbeat_minutes": 240}
    for seed in range(1, 21 if os.environ.get("FSOC_SOAK") else 2)
]
PROMISE, PROMISE_ZH = "the alert says less or falls", "告警即減弱或不成立"


@dataclass(frozen=True)
class Played:
    """One exercise: its alerts that stand, and what they are without one ticket."""

    ruleset: Any
    registry: Registry
    records: list[tuple[str, str | None, int, bytes]]

    def alerts(self, without: tuple[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """without: institution and ticket_id."""
        direct = Direct(Pipeline(self.ruleset, self.registry, ends=True))
        slices: dict[str, list[Record]] = {}
        for institution, ticket_id, at_ms, payload in self.records:
            if (institution, ticket_id) != without:
                records = slices.setdefault(institution, [])
                records.append(Record(len(records), at_ms, None, payload))
        direct.work(slices)
        direct.finish()
        return {alert["alert_id"]: alert for alert in direct.newest_alerts() if alert["status"] != "retracted"}


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: f"{spec['hours']}h-{spec['seed']}")
def played(request, ruleset):
    exercise = generate(ExerciseSpec(**request.param))
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    records = [
        (institution, orjson.loads(payload).get("ticket_id"), at_ms, payload)
        for at_ms, institution, payload in exercise.deliveries
    ]
    return Played(ruleset, registry, records)


@pytest.fixture(scope="module")
def alerts(played):
    return played.alerts()


def deciding(alert):
    return [(name, ticket) for name, ids in alert["explanation"]["deciding"].items() for ticket in ids]


def test_the_text_has_every_number_in_both_languages(alerts, ruleset):
    assert alerts
    for alert in alerts.values():
        rule, why = ruleset.correlations[alert["rule_id"]], alert["explanation"]
        share = sorted(why["share"].items(), key=lambda one: (-one[1], one[0]))
        numbers = [
            *(shown(exactly(why["seen"])), why["timespan"], str(alert["ticket_count"]), alert["raised_at_event_time"]),
            *(shown(exactly(bound)) for bound in why["condition"].values()),
            *(f"{name} {count}" for name, count in share[:LISTED_MAX]),
            *(f"{name} = {value}" for name, value in alert["group"].items()),
            *(f"{ticket} ({name})" for name, ticket in deciding(alert)[:LISTED_MAX]),
            *(f"{one['ticket_id']} ({one['institution']})" for one in alert["intel"][:LISTED_MAX]),
            *(str(beside["seen"]) for beside in why["also"]),
            *(shown(exactly(one["seen"])) for one in why["novelty"].values() if one["kind"] != "first_ever"),
        ]
        for text in (why["text"], why["text_zh"]):
            assert [number for number in numbers if number not in text] == [], alert["alert_id"]
        assert f"{len(share)} institution" in why["text"]
        assert f"{len(share)} 家機構" in why["text_zh"]
        assert why["condition"] == dict(rule.condition.bounds)


def test_the_numbers_are_those_of_its_tickets(alerts, ruleset):
    for alert in alerts.values():
        rule, why = ruleset.correlations[alert["rule_id"]], alert["explanation"]
        assert why["share"] == {name: len(ids) for name, ids in alert["tickets"].items()}
        assert sum(why["share"].values()) == alert["ticket_count"]
        heard = {(one["institution"], one["ticket_id"]) for one in alert["intel"]}
        assert all((name, ticket) in heard or ticket in alert["tickets"][name] for name, ticket in deciding(alert))
        assert rule.condition.holds(exactly(why["seen"]))
        if rule.fields == ("institution",) and rule.independent:
            assert why["seen"] <= alert["independent_count"]
        if rule.type == "event_count":
            assert why["seen"] <= alert["ticket_count"]
        if (least := dict(rule.condition.bounds).get("gte")) is not None:
            assert exactly(why["margin"]) == exactly(why["seen"]) - exactly(least)


def test_without_any_one_deciding_ticket_an_alert_is_what_its_explanation_says(alerts, played, ruleset):
    promised = 0
    alerts_without = cache(played.alerts)  # one ticket decides several alerts, each of another indicator
    for name, alert in alerts.items():
        rule, why = ruleset.correlations[alert["rule_id"]], alert["explanation"]
        promises = PROMISE in why["text"]
        assert promises == (PROMISE_ZH in why["text_zh"])
        assert not promises or rule.firm
        for institution, ticket in deciding(alert) if promises else ():
            promised += 1
            without = alerts_without((institution, ticket)).get(name)
            if without is None:
                fell_as_it_said(rule, alert)
            else:
                says_less(alert, without, institution, ticket)
    assert promised >= len([one for one in alerts.values() if one["kind"] == "joint"]) / 3


def fell_as_it_said(rule, alert):
    """With more than it needs it falls only where one ticket may bring more than one, or more is asked than a count.

    And where it goes on with what an earlier alert tells: the ticket was the first of this episode, and the rest of its
    window is told by the earlier one.
    """
    by_ones = rule.type == "event_count" or rule.fields == ("institution",)
    if by_ones and rule.depth == 1 and not rule.also and alert["continues"] is None:
        assert alert["explanation"]["margin"] == 0


def says_less(alert, without, institution, ticket):
    assert ticket not in without["tickets"].get(institution, [])
    assert without["ticket_count"] < alert["ticket_count"]
    assert without["explanation"]["seen"] <= alert["explanation"]["seen"]
    assert set(without["ticket_ids"]) < set(alert["ticket_ids"])
    if len(deciding(alert)) == 1:  # alone it completed the condition, so that this came to hold later
        assert without["raised_at_event_time"] > alert["raised_at_event_time"]
    else:
        assert without["raised_at_event_time"] >= alert["raised_at_event_time"]
