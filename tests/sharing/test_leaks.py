"""Over exercises at forty institutions: nothing of anybody else is in any feedback, in any revision of it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random
from types import SimpleNamespace

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset
from fsoc.sharing.chain import verified
from fsoc.sharing.model import Feedback
from tests.leaks import Leaks

ROOT = Path(__file__).parents[2]
SEEDS = range(41, 46) if os.environ.get("FSOC_SOAK") == "1" else (42,)


def with_red(payload, random):
    """One ticket in twenty is TLP:RED, and one offers what it has, whatever else it says."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload  # an exercise sends some that are none
    if body.get("kind") != "ticket":
        return payload
    draw = random.random()
    if draw < 0.05:
        body["tlp"] = "red"
    elif draw < 0.1:
        for observable in body.get("observables") or ():
            observable["share"] = True
    return orjson.dumps(body)


def run(rules, registry, deliveries):
    """What was published of the deliveries."""
    published = []
    direct = Direct(Pipeline(rules, Registry.parse(registry, "institutions.yml"), ends=True), published.append)
    offsets = Counter()
    for start in range(0, len(deliveries), 200):
        slices = {}
        for institution, at_ms, payload in deliveries[start : start + 200]:
            slices.setdefault(institution, []).append(Record(offsets[institution], at_ms, None, payload))
            offsets[institution] += 1
        direct.work(slices)
    return direct, [item for item in published if item.topic.startswith("feedback.")]


@pytest.fixture(scope="module")
def rules():
    return load_ruleset()


@pytest.fixture(scope="module", params=SEEDS)
def told(request, rules):
    """Everything that was sent, and everything that was told."""
    exercise = generate(ExerciseSpec(institutions=40, seed=request.param, hours=24, tickets_per_institution=60))
    random = Random(request.param)
    deliveries = [
        (one.institution, one.at_ms, one.payload if request.param % 2 else with_red(one.payload, random))
        for one in exercise.deliveries
    ]
    text = exercise.institutions_yaml()
    direct, feedback = run(rules, text, deliveries)
    registry = Registry.parse(text, "institutions.yml")
    folders = (ROOT / "fsoc/sharing", ROOT / "attack_mappings")
    ours = [path.read_text() for folder in folders for path in folder.glob("*.*") if path.is_file()]
    ours += [rule.title for rule in rules.correlations.values()]
    leaks = Leaks.of((payload for _, _, payload in deliveries), registry, ours)
    return SimpleNamespace(
        direct=direct, feedback=feedback, leaks=leaks, registry=registry, deliveries=deliveries, text=text, rules=rules
    )


def test_nothing_of_anybody_else_is_in_any_feedback(told):
    assert len(told.feedback) > 500
    assert len(told.leaks.owners) > 5_000
    found = {}
    for item in told.feedback:
        receiver = item.topic.removeprefix("feedback.")
        assert Feedback.model_validate_json(item.value).institution == receiver
        if leaks := told.leaks.found_in_json(item.value, receiver):
            found[receiver] = leaks

    assert found == {}


@pytest.mark.parametrize(
    "what", ["id", "name", "ticket_id", "asset ref", "title", "description", "evidence", "victim's value"]
)
@pytest.mark.parametrize("form", ["{}", "see {}.", "<td>{}</td>", "a/{}/b"])
def test_the_scan_finds_what_is_planted(told, what, form):
    receiver = told.feedback[0].topic.removeprefix("feedback.")
    theirs = [
        text
        for text, owners in told.leaks.owners.items()
        if what in owners.values() and receiver not in owners and text not in told.leaks.public
    ]
    if what == "description" and not theirs:
        pytest.skip("nobody in this exercise describes anything")

    for text in theirs[:: max(1, len(theirs) // 50)]:
        said = orjson.loads(told.feedback[0].value)
        said["title"] = form.format(text)
        assert told.leaks.found_in_json(orjson.dumps(said), receiver), text


def test_to_the_others_two_institutions_are_one_as_the_other(told):
    """The whole way again, with two of them in each other's place: to all others not a byte is different."""
    one, other = "fi-003", "fi-011"

    def swapped(text):
        return text.replace(one, "\x00").replace(other, one).replace("\x00", other)

    deliveries = [
        (swapped(name), at_ms, swapped(payload.decode()).encode()) for name, at_ms, payload in told.deliveries
    ]
    _, feedback = run(told.rules, swapped(told.text), deliveries)
    places = {f"feedback.{name}" for name in (one, other)}

    assert by_topic(feedback, places) == by_topic(told.feedback, places)
    assert by_topic(feedback, ()) != by_topic(told.feedback, ())


def by_topic(feedback, but):
    """What is on each topic; which of two alerts of one moment comes first follows from no institution."""
    found = {}
    for item in feedback:
        if item.topic not in but:
            found.setdefault(item.topic, set()).add(item.value)
    return found


def test_the_audit_of_an_exercise_is_whole_and_has_all_that_was_told(told):
    chain = verified(told.direct.audit, told.direct.sharing.head)
    said = sum(len(orjson.loads(line).get("told", ())) for line in told.direct.audit)

    assert (chain.faults, said) == ([], len(told.feedback))
