"""The rules that figures are about, and samples of them by which rule counts are compared. Measures nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fsoc.detection import LogsourceMap, load_rules
from fsoc.detection.rules import LoadedRules, Rule
from fsoc.runtime.content import LOGSOURCES, collector_paused, read_source, read_sources, shipped

DATA: Final = Path(__file__).parents[2] / "shared" / "data"
SIGMAHQ: Final = DATA / "sigmahq-rules"
REGRESSION: Final = DATA / "regression" / "events.ndjson"
"""Recorded Windows events that SigmaHQ's rules are tested with."""


def default_rules() -> Path:
    """SigmaHQ's where they lie beside the checkout, else those that fsoc ships."""
    return SIGMAHQ if SIGMAHQ.is_dir() else shipped("rules")


def load(paths: Sequence[Path]) -> tuple[LoadedRules, LogsourceMap]:
    """The rules of these files and folders, and which logsource an event is of."""
    with collector_paused():
        return load_rules(read_sources(paths)), LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES))


def sample(rules: Sequence[Rule], count: int, *, seed: int = 7) -> list[Rule]:
    """`count` of the rules, each logsource with its share (by largest remainder), in the rules' order."""
    if count >= len(rules):
        return list(rules)
    by_logsource: defaultdict[object, list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        by_logsource[rule.logsource].append(index)
    shares = [(len(indexes) * count / len(rules), indexes) for indexes in by_logsource.values()]
    missing = count - sum(int(share) for share, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda place: int(shares[place][0]) - shares[place][0])
    rounded_up = set(by_remainder[:missing])
    draw = random.Random(seed)
    chosen: list[int] = []
    for place, (share, indexes) in enumerate(shares):
        chosen += draw.sample(indexes, int(share) + (place in rounded_up))
    return [rules[index] for index in sorted(chosen)]
