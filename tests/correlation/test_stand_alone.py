"""`generate: true`: what a detection alone raises."""

from __future__ import annotations

from types import SimpleNamespace

import orjson

from fsoc.attack.techniques import Techniques
from fsoc.correlation.entries import Version
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.ruleset import RuleSet
from fsoc.correlation.stand_alone import stand_alone
from fsoc.detection import LogsourceMap, PlainDetector, Source, load_rules
from fsoc.runtime.content import shipped

RULES = """
title: Log cleared
name: log_cleared
logsource: {product: fsoc}
detection:
  selection: {category: x.y}
  condition: selection
level: high
---
title: Log cleared at three
correlation:
  type: value_count
  rules: log_cleared
  timespan: 1h
  condition: {field: institution, gte: 3}
  generate: true
"""


def detection(name, **changes):
    return SimpleNamespace(
        **{"id": name, "name": None, "title": name, "level": None, "tags": (), "fsoc": {}, **changes}
    )


def test_only_what_a_generating_correlation_names_stands_alone(rule):
    generating = rule(rules=["one", "two"], generate=True)
    silent = rule(rules=["three"])

    found = stand_alone([generating, silent], [detection(name) for name in ("one", "two", "three", "one")])

    assert [alone.id for alone in found] == ["one", "two"]


def test_it_bears_the_detections_name_and_level(rule):
    named = detection("detection", title="Log cleared", level="high", tags=("attack.t1070",), fsoc={"title_zh": "清除"})
    (alone,) = stand_alone([rule(generate=True)], [named])

    assert (alone.title, alone.title_zh, alone.level, alone.tags) == ("Log cleared", "清除", "high", ("attack.t1070",))


def test_each_ticket_is_an_alert_of_its_own_at_once_whatever_its_evidence_calls_itself(rule):
    (alone,) = stand_alone([rule(generate=True)], [detection("detection")])
    ticket = {"environment": "production", "ticket_id": "T-1", "evidence": [{"fields": {"ticket_id": ["a", "b"]}}]}
    feeds, _ = Feeder([alone]).feeds([("detection", 0)], TicketFields(ticket, "fi-001"), "fi-001", 0)

    assert [orjson.loads(feed.group) for feed in feeds] == [["fi-001", "T-1"]]
    assert alone.rising
    assert alone.condition.holds(1)


def test_a_rule_set_evaluates_both():
    loaded = load_rules([Source("rules.yml", RULES)])
    tables = ((path.name, path.read_text("utf-8")) for path in shipped("attack_mappings").glob("*.tsv"))
    techniques, version = Techniques.parse(tables), Version("", "")
    detector = PlainDetector(loaded.rules, LogsourceMap())
    ruleset = RuleSet.of(detector, loaded.rules, loaded.correlations, techniques, version)

    assert (loaded.problems, ruleset.problems) == ((), ())
    assert {name: rule.level for name, rule in ruleset.correlations.items()} == {
        "Log cleared at three": "medium",
        "log_cleared": "high",
    }
