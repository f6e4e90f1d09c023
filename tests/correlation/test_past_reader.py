"""What a rule may ask of institutions' pasts, and what it is told where that means nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fsoc.correlation.past import HOUR_MS, Past
from fsoc.correlation.reader import parse
from fsoc.correlation.window import satisfied_by_past

SINCE = {"aa": 0, "bb": 0, "cc": 0}


def refusals(document, **fsoc):
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
    _, problems = parse([document(fsoc=fsoc)], detections)
    return [problem.text for problem in problems]


@pytest.mark.parametrize(
    ("fsoc", "said"),
    [
        ({"counts_when": "often"}, "expected one of always, first_ever"),
        ({"counts_when": "drop"}, "needs numbers that can drop"),
        ({"counts_when": "first_ever", "surge_factor": 3}, "says nothing where counts_when is first_ever"),
        ({"counts_when": "surge", "surge_factor": 0.5}, "expected a number from 1 to"),
        ({"counts_when": "surge", "surge_factor": "3x"}, "expected a number from 1 to"),
        ({"counts_when": "surge", "drop": 0.5}, "says nothing where counts_when is surge"),
        ({"past": "3d"}, "says nothing where counts_when is always"),
        ({"counts_when": "surge", "past": "90m"}, "whole hours, at most 30d"),
        ({"counts_when": "surge", "past": "31d"}, "whole hours, at most 30d"),
        ({"counts_when": "surge", "past": 0}, 'fsoc.past: timespan "0"'),
        ({"counts_when": "surge", "warm_up": "soon"}, 'fsoc.warm_up: timespan "soon"'),
        ({"agreed": 0.5}, "says nothing where counts_when is always"),
        ({"counts_when": "surge", "agreed": 0.5}, "says nothing without past_rules"),
        ({"hub": 1}, "expected a number of institutions, at least 2"),
        ({"hub": True}, "expected a number of institutions, at least 2"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was_expected(document, fsoc, said):
    (text,) = refusals(document, **fsoc)

    assert said in text


def test_what_is_asked_of_the_past_is_read(rule):
    asked = {"counts_when": "first_ever_or_surge", "surge_factor": 2.5, "past": "7d", "warm_up": "2d", "hub": 9}
    assert rule(fsoc=asked, timespan="30m").past == Past(
        "first_ever_or_surge", 2.5, past_ms=168 * HOUR_MS, warm_up_ms=48 * HOUR_MS, hub=9, gap_hours=1
    )
    assert rule(fsoc={"counts_when": "first_ever"}, timespan="1h").past == Past("first_ever")
    assert rule(fsoc={"counts_when": "always"}).past is None
    assert rule(fsoc={"hub": 2}, timespan="4h").past == Past(hub=2)


@pytest.mark.parametrize("share", [0, "half", 1.1, True])
def test_agreement_is_a_share(document, share):
    texts = refusals(document, counts_when="surge", agreed=share, past_rules=["other"])

    assert f'fsoc.agreed is "{share}" — expected a share above 0 and up to 1' in texts


def test_agreement_is_asked_within_the_timespan_in_whole_hours(document):
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
    fsoc = {"counts_when": "first_ever", "agreed": 0.5, "past_rules": ["other"]}
    for timespan, hours in (("4h", 4), ("90m", 2), ("5m", 1)):
        (read,), problems = parse([document(fsoc=fsoc, timespan=timespan)], detections)
        assert not problems
        assert (read.past.agreed, read.past.agreed_hours) == (0.5, hours)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fsoc": {"past_rules": ["other"]}}, "says nothing where no past is asked"),
        ({"fsoc": {"past_rules": ["third"], "hub": 2}}, 'names "third", which no detections are called'),
        ({"fsoc": {"past_rules": ["detection"], "hub": 2}}, 'names "detection", which counts already'),
        ({"fsoc": {"past_rules": 7, "hub": 2}}, "fsoc.past_rules is not a list of names"),
    ],
)
def test_what_cannot_be_past_alone_is_refused(document, changes, said):
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
    _, problems = parse([document(**changes)], detections)

    assert said in " ".join(problem.text for problem in problems)


def test_what_is_past_alone_is_read_beside_what_counts(document):
    detections = [SimpleNamespace(id=name, name=None) for name in ("detection", "other")]
    (read,), problems = parse([document(fsoc={"past_rules": ["other"], "hub": 2})], detections)

    assert not problems
    assert (read.rules, read.telling, read.past.rules) == (("detection", "other"), ("detection",), ("other",))


def test_of_temporal_types_what_is_past_alone_is_none_of_the_rules_asked_for(document, entry):
    detections = [SimpleNamespace(id=name, name=None) for name in ("one", "two", "other")]
    for kind in ("temporal", "temporal_ordered"):
        changes = {"type": kind, "rules": ["one", "two"], "condition": None}
        (read,), problems = parse([document(**changes, fsoc={"past_rules": ["other"], "hub": 2})], detections)
        assert not problems
        assert (read.telling, dict(read.condition.bounds)) == (("one", "two"), {"gte": 2})
        entries = [
            entry(at, "aa", f"{at}", rules=rules, values=()) for at, rules in enumerate((("one", "other"), ("other",)))
        ]
        met = entry(2, "bb", rules=("other", "two"), values=())
        assert satisfied_by_past(read, entries, None, SINCE, {}) == []
        (found,) = satisfied_by_past(read, [*entries, met], None, SINCE, {})
        assert (found.peak, [one.event_time_ms for one in found.entries]) == (2, [0, 2])


def test_a_correlation_of_correlations_is_not_asked_for_its_past(document):
    inner = document()
    outer = document(rules=["rule-1"], fsoc={"counts_when": "first_ever"})
    outer.data["id"] = outer.data["title"] = "outer"
    read, problems = parse([inner, outer], [SimpleNamespace(id="detection", name=None)])

    assert [rule.id for rule in read] == ["rule-1"]
    assert "look at tickets, and it names a correlation" in problems[0].text
