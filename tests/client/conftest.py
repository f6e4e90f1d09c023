from __future__ import annotations

import pytest

from fsoc.runtime.kafka.client import KafkaLog


@pytest.fixture
async def log(kafka):
    opened = await KafkaLog.open(kafka)
    yield opened
    await opened.close()
