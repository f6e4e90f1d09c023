"""Events made from rules match them, are the same for a seed, and have near misses that do and do not match."""

from __future__ import annotations

import random

import pytest

from benchmarks.derived import derived_events, near_misses
from benchmarks.patterns import text_for
from fsoc.detection import Source, load_rules
from fsoc.detection.event import Event
from fsoc.detection.program import flatten

DETECTIONS = [
    "{s: {Image|endswith: '\\cmd.exe', CommandLine|contains|all: [' /c ', 'del*now']}, condition: s}",
    "{s: {User|re: '^[a-c]{3}[0-9]+x?$'}, f: {Host: null}, condition: s and not f}",
    "{s: {A: 5, B|gt: 7, C|cidr: '10.0.0.0/8', D: true, E|hour: 3}, condition: s}",
    "{s: {A|fieldref: B}, t: {C|exists: true}, u: {C|exists: false}, condition: s and (t or u)}",
    "{k: ['failed password', 'root'], l: {Image|cased: 'X'}, condition: k and l}",
    "{a: {A: x}, b: {A: y}, c: {B: z}, condition: 2 of them}",
    "{a: {A|contains: x}, b: {A|contains: y}, condition: a and not b}",
]


@pytest.fixture(scope="module")
def program():
    text = "\n---\n".join(
        f"{{title: r{index}, logsource: {{category: test}}, detection: {detection}}}"
        for index, detection in enumerate(DETECTIONS)
    )
    loaded = load_rules([Source("a.yml", text)])
    assert not loaded.problems
    return flatten(loaded.rules), [rule.condition for rule in loaded.rules]


def test_each_rule_matches_the_event_made_for_it(program):
    flat, conditions = program
    made = dict(derived_events(flat, random.Random(7)))

    assert sorted(made) == list(range(len(DETECTIONS)))
    assert all(conditions[index](Event(event)) for index, event in made.items())


def test_a_seed_makes_the_same_events(program):
    flat, _ = program

    assert list(derived_events(flat, random.Random(7))) == list(derived_events(flat, random.Random(7)))
    assert list(derived_events(flat, random.Random(7))) != list(derived_events(flat, random.Random(8)))


def test_near_misses_fall_on_both_sides(program):
    flat, conditions = program
    draw = random.Random(7)
    verdicts = {
        conditions[index](Event(near))
        for index, event in derived_events(flat, draw)
        for near in near_misses(event, draw)
    }

    assert verdicts == {True, False}


@pytest.mark.parametrize("pattern", ["a(?=b)", "(", "(?P<x>", "\\z"])
def test_a_pattern_of_another_dialect_raises_nothing(pattern):
    assert text_for(pattern, random.Random(7)) is None or isinstance(text_for(pattern, random.Random(7)), str)
