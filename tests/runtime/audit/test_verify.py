"""Sound state has no finding, at any moment; each way to spoil it has exactly its own."""

from __future__ import annotations

import asyncio
from itertools import count

import orjson
import pytest

from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import GroupKey
from tests.runtime.audit.conftest import ALERT_KEY

FEW, MORE = 60, 100
STATE, INTAKE = "correlation.state", "intake.state"


async def test_state_of_an_exercise_that_goes_on_or_has_ended_is_sound(worked):
    verdict = await worked.verify()

    assert not verdict.findings
    assert verdict.looked.institutions == 8
    assert verdict.looked.partitions == 4
    assert verdict.looked.entries > 100
    assert verdict.looked.alerts > 10
    assert (verdict.looked.in_flight_tickets, verdict.looked.in_flight_entries, verdict.looked.unpublished) == (0, 0, 0)


async def test_state_of_an_exercise_that_has_ended_is_sound(ended):
    verdict = await ended.verify(ended.registry)

    assert not verdict.findings
    assert {record["status"] for record in await alerts(ended)} <= {"final", "retracted"}


async def test_nothing_at_all_is_sound(stand):
    assert (await stand.verify()).is_sound


async def test_state_is_sound_after_every_step_of_a_run(quiet):
    """Intake runs ahead of correlation by a step: what it has told and is not worked is in flight."""
    await quiet.send(quiet.exercise.deliveries)
    worker = quiet.worker()
    moved, in_flight = True, 0
    while moved:
        moved = await worker.intake.step(wait_ms=0, records_max=FEW)
        verdict = await quiet.verify(quiet.registry)
        assert not verdict.findings
        in_flight += verdict.looked.in_flight_entries
        moved = await worker.correlate.step(wait_ms=0, records_max=FEW) or moved
        assert not (await quiet.verify()).findings

    assert in_flight > 0


async def test_state_is_sound_while_it_is_written(quiet):
    await quiet.send(quiet.exercise.deliveries)
    working = asyncio.create_task(quiet.worker().run_to_end(records_max=FEW))
    looks = 0
    while not working.done():
        for _ in range(7 * (looks % 5)):  # how far the worker comes between two looks
            await asyncio.sleep(0)
        assert not (await quiet.verify()).findings
        looks += 1
    await working

    assert looks > 3


async def test_state_is_sound_after_a_crash_in_any_write_or_before_any_commit(quiet):
    """At once, and when another worker has taken over and has worked the rest."""
    some = quiet.exercise.deliveries[::3]
    for step in count(1):  # how many there are hangs on how far a worker comes in a sub-slice
        await quiet.create()
        await quiet.send(some)
        quiet.log.crash_in = step
        try:
            await quiet.worker().run_to_end(records_max=MORE)
        except quiet.crash:
            pass
        else:
            break
        assert not (await quiet.verify(quiet.registry)).findings, f"crashed in step {step}"
        await quiet.worker().run_to_end(records_max=MORE)
        assert not (await quiet.verify()).findings, f"restarted after a crash in step {step}"
    assert step > 10


async def test_an_entry_that_is_gone_is_missed_by_its_live_ticket(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.put)
    await worked.write(STATE, partition, key, None)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("missing-entry", (f"m.{STATE}", partition, key))
    assert "its ticket feeds it by revision" in finding.text


async def test_an_entry_is_missed_after_the_end_too(ended, first, kinds):
    partition, key = first(await ended.records(STATE), kinds.put)
    await ended.write(STATE, partition, key, None)

    assert await ended.codes() == ["missing-entry"]


async def test_a_withdrawal_that_is_gone_is_missed_by_its_live_ticket(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.withdrawal)
    await worked.write(STATE, partition, key, None)

    assert await worked.codes() == ["missing-withdrawal"]


@pytest.mark.parametrize("place", [0, 3], ids=["event time", "revision"])
async def test_an_entry_of_another_moment_or_revision_than_its_ticket_is_stale(worked, first, kinds, place):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.put)
    entry, *by = orjson.loads(records[partition, key])
    entry[place] += 1
    await worked.write(STATE, partition, key, orjson.dumps([entry, *by]))

    assert await worked.codes() == ["stale-entry"]


async def test_an_entry_whose_ticket_has_left_is_stale(worked, first, kinds):
    records = await worked.records(INTAKE)
    partition, key = first(records, lambda key, value: kinds.ticket(key, value) and orjson.loads(value)["keys"])
    keys = orjson.loads(records[partition, key])["keys"]
    await worked.change(INTAKE, partition, key, keys=keys[1:], withdrawn=keys[:1])

    (finding,) = (await worked.verify()).findings
    assert finding.code == "stale-entry"
    assert "its ticket left it by revision" in finding.text


async def test_an_entry_in_another_partition_is_misplaced_and_not_missing_as_well(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.put)
    elsewhere = (partition + 1) % 4
    await worked.write(STATE, partition, key, None)
    await worked.write(STATE, elsewhere, key, records[partition, key])

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.partition) == ("misplaced", elsewhere)
    assert f"belongs to partition {partition}" in finding.text


