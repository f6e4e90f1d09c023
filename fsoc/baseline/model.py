"""The monitoring baseline as data: items, what triggers a ticket, what proves it. Reads nothing, checks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

Theme = Literal[
    "swift",
    "atm",
    "online-banking",
    "core-banking",
    "supplier",
    "ransomware",
    "ddos-extortion",
    "credentials",
    "general",
]
"""What an item is for in finance: what a reader filters by."""
THEMES: Final = get_args(Theme)
TIERS: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When what the rules find becomes a ticket (事件單觸發規則).

    count, within_ms, per: so many matches of one rule within so long, of one value of this field, or of all.
    severity: the least that the ticket may be held for (OCSF severity_id). category: RSIT's. asset: the kind struck.
    carries: fields of `fsoc.ticket/1` that the ticket must have beside those that every ticket has.
    """

    count: int
    within_ms: int
    per: str | None
    severity: int
    category: str
    asset: str
    carries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """An event that one of the item's rules must match. rule: its id. Of the rule's own logsource."""

    rule: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """A step of an attack script that must be found by one of the item's rules."""

    script: str
    step: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that institutions must be able to see.

    id: never used for anything else once published. technique, tactic: as written, of `Baseline.attack_version`.
    tiers: of institutions that must have it. sources: ATT&CK's data components, by name.
    rules: ids of our own detections. references: ids of rules of others (SigmaHQ's), which are not part of it.
    tests: each rule of the item has one, a sample or a step. where: its place, as `file:line`.
    """

    id: str
    title: str
    title_zh: str
    technique: str
    tactic: str
    why: str
    why_zh: str
    themes: tuple[Theme, ...]
    tiers: tuple[int, ...]
    sources: tuple[str, ...]
    rules: tuple[str, ...]
    references: tuple[str, ...]
    trigger: Trigger
    samples: tuple[Sample, ...]
    steps: tuple[ScriptStep, ...]
    where: str


class Baseline:
    """Every item by its id, in the order of ids. attack_version: whose words techniques and tactics are."""

    def __init__(self, version: str, attack_version: str, items: Iterable[Item]) -> None:
        self.version = version
        self.attack_version = attack_version
        self.items: Mapping[str, Item] = MappingProxyType({item.id: item for item in sorted(items, key=_id)})
        self._of_rule: dict[str, list[Item]] = {}
        for item in self.items.values():
            for rule in item.rules:
                self._of_rule.setdefault(rule, []).append(item)

    def of_tier(self, tier: int) -> tuple[Item, ...]:
        """What institutions of this tier must be able to see."""
        return tuple(item for item in self.items.values() if tier in item.tiers)

    def of_rule(self, rule_id: str) -> tuple[Item, ...]:
        """The items that have this detection."""
        return tuple(self._of_rule.get(rule_id, ()))

    def named_by(self, trigger: Mapping[str, Any]) -> tuple[Item, ...]:
        """What a ticket's `trigger` stands for: its rule_id is an item's id, or that of one of our detections."""
        if trigger.get("kind") != "baseline":
            return ()
        rule_id = trigger.get("rule_id", "")
        return (self.items[rule_id],) if rule_id in self.items else self.of_rule(rule_id)

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of all detections of the baseline, each once, in the order of items."""
        return tuple(dict.fromkeys(rule for item in self.items.values() for rule in item.rules))


def _id(item: Item) -> str:
    return item.id
