"""`fsoc send` straight to a real Kafka, without a gateway."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.send import command
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.log import read_to_end
from fsoc.tickets import sample

pytestmark = pytest.mark.kafka


async def test_a_file_is_sent_straight_to_kafka_and_checked_as_intake_will(log, kafka, topic_prefix, tmp_path):
    await log.create(table(topic_prefix, ["fi-001"], 2))
    lines = [orjson.dumps(sample.ticket(ticket_id="t-1")), orjson.dumps(sample.ticket(institution="fi-002"))]
    (tmp_path / "tickets.ndjson").write_bytes(b"\n".join(lines))
    to = ["--brokers", kafka, "--topic-prefix", topic_prefix, "--spool", str(tmp_path / "spool"), "--json"]

    told = await asyncio.to_thread(
        CliRunner().invoke, command, [str(tmp_path / "tickets.ndjson"), "--institution", "fi-001", *to]
    )
    nowhere = await asyncio.to_thread(CliRunner().invoke, command, ["--institution", "fi-009", *to])

    entries = [json.loads(line) for line in told.stdout.splitlines()]
    assert (told.exit_code, nowhere.exit_code) == (1, 0)
    assert [(entry["outcome"], entry["offset"]) for entry in entries[:2]] == [("taken", 0), ("quarantined", 1)]
    assert entries[1]["faults"][0]["code"] == "identity.mismatch"
    assert entries[2] == {"taken": 1, "refused": 1, "waiting": 0}
    topic = f"{topic_prefix}tickets.fi-001"
    assert [one.value async for several in read_to_end(log, topic, 0) for one in several] == lines
