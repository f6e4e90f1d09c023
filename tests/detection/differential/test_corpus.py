"""All SigmaHQ rules and ours, on real events, on events derived from each rule, and on near misses of those.

FSOC_SOAK=1 takes every near miss; else a share of them, drawn.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import orjson
import pytest

from benchmarks.derived import derived_events, near_misses
from fsoc.detection import LogsourceMap, PlainDetector, load_rules
from fsoc.detection.program import flatten
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped
from tests.detection.differential.engines import ENGINES, UNFLATTENED, adopt_other_anchors, make

DATA = Path(__file__).parents[4] / "shared" / "data"
RULES = DATA / "sigmahq-rules"
REGRESSION = DATA / "regression" / "events.ndjson"
SOAK = bool(os.environ.get("FSOC_SOAK"))
NEAR_SHARE = 1.0 if SOAK else 0.06
AS_4688 = {"Image": "NewProcessName", "ParentImage": "ParentProcessName"}

pytestmark = pytest.mark.skipif(
    not (RULES.is_dir() and REGRESSION.is_file()), reason=f"the SigmaHQ rules and their events are not at {DATA}"
)


class Corpus:
    """The rules, lines and tickets, and what the plain evaluator finds: in each line, and in each ticket."""

    def __init__(self) -> None:
        with collector_paused():
            self.rules = load_rules(read_sources([RULES, shipped("rules")])).rules
        self.mapping = LogsourceMap.parse(read_source(shipped("rules") / LOGSOURCES))
        draw = random.Random(7)
        derived = dict(derived_events(flatten(self.rules), draw))
        self.unsolved = [rule.id for index, rule in enumerate(self.rules) if index not in derived]
        events = []
        self.tickets = []
        self.meant = []  # (place among the derived lines, id of the rule it was derived from)
        for index, event in derived.items():
            logsource = {
                name: value
                for name in ("product", "category", "service")
                if (value := getattr(self.rules[index].logsource, name)) is not None
            }
            if logsource.get("product") == "fsoc":
                self.tickets += [event, *near_misses(event, draw)]
            else:
                self.meant.append((len(events), self.rules[index].id))
                events.append({**event, "logsource": logsource})
                events += [
                    {**near, "logsource": logsource} for near in near_misses(event, draw) if draw.random() < NEAR_SHARE
                ]
                if draw.random() < 0.1:
                    events.append({**_nested(event), "logsource": logsource})
                if logsource.get("category") == "process_creation" and draw.random() < 0.1:
                    renamed = {AS_4688.get(name, name): value for name, value in event.items()}
                    events.append({"Channel": "Security", "EventID": 4688, **renamed})
        self.tickets += [{"evidence": [_evidence(event) for event in draw.sample(events, 4)]} for _ in range(20)]
        self.lines = [orjson.dumps(event) for event in events] + REGRESSION.read_bytes().splitlines()
        plain = PlainDetector(self.rules, self.mapping)
        self.found = plain.match_lines(self.lines)
        self.found_in_tickets = [plain.match_ticket(ticket) for ticket in self.tickets]


def _nested(event):
    """Dotted names as objects within objects, where they do not collide."""
    whole = {}
    for name, value in event.items():
        at = whole
        *heads, last = name.split(".")
        for head in heads:
            at = at.setdefault(head, {})
            if not isinstance(at, dict):
                return event
        at[last] = value
    return whole


def _evidence(event):
    fields = {name: value for name, value in event.items() if name != "logsource"}
    return {"fields": fields, **({"logsource": event["logsource"]} if "logsource" in event else {})}


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


def test_every_rule_has_an_event_derived_from_it_that_it_matches(corpus):
    found = dict(corpus.found.matched)

    assert corpus.unsolved == []
    assert [(place, rule) for place, rule in corpus.meant if rule not in found.get(place, ())] == []


def test_near_misses_are_many_and_on_both_sides(corpus):
    """Else agreement on them would say little."""
    nothing_found = corpus.found.events - len(corpus.found.matched)

    assert corpus.found.unreadable == []
    assert nothing_found > 50
    assert len(corpus.found.matched) > 50


@pytest.mark.parametrize("engine", [*ENGINES, *([UNFLATTENED] if SOAK else [])])
def test_every_engine_finds_the_same_in_lines_events_and_tickets(corpus, engine):
    detector = make(engine, corpus.rules, corpus.mapping)
    events = [orjson.loads(line) for line in corpus.lines]

    assert detector.match_lines(corpus.lines) == corpus.found
    found = [detector.match_event(event, event.pop("logsource", None)) for event in events]
    assert [(place, ids) for place, ids in enumerate(found) if ids] == corpus.found.matched
    assert [detector.match_ticket(ticket) for ticket in corpus.tickets] == corpus.found_in_tickets
    for seed in range(5 if SOAK else 1):
        adopt_other_anchors(detector, corpus.rules, seed)
        assert detector.match_lines(corpus.lines) == corpus.found
