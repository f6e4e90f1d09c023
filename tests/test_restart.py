"""What a restart writes: what the state knows already is published again, and not written there once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsoc.exercise import load
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.content import shipped
from fsoc.runtime.rules import load_ruleset

RULES = (shipped("rules"), Path(__file__).parent / "runtime" / "faust" / "rules")


def newest(records):
    """What compaction leaves."""
    return {key: value for key, value in dict(records).items() if value is not None}


@pytest.fixture(scope="module")
def worked():
    """A partition that has alerts and matches handed on: its pipeline, its state, all it has published."""
    exercise = load(8, 1_500, seed=3)
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    pipeline = Pipeline(load_ruleset(RULES), registry, 1, ends=True)
    waiting = []
    for name in registry.institutions:
        mine = [delivery for delivery in exercise.deliveries if delivery.institution == name][:-1]  # without its end
        records = [Record(number, delivery.at_ms, None, delivery.payload) for number, delivery in enumerate(mine)]
        waiting += [item for item in pipeline.intake(name).work(records).published if item.topic == "detections"]
    stage, state, published = pipeline.correlate(0), [], []
    while waiting:
        records = [Record(len(published) + number, 0, item.key, item.value) for number, item in enumerate(waiting)]
        outputs = stage.work(records)
        state += [*outputs.state, *((key, None) for key in outputs.forgotten)]
        published += outputs.published
        waiting = [item for item in outputs.published if item.topic == "detections"]
    return pipeline, newest(state), published


def test_a_restart_publishes_everything_again_and_writes_only_its_header(worked):
    pipeline, state, published = worked
    assert {key.partition(b"/")[0] for key in state} >= {b"alert", b"relay"}
    stage = pipeline.correlate(0)
    for key, value in state.items():
        stage.restore(key, value)

    outputs = stage.restored()

    assert dict(outputs.state).keys() == {b"header"}
    again = {(item.topic, item.key): item.value for item in outputs.published if item.key is not None}
    before = newest([((item.topic, item.key), item.value) for item in published if item.key is not None])
    assert again == before
