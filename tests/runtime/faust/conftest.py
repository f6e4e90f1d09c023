"""A carrier without a broker, records as aiokafka hands them over, and worker processes on a real one."""

from __future__ import annotations

import os
import signal
from collections import Counter
from time import monotonic

import orjson
import pytest
from aiokafka import ConsumerRecord

from fsoc.campaigns.words import WORD, said_from
from fsoc.feeds.ledger import END_MS
from fsoc.runtime.faust.carrier import Carrier, set_up, settings
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from tests.worker_process import WorkerProcess

WAIT_SECONDS = 100


@pytest.fixture
def new_app():
    """An app that is set up as a worker's and never started."""

    def make(**changes):
        return set_up(Carrier("test", **settings(["127.0.0.1:1"], spread_prefix="t.tickets.") | changes))

    return make


@pytest.fixture
def fetched():
    """Makes what one fetch brings of one partition: records at these offsets."""

    def make(topic, *offsets):
        return [
            ConsumerRecord(topic, 0, offset, 1000 * offset, 0, None, b"%d" % offset, None, -1, -1, ())
            for offset in offsets
        ]

    return make


class Field:
    """One test's topics on the broker, workers on them, and the newest value of every key in some topics.

    on_header: is told of each checkpoint that is read: of which source it is, named as by a worker, its header and its
        time stamp.
    """

    def __init__(self, log, brokers, prefix, folder, partitions):
        self.log, self.prefix, self.folder = log, prefix, folder
        self.institutions = folder / "institutions.yml"
        self.partitions = partitions
        self.owned_total = None
        self.newest = {"intake.state": {}, "correlation.state": {}, "campaign.state": {}, "alerts": {}}
        self._headers = {}
        self.on_header = lambda *_: None
        self._reader = None
        self._workers = []
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FSOC_")},
            "FSOC_BROKERS": brokers,
            "FSOC_ENVIRONMENT": "test",
            "FSOC_TOPIC_PREFIX": prefix,
            "FSOC_INSTITUTIONS": str(self.institutions),
            "FSOC_DETECTIONS_PARTITIONS": str(partitions),
            "FSOC_GROUP": f"{prefix}workers",
            "FSOC_REGISTRY_RELOAD_SECONDS": "1",
            "FSOC_RULES_CACHE": os.environ["FSOC_RULES_CACHE"],
        }

    async def create_topics(self, institutions):
        self.owned_total = len(institutions) + self.partitions + 2  # and those of links and sharing
        await self.log.create(table(self.prefix, institutions, self.partitions, "test"))

    def use_rules(self, *paths):
        """Workers that are started from now on have these, not those that are shipped."""
        self._environment["FSOC_RULES"] = ",".join(map(str, paths))

    def start_worker(self):
        self._workers.append(WorkerProcess(self._environment, self.folder / f"worker-{len(self._workers)}.log"))
        return self._workers[-1]

    async def send(self, deliveries):
        for delivery in deliveries:
            topic = f"{self.prefix}tickets.{delivery.institution}"
            await self.log.append(topic, 0, None, delivery.payload, delivery.at_ms)
        await self.log.flush()

    async def until(self, condition, seconds=WAIT_SECONDS):
        """Read on what workers write until the condition holds, but no longer than this."""
        await self._open()
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if condition():
                return
            await self._read()
            for worker in self._workers:
                assert worker.process.poll() in (None, -signal.SIGKILL, 0), worker.log
        pytest.fail("nothing more was awaited:\n" + "\n".join(worker.log[-3000:] for worker in self.living))

    async def read_to_end(self):
        """Read all that there is by now."""
        await self._open()
        ends = await self.log.end_offsets(self._partitions)
        while any([await self._reader.position(*name) < end for name, end in ends.items()]):
            await self._read()

    async def _open(self):
        if self._reader is None:
            counts = await self.log.partitions(*(self.prefix + name for name in self.newest))
            self._partitions = [(topic, number) for topic, count in counts.items() for number in range(count)]
            self._reader = await self.log.reader(dict.fromkeys(self._partitions, 0))

    async def _read(self):
        fetched = await self._reader.slices(wait_ms=100)
        for (topic, partition), records in fetched.items():
            # Correlation headers have one key in every partition.
            newest = self.newest[topic.removeprefix(self.prefix)]
            newest.update(((partition, record.key), record.value) for record in records)
            for record in records:
                is_header = record.key is not None and record.key.endswith(b"header")
                if is_header and not topic.endswith("campaign.state"):
                    name = record.key.removesuffix(b"/header").decode()
                    source = name if name != "header" else f"detections/{partition}"
                    self._headers[source] = record.value
                    self.on_header(source, record.value, record.timestamp_ms)

    def headers(self):
        """Institution → its newest header."""
        return {name: orjson.loads(value) for name, value in self._headers.items() if "/" not in name}

    def closed_until_ms(self):
        """What the newest header of each partition of detections says that event time is settled to."""
        headers = [orjson.loads(value) for name, value in self._headers.items() if "/" in name]
        return [header["closed_until_ms"] for header in headers]

    def is_named(self):
        """Campaigns have heard the end of the exercise, and every alert says what it was told of its campaign last."""
        state = {key: value for (_, key), value in self.newest["campaign.state"].items() if value}
        if orjson.loads(state.get(b"header", b"{}")).get("reach_ms") != END_MS:
            return False
        alerts = {key: orjson.loads(value) for (_, key), value in self.newest["alerts"].items() if value}
        words = {key.removeprefix(WORD): said_from(value) for key, value in state.items() if key.startswith(WORD)}
        return all(alerts.get(name, {}).get("campaign_id") == said.campaign for name, said in words.items())

    def received(self):
        """Institution → messages that the state knows of."""
        return Counter({institution: header["received"] for institution, header in self.headers().items()})

    def alerts(self):
        """Alerts that stand, by id, without their revision."""
        bodies = [orjson.loads(value) for value in self.newest["alerts"].values() if value is not None]
        return {body["alert_id"]: {**body, "revision": 0} for body in bodies if body["status"] != "retracted"}

    @property
    def living(self):
        return [worker for worker in self._workers if worker.process.poll() is None]

    def owned(self):
        return [worker.figure("fsoc_owned_partitions") for worker in self.living]

    async def close(self):
        for worker in self.living:
            worker.kill()
        if self._reader is not None:
            await self._reader.close()
        await self.log.close()


@pytest.fixture
async def field(kafka, topic_prefix, tmp_path):
    field = Field(await KafkaLog.open(kafka), kafka, topic_prefix, tmp_path, partitions=8)
    yield field
    await field.close()
