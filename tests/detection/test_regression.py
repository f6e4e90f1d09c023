"""Real rules and real events: what each event must trigger, and how many rules load."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from fsoc.detection import LogsourceMap, PlainDetector, load_rules
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped

DATA = Path(__file__).parents[3] / "shared" / "data"
RULES = DATA / "sigmahq-rules"
REGRESSION = DATA / "regression"

pytestmark = pytest.mark.skipif(
    not (RULES.is_dir() and REGRESSION.is_dir()), reason=f"the SigmaHQ rules and their events are not at {DATA}"
)


@pytest.fixture(scope="module")
def loaded():
    with collector_paused():
        return load_rules(read_sources([RULES]))


def test_all_sigmahq_rules_load(loaded):
    assert [str(problem) for problem in loaded.problems] == []
    assert len(loaded.rules) == 3_132


def test_every_rule_is_found_at_the_events_it_was_made_for(loaded):
    detector = PlainDetector(loaded.rules, LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES)))
    events = [orjson.loads(line) for line in (REGRESSION / "events.ndjson").read_bytes().splitlines()]
    expected = [orjson.loads(line) for line in (REGRESSION / "expected.ndjson").read_bytes().splitlines()]
    found = [set(detector.match_event(event)) for event in events]
    missed = [
        demand["rule"]
        for demand in expected
        if sum(demand["rule"] in found[place] for place in demand["events"]) < demand["at_least"]
    ]
    assert missed == []
    assert len(expected) == 92
