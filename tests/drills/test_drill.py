"""A whole drill on a log beside production: scored as it went, marked everywhere, and production is as it was."""

from __future__ import annotations

import orjson
import pytest

from fsoc.channels.html import html_of
from fsoc.channels.mail import mail_of
from fsoc.channels.stix import bundle_of
from fsoc.channels.text import text_of
from fsoc.drills.script import DrillSpec, model_answer, script
from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime import drills
from fsoc.runtime.alert_records import records_to_end
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.rules import load_ruleset
from fsoc.runtime.told import on_topic
from fsoc.tickets import sample
from fsoc.tickets.answering import acknowledge

TWELVE = [f"fi-{number:03}" for number in range(1, 13)]
NAME, PREFIX = "spring", "fsoc-drill-spring."
START = 1_772_409_600_000
ENTRY = "- {{id: {}, name: Bank {}, name_zh: 銀行, sector: bank, tier: 1, feeds: [siem]}}\n"
REGISTRY = "institutions:\n" + "".join(ENTRY.format(name, name) for name in TWELVE)


@pytest.fixture(scope="module")
def rules():
    return load_ruleset(())


class Stand:
    """Production and a drill on one log, with a clock that is set."""

    def __init__(self, rules):
        self.now = START
        self.log = MemoryLog(lambda: self.now)
        self.registry = Registry.parse(REGISTRY, "institutions.yml")
        self.production = Pipeline(rules, self.registry, 2)
        self.drill = Pipeline(rules, self.registry, 2, ends=True, drill=NAME)

    async def make(self, *, drill):
        await self.log.create(table("fsoc.", TWELVE, 2))
        if drill:
            await self.log.create(drills.topics_of(PREFIX, TWELVE, 2))

    async def work(self, pipeline, prefix):
        process = InProcess(pipeline, self.log, prefix, f"{prefix}workers")
        await process.run_to_end()
        await process.close()

    async def send(self, prefix, *bodies):
        await self.log.write([(f"{prefix}tickets.{b['institution']}", 0, None, orjson.dumps(b)) for b in bodies])

    async def all_of(self, prefix):
        """Every record of every topic of production."""
        found = {}
        for spec in table(prefix, TWELVE, 2):
            for number in range(spec.partitions):
                records = [one async for several in read_to_end(self.log, spec.name, number) for one in several]
                found[spec.name, number] = [(one.offset, one.timestamp_ms, one.key, one.value) for one in records]
        return found


def everyday(number):
    """Production's own, of the same day and the same kind as the drill's."""
    return [
        sample.ticket(institution=name, ticket_id=f"p-{number}", seq=number, environment="production",
                      **dict.fromkeys(("occurred_from", "occurred_to"), ...),
                      **dict.fromkeys(("detected_at", "created_at", "sent_at"), "2026-03-02T00:01:00.000Z"))
        for name in TWELVE[:4]
    ]  # fmt: skip


async def held(stand, *, silent=()):
    """A whole drill: everybody but the silent answers each inject after a minute, and acknowledges after two."""
    spec = DrillSpec(NAME)
    injects = script(spec, TWELVE)
    drill = await drills.read_drill(stand.log, NAME)
    await drills.begin(stand.log, drill, spec, TWELVE)
    for number, inject in enumerate(injects, 1):
        stand.now += 60_000
        await drills.pose(stand.log, drill, inject)
        stand.now += 60_000
        if inject.institution not in silent:
            await stand.send(PREFIX, model_answer(inject, "siem", number, stand.now))
    await stand.work(stand.drill, PREFIX)
    stand.now += 120_000
    for name in TWELVE:
        told = [one.feedback.alert_id for one in await on_topic(stand.log, PREFIX, name, print)]
        if told and name not in silent:
            await stand.send(PREFIX, *acknowledge(name, told, "seen", stand.now, "exercise", NAME))
            later = acknowledge(name, told[:1], "affected", stand.now + 1, "exercise", NAME)
            await stand.send(PREFIX, *later)
    await stand.work(stand.drill, PREFIX)
    drill = await drills.read_drill(stand.log, NAME)
    await drills.end(stand.log, drill, stand.registry, stand.now)
    await stand.work(stand.drill, PREFIX)
    return injects


@pytest.fixture
async def stand(rules):
    found = Stand(rules)
    await found.make(drill=True)
    await found.send("fsoc.", *everyday(1))
    found.injects = await held(found, silent=("fi-004",))
    return found


