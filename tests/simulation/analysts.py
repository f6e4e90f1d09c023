"""Analysts who look at links now and then, and decide: split, merge, undo."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec
import orjson

from fsoc.campaigns.nodes import group_text
from fsoc.campaigns.records import Decision, decision_key
from fsoc.runtime.memory_log import MemoryLog
from tests.simulation.worker import PREFIX

TOPIC = f"{PREFIX}links"
SECONDS_MAX = 12 * 3_600


async def decide(log: MemoryLog, lot: Random) -> None:
    """A few decisions, on whatever there is when they are made; mostly there is little to decide."""
    made: list[str] = []
    for number in range(lot.choice((0, 0, 2, 4))):
        await asyncio.sleep(lot.randrange(SECONDS_MAX))
        records = log._topics[TOPIC][0].records
        told = [orjson.loads(record.value or b"") for record in records if b"/" not in (record.key or b"/")]
        if not told:
            continue
        decision = _decision(lot, f"d-{number}", told, made)
        made.append(decision.decision_id)
        value = msgspec.json.encode(decision)
        await log.append(TOPIC, 0, decision_key(decision.decision_id), value)
        if lot.random() < 0.2:  # it was not answered, and is sent again
            await log.append(TOPIC, 0, decision_key(decision.decision_id), value)


def _decision(lot: Random, name: str, told: list[dict[str, Any]], made: list[str]) -> Decision:
    op = lot.choice(("split", "merge", "undo") if made else ("split", "merge"))
    named = sorted({one["id"]: one for one in lot.choices(told, k=1 if op == "split" else 3)}.items())
    links = [one for _, one in named if one["what"] == "link"]
    return Decision(
        decision_id=name,
        op=op,
        by="an analyst",
        reason="looked at by eye",
        decided_at="2026-03-02T00:00:00.000Z",
        environment=named[0][1]["environment"],
        named=() if op == "undo" else tuple(one for one, _ in named),
        values=tuple((one["rule_id"], group_text(one["group"])) for one in links) if op == "split" else (),
        undoes=lot.choice(made) if op == "undo" else None,
    )
