"""What a worker could not restore, or would write otherwise: found, though each record by itself is as it must be."""

from __future__ import annotations

import orjson

from fsoc.runtime.audit.findings import Place
from fsoc.runtime.audit.records import alert_record

STATE, INTAKE = "correlation.state", "intake.state"


async def without(stand, topic, partition, key, field):
    """A record lacks a field that only a stage reads."""
    value = orjson.loads((await stand.records(topic))[partition, key])
    del value[field]
    await stand.write(topic, partition, key, orjson.dumps(value))


async def test_an_institution_that_no_worker_could_restore_is_found(worked, first, kinds):
    partition, key = first(await worked.records(INTAKE), kinds.header)
    await without(worked, INTAKE, partition, key, "outcomes")

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("restart", (f"m.{INTAKE}", partition, key))
    assert "could not restore" in finding.text


async def test_a_partition_that_no_worker_could_restore_is_found(worked):
    await without(worked, STATE, 2, b"header", "told")

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("restart", Place(f"m.{STATE}", 2))
    assert "could not restore" in finding.text


async def test_an_alert_that_a_worker_would_write_otherwise_is_found(worked, first, kinds):
    """Its techniques stand in another order than today's tables give them: that is no fault of the alert's."""
    records = await worked.records(STATE)
    partition, key = first(records, lambda key, value: kinds.alert(key, value) and len(techniques(value)) > 1)
    body = orjson.loads(records[partition, key])["body"]
    await worked.change(STATE, partition, key, body={**body, "attack": body["attack"][::-1]})
    alert = alert_record((await worked.records(STATE))[partition, key]).alert()
    await worked.write("alerts", 0, alert.id.encode(), alert.wire())

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("restart", key)
    assert f"a worker would write revision {alert.revision + 1}, {alert.status}" in finding.text


def techniques(value):
    return orjson.loads(value)["body"]["attack"]