async def test_it_is_scored_as_it_went(stand):
    score = await drills.read_score(stand.log, await drills.read_drill(stand.log, NAME), stand.registry)
    said = score.wire()

    posed = {name: sum(one.institution == name for one in stand.injects) for name in TWELVE}
    assert {one["institution"]: one["injects"] for one in said["members"]} == posed
    assert posed["fi-004"] > 0
    assert {one["institution"]: one["missed"] for one in said["members"]} == {
        name: posed[name] if name == "fi-004" else 0 for name in TWELVE
    }
    assert {one["ticket_seconds_median"] for one in said["members"] if one["injects"] and not one["missed"]} == {60.0}
    assert said["alerts"] >= 1
    told = {one["institution"]: (one["told"], one["unanswered"]) for one in said["members"]}
    assert told["fi-004"][0] == told["fi-004"][1] > 0
    assert all(told[name][0] >= 1 and told[name][1] == 0 for name in TWELVE if name != "fi-004")
    answered = [one["answer_seconds_median"] for one in said["members"] if one["institution"] != "fi-004"]
    assert set(answered) == {120.0}, "the first answer counts, and not the later one"
    assert said["stopped"] is True


async def test_everything_that_is_told_is_marked_in_every_channel_and_language(stand):
    count = 0
    for name in TWELVE:
        for told in await on_topic(stand.log, PREFIX, name, print):
            count += 1
            assert told.feedback.exercise is True
            assert orjson.loads(told.value)["exercise"] is True
            assert "演練" in bundle_of(told.feedback)
            for language in ("en", "zh-TW"):
                assert text_of(told.feedback, language).startswith("【演練】")
                assert "<title>【演練】" in html_of(told.feedback, language)
                mail = mail_of(told.feedback, language, sender="a@example", recipient="b@example")
                assert b"X-Fsoc-Exercise: true" in mail
    assert count >= len(TWELVE)


async def test_production_is_byte_for_byte_what_it_is_without_the_drill(rules):
    """Topics, states, receipts, feed figures, sequences, alerts: all that production's workers write."""
    found = []
    for drill in (False, True):
        stand = Stand(rules)
        await stand.make(drill=drill)
        await stand.send("fsoc.", *everyday(1))
        await stand.work(stand.production, "fsoc.")
        if drill:
            await held(stand)
        stand.now = START + 86_400_000
        await stand.send("fsoc.", *everyday(2))
        await stand.work(stand.production, "fsoc.")
        found.append(await stand.all_of("fsoc."))

    without, beside = found
    assert any(key == ("fsoc.receipts.fi-001", 0) and records for key, records in without.items())
    assert beside == without


async def test_what_is_real_is_refused_on_a_drills_topics_and_its_sender_is_told(rules):
    stand = Stand(rules)
    await stand.make(drill=True)
    common = {"institution": "fi-001", "detected_at": "2026-03-02T00:00:00Z", "occurred_from": ..., "occurred_to": ...}
    await stand.send(
        PREFIX,
        sample.ticket(ticket_id="real", environment="production", **common),
        sample.ticket(ticket_id="other", environment="exercise", exercise_id="autumn", **common),
        sample.ticket(ticket_id="right", environment="exercise", exercise_id=NAME, **common),
    )
    await stand.work(stand.drill, PREFIX)

    topic = f"{PREFIX}receipts.fi-001"
    values = [one.value async for several in read_to_end(stand.log, topic, 0) for one in several]
    receipts = [receipt for value in values for receipt in orjson.loads(value)]
    assert [receipt["outcome"] for receipt in receipts] == ["quarantined", "quarantined", "accepted"]
    assert [one["code"] for receipt in receipts[:2] for one in receipt["faults"]] == ["identity.exercise"] * 2
    assert "production" in receipts[0]["faults"][0]["hint"]


