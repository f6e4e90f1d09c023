"""Correlations of correlations: what is relayed is what its group says, and what the group around it holds."""

from __future__ import annotations

import orjson
import pytest

from fsoc.correlation.relays import RELAY, relay_of, relay_value

STATE = "correlation.state"


async def test_there_are_relays_three_deep_and_all_agree(worked):
    verdict = await worked.verify()

    assert not verdict.findings
    assert verdict.looked.relays > 50
    assert verdict.looked.in_flight_relays == 0
    records = await worked.records(STATE)
    assert {orjson.loads(key)[0] for _, key in records if key.startswith(b"[")} >= {
        "chains-burst",
        "chains-pair",
        "chains-joint",
        "chains-both",
        "chains-few",
    }


async def test_a_relay_that_is_gone_is_missed_and_what_it_fed_is_not_found_as_well(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.relay)
    await worked.write(STATE, partition, key, None)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("missing-relay", (f"m.{STATE}", partition, key))


async def test_a_relay_in_another_partition_is_misplaced(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.relay)
    await worked.write(STATE, (partition + 1) % 4, key, records[partition, key])

    assert await worked.codes() == ["misplaced"]


def stands(key, value):
    return key.startswith(RELAY) and bool(relay_of(value).keys)


@pytest.mark.parametrize("field", ["of", "at", "keys"])
async def test_a_relay_that_says_other_than_its_group_is_wrong(worked, first, field):
    records = await worked.records(STATE)
    partition, key = first(records, stands)
    relay = relay_of(records[partition, key])
    other = relay.keys[:-1] if field == "keys" else getattr(relay, field) + 1
    await worked.write(STATE, partition, key, relay_value(relay._replace(**{field: other})))

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("wrong-relay", key)


async def test_a_relay_around_which_nothing_holds_is_wrong(worked, first):
    """It was withdrawn, and stands again."""
    records = await worked.records(STATE)
    partition, key = first(records, lambda key, value: key.startswith(RELAY) and not stands(key, value))
    relay = relay_of(records[partition, key])
    await worked.write(STATE, partition, key, relay_value(relay._replace(keys=relay.gone, gone=())))

    (finding,) = (await worked.verify()).findings
    assert finding.code == "wrong-relay"
    assert "does not hold around it" in finding.text


async def test_a_relayed_entry_that_is_gone_is_missed(worked, first, kinds):
    partition, key = first(await worked.records(STATE), kinds.relayed)
    await worked.write(STATE, partition, key, None)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place) == ("missing-entry", (f"m.{STATE}", partition, key))
    assert "the correlation inside feeds it" in finding.text


async def test_a_relayed_entry_of_another_revision_is_stale(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.relayed)
    entry, *by = orjson.loads(records[partition, key])
    entry[3] += 1
    await worked.write(STATE, partition, key, orjson.dumps([entry, *by]))

    assert await worked.codes() == ["stale-entry"]


async def test_a_relayed_entry_that_no_correlation_relays_is_found(worked, first, kinds):
    records = await worked.records(STATE)
    partition, key = first(records, kinds.relayed)
    entry, *by = orjson.loads(records[partition, key])
    entry[2] = "of nobody"
    name = orjson.loads(key)
    name[4] = "of nobody"
    await worked.write(STATE, partition, orjson.dumps(name), orjson.dumps([entry, *by]))

    codes = await worked.codes()
    assert "unfed-entry" in codes
    assert set(codes) <= {"unfed-entry", "count", "wrong-alert", "missing-relay"}


async def test_a_header_that_counts_other_relays_than_there_are_is_found(worked):
    header = orjson.loads((await worked.records(STATE))[2, b"header"])
    await worked.change(STATE, 2, b"header", relays=header["relays"] + 1)

    assert await worked.codes() == ["count"]


async def test_relays_are_sound_after_the_end_too(ended, first):
    assert (await ended.verify()).is_sound

    partition, key = first(await ended.records(STATE), stands)
    await ended.write(STATE, partition, key, None)
    assert await ended.codes() == ["missing-relay"]
