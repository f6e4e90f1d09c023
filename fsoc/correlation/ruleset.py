"""Everything that is read from rules/, compiled once and handed to every stage. Pure: the shell reads the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from fsoc.attack.techniques import Techniques
from fsoc.correlation.entries import Feeder
from fsoc.correlation.rules import DAY_MS, CorrelationRule, parse
from fsoc.detection import Detector, LogsourceMap, PlainDetector, Rule, Source, load_rules
from fsoc.errors import Problem

Pair = tuple[str, str]
"""(tactic, technique), in the newest ATT&CK version's words."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of all rules.

    digest: over the sources as read; two workers with the same digest decide alike.
    retention_ms: how long past its event time a ticket may be revised: as long as any alert it is in may change.
    """

    detector: Detector
    detections: int
    correlations: Mapping[str, CorrelationRule]
    feeder: Feeder
    techniques: Techniques
    pairs: Mapping[str, tuple[Pair, ...]]
    tactics: Mapping[str, int]
    digest: str
    retention_ms: int

    @classmethod
    def compile(
        cls, sources: Sequence[Source], logsources: LogsourceMap, techniques: Techniques
    ) -> tuple[RuleSet, tuple[Problem, ...]]:
        """Compile what can be used, and name every problem of the rest. A bad rule is refused alone (law 15)."""
        loaded = load_rules(sources)
        correlations, problems = parse(loaded.correlations, loaded.rules)
        tactics = {tactic: place for place, tactic in enumerate(techniques.tactic_order())}
        digest = blake2b(digest_size=16)
        for source in sources:
            digest.update(source.path.encode() + b"\x00" + source.text.encode() + b"\x00")
        ruleset = cls(
            detector=PlainDetector(loaded.rules, logsources),
            detections=len(loaded.rules),
            correlations={rule.id: rule for rule in correlations},
            feeder=Feeder(correlations),
            techniques=techniques,
            pairs={rule.id: _pairs_of_rule(rule, techniques) for rule in loaded.rules},
            tactics=tactics,
            digest=digest.hexdigest(),
            retention_ms=max((rule.retention_ms for rule in correlations), default=DAY_MS),
        )
        return ruleset, (*loaded.problems, *problems)

    def attack(self, body: Mapping[str, Any], detections: Sequence[str]) -> tuple[Pair, ...]:
        """The techniques of a ticket: those it names and those of the rules it matched, in one version's words."""
        found = {self._normalise(item["tactic"], item["technique"]): None for item in body.get("attack") or ()}
        for detection in detections:
            found.update(dict.fromkeys(self.pairs.get(detection, ())))
        return tuple(sorted(found))

    def _normalise(self, tactic: str, technique: str) -> Pair:
        known = self.techniques.resolve(technique)
        return self.techniques.tactic(tactic) or tactic, known.id if known is not None else technique


def _pairs_of_rule(rule: Rule, techniques: Techniques) -> tuple[Pair, ...]:
    """A rule's techniques, each under the tactics the rule names, or all of its own where it names none of them."""
    named = {techniques.tactic(tag.partition(".")[2]) for tag in rule.tags if tag.lower().startswith("attack.")}
    pairs: list[Pair] = []
    for technique in techniques.techniques(rule.tags):
        fitting = [tactic for tactic in technique.tactics if tactic in named] or technique.tactics
        pairs.extend((tactic, technique.id) for tactic in fitting)
    return tuple(pairs)
