"""The broker starts from nothing, and clients can use it."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

pytestmark = pytest.mark.kafka


async def test_what_one_client_produces_another_consumes(kafka: str, topic_prefix: str):
    topic = f"{topic_prefix}hello"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()

    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        for number in range(3):
            await producer.send(topic, key=b"k", value=b"ticket %d" % number)

    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        seen = [await consumer.getone() for _ in range(3)]

    assert [(record.offset, record.key, record.value) for record in seen] == [
        (0, b"k", b"ticket 0"),
        (1, b"k", b"ticket 1"),
        (2, b"k", b"ticket 2"),
    ]