async def test_an_alert_in_another_partition_is_misplaced_and_not_missing_as_well(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.alert)
    await worked.write(STATE, partition, key, None)
    await worked.write(STATE, (partition + 1) % 4, key, records[partition, key])

    assert await worked.codes() == ["misplaced"]


async def test_a_ticket_in_another_partition_of_intake_s_state_is_misplaced(worked, first, kinds):
    records = await worked.records(INTAKE)
    partition, key = first(records, kinds.ticket)
    await worked.write(INTAKE, (partition + 1) % 16, key, records[partition, key])

    assert await worked.codes() == ["misplaced"]


async def test_an_entry_that_says_it_is_another_ticket_s_is_misplaced(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.put)
    entry, *by = orjson.loads(records[partition, key])
    entry[2] = "another"
    await worked.write(STATE, partition, key, orjson.dumps([entry, *by]))

    assert await worked.codes() == ["misplaced"]


async def test_a_definition_under_another_s_key_is_misplaced(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.definition)
    await worked.write(STATE, partition, b"definition/another", records[partition, key])

    assert await worked.codes() == ["misplaced"]


async def test_a_ticket_that_is_newer_than_its_header_is_stale(worked, first, kinds):
    partition, key = first(await worked.records(INTAKE), kinds.ticket)
    await worked.change(INTAKE, partition, key, offset=10_000)

    assert await worked.codes() == ["stale-entry"]


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        (INTAKE, "header"),
        (INTAKE, "ticket"),
        (STATE, "header"),
        (STATE, "put"),
        (STATE, "alert"),
        (STATE, "definition"),
    ],
)
@pytest.mark.parametrize("garbage", [b"\xff\x00garbage", b"{}", b"[[]]"])
async def test_a_record_that_is_not_ours_is_unreadable_and_nothing_else(worked, first, kinds, topic, kind, garbage):
    partition, key = first(await worked.records(topic), getattr(kinds, kind))
    await worked.write(topic, partition, key, garbage)

    findings = (await worked.verify()).findings
    assert {(finding.code, finding.place.key) for finding in findings} == {("unreadable", key)}


async def test_a_key_that_is_not_ours_is_unreadable(worked):
    await worked.write(STATE, 0, b"what", b"[]")
    await worked.write(INTAKE, 0, b"fi-001/what", b"{}")

    assert [finding.code for finding in (await worked.verify()).findings] == ["unreadable", "unreadable"]


@pytest.mark.parametrize("fields", [{"used": 1}, {"received": 10_000, "used": 10_000}], ids=["sum", "more than came"])
async def test_counts_that_do_not_add_up_break_conservation(worked, first, kinds, fields):
    partition, key = first(await worked.records(INTAKE), kinds.header)
    nothing_else = dict.fromkeys(("duplicate", "late", "quarantined"), 0) if "received" in fields else {}
    await worked.change(INTAKE, partition, key, **fields, **nothing_else)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("conservation", key)


async def test_what_a_worker_wrote_after_it_lost_the_institution_is_passed_over(worked, first, kinds):
    partition, key = first(await worked.records(INTAKE), kinds.header)
    header = orjson.loads((await worked.records(INTAKE))[partition, key])
    await worked.change(INTAKE, partition, key, offset=header["offset"] - 3, received=header["received"] - 3)

    assert (await worked.verify()).is_sound


async def test_an_offset_committed_before_its_state_is_there_is_found(worked, first, kinds):
    _, key = first(await worked.records(INTAKE), kinds.header)
    institution = key.partition(b"/")[0].decode()
    await worked.commit(f"tickets.{institution}", 0, await worked.end(f"tickets.{institution}", 0) + 5)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("committed-ahead", key)


async def test_detections_committed_before_their_state_is_there_are_found(worked):
    await worked.commit("detections", 2, await worked.end("detections", 2) + 1)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("committed-ahead", (f"m.{STATE}", 2, b"header"))


async def test_detections_committed_and_never_worked_are_found(stand):
    """The group's offset was moved by hand: entries, and what is known of progress, are missing."""
    await stand.send(stand.exercise.deliveries[:60])
    worker = stand.worker()
    while await worker.intake.step(wait_ms=0, records_max=FEW):
        pass
    for partition in range(4):
        await stand.commit("detections", partition, await stand.end("detections", partition))

    findings = (await stand.verify()).findings
    assert not (await stand.records(STATE))
    assert {finding.code for finding in findings} == {"committed-ahead"}
    assert len(findings) == 4


async def test_a_live_ticket_that_is_gone_leaves_entries_that_nothing_feeds(worked, first, kinds):
    fed = orjson.loads(first(await worked.records(STATE), kinds.put)[1])
    name = f"{fed[3]}/ticket/{fed[1]}/{fed[4]}".encode()
    partition, key = first(await worked.records(INTAKE), lambda key, _: key == name)
    await worked.write(INTAKE, partition, key, None)

    assert await worked.codes() == ["count", "unfed-entry"]


