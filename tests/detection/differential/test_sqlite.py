"""The corpus before a second oracle: where SQL means what Sigma means, SQLite matches what we match."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from benchmarks.derived import derived_events, near_misses
from fsoc.detection import load_rules
from fsoc.detection.program import flatten
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import read_sources
from tests.detection.differential.sqlite import CannotAskError, Table, ours, reason_for

DATA = Path(__file__).parents[4] / "shared" / "data"
RULES = DATA / "sigmahq-rules"
REGRESSION = DATA / "regression" / "events.ndjson"
SOAK = bool(os.environ.get("FSOC_SOAK"))
EVERY = 1 if SOAK else 20
FILLER = "-"

pytestmark = pytest.mark.skipif(
    not (RULES.is_dir() and REGRESSION.is_file()), reason=f"the SigmaHQ rules and their events are not at {DATA}"
)


@pytest.fixture(scope="module")
def rules():
    with collector_paused():
        return load_rules(read_sources([RULES])).rules[::EVERY]


@pytest.fixture(scope="module")
def events(rules):
    """Real ones, one derived from each rule, and near misses of it; flat, values that a column can hold."""
    draw = random.Random(7)
    made = [orjson.loads(line) for line in REGRESSION.read_bytes().splitlines()]
    for _, event in derived_events(flatten(rules), draw):
        made += [event, *near_misses(event, draw)][: 3 if SOAK else None]
    return [event for event in made if not any(isinstance(value, list | dict) for value in event.values())]


class Comparison(NamedTuple):
    """Pairs of rule and event: both match, or neither; else by reason, or unexplained. not_asked: rules, by reason."""

    both: int
    neither: int
    reasons: Counter[str]
    not_asked: Counter[str]
    unexplained: list[Any]


def compare(rules, fields, events):
    table = Table(fields, events)
    texts = {source.path: source.text for source in read_sources([RULES])}
    both = neither = 0
    reasons: Counter[str] = Counter()
    not_asked: Counter[str] = Counter()
    unexplained = []
    for rule in rules:
        try:
            theirs = table.matched(texts[rule.path])
        except CannotAskError as error:
            not_asked[str(error)] += 1
            continue
        mine = ours(rule.condition, events)
        both += len(mine & theirs)
        neither += len(events) - len(mine | theirs)
        for number in mine ^ theirs:
            reason = reason_for(rule.condition, events[number], number in mine)
            if reason is None:
                unexplained.append((rule.path, events[number], number in mine))
            else:
                reasons[reason] += 1
    return Comparison(both, neither, reasons, not_asked, unexplained)


@pytest.mark.parametrize("filled", [False, True], ids=["as they are", "no field missing"])
def test_sqlite_finds_the_same_or_it_is_known_why_not(rules, events, filled):
    """With every field filled in nothing is unknown, so that NOT means the same to both."""
    fields = flatten(rules).fields
    filler = dict.fromkeys(fields, FILLER) if filled else {}
    rows = [{**filler, **event} for event in events]
    found = compare(rules, fields, rows)
    print(  # noqa: T201 - pytest -s shows it
        f"{len(rules):,} rules, {len(rows):,} events: both {found.both:,}, neither {found.neither:,},"
        f" by reason {dict(found.reasons)}, not asked {dict(found.not_asked)}"
    )

    assert found.unexplained[:10] == []
    assert sum(found.not_asked.values()) < len(rules) / 10
    assert found.both > sum(found.reasons.values()) or not filled
