"""What is wrong with a baseline that could be read: against the rules, ATT&CK, and the tests it names. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fsoc.attack.hints import UNEXPECTED, Hints
from fsoc.attack.techniques import Techniques
from fsoc.baseline.model import Baseline, Item, Sample
from fsoc.detection import Detector
from fsoc.detection.detector import TICKET
from fsoc.detection.logsource import Logsource
from fsoc.errors import Problem


class Detection(Protocol):
    """What is asked of a rule of ours."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def logsource(self) -> Logsource: ...
    @property
    def path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Against:
    """What a baseline is held against.

    detector: of the same rules. scripts: by script, the rule ids that each step expects, by step.
    components: names of ATT&CK's data components; none are known where it is empty, and then none is wrong.
    """

    rules: Sequence[Detection]
    detector: Detector
    techniques: Techniques
    scripts: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    components: Collection[str] = ()


def check(baseline: Baseline, against: Against) -> tuple[list[Problem], list[Problem]]:
    """Problems, and warnings: what is right and yet leaves something unseen."""
    rules = {rule.id: rule for rule in against.rules}
    hints = Hints(against.techniques)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for item in baseline.items.values():
        problems.extend(_technique(item, against.techniques))
        problems.extend(_sources(item, against.components))
        problems.extend(_rules(item, rules))
        problems.extend(_steps(item, against.scripts))
        problems.extend(_samples(item, rules, against.detector))
        warnings.extend(_tags(item, rules, against.techniques))
        warnings.extend(_category(item, hints))
    warnings.extend(_left_out(baseline, against))
    return problems, warnings


def _technique(item: Item, techniques: Techniques) -> Iterator[Problem]:
    known = techniques.resolve(item.technique)
    if known is None:
        text = f"{item.id}: technique {item.technique[:40]!r} is not in ATT&CK {techniques.version}; "
        yield Problem(item.where, text + techniques.hint(item.technique))
        return
    if known.id != item.technique or not known.in_use:
        became = f"it is {known.id} {known.name}" if known.in_use else "it is out of use"
        yield Problem(item.where, f"{item.id}: technique {item.technique}: in ATT&CK {techniques.version} {became}")
    tactic = techniques.tactic(item.tactic)
    if tactic is None:
        yield Problem(item.where, f"{item.id}: tactic {item.tactic[:40]!r}: {techniques.hint(item.tactic)}")
    elif tactic not in known.tactics:
        allowed = ", ".join(known.tactics)
        yield Problem(item.where, f"{item.id}: {known.id} is not of tactic {tactic}, but of {allowed}")


def _sources(item: Item, components: Collection[str]) -> Iterator[Problem]:
    for source in item.sources:
        if components and source not in components:
            near = difflib.get_close_matches(source, components, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield Problem(item.where, f"{item.id}: sources: {source[:60]!r} is no data component of ATT&CK's{hint}")


def _rules(item: Item, rules: Mapping[str, Detection]) -> Iterator[Problem]:
    names = [rule.name for rule in rules.values() if rule.name]
    for rule in item.rules:
        if rule not in rules:
            near = difflib.get_close_matches(rule, names, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield Problem(item.where, f"{item.id}: rule {rule[:64]!r} is no detection of ours{hint}")
        elif rules[rule].logsource.product == TICKET:
            yield Problem(item.where, f"{item.id}: rule {rules[rule].name or rule} is about tickets, not about events")
    for rule in item.references:
        if rule in rules:
            yield Problem(item.where, f"{item.id}: references: {rule} is a detection of ours; write it under rules")


def _samples(item: Item, rules: Mapping[str, Detection], detector: Detector) -> Iterator[Problem]:
    for sample in item.samples:
        if sample.rule not in item.rules:
            yield Problem(item.where, f"{item.id}: test: rule {sample.rule[:64]!r} is not among the item's rules")
        elif sample.rule in rules and not _matches(sample, rules[sample.rule], detector):
            named = rules[sample.rule].name or sample.rule
            yield Problem(item.where, f"{item.id}: test: rule {named} does not match its event; see fsoc explain")


def _matches(sample: Sample, rule: Detection, detector: Detector) -> bool:
    return sample.rule in detector.match_event(sample.fields, rule.logsource)


def _steps(item: Item, scripts: Mapping[str, Mapping[str, Collection[str]]]) -> Iterator[Problem]:
    for one in item.steps:
        steps = scripts.get(one.script)
        if steps is None:
            known = ", ".join(sorted(scripts)) or "there are none"
            yield Problem(item.where, f"{item.id}: test: script {one.script[:40]!r} is unknown; known: {known}")
        elif one.step not in steps:
            known = ", ".join(steps)
            yield Problem(item.where, f"{item.id}: test: {one.script} has no step {one.step[:40]!r}; it has: {known}")
        elif not set(steps[one.step]) & set(item.rules):
            yield Problem(
                item.where, f"{item.id}: test: step {one.step} of {one.script} expects none of the item's rules"
            )


def _tags(item: Item, rules: Mapping[str, Detection], techniques: Techniques) -> Iterator[Problem]:
    for rule in item.rules:
        if rule in rules and item.technique not in {found.id for found in techniques.techniques(rules[rule].tags)}:
            named = rules[rule].name or rule
            yield Problem(
                item.where, f"{item.id}: rule {named} is not tagged with {item.technique}: its tickets join by its own"
            )


def _category(item: Item, hints: Hints) -> Iterator[Problem]:
    """What the joint SOC would hint at to whoever sent a ticket by this trigger."""
    body = {
        "category": item.trigger.category,
        "attack": [{"tactic": item.tactic, "technique": item.technique}],
    }
    for hint in hints.of(body):
        if hint.code == UNEXPECTED:
            yield Problem(item.where, f"{item.id}: trigger: {item.trigger.category}: {hint.text}")


def _left_out(baseline: Baseline, against: Against) -> Iterator[Problem]:
    seen = {against.techniques.tactic(item.tactic) for item in baseline.items.values()}
    for tactic in against.techniques.tactic_order():
        if tactic not in seen:
            yield Problem("baseline", f"no item is of tactic {tactic}")
    named = set(baseline.rules)
    for rule in _about_events(against.rules):
        if rule.id not in named:
            yield Problem(rule.path, f"{rule.name or rule.id} is in no item of the baseline")


def _about_events(rules: Iterable[Detection]) -> Iterator[Detection]:
    return (rule for rule in rules if rule.logsource.product != TICKET)
