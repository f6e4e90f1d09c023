"""Whether scripts ask for what there is: rules, items, joint alerts. A check for who writes them, not a score. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping

from fsoc.baseline.assess.script import Script, Step
from fsoc.baseline.model import Baseline
from fsoc.errors import Problem


def check_scripts(
    scripts: Iterable[Script], baseline: Baseline, detections: Mapping[str, str], correlations: Collection[str]
) -> Iterator[Problem]:
    """detections: ids by name. correlations: names of what raises joint alerts."""
    first: dict[str, str] = {}
    for script in scripts:
        if script.id in first:
            yield Problem(script.where, f"script {script.id} is already in {first[script.id]}")
        first.setdefault(script.id, script.where)
        for step in script.steps:
            for text in _wrong(step, baseline, detections, correlations):
                yield Problem(script.where, f"step {step.id}: {text}")


def _wrong(
    step: Step, baseline: Baseline, detections: Mapping[str, str], correlations: Collection[str]
) -> Iterator[str]:
    rule = detections.get(step.rule, step.rule)
    if rule not in detections.values():
        yield f"rule {step.rule[:64]!r} is no detection of ours{_near(step.rule, detections)}"
    if step.item is not None and step.item not in baseline.items:
        yield f"item {step.item[:40]!r} is not in the baseline"
    elif step.item is not None and rule in detections.values() and rule not in baseline.items[step.item].rules:
        yield f"item {step.item} does not have the rule {step.rule}"
    if step.joined is not None and step.joined.rule not in correlations:
        yield f"{step.joined.rule[:64]!r} raises no joint alert{_near(step.joined.rule, correlations)}"


def _near(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