async def alerts(stand):
    records = await stand.records(STATE)
    return [orjson.loads(value) for (_, key), value in records.items() if key.startswith(b"alert/")]


async def test_an_alert_that_says_other_than_its_entries_is_wrong(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.alert)
    body = orjson.loads(records[partition, key])["body"]
    await worked.change(STATE, partition, key, body={**body, "severity": body["severity"] - 1})

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("wrong-alert", key)
    assert f"severity {body['severity'] - 1}, expected {body['severity']}" in finding.text


async def test_an_alert_that_is_gone_is_missed(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.alert)
    await worked.write(STATE, partition, key, None)

    assert await worked.codes() == ["missing-alert"]


def is_plain(rule):
    """It raises alerts itself, at once, and of all its tickets."""
    return rule.rising and rule.past is None and not rule.silent and not rule.link


async def test_an_alert_whose_entries_do_not_raise_it_is_one_too_many(worked, first, kinds):
    """A group in which nothing holds gets another group's alert, under its own name."""
    records = await worked.records(STATE)
    raised = {orjson.dumps(alert["key"]) for alert in await alerts(worked)}
    partition, key = first(
        records,
        lambda key, value: (
            kinds.put(key, value)
            and is_plain(worked.rules.correlations[orjson.loads(key)[0]])
            and orjson.dumps(orjson.loads(key)[:3]) not in raised
        ),
    )
    group, at = GroupKey(*orjson.loads(key)[:3]), orjson.loads(records[partition, key])[0][0]
    record = orjson.loads(records[first(records, kinds.alert)])
    episode_ms = worked.rules.correlations[group.rule].episode_ms
    episode = at // episode_ms
    name = alert_id(group, episode, ALERT_KEY)
    record |= {
        "episode": episode,
        "episode_ms": episode_ms,
        "body": {**record["body"], "alert_id": name},
        "status": "open",
    }
    await worked.write(STATE, partition, f"alert/{name}".encode(), orjson.dumps({**record, "key": list(group)}))

    assert await worked.codes() == ["extra-alert"]


async def test_an_alert_is_final_when_event_time_is_settled_past_it_and_not_before(ended, first):
    partition, key = first(await ended.records(STATE), lambda _, value: b'"status":"final"' in value)
    await ended.change(STATE, partition, key, status="open")

    assert await ended.codes() == ["wrong-status"]


async def test_what_was_published_is_what_the_state_has_or_older(worked, first):
    """An older revision is not yet published; a higher one, or another body, nobody can have written."""
    published = await worked.records("alerts")
    place, key = first(published, lambda _, value: orjson.loads(value)["revision"] > 1)
    alert = orjson.loads(published[place, key])

    await worked.write("alerts", 0, key, orjson.dumps({**alert, "revision": alert["revision"] - 1}))
    verdict = await worked.verify()
    assert (verdict.findings, verdict.looked.unpublished) == ([], 1)
    await worked.write("alerts", 0, key, orjson.dumps({**alert, "revision": alert["revision"] + 1}))
    assert await worked.codes() == ["published-ahead"]
    await worked.write("alerts", 0, key, orjson.dumps({**alert, "severity": 0}))
    assert await worked.codes() == ["published-otherwise"]
    await worked.write("alerts", 0, key, b"garbage")
    assert await worked.codes() == ["unreadable"]


async def test_what_correlation_knows_of_an_institution_is_what_its_intake_says(worked, first, kinds):
    records = await worked.records(STATE)
    claims = orjson.loads(records[1, b"header"])["claims"]
    name, (watermark, offset, *more) = min(claims.items())

    for claim in ([watermark, offset - 1, *more], [watermark, offset + 1, *more], [watermark - 1, offset, *more]):
        await worked.change(STATE, 1, b"header", claims={**claims, name: claim})
        assert await worked.codes() == ["claim"]


@pytest.mark.parametrize("field", ["entries", "raised_total", "alerts_open"])
async def test_a_header_that_counts_other_than_there_is_is_found(worked, field):
    header = orjson.loads((await worked.records(STATE))[2, b"header"])
    await worked.change(STATE, 2, b"header", **{field: header[field] + 1})

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.partition) == ("count", 2)


@pytest.mark.parametrize(("topic", "kind"), [(INTAKE, "header"), (STATE, "header")])
async def test_state_without_its_header_is_found(worked, first, kinds, topic, kind):
    partition, key = first(await worked.records(topic), getattr(kinds, kind))
    await worked.write(topic, partition, key, None)

    assert "no-header" in await worked.codes()


async def test_entries_without_their_rule_s_definition_are_found(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.definition)
    await worked.write(STATE, partition, key, None)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("no-definition", key)


async def test_an_entry_that_its_rule_does_not_make_is_unfit(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, lambda key, value: kinds.put(key, value) and orjson.loads(value)[0][4])
    entry, *by = orjson.loads(records[partition, key])
    entry[4] = []
    await worked.write(STATE, partition, key, orjson.dumps([entry, *by]))

    assert await worked.codes() == ["unfit"]
