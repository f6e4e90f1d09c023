from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.baseline.assess.report import Assessment
from fsoc.baseline.model import Baseline
from fsoc.detection import LogsourceMap, Source
from fsoc.detection.engine import make_detector
from fsoc.runtime.baseline.assessing import Stage, assess, read_scripts
from fsoc.runtime.content import read_source, shipped
from fsoc.runtime.rules import load_ruleset


@pytest.fixture(scope="session")
def scripts():
    return read_scripts()


@pytest.fixture(scope="session")
def stage(loaded, detector):
    names = {rule.name: rule.id for rule in loaded.rules.rules if rule.name}
    return Stage(loaded.baseline, detector, names, load_ruleset())


@pytest.fixture(scope="session")
def played(scripts, stage):
    """Plays scripts on a stage: the shipped ones on the shipped one, unless others are given."""

    def run(on=stage, those=scripts, name="fi-001", registry=None) -> Assessment:
        return Assessment(name, on.baseline.version, 0.9, tuple(assess(those, on, name, registry)))

    return run


@pytest.fixture(scope="session")
def whole(played):
    return played()


@pytest.fixture
def without_rules(stage, loaded):
    """The stage without some rules."""

    def made(*names: str) -> Stage:
        rules = [rule for rule in loaded.rules.rules if rule.name not in names]
        left = {rule.name: rule.id for rule in rules if rule.name}
        return replace(stage, detector=make_detector(rules, loaded.logsources), detections=left)

    return made


@pytest.fixture
def with_trigger(stage):
    """The stage with one item's trigger changed."""

    def made(item_id: str, **changes: object) -> Stage:
        baseline = stage.baseline
        items = [
            replace(item, trigger=replace(item.trigger, **changes)) if item.id == item_id else item
            for item in baseline.items.values()
        ]
        return replace(stage, baseline=Baseline(baseline.version, baseline.attack_version, items))

    return made


@pytest.fixture
def without_sysmon(stage, loaded):
    """The stage whose map of logsources no longer knows process creations of Sysmon."""
    text = read_source(shipped("rules") / "logsources.yml").text
    broken = text.replace("      1: {category: process_creation}\n", "", 1)
    assert broken != text
    mapping = LogsourceMap.parse(Source("logsources.yml", broken))
    return replace(stage, detector=make_detector(loaded.rules.rules, mapping))
