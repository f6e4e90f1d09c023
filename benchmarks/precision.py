"""Precision and recall over exercises, with own pasts and without: `python -m benchmarks.precision --json`.

Each seed is an exercise of two weeks, worked in process by the shipped rules as they are, and once more by the same
rules without what they ask of pasts (counts_when, hub and what belongs to them). Counts are of joint alerts, scored as
`fsoc.exercise.score` does. No time is measured.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fsoc.correlation.feeder import Feeder
from fsoc.correlation.ruleset import RuleSet
from fsoc.exercise import Detail, Exercise, ExerciseSpec, Noise, Score, generate, score
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset

SLICE_RECORDS = 500


def without_pasts(rules: RuleSet) -> RuleSet:
    """The same rules, asking for no past; those that look for a drop, which is one, stay."""
    asked = {
        name: rule
        if rule.past is None or rule.past.counts_when == "drop"
        else replace(rule, rules=rule.telling, past=None)
        for name, rule in rules.correlations.items()
    }
    return replace(rules, correlations=asked, feeder=Feeder(asked.values(), rules.feeder.lists))


def played(exercise: Exercise, rules: RuleSet) -> Score:
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    direct = Direct(Pipeline(rules, registry, ends=True))
    for slices in _slices(exercise):
        direct.work(slices)
    direct.finish()
    return score(
        exercise.truth, direct.newest_alerts(), exercise.feed_truth, exercise.spec.scored_from_ms, exercise.rule_truth
    )


def _slices(exercise: Exercise) -> Iterator[Mapping[str, list[Record]]]:
    offsets: Counter[str] = Counter()
    for start in range(0, len(exercise.deliveries), SLICE_RECORDS):
        slices: dict[str, list[Record]] = {}
        for at_ms, institution, payload in exercise.deliveries[start : start + SLICE_RECORDS]:
            slices.setdefault(institution, []).append(Record(offsets[institution], at_ms, None, payload))
            offsets[institution] += 1
        yield slices


def seeds(text: str) -> list[int]:
    """`3`, or `201-206`: both ends are in."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def summed_up(scores: list[Score]) -> dict[str, Any]:
    found, missed = sum(one.found for one in scores), sum(one.missed for one in scores)
    true, false = sum(one.on_campaigns for one in scores), sum(len(one.false_alarms) for one in scores)
    return {
        "campaigns": found + missed,
        "found": found,
        "recall": found / (found + missed) if found + missed else None,
        "joint_alerts": true + false,
        "false_alarms": false,
        "precision": true / (true + false) if true + false else None,
        "seeds_passed": sum(one.passes for one in scores),
        "feeds_found": sum(len(one.feeds.found) for one in scores),
        "feeds_missed": sum(len(one.feeds.missed) for one in scores),
        "feed_false_alarms": sum(len(one.feeds.false_alarms) for one in scores),
        "rules_found": sum(len(one.rules.found) for one in scores),
        "rules_missed": sum(len(one.rules.missed) for one in scores),
        "rule_false_alarms": sum(len(one.rules.false_alarms) for one in scores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=[1], help="such as 201-206 (default 1)")
    parser.add_argument("--institutions", type=int, default=40)
    parser.add_argument("--noise", type=Noise, choices=list(Noise), default=Noise.MEDIUM)
    parser.add_argument("--detail", type=Detail, choices=list(Detail), default=Detail.FULL)
    parser.add_argument("--as-they-are", action="store_true", help="leave the rules without pasts out")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    rules = load_ruleset()
    variants = {"own past": rules} | ({} if asked.as_they_are else {"no past": without_pasts(rules)})
    scores: dict[str, list[Score]] = {name: [] for name in variants}
    for seed in asked.seeds:
        exercise = generate(
            ExerciseSpec(institutions=asked.institutions, seed=seed, noise=asked.noise, detail=asked.detail)
        )
        for name, variant in variants.items():
            with collector_paused(for_ever=False):  # it would look at a whole sector again and again, and find nothing
                scores[name].append(played(exercise, variant))
    figures = {name: summed_up(of_it) for name, of_it in scores.items()}
    if asked.json:
        print(json.dumps({"seeds": asked.seeds, "institutions": asked.institutions, "noise": asked.noise, **figures}))
        return
    for name, figure in figures.items():
        print(f"{name:10}", ", ".join(f"{key} {value}" for key, value in figure.items()))


if __name__ == "__main__":
    main()
