"""Rules that are replaced leave sound state behind, by whichever rules it is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.correlation.conditions import Condition
from fsoc.correlation.feeder import Feeder

RULE = "chains-burst"
MANY = 200


def changed(rules, **fields):
    """The same rules but for one; no fields: without it, and without those that name it."""
    current = dict(rules.correlations)
    if fields:
        current[RULE] = replace(current[RULE], **fields)
    else:
        current = {name: rule for name, rule in current.items() if not name.startswith("chains-")}
    retention_ms = max(rule.retention_ms for rule in current.values())
    version = rules.version._replace(digest="other")
    feeder = Feeder(current.values(), rules.feeder.lists)
    return replace(rules, correlations=current, feeder=feeder, retention_ms=retention_ms, version=version)


CHANGES = {
    "judged otherwise": {"condition": Condition((("gte", 3),))},
    "kept for longer": {"timespan_ms": 4 * 86_400_000},
    "grouped by another field": {"group_by": ("category",)},
    "removed": {},
}


@pytest.mark.parametrize("fields", CHANGES.values(), ids=CHANGES)
async def test_state_is_sound_before_and_after_a_rule_is_replaced_in_the_middle(stand, fields):
    sent = stand.exercise.deliveries
    await stand.send(sent[: len(sent) // 2])
    await stand.worker().run_to_end()
    before, after = stand.rules, changed(stand.rules, **fields)

    stand.log.now_ms += 1  # what is written from here on is newer than what there is
    stand.rules = after
    assert not (await stand.verify()).findings, "not taken up yet"
    await stand.send(sent[len(sent) // 2 :])
    worker = stand.worker()
    moved = True
    while moved:
        moved = await worker.intake.step(wait_ms=0, records_max=MANY)
        moved = await worker.correlate.step(wait_ms=0, records_max=MANY) or moved
        assert not (await stand.verify()).findings

    stand.rules = before
    verdict = await stand.verify()
    assert not verdict.findings, "looked at by the rules of before"
    assert len(verdict.notes) == 1
    assert "(other)" in verdict.notes[0]
