"""What a rule asks of the sector, read off the rule: how many independent members, and tickets that feed it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fsoc.correlation.conditions import Condition
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.ruleset import RuleSet
from fsoc.tickets.sample import ticket

INSTITUTION = "institution"


def members_asked(rule: CorrelationRule, rules: Mapping[str, CorrelationRule]) -> int:
    """How many independent members must have sent something for an alert of the rule; 1 where it does not say.

    Of a rule over other rules: the least that any of these asks, or more where it says so itself.
    """
    inner = [members_asked(rules[name], rules) if name in rules else 1 for name in rule.rules]
    return max(min(inner), _counted(rule), *(_least(bound) for name, bound in rule.also if name == INSTITUTION), 1)


def _counted(rule: CorrelationRule) -> int:
    if rule.type == "value_count" and rule.fields == (INSTITUTION,):
        return _least(rule.condition)
    if rule.cap_each:  # halves of the greatest bound: two reach it, three are beyond it
        floor = rule.condition.floor
        return 3 if ("gt", floor) in rule.condition.bounds else 2
    return 1


def _least(bound: Condition) -> int:
    """The least count for which it holds."""
    return next(count for count in range(1, 10_000) if bound.holds(count))


def joint_rules(ruleset: RuleSet, documents: Mapping[str, Mapping[str, Any]]) -> dict[str, CorrelationRule]:
    """By name, the rules that are judged across institutions and raise alerts of their own."""
    found = {}
    for name, document in documents.items():
        options = document.get("fsoc", {})
        if "correlation" in document and options.get("scope") is None and not options.get("link"):
            rule = ruleset.correlations[document["id"]]
            if not rule.silent:
                found[name] = rule
    return found


class Case:
    """The tickets of one case of `correlation.yml`, with any value of what they must share.

    changes: of the sample ticket; several where the rule needs several of one institution.
    """

    def __init__(self, rule: CorrelationRule, case: Mapping[str, Any], ruleset: RuleSet) -> None:
        self.rule = rule
        self._texts = [json.dumps(one) for one in case.get("tickets") or [case["ticket"]]]
        self._intel = json.dumps(case["intel"]) if "intel" in case else None
        self._groups: Sequence[str] = case.get("groups", [""])
        self._ruleset = ruleset
        self._endless = self._feeds(self.tickets(_renewed(self._groups[0], 7)))

    def tickets(self, group: str) -> list[dict[str, Any]]:
        return [json.loads(text.replace("GROUP", group)) for text in self._texts]

    def intel(self, group: str) -> list[dict[str, Any]]:
        """What somebody must have warned of; nothing where the rule asks for no warning."""
        return [{"kind": "intel", **json.loads(self._intel.replace("GROUP", group))}] if self._intel else []

    def group(self, number: int) -> str:
        """Another value for each number, where there are so many of its kind; else one of the case's."""
        given = self._groups[number % len(self._groups)]
        return _renewed(given, number) if self._endless else given

    def _feeds(self, changes: Sequence[Mapping[str, Any]]) -> bool:
        return any(True for one in changes for _ in fed(self._ruleset, ticket(**one), self.rule))


def fed(ruleset: RuleSet, body: Mapping[str, Any], rule: CorrelationRule) -> Iterator[str]:
    """The groups of a rule, or of one that it names, that a ticket feeds."""
    matches = ruleset.detector.match_ticket(body)
    fields = TicketFields(body, "fi-001", lambda: ruleset.attack(body, [match.rule_id for match in matches]))
    feeds, _ = ruleset.feeder.feeds(matches, fields, "fi-001", 0)
    return (feed.group for feed in feeds if feed.rule == rule.id or feed.rule in rule.rules)


def _renewed(group: str, number: int) -> str:
    """A value of the same kind that nobody has met."""
    if re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", group):
        return f"198.{18 + number // 65_536 % 2}.{number // 256 % 256}.{number % 256}"
    if re.search(r"\d", group):
        return re.sub(r"\d+(?!.*\d)", str(10_000 + number), group)
    return re.sub(r"\.(?=[a-z]+$)", f"{number}.", group)
