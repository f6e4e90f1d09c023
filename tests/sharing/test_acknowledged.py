"""Of an institution's answers to an alert the newest stands; what says less, or is none, changes nothing."""

from __future__ import annotations

import orjson
import pytest

from fsoc.cli.acknowledged_shown import exported, table
from fsoc.feeds.answers import TOPIC
from fsoc.runtime.acknowledgements import Answers, read_acknowledged
from fsoc.runtime.log import TopicSpec
from fsoc.runtime.memory_log import MemoryLog
from fsoc.sharing.acknowledged import Acknowledged
from fsoc.tickets.times import milliseconds


def record(minute, answer="seen", institution="fi-001", ticket_id="a-1", revision=1, alert_id="al-1", **changes):
    said = {
        "schema": "fsoc.acknowledgement/1",
        "alert_id": alert_id,
        "institution": institution,
        "environment": "production",
        "ticket_id": ticket_id,
        "revision": revision,
        "answer": answer,
        "received_at": f"2026-03-02T08:{minute:02}:00.000Z",
        "first_received_at": f"2026-03-02T08:{minute:02}:00.000Z",
    }
    return orjson.dumps(said | changes)


def acknowledged(*records):
    found = Acknowledged()
    for one in records:
        found.take(one)
    return found


def standing(found, alert_id="al-1"):
    return [(one.institution, one.answer) for one in found.of(alert_id)]


def test_of_several_messages_of_an_institution_the_one_received_last_stands():
    found = acknowledged(record(9, "affected", ticket_id="a-2"), record(5, "hunting"))

    assert standing(found) == [("fi-001", "affected")]


def test_institutions_are_told_apart_and_so_are_alerts():
    found = acknowledged(record(5), record(4, "hunting", "fi-002"), record(6, alert_id="al-2", institution="fi-003"))

    assert standing(found) == [("fi-002", "hunting"), ("fi-001", "seen")]
    assert standing(found, "al-2") == [("fi-003", "seen")]
    assert standing(found, "al-3") == []


def test_a_record_of_a_lower_revision_changes_nothing():
    found = acknowledged(record(5, None, revision=2), record(4))

    assert standing(found) == []


def test_how_long_it_took_is_told_where_it_is_known_when_the_institution_was_told():
    found = acknowledged(record(5))
    assert found.of("al-1")[0].wire()["seconds_after_feedback"] is None

    found.told("al-1", "fi-001", milliseconds("2026-03-02T08:02:00Z"))
    found.told("al-1", "fi-001", milliseconds("2026-03-02T08:04:00Z"))
    assert found.of("al-1")[0].wire()["seconds_after_feedback"] == 180.0

    found.take(record(9, "affected", revision=2, first_received_at="2026-03-02T08:05:00.000Z"))
    found.take(record(7, "hunting", ticket_id="a-2"))
    assert standing(found) == [("fi-001", "affected")]
    assert found.of("al-1")[0].after_ms == 180_000, "the first answer counts, whatever was answered since"


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b"\xff", record(5, "maybe"), record(5, received_at="yesterday"), record(5, schema="fsoc.other/1")],
)
def test_what_is_no_acknowledgement_is_counted_and_passed_over(value):
    found = acknowledged(value, record(6))

    assert found.unreadable_total == 1
    assert standing(found) == [("fi-001", "seen")]


def test_they_are_exported_as_csv_json_and_ndjson_and_shown_in_both_languages():
    found = acknowledged(record(5, "not_affected", ticket_id="=1+1"))
    rows = [("al-1", one) for one in found.of("al-1")]

    csv = exported(rows, "csv", bom=True).decode()
    assert csv.startswith(
        "\ufeffalert_id,institution,answer,received_at,first_received_at,seconds_after_feedback,ticket_id\r\n"
    )
    assert "al-1,fi-001,not_affected,2026-03-02T08:05:00.000Z,2026-03-02T08:05:00.000Z,,'=1+1" in csv
    assert orjson.loads(exported(rows, "json", bom=False)) == [orjson.loads(exported(rows, "ndjson", bom=False))]
    for language, word in (("en", "not affected"), ("zh-TW", "未受影響")):
        cells = [str(cell) for column in table(found.of("al-1"), language).columns for cell in column.cells]
        assert word in cells


async def test_they_are_read_from_the_log_and_followed():
    log = MemoryLog(lambda: 0)
    assert (await read_acknowledged(log, "t.")).of("al-1") == []
    await (await Answers.follow(log, "t.")).hear()

    await log.create([TopicSpec(f"t.{TOPIC}", compacted=True)])
    answers = await Answers.follow(log, "t.")
    await log.write([(f"t.{TOPIC}", 0, b"k", record(5))])
    await answers.hear()

    assert standing(await read_acknowledged(log, "t.")) == standing(answers.acknowledged) == [("fi-001", "seen")]
    assert (await read_acknowledged(log, "t.")).of("al-1")[0].after_ms is None
    await log.create([TopicSpec("t.audit")])
    told = [
        {"what": "told", "at": "2026-03-02T08:01:00Z", "alert_id": "al-1", "told": {"fi-001": {}, "fi-002": {}}},
        {"what": "told", "at": "2026-03-02T08:03:00Z", "alert_id": "al-1", "told": {"fi-001": {}}},
        {"what": "held", "at": "2026-03-02T07:00:00Z", "alert_id": "al-1"},
    ]
    await log.write([("t.audit", 0, None, value) for value in (*map(orjson.dumps, told), b"not of the audit")])
    assert (await read_acknowledged(log, "t.")).of("al-1")[0].after_ms == 240_000
    await answers.close()
