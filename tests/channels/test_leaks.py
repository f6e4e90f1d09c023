"""Over an exercise at forty institutions: nothing of anybody else is in any channel, or any collection."""

from __future__ import annotations

import os
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import stix2validator

from fsoc.channels.html import html_of
from fsoc.channels.mail import mail_of
from fsoc.channels.read import read_feedback
from fsoc.channels.stix import bundle_of
from fsoc.channels.text import text_of
from fsoc.exercise import ExerciseSpec, generate
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.collection import Collections
from fsoc.runtime.gateway.taxii import collection_id
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.rules import load_ruleset
from tests.channels.test_stix import OPTIONS
from tests.leaks import Leaks
from tests.sharing.test_leaks import run

ROOT = Path(__file__).parents[2]
IS_SOAK = os.environ.get("FSOC_SOAK") == "1"
SEEDS = range(41, 46) if IS_SOAK else (43,)
EVERY = 1 if IS_SOAK else 13
"""Of records, one in so many is looked at: all that were told that day of an alert have one statement."""


class Told:
    """What an exercise told, and what nobody but its owner may find in it."""

    def __init__(self, seed, rules):
        exercise = generate(ExerciseSpec(institutions=40, seed=seed, hours=24, tickets_per_institution=60))
        text = exercise.institutions_yaml()
        self.registry = Registry.parse(text, "institutions.yml")
        _, feedback = run(rules, text, [(one.institution, one.at_ms, one.payload) for one in exercise.deliveries])
        self.values = [item.value for item in feedback]
        folders = ("fsoc/sharing", "fsoc/channels", "attack_mappings")
        ours = [path.read_text() for folder in folders for path in (ROOT / folder).iterdir() if path.is_file()]
        ours += [rule.title for rule in rules.correlations.values()] + [bundle_of(read_feedback(self.values[0]))]
        self.leaks = Leaks.of((one.payload for one in exercise.deliveries), self.registry, ours)
        self.looked_at = [read_feedback(value) for value in self.values[::EVERY]]


@pytest.fixture(scope="module", params=SEEDS)
def told(request):
    return Told(request.param, load_ruleset())


def live(text):
    """With its values as they are, where they were written so that nobody follows them."""
    return text.replace("[.]", ".").replace("[@]", "@").replace("[:]", ":").replace("hxxp", "http")


def page(feedback, language):
    """The page without its style, which is the same in all."""
    return live(html_of(feedback, language).partition("</head>")[2])


def mail(feedback):
    message = message_from_bytes(mail_of(feedback, "en", sender="a@x.invalid", recipient="b@x.invalid"), policy=default)
    bodies = [part.get_content() for part in message.walk() if not part.is_multipart()]
    heads = [str(value) for _, value in message.items()]
    return "\n".join([*heads, live(bodies[0]), bodies[-1].decode()])


CHANNELS = {
    "stix": bundle_of,
    "text": lambda feedback: live(text_of(feedback, "en")),
    "text in Chinese": lambda feedback: live(text_of(feedback, "zh-TW")),
    "page": lambda feedback: page(feedback, "en"),
    "page in Chinese": lambda feedback: page(feedback, "zh-TW"),
    "mail": mail,
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_of_anybody_else_is_in_any_channel(told, channel):
    assert len(told.looked_at) > 100
    assert len({one.institution for one in told.looked_at}) > 30
    found = {}
    for feedback in told.looked_at:
        if leaks := told.leaks.found(CHANNELS[channel](feedback), feedback.institution):
            found[feedback.institution, feedback.alert_id] = leaks

    assert found == {}


def test_the_bundles_of_an_exercise_are_strict_stix(told):
    for feedback in told.looked_at[:: max(1, len(told.looked_at) // 15)]:
        found = stix2validator.validate_string(bundle_of(feedback), OPTIONS)
        assert found.is_valid, [str(one) for one in found.errors]


async def test_nothing_of_anybody_else_is_in_any_collection(told):
    log = MemoryLog(lambda: 1_772_409_600_000)
    await log.create(table("fsoc.", told.registry.institutions, 2))
    for feedback, value in zip(told.looked_at, told.values[::EVERY], strict=True):
        topic = f"fsoc.feedback.{feedback.institution}"
        await log.write([(topic, 0, feedback.alert_id.encode(), value)])
    collections = Collections(log, "fsoc.")
    objects = 0
    for name in told.registry.institutions:
        held = await collections.of(name)
        objects += len(held.versions)
        text = "\n".join(one.body.decode() for one in held.versions)
        assert told.leaks.found(text, name) == []
    assert objects > 1_000
    assert len({collection_id("fsoc.", name) for name in told.registry.institutions}) == 40


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("what", ["ticket_id", "asset ref", "name", "victim's value", "title"])
def test_the_scan_finds_in_every_channel_what_is_planted(told, channel, what):
    feedback = told.looked_at[0]
    theirs = [
        text
        for text, owners in told.leaks.owners.items()
        if what in owners.values() and feedback.institution not in owners and text not in told.leaks.public
    ]
    assert theirs
    for text in theirs[:: max(1, len(theirs) // 5)]:
        planted = feedback.model_copy(update={"why": feedback.why.model_copy(update={"text": text, "text_zh": text})})
        assert told.leaks.found(CHANNELS[channel](planted), feedback.institution), text
