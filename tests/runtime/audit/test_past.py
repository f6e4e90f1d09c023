"""Own pasts: what counts is judged again from entries and seals; what is sealed lies where it belongs."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from fsoc.correlation.level import PAST
from fsoc.runtime.content import shipped
from fsoc.runtime.rules import load_ruleset
from tests.runtime.audit.test_expiry import farewells, work

STATE = "correlation.state"


@pytest.fixture(scope="module")
def rules():
    """Those that fsoc ships, and some over pasts beside those of chains, of which it ships none."""
    return load_ruleset((shipped("rules"), Path(__file__).with_name("rules")))


async def sealed(stand):
    """All of the exercise is settled but for its last days, and its pasts are sealed."""
    await farewells(stand, set(stand.registry.institutions), 3)
    await work(stand)
    return {name: value for name, value in (await stand.records(STATE)).items() if name[1].startswith(PAST)}


async def test_alerts_that_rest_on_pasts_agree_as_long_as_entries_are_held_and_afterwards(worked):
    assert not (await worked.verify()).findings
    raised = [value for (_, key), value in (await worked.records(STATE)).items() if key.startswith(b"alert/")]
    assert {orjson.loads(one)["key"][0] for one in raised} >= {"past-first", "past-outer"}

    assert len(await sealed(worked)) > 10
    assert not (await worked.verify()).findings


async def test_what_a_restart_makes_of_seals_agrees_too(worked):
    before = await sealed(worked)
    await worked.worker().run_to_end()

    assert {name: value for name, value in (await worked.records(STATE)).items() if name[1].startswith(PAST)} == before
    assert not (await worked.verify()).findings


async def test_a_seal_in_another_partition_or_that_is_none_is_found(worked):
    (partition, key), value = min((await sealed(worked)).items())
    await worked.write(STATE, (partition + 1) % 4, key, value)
    assert await worked.codes() == ["misplaced"]
    await worked.write(STATE, (partition + 1) % 4, key, None)
    await worked.write(STATE, partition, key, b"{}")

    assert await worked.codes() == ["unreadable"]
