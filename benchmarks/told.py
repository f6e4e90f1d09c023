"""How long after an alert's first revision institutions are told of it. Reads, afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from benchmarks import timing
from fsoc.runtime.log import Log, read_to_end

P99_MS_MAX: Final = 2_000.0


@dataclass(slots=True)
class Told:
    """waits_ms: from the broker's stamp of the alert to its stamp of the first record that tells an institution of it.

    missing: alerts that nobody was told of.
    """

    waits_ms: list[int] = field(default_factory=list)
    missing: int = 0


async def of_alerts(log: Log, prefix: str, institutions: Iterable[str], alerts: Mapping[str, int]) -> Told:
    """alerts: id → the broker's stamp of its first revision."""
    found = Told()
    told: set[str] = set()
    for institution in institutions:
        known: set[str] = set()
        async for records in read_to_end(log, f"{prefix}feedback.{institution}", 0):
            for record in records:
                alert = orjson.loads(record.value or b"{}").get("alert_id")
                if alert in alerts and alert not in known:
                    known.add(alert)
                    found.waits_ms.append(record.timestamp_ms - alerts[alert])
        told |= known
    found.missing = len(alerts.keys() - told)
    return found


def in_time(found: Told) -> bool:
    """Whether every alert was told, and 99 of 100 records were there within P99_MS_MAX."""
    ranks = timing.ranks(found.waits_ms)
    return not found.missing and (ranks is None or ranks["p99"] <= P99_MS_MAX)