async def test_a_start_that_was_interrupted_goes_on_and_poses_nothing_twice(rules):
    stand = Stand(rules)
    await stand.make(drill=True)
    first, second = script(DrillSpec(NAME), TWELVE)[:2]
    drill = await drills.read_drill(stand.log, NAME)
    await drills.begin(stand.log, drill, DrillSpec(NAME), TWELVE)
    await drills.pose(stand.log, drill, first)
    await drills.pose(stand.log, drill, first)
    await drills.pose(stand.log, drill, second)

    known = await drills.read_drill(stand.log, NAME)
    assert [one.inject_id for one in known.posed] == [first.inject_id, second.inject_id]
    assert (known.spec, known.institutions) == (DrillSpec(NAME), tuple(TWELVE))
    mine = await drills.injects_of(stand.log, PREFIX, first.institution)
    assert [one["inject_id"] for one in mine].count(first.inject_id) == 1


async def test_what_intake_would_quarantine_answers_no_inject(rules):
    stand = Stand(rules)
    await stand.make(drill=True)
    inject = script(DrillSpec(NAME), TWELVE)[0]
    await drills.begin(stand.log, await drills.read_drill(stand.log, NAME), DrillSpec(NAME), TWELVE)
    drill = await drills.read_drill(stand.log, NAME)
    await drills.pose(stand.log, drill, inject)
    whole = {**model_answer(inject, "siem", 1, stand.now), "institution": inject.institution}
    topic = f"{PREFIX}tickets.{inject.institution}"
    broken = [{**whole, **one} for one in ({"institution": "fi-999"}, {"exercise_id": "autumn"}, {"revision": 0})]
    broken += [{name: value for name, value in whole.items() if name != "ticket_id"}]
    await stand.log.write([(topic, 0, None, orjson.dumps(one)) for one in broken])

    assert (await scored(stand)).wire()["missed"] == 1
    await stand.log.write([(topic, 0, None, orjson.dumps(whole))])
    assert (await scored(stand)).wire()["missed"] == 0


async def test_an_inject_counts_from_when_it_could_be_read_whenever_that_was_written_down(rules):
    stand = Stand(rules)
    await stand.make(drill=True)
    inject = script(DrillSpec(NAME), TWELVE)[0]
    drill = await drills.read_drill(stand.log, NAME)
    await drills.begin(stand.log, drill, DrillSpec(NAME), TWELVE)
    topic = f"{PREFIX}injects.{inject.institution}"
    await stand.log.write([(topic, 0, inject.inject_id.encode(), orjson.dumps(inject.wire(NAME)))])
    stand.now += 60_000
    await stand.send(PREFIX, model_answer(inject, "siem", 1, stand.now))
    stand.now += 300_000  # it was stopped there, and is started again
    await drills.pose(stand.log, drill, inject)

    said = (await scored(stand)).wire()
    assert (said["missed"], said["ticket_seconds_median"]) == (0, 60.0)


async def test_alerts_that_are_counted_are_joint_ones(stand):
    records = [one async for one in records_to_end(stand.log, PREFIX, print)]
    kinds = {one.alert.alert_id: one.alert.kind for one in records if one.alert.status in {"open", "final"}}
    feed = next(orjson.loads(one.value) for one in records if one.alert.kind == "joint")
    feed |= {"alert_id": "al-" + "0" * 32, "kind": "feed"}
    await stand.log.write([(f"{PREFIX}alerts", 0, feed["alert_id"].encode(), orjson.dumps(feed))])

    assert (await scored(stand)).alerts == list(kinds.values()).count("joint") > 0


async def scored(stand):
    return await drills.read_score(stand.log, await drills.read_drill(stand.log, NAME), stand.registry)


async def test_a_drill_that_never_was_has_no_score(rules):
    stand = Stand(rules)
    with pytest.raises(RefusedToStart, match="no such drill"):
        await drills.read_score(stand.log, await drills.read_drill(stand.log, "autumn"), stand.registry)


def test_drills_are_known_by_their_topics_and_names_are_bounded():
    assert drills.names_of(["fsoc.alerts", "fsoc-drill-b.drill", "fsoc-drill-a.drill", "fsoc-drill-a.alerts"]) == [
        "a",
        "b",
    ]
    for name in ("", "A", "a.b", "x" * 25, "../x"):
        with pytest.raises(RefusedToStart):
            drills.prefix_of(name)


def test_each_institution_may_read_its_own_injects_alone():
    rules = drills.acls_of(PREFIX, Registry.parse(REGISTRY, "institutions.yml"))

    assert {(one.principal, one.name) for one in rules if ".injects." in one.name} == {
        (f"User:{name}", f"{PREFIX}injects.{name}") for name in TWELVE
    }
    assert {one.operation for one in rules} == {"read"}
