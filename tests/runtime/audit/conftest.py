"""A small exercise worked on a log in this process, and a hand that spoils its state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, generate
from fsoc.exercise.spec import HEARTBEAT_MAX
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.audit.reading import Cluster, newest
from fsoc.runtime.audit.show import show
from fsoc.runtime.audit.verify import verify
from fsoc.runtime.content import shipped
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.rules import load_ruleset
from tests.crashing import Crash, CrashingLog

CHAINS = Path(__file__).with_name("rules") / "chains.yml"
PREFIX = "m."
GROUP = "fsoc"
PARTITIONS = 4
ALERT_KEY = b"of this installation"
EXERCISE = ExerciseSpec(institutions=8, tickets_per_institution=12, seed=17, hours=24)


class Stand:
    """One log, what is sent to it, who works it, and what is found."""

    def __init__(self, exercise, rules, registry):
        self.exercise, self.rules, self.registry = exercise, rules, registry
        self.crash = Crash

    async def create(self):
        """Topics, and nothing in them."""
        self.log = CrashingLog()
        await self.log.create(table(PREFIX, self.registry.institutions, PARTITIONS, "exercise"))

    def worker(self):
        pipeline = Pipeline(self.rules, self.registry, PARTITIONS, ends=True, alert_key=ALERT_KEY)
        return InProcess(pipeline, self.log, PREFIX, GROUP)

    async def send(self, deliveries):
        for delivery in deliveries:
            await self.log.append(f"{PREFIX}tickets.{delivery.institution}", 0, None, delivery.payload, delivery.at_ms)

    async def verify(self, registry=None, alert_key=ALERT_KEY):
        return await verify(await Cluster.of(self.log, PREFIX, GROUP), self.rules, registry, alert_key=alert_key)

    async def show(self, institutions=None, partitions=None):
        return await show(await Cluster.of(self.log, PREFIX, GROUP), self.rules, institutions, partitions)

    async def codes(self):
        return sorted({finding.code for finding in (await self.verify()).findings})

    async def records(self, topic):
        """Every newest record: (partition, key) → value."""
        counts = await self.log.partitions(PREFIX + topic)
        names = [(PREFIX + topic, number) for number in range(counts[PREFIX + topic])]
        found = await newest(self.log, names)
        return {(name[1], key): kept.value for name, of_it in found.items() for key, kept in of_it.items()}

    async def write(self, topic, partition, key, value):
        await self.log.append(PREFIX + topic, partition, key, value)

    async def change(self, topic, partition, key, **fields):
        """Other values for some fields of a JSON record."""
        value = orjson.loads((await self.records(topic))[partition, key])
        assert value.keys() >= fields.keys()
        await self.write(topic, partition, key, orjson.dumps({**value, **fields}))

    async def commit(self, topic, partition, offset):
        await self.log.commit(GROUP, {(PREFIX + topic, partition): offset})

    async def end(self, topic, partition):
        name = (PREFIX + topic, partition)
        return (await self.log.end_offsets([name]))[name]


@pytest.fixture(scope="module")
def exercise():
    return generate(EXERCISE)


@pytest.fixture(scope="module")
def rules():
    """Those that fsoc ships, and chains of correlations, of which it ships none."""
    return load_ruleset((shipped("rules"), CHAINS))


async def _stand(exercise, rules):
    registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
    stand = Stand(exercise, rules, registry)
    await stand.create()
    return stand


@pytest.fixture
async def stand(exercise, rules):
    return await _stand(exercise, rules)


@pytest.fixture
async def quiet(rules):
    """As many tickets, and a quarter of the heartbeats: for those who look at all of it many times."""
    return await _stand(generate(replace(EXERCISE, heartbeat_minutes=HEARTBEAT_MAX)), rules)


def _goes_on(delivery):
    return b'"ended":true' not in delivery.payload.replace(b" ", b"")


@pytest.fixture
async def worked(stand):
    """All of the exercise is worked, and nobody has ended: event time may still go on."""
    await stand.send(filter(_goes_on, stand.exercise.deliveries))
    await stand.worker().run_to_end(records_max=100)
    return stand


@pytest.fixture
async def ended(stand):
    """All of the exercise is worked, and everybody has ended: every alert is final."""
    await stand.send(stand.exercise.deliveries)
    await stand.worker().run_to_end()
    return stand


@pytest.fixture
def first():
    """The first (partition, key) of some records whose key and value are such."""

    def find(records, wanted):
        return min(name for name, value in records.items() if wanted(name[1], value))

    return find


@pytest.fixture
def kinds():
    """Which record of correlation's state is what, by key and value."""
    return SimpleNamespace(
        put=lambda key, value: key.startswith(b"[") and value.startswith(b"[[") and len(orjson.loads(key)) == 5,
        relayed=lambda key, value: key.startswith(b"[") and value.startswith(b"[[") and len(orjson.loads(key)) == 6,
        withdrawal=lambda key, value: (
            key.startswith(b"[") and not value.startswith(b"[[") and len(orjson.loads(key)) == 5
        ),
        alert=lambda key, _: key.startswith(b"alert/"),
        relay=lambda key, _: key.startswith(b"relay/"),
        definition=lambda key, _: key.startswith(b"definition/"),
        header=lambda key, _: key.endswith(b"header"),
        ticket=lambda key, _: b"/ticket/" in key,
    )
