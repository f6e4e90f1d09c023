"""On a real Kafka: rules are edited under a worker; a new one detects, a bad set changes nothing, no ticket is lost."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from itertools import count

import orjson
import pytest

from fsoc.tickets.sample import ticket
from fsoc.tickets.times import milliseconds

pytestmark = pytest.mark.kafka

REGISTRY = "institutions: [{id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}]"
RECEIVED_MS = milliseconds(ticket()["sent_at"])
RULE = """\
title: Every ticket
id: each-{name}
date: {day}
logsource: {{product: fsoc}}
detection: {{one: {{institution: fi-001}}, condition: one}}
---
title: All of them
id: all-{name}
correlation: {{type: event_count, rules: [each-{name}], group-by: [institution], timespan: 1d, condition: {{gte: 1}}}}
"""


@dataclass
class Sent:
    payload: bytes
    institution: str = "fi-001"
    at_ms: int = RECEIVED_MS


@pytest.fixture
async def new_worker(field, tmp_path):
    """Starts a worker on a folder with one rule, which it looks at every so often."""
    field.rules = tmp_path / "rules"
    field.rules.mkdir()
    (field.rules / "first.yml").write_text(RULE.format(name="first", day="2026-01-01"))
    field.institutions.write_text(REGISTRY, encoding="utf-8")
    await field.create_topics(["fi-001"])

    def start(seconds):
        field._environment |= {"FSOC_RULES": str(field.rules), "FSOC_RULES_RELOAD_SECONDS": str(seconds)}
        return field.start_worker()

    return start


def tickets(numbers, amount):
    made = (
        ticket(institution="fi-001", ticket_id=f"t-{number}", seq=number)
        for number, _ in zip(numbers, range(amount), strict=False)
    )
    return [Sent(orjson.dumps(body)) for body in made]


async def versions_said(field):
    """Version and digest of the rules that decided, of every put and withdrawal in the log."""
    topic = f"{field.prefix}detections"
    reader = await field.log.reader({(topic, number): 0 for number in range(field.partitions)})
    said = set()
    while fetched := await reader.slices(wait_ms=500):
        entries = [record for records in fetched.values() for record in records if record.key is not None]
        for word in (orjson.loads(record.value) for record in entries):
            at = 1 if isinstance(word[0], list) else 2  # behind the entry, or a withdrawal's revision and time
            said.add(tuple(word[at : at + 2]))
    await reader.close()
    return said


async def test_a_worker_told_to_look_does_so_at_once(field, new_worker):
    worker = new_worker(seconds=3600)
    await field.until(lambda: worker.figure("fsoc_owned_partitions") == field.owned_total)
    (field.rules / "second.yml").write_text(RULE.format(name="second", day="2026-02-02"))

    worker.process.send_signal(signal.SIGHUP)

    await field.until(lambda: worker.figure("fsoc_rules_info", version="2026-02-02") == 1)
    assert worker.stop() == 0


async def test_rules_are_edited_under_load(field, new_worker):
    worker = new_worker(seconds=1)
    numbers, sent = count(1), 0

    async def flow_until(condition):
        nonlocal sent
        for _ in range(200):
            await field.send(tickets(numbers, 20))
            sent += 20
            if condition():
                return
            await field.until(lambda enough=sent - 100: received() >= enough)
        pytest.fail(worker.log[-3000:])

    def received():
        return sum(header["received"] for header in field.headers().values())

    def tickets_of(rule):
        return sum(alert["ticket_count"] for alert in field.alerts().values() if alert["rule_id"] == rule)

    await flow_until(lambda: received() > 100)
    (field.rules / "second.yml").write_text(RULE.format(name="second", day="2026-02-02"))
    await flow_until(lambda: worker.figure("fsoc_rules_info", version="2026-02-02") == 1)
    before_second = sent
    await flow_until(lambda: tickets_of("all-second") > 0)

    (field.rules / "second.yml").write_text("title: bad\n")
    (field.rules / "first.yml").write_text("title: bad\n")
    await flow_until(lambda: worker.figure("fsoc_rules_stale") == 1)
    await field.send(tickets(numbers, 100))
    sent += 100

    await field.until(lambda: tickets_of("all-first") == sent)
    await field.until(lambda: tickets_of("all-second") >= sent - before_second)
    assert received() == sent
    assert worker.figure("fsoc_used_tickets") == sent
    said = await versions_said(field)
    assert {version for version, _ in said} == {"2026-01-01", "2026-02-02"}
    assert len(said) == 2
    assert worker.stop() == 0
