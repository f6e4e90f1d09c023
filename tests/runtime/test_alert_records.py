"""Alerts from a log and from lines: revisions in any order, whatever lies between them."""

from __future__ import annotations

import orjson
import pytest

from fsoc.errors import RefusedToStart, Retry
from fsoc.runtime.alert_records import Shelf, begins, followed, records_of_lines, records_to_end
from fsoc.runtime.log import TopicSpec, UnknownTopic
from fsoc.runtime.memory_log import MemoryLog
from tests.alerts.conftest import make_alert, make_entry


def wire(name="al-1", revision=1, **changes):
    alert = make_alert([make_entry("fi-001", "T-1"), make_entry("fi-002", "T-2", 5)])
    return orjson.dumps({**alert, "alert_id": name, "revision": revision, **changes})


def shelved(*values, **options):
    shelf = Shelf(**options)
    return shelf, [shelf.take(record) for record in records_of_lines(values, "alerts")]


async def a_log(*values):
    log = MemoryLog(lambda: 0)
    await log.create([TopicSpec("m.alerts", compacted=True)])
    await log.write(("m.alerts", 0, b"key", value) for value in values)
    return log


def test_the_newest_revision_counts_whenever_it_comes():
    shelf, news = shelved(wire(revision=2), wire(revision=1), wire(revision=3), wire(revision=3), wire("al-2"))

    assert news == [True, False, True, False, True]
    assert {name: record.alert.revision for name, record in shelf.newest.items()} == {"al-1": 3, "al-2": 1}


def test_with_history_every_revision_is_kept_in_order():
    values = [wire(revision=2), wire(revision=1), wire(revision=3)]

    assert [each.alert.revision for each in shelved(*values, with_history=True)[0].revisions("al-1")] == [1, 2, 3]
    assert [each.alert.revision for each in shelved(*values)[0].revisions("al-1")] == [3]
    assert shelved(*values)[0].revisions("al-2") == []


def test_a_shelf_keeps_what_is_wanted_and_as_many_as_fit():
    shelf, _ = shelved(wire("al-1"), wire("al-2"), wire("al-3"), wire("al-1", 2), alerts_max=2)
    wanted, _ = shelved(wire("al-1a"), wire("al-1b"), wire("al-2"), wanted=begins("1"))

    assert (list(shelf.newest), shelf.let_go_total) == (["al-3", "al-1"], 2)
    assert (list(wanted.newest), wanted.read_total) == (["al-1a", "al-1b"], 3)


def test_lines_may_be_empty_or_what_the_demo_writes():
    lines = [
        b"\n",
        wire("al-1"),
        b' {"type": "alert", "alert": ' + wire("al-2") + b"}\n",
        b'{"type": "score", "seed": 1}\n',
    ]

    assert [record.alert.alert_id for record in records_of_lines(lines, "-")] == ["al-1", "al-2"]
    assert [record.value for record in records_of_lines(lines, "-")] == [wire("al-1"), wire("al-2")]


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"type": "alert"}', b'{"type": 5}', b"{}", b"x" * 2_000_001])
def test_a_line_that_is_no_alert_is_refused_with_its_number(line):
    with pytest.raises(RefusedToStart) as refusal:
        list(records_of_lines([wire(), line], "day.ndjson"))

    assert refusal.value.problems[0].where == "day.ndjson:2"


async def test_a_topic_is_read_to_its_end_and_what_is_no_alert_is_told_of():
    log, told = await a_log(wire(), b"nonsense", None, wire(revision=2)), []
    read = [record.alert.revision async for record in records_to_end(log, "m.", told.append)]

    assert read == [1, 2]
    assert [text.partition(": no alert")[0] for text in told] == ["m.alerts, partition 0, offset 1"]
    with pytest.raises(UnknownTopic):
        _ = [record async for record in records_to_end(log, "n.", told.append)]


async def test_following_goes_on_with_what_comes_and_after_the_log_was_away():
    log, lost = await a_log(wire()), []
    opened = log.reader

    async def reader(starts):
        reading = await opened(starts)
        slices, failing = reading.slices, [True]

        async def sometimes(**options):
            if failing.pop() if failing else False:
                raise Retry("away")
            return await slices(**options)

        reading.slices = sometimes
        return reading

    log.reader = reader
    seen = []
    async for records in followed(log, "m.", lost.append, lost.append):
        seen += [record.alert.revision for record in records]
        if seen == [1]:
            await log.write([("m.alerts", 0, b"key", wire(revision=2))])
        if seen == [1, 2]:
            break

    assert lost == ["away"]
