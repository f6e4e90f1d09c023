"""An exercise through all three lanes: each planted campaign's alerts are one story, and analysts' decisions hold."""

from __future__ import annotations

import msgspec
import orjson
import pytest
from jsonschema import Draft202012Validator

from fsoc.campaigns.records import Decision, decision_key
from fsoc.campaigns.schema import campaign_schema
from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.rules import load_ruleset

PREFIX = "c."


@pytest.fixture(scope="module")
def exercise():
    return generate(ExerciseSpec(institutions=40, tickets_per_institution=5, seed=7))


@pytest.fixture(scope="module")
def new_pipeline(exercise):
    rules, text = load_ruleset(), exercise.institutions_yaml()
    return lambda: Pipeline(rules, Registry.parse(text, "institutions.yml"), 4, ends=True)


@pytest.fixture(scope="module")
def direct(exercise, new_pipeline):
    """The exercise, and its end."""
    direct = Direct(new_pipeline())
    slices = {}
    for at_ms, institution, payload in exercise.deliveries:
        records = slices.setdefault(institution, [])
        records.append(Record(len(records), at_ms, None, payload))
    direct.work(slices)
    direct.finish()
    return direct


def standing(campaigns):
    return {one["campaign_id"]: one for one in campaigns if one["status"] in {"open", "final"}}


def joint(alerts):
    return [one for one in alerts if one["kind"] == "joint" and one["status"] != "retracted"]


def test_the_alerts_on_one_planted_kit_have_one_campaign_and_no_other_alert_has_it(direct, exercise):
    kits = [planted for planted in exercise.truth if planted.kind == "phishing_kit"]
    assert kits
    names = []
    for planted in kits:
        on_it = [one for one in joint(direct.newest_alerts()) if set(one["ticket_ids"]) & set(planted.ticket_ids)]
        assert len(on_it) >= 3
        (name,) = {one["campaign_id"] for one in on_it}
        names.append(name)
        campaign = standing(direct.newest_campaigns())[name]
        assert set(campaign["alert_ids"]) == {one["alert_id"] for one in on_it}
        assert set(campaign["institutions"]) <= set(planted.institutions)
    assert len(set(names)) == len(names)


def test_no_campaign_is_of_two_planted_ones_and_what_was_taken_back_is_none(direct, exercise):
    alerts = {one["alert_id"]: one for one in direct.newest_alerts()}
    found = standing(direct.newest_campaigns())
    for campaign in found.values():
        tickets = {ticket for name in campaign["alert_ids"] for ticket in alerts[name]["ticket_ids"]}
        assert sum(not tickets.isdisjoint(planted.ticket_ids) for planted in exercise.truth) == 1
        assert all(alerts[name]["campaign_id"] == campaign["campaign_id"] for name in campaign["alert_ids"])
    assert {one["status"] for one in direct.newest_campaigns()} == {"final", "retracted"}
    assert not [one for one in alerts.values() if one["status"] == "retracted" and one["campaign_id"] is not None]


def test_every_campaign_is_as_its_schema_says(direct):
    validator = Draft202012Validator(campaign_schema())
    for one in direct.newest_campaigns():
        validator.validate(one)
    assert len(direct.newest_campaigns()) >= 4


def test_links_are_on_no_topic_of_alerts_and_nobody_is_told_of_them(direct):
    links = {one["id"] for one in direct.newest_links()}

    assert links
    assert not links & direct.alerts.keys()
    assert not links & {name for _, name in direct.feedback}


@pytest.fixture
async def log(exercise):
    log = MemoryLog(lambda: 0)
    await log.create(table(PREFIX, [entry["id"] for entry in exercise.institutions], 4, "exercise"))
    for delivery in exercise.deliveries:
        await log.append(f"{PREFIX}tickets.{delivery.institution}", 0, None, delivery.payload, delivery.at_ms)
    return log


async def newest(log, topic):
    reader = await log.reader({(PREFIX + topic, 0): 0})
    found = {}
    while fetched := await reader.slices():
        for records in fetched.values():
            found.update((record.key.decode(), orjson.loads(record.value)) for record in records)
    return found


async def test_on_a_log_it_comes_to_the_same_and_a_split_holds_whoever_works_next(log, new_pipeline, direct):
    await InProcess(new_pipeline(), log, PREFIX).run_to_end(records_max=50)
    without = {"revision": 0}
    found = standing((await newest(log, "campaigns")).values())
    expected = standing(direct.newest_campaigns())
    assert {name: one | without for name, one in found.items()} == {
        name: one | without for name, one in expected.items()
    }
    alerts = await newest(log, "alerts")
    assert {one["alert_id"]: one["campaign_id"] for one in joint(alerts.values())} == {
        one["alert_id"]: one["campaign_id"] for one in joint(direct.newest_alerts())
    }

    campaign = max(found.values(), key=lambda one: one["alert_count"])
    links = tuple(link["id"] for link in campaign["links"])
    split = Decision(
        decision_id="de-1",
        op="split",
        by="lin",
        reason="an exercise within the exercise",
        decided_at="2026-03-03T00:00:00.000Z",
        environment=campaign["environment"],
        named=links,
    )
    await log.write([(PREFIX + "links", 0, decision_key("de-1"), msgspec.json.encode(split))])
    for _ in range(2):  # another worker each time
        await InProcess(new_pipeline(), log, PREFIX).run_to_end()
        campaigns, alerts = await newest(log, "campaigns"), await newest(log, "alerts")
        assert campaigns[campaign["campaign_id"]]["status"] == "retracted"
        assert {alerts[name]["campaign_id"] for name in campaign["alert_ids"]} == {None}

    undo = Decision(
        decision_id="de-2",
        op="undo",
        by="lin",
        reason="it was right after all",
        decided_at="2026-03-03T01:00:00.000Z",
        environment=campaign["environment"],
        undoes="de-1",
    )
    await log.write([(PREFIX + "links", 0, decision_key("de-2"), msgspec.json.encode(undo))])
    await InProcess(new_pipeline(), log, PREFIX).run_to_end()
    campaigns, alerts = await newest(log, "campaigns"), await newest(log, "alerts")
    again = campaigns[campaign["campaign_id"]]
    assert again | {"revision": 0} == campaign | {"revision": 0}
    assert {alerts[name]["campaign_id"] for name in campaign["alert_ids"]} == {campaign["campaign_id"]}
