"""The rules that figures are about, and samples of them by which rule counts are compared. Measures nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import orjson

from fsoc.detection import LogsourceMap, load_rules
from fsoc.detection.detector import stated_logsource
from fsoc.detection.routes import Router
from fsoc.detection.rules import LoadedRules, Rule
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped

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


def of_same_routes(rules: Sequence[Rule], logsources: LogsourceMap, lines: Iterable[bytes]) -> list[Rule]:
    """The rules that are tried on any of these events, in their order."""
    router = Router([rule.logsource for rule in rules], logsources)
    tried: set[int] = set()
    for line in lines:
        event = orjson.loads(line)
        stated = stated_logsource(event.pop("logsource", None))
        tried.update(index for view in router.route(event, stated).views for index in view.rules)
    return [rules[index] for index in sorted(tried)]


def sample(rules: Sequence[Rule], count: int, *, seed: int = 7) -> list[Rule]:
    """`count` of the rules in their order: one of each logsource if they suffice, the rest by its share."""
    if count >= len(rules):
        return list(rules)
    by_logsource: defaultdict[object, list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        by_logsource[rule.logsource].append(index)
    groups = list(by_logsource.values())
    least = int(count >= len(groups))
    left = count - least * len(groups)
    every = len(rules) - least * len(groups)
    shares = [(len(group) - least) * left / every for group in groups]
    # What rounding down leaves goes to those it took most from.
    by_remainder = sorted(range(len(groups)), key=lambda place: int(shares[place]) - shares[place])
    rounded_up = set(by_remainder[: left - sum(map(int, shares))])
    draw = random.Random(seed)
    chosen: list[int] = []
    for place, group in enumerate(groups):
        chosen += draw.sample(group, least + int(shares[place]) + (place in rounded_up))
    return [rules[index] for index in sorted(chosen)]
