"""What the state says is shown as it is, and compared with the rules on disk."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from fsoc.errors import RefusedToStart


async def test_every_institution_and_partition_is_shown_as_its_header_says(worked):
    report = await worked.show()

    assert [each.institution for each in report.institutions] == sorted(worked.registry.institutions)
    records = await worked.records("intake.state")
    for each in report.institutions:
        header = next(
            orjson.loads(value) for (_, key), value in records.items() if key == each.institution.encode() + b"/header"
        )
        assert (each.received, each.used, each.duplicate) == (header["received"], header["used"], header["duplicate"])
        assert (each.offset, each.live, each.waiting, each.ended) == (header["offset"], header["live"], 0, False)
        assert each.watermark.endswith("Z")
    assert [each.partition for each in report.partitions] == [0, 1, 2, 3]
    state = await worked.records("correlation.state")
    for each in report.partitions:
        header = orjson.loads(state[each.partition, b"header"])
        assert each.entries + each.withdrawals == header["entries"]
        assert each.alerts["open"] == header["alerts_open"]
        assert sum(each.alerts.values()) == header["raised_total"] == each.alerts_raised
        assert sum(rule.entries for rule in each.held) == each.entries
        assert sum(rule.groups for rule in each.held) == each.groups
        assert {rule.definition for rule in each.held} == {"unchanged"}
    assert not report.unreadable


async def test_sequence_numbers_that_have_not_come_are_counted(worked):
    records = await worked.records("intake.state")
    partition, key = min(name for name in records if name[1].endswith(b"/header"))
    feeds = orjson.loads(records[partition, key])["feeds"]
    feed = next(iter(feeds))
    for epoch in feeds[feed].values():
        epoch["missing"] = [[3, 5], [8, 8]]
    await worked.change("intake.state", partition, key, feeds={feed: feeds[feed]})

    report = await worked.show([key.partition(b"/")[0].decode()], [])
    assert [each.missing for each in report.institutions] == [4 * len(feeds[feed])]
    assert not report.partitions


async def test_what_waits_to_be_worked_is_counted(stand):
    await stand.send(stand.exercise.deliveries)
    worker = stand.worker()
    await worker.intake.step(wait_ms=0, records_max=10)

    report = await stand.show()
    waiting = sum(each.waiting for each in report.institutions)
    sent = sum(1 for each in stand.exercise.deliveries if each.institution == report.institutions[0].institution)
    assert (len(report.institutions), waiting) == (1, sent - 10)
    assert sum(each.waiting for each in report.partitions) > 0


async def test_definitions_are_compared_with_the_rules_on_disk(worked):
    """One is tightened, one groups by another field, one is gone, one cannot be read."""
    held = {rule.rule: each.partition for each in (await worked.show()).partitions for rule in each.held}
    tightened, regrouped, gone, garbled = sorted(held)[:4]
    current = dict(worked.rules.correlations)
    current[tightened] = replace(current[tightened], level="informational")
    current[regrouped] = replace(current[regrouped], group_by=("other",))
    del current[gone]
    worked.rules = replace(worked.rules, correlations=current)
    await worked.write("correlation.state", held[garbled], b"definition/" + garbled.encode(), b"garbage")

    report = await worked.show()
    shown = {
        rule.rule: rule.definition
        for each in report.partitions
        for rule in each.held
        if each.partition == held[rule.rule]
    }
    assert [shown[name] for name in (tightened, regrouped, gone, garbled)] == [
        "changed",
        "regrouped",
        "removed",
        "unknown",
    ]
    assert len(report.unreadable) == 1


async def test_an_institution_of_which_there_is_nothing_is_refused_by_name(worked):
    with pytest.raises(RefusedToStart, match="fi-999: intake has no state of this institution"):
        await worked.show(["fi-001", "fi-999"])
