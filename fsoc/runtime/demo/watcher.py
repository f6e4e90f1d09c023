"""Reads what the workers write: alerts, and what the state topics say of them. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fsoc.errors import Retry
from fsoc.runtime.demo.picture import Alert, Picture
from fsoc.runtime.log import Log, Reader

READ_MS = 100
RECORDS_MAX = 2_000


async def watch(log: Log, topic_prefix: str, picture: Picture, news: Callable[[Alert], None]) -> None:
    """Keep the picture up to date until it is finished. news: told every new revision of an alert."""
    names = ("alerts", "intake.state", "correlation.state", "campaign.state")
    alerts, intake, correlation, campaigns = (f"{topic_prefix}{name}" for name in names)
    partitions = await log.partitions(alerts, intake, correlation, campaigns)
    reader = await log.reader({(topic, number): 0 for topic, count in partitions.items() for number in range(count)})
    try:
        while not picture.finished:
            await _read(reader, picture, news, alerts, intake, campaigns)
    finally:
        await reader.close()


async def _read(
    reader: Reader, picture: Picture, news: Callable[[Alert], None], alerts: str, intake: str, campaigns: str
) -> None:
    try:
        slices = await reader.slices(records_max=RECORDS_MAX, wait_ms=READ_MS)
    except Retry:
        await asyncio.sleep(READ_MS / 1000)
        return
    for (topic, partition), records in slices.items():
        for record in records:
            if topic == alerts:
                alert = picture.take_alert(record.value) if record.value else None
                if alert is not None:
                    news(alert)
            elif record.key is not None and topic == intake:
                picture.take_intake(record.key, record.value)
            elif record.key is not None and topic == campaigns:
                picture.take_campaigns(record.key, record.value)
            elif record.key is not None:
                picture.take_correlation(partition, record.key, record.value)
