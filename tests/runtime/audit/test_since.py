"""From which event time on institutions are known: at fault, gone, and newer than what is judged by it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

from fsoc.correlation.progress import SINCE
from fsoc.runtime.content import shipped
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.rules import load_ruleset
from tests.crashing import CrashingLog
from tests.runtime.audit.conftest import PARTITIONS, PREFIX

RULES = Path(__file__).with_name("rules")
STATE = "correlation.state"
FEW = 150
YEAR_MS = 365 * 86_400_000

AT_ONCE = """
title: What is new to an institution
id: at-once
correlation: {type: event_count, rules: [chains_any], group-by: [category], timespan: 1h, condition: {gte: 1}}
fsoc: {counts_when: first_ever, warm_up: 0}
---
title: What is new to two
id: at-once-outer
correlation:
  type: value_count
  rules: [at-once]
  group-by: []
  timespan: 4h
  condition: {field: institution, gte: 2}
  generate: true
"""
"""One ticket is news, as soon as it is known from when on its institution is."""


@pytest.fixture(scope="module")
def rules():
    """Those that fsoc ships, chains, and some over pasts."""
    return load_ruleset((shipped("rules"), RULES))


async def spoil(stand, value):
    """Every partition's record becomes this; return how many there are."""
    names = [name for name in await stand.records(STATE) if name[1] == SINCE]
    for partition, key in names:
        await stand.write(STATE, partition, key, value)
    return len(names)


@pytest.fixture
async def alone(worked):
    """The record alone knows from when on institutions are known: headers say a year later."""
    for (partition, key), value in (await worked.records(STATE)).items():
        if key == b"header":
            claims = orjson.loads(value)["claims"]
            later = {name: [*claim, since_ms + YEAR_MS] for name, (*claim, since_ms) in claims.items()}
            await worked.change(STATE, partition, key, claims=later)
    return worked


@pytest.mark.parametrize("garbage", [b"\xff\x00garbage", b"{}", b"[[]]"])
async def test_a_record_that_is_not_ours_is_unreadable_and_nothing_else(alone, garbage):
    assert not (await alone.verify()).findings
    count = await spoil(alone, garbage)

    findings = (await alone.verify()).findings
    assert Counter((finding.code, finding.place.key) for finding in findings) == {("unreadable", SINCE): count}
    assert count == PARTITIONS


async def test_without_the_record_what_headers_say_of_institutions_is_known(worked):
    assert await spoil(worked, None) == PARTITIONS

    verdict = await worked.verify()
    assert not verdict.findings
    assert verdict.looked.alerts > 10


async def test_an_alert_that_is_gone_is_missed_by_what_the_record_says(alone, first):
    """The record is older than what is committed: nothing of it is in flight."""
    partition, key = first(await alone.records(STATE), lambda _, value: b'"past-first"' in value and b'"body"' in value)
    await alone.write(STATE, partition, key, None)

    assert await alone.codes() == ["missing-alert"]


class LookedAt(CrashingLog):
    """Writes of state that know of a new `since` are looked at after each of their records."""

    look = None

    async def write(self, records):
        records = list(records)
        if self.look is None or not any(key == SINCE for _, _, key, _ in records):
            await super().write(records)
            return
        for record in records:
            await MemoryLog.write(self, [record])
            look, self.look = self.look, None
            await look()
            self.look = look


async def test_between_the_record_and_what_is_judged_by_it_alerts_and_relays_stand_by_either(stand, tmp_path):
    """Record by record: an entry is there, then from when on its institution is known, then what that makes news."""
    (tmp_path / "at_once.yml").write_text(AT_ONCE)
    stand.rules, stand.log = load_ruleset((RULES / "chains.yml", tmp_path)), LookedAt()
    await stand.log.create(table(PREFIX, stand.registry.institutions, PARTITIONS, "exercise"))
    looked = Counter()

    async def look():
        verdict = await stand.verify()
        assert not verdict.findings
        looked.update(looks=1, alerts=verdict.looked.in_flight_alerts, relays=verdict.looked.in_flight_relays)

    stand.log.look = look
    worker = stand.worker()
    for delivery in stand.exercise.deliveries[:FEW]:
        await stand.send([delivery])
        await worker.run_to_end(records_max=1)

    assert looked["alerts"] > 1
    assert looked["relays"] > 1
