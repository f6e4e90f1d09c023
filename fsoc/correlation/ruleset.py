"""Everything that is read from rules/, compiled once and handed to every stage. Pure: the shell reads the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsoc.attack.hints import Hints
from fsoc.attack.techniques import Techniques
from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.entries import Version
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.policy import NO_POLICY, Policy
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import DAY_MS, CorrelationRule
from fsoc.correlation.stand_alone import Detection, stand_alone
from fsoc.detection import Detector, Document
from fsoc.errors import Fault, Problem
from fsoc.tickets.decode import Message

Pair = tuple[str, str]
"""(tactic, technique), in the newest ATT&CK version's words."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of all rules.

    version: names it; two workers of the same digest decide alike.
    retention_ms: how long past its event time a ticket may be revised: as long as any alert it is in may change.
    problems: of what was refused, and refused is how many documents that were.
    policy: what was decided of alerts beforehand. hints: None where senders are told none.
    """

    detector: Detector
    detections: int
    correlations: Mapping[str, CorrelationRule]
    feeder: Feeder
    techniques: Techniques
    pairs: Mapping[str, tuple[Pair, ...]]
    tactics: Mapping[str, int]
    version: Version
    retention_ms: int
    problems: tuple[Problem, ...] = ()
    refused: int = 0
    policy: Policy = NO_POLICY
    hints: Hints | None = None

    @classmethod
    def of(
        cls,
        detector: Detector,
        rules: Sequence[Detection],
        correlations: Iterable[Document],
        techniques: Techniques,
        version: Version,
        problems: Sequence[Problem] = (),
        refused: int = 0,
        lists: AllowLists | None = None,
        policy: Policy = NO_POLICY,
    ) -> RuleSet:
        """Put together what the texts of one version were compiled to. A bad correlation is refused alone (law 15).

        detector: of the same rules. problems, refused: of what is not among the rules. lists: those that rules name.
        """
        read, unfit = parse(correlations, rules, orders=orders_of(techniques), lists=lists.names if lists else ())
        parsed = (*read, *stand_alone(read, rules))
        return cls(
            detector=detector,
            detections=len(rules),
            correlations={rule.id: rule for rule in parsed},
            feeder=Feeder(parsed, lists),
            techniques=techniques,
            hints=Hints(techniques),
            pairs={rule.id: _pairs_of_rule(rule, techniques) for rule in rules},
            tactics={tactic: place for place, tactic in enumerate(techniques.tactic_order())},
            version=version,
            retention_ms=max((rule.retention_ms for rule in parsed), default=DAY_MS),
            problems=(*problems, *unfit),
            refused=refused + len({problem.where for problem in unfit}),
            policy=policy,
        )

    def attack(self, body: Mapping[str, Any], detections: Sequence[str]) -> tuple[Pair, ...]:
        """The techniques of a ticket: those it names and those of the rules it matched, in one version's words."""
        pair = self.techniques.pair
        found = {pair(item["tactic"], item["technique"]): None for item in body.get("attack") or ()}
        for detection in detections:
            found.update(dict.fromkeys(self.pairs.get(detection, ())))
        return tuple(sorted(found))

    def notes(self, message: Message | None, *, used: bool) -> tuple[Fault, ...]:
        """What does not fit together in a ticket that is used; of anything else nothing."""
        if self.hints is None or not used or message is None or message.kind != "ticket":
            return ()
        return self.hints.of(message.body)

    def looks_back(self, rule_id: str) -> bool:
        """Whether a correlation holds tickets against their institution's own past."""
        rule = self.correlations.get(rule_id)
        return rule is not None and rule.past is not None

    def attack_of(self, body: Mapping[str, Any]) -> Callable[[Sequence[str]], tuple[Pair, ...]]:
        """The same of one ticket for several tuples of detections: many groups are fed by the same."""
        own, pairs = self.attack(body, ()), self.pairs

        def attack(detections: Sequence[str]) -> tuple[Pair, ...]:
            added = [pair for detection in detections for pair in pairs.get(detection, ())]
            return tuple(sorted({*own, *added})) if added else own

        return attack


def orders_of(techniques: Techniques) -> Mapping[str, Sequence[str]]:
    """Fields whose values have an order that rules may ask for, and that order."""
    return {"tactic": techniques.tactic_order()}


def _pairs_of_rule(rule: Detection, techniques: Techniques) -> tuple[Pair, ...]:
    """A rule's techniques, each under the tactics the rule names, or all of its own where it names none of them."""
    pairs: list[Pair] = []
    for technique in techniques.techniques(rule.tags):
        fitting = techniques.named_tactics(rule.tags, technique)
        pairs.extend((tactic, technique.id) for tactic in technique.tactics if not fitting or tactic in fitting)
    return tuple(pairs)
