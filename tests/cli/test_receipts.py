"""`fsoc receipts` as an institution's engineer calls it: on the log, and on what `fsoc replay` wrote."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import orjson
import pytest

from fsoc.runtime import receipts as reading
from tests.command_line import command_line
from tests.feed_sector import PREFIX, FeedSector, command_line_on, payload

RULE = """
title: Everything
id: 00000000-0000-4000-8000-000000000001
logsource: {product: windows, category: process_creation}
detection: {all: {Image|contains: cmd}, condition: all}
"""


@pytest.fixture
def sector():
    return FeedSector()


@pytest.fixture
def run(monkeypatch, capsys, sector):
    fsoc = command_line_on(monkeypatch, capsys, sector)
    return lambda *arguments: fsoc("receipts", *arguments)


@pytest.fixture
def on_log(run):
    return lambda *arguments: run(*arguments, "--brokers", "nobody:1")


def offsets(told):
    return [json.loads(line)["offset"] for line in told.stdout.splitlines()]


@pytest.fixture
def mixed(sector):
    """Accepted, its duplicate, refused twice over, and late."""
    sector.send(
        payload("t-1", seq=1),
        payload("t-1", seq=1),
        payload("t-2", seq=2, severity=9, tw_level=...),
        payload("t-3", seq=3, at="2026-03-02T02:00:00Z"),
    )


def test_every_outcome_is_told_with_field_reason_and_how_to_mend_it(mixed, on_log):
    told = on_log("fi-001")

    assert told.returncode == 1
    assert told.stderr == ""
    words = [line.split() for line in told.stdout.splitlines()]
    assert [line[0] for line in words if line[0] in {"accepted", "duplicate", "quarantined", "late"}] == [
        "accepted",
        "duplicate",
        "quarantined",
        "late",
    ]
    assert "/severity  field.out-of-range  Input should be less than or equal to 5; found 9" in told.stdout
    assert "→ Send a number within the bounds of the schema, in the unit of the field." in told.stdout
    assert "/tw_level  condition.tw-level" in told.stdout
    assert told.stdout.splitlines()[-1] == "1 accepted · 1 duplicate · 1 late · 1 quarantined"


def test_it_is_told_in_traditional_chinese_too(mixed, on_log):
    told = on_log("fi-001", "--lang", "zh-TW", "--outcome", "quarantined")

    assert "數值超出允許範圍。" in told.stdout
    assert "→ 請填寫 schema 範圍內之數值，並確認單位。" in told.stdout
    assert told.stdout.splitlines()[-1] == "1 隔離"


def test_a_hint_on_a_ticket_that_is_used_is_told_as_a_note_and_leaves_the_exit_code_alone(tmp_path, run):
    fault = {"pointer": "/category", "code": "category.technique-unlikely", "reason": "found x", "reason_zh": "不符。"}
    receipt = {"schema": "fsoc.receipt/1", "offset": 7, "outcome": "accepted", "feed": "siem", "seq": 1}
    note = {**fault, "hint": "Look at both.", "hint_zh": "請檢視。"}
    (tmp_path / "receipts.ndjson").write_text(json.dumps({**receipt, "notes": [note]}) + "\n")

    told = run("--from", tmp_path / "receipts.ndjson")
    in_chinese = run("--from", tmp_path / "receipts.ndjson", "--lang", "zh-TW")

    assert told.returncode == 0
    assert "    note  /category  category.technique-unlikely  found x\n      → Look at both." in told.stdout
    assert "    提示  /category  category.technique-unlikely  不符。（found x）\n      → 請檢視。" in in_chinese.stdout


@pytest.mark.parametrize(
    ("options", "found", "code"),
    [
        ((), [0, 1, 2, 3], 1),
        (("--outcome", "accepted"), [0], 0),
        (("--outcome", "duplicate", "--outcome", "late"), [1, 3], 1),
        (("--ticket", "t-1"), [0, 1], 0),
        (("--newest", "2"), [2, 3], 1),
        (("--ticket", "nobody's"), [], 0),
    ],
)
def test_in_a_pipe_there_is_a_line_for_each_that_is_asked_for(mixed, on_log, options, found, code):
    told = on_log("fi-001", "--json", *options)

    assert (offsets(told), told.returncode, told.stderr) == (found, code, "")


def test_each_line_is_the_receipt_as_it_is_on_the_wire(mixed, sector, on_log):
    on_wire = [one for value in sector.values("receipts.fi-001") for one in orjson.loads(value)]

    assert [json.loads(line) for line in on_log("fi-001", "--json").stdout.splitlines()] == on_wire


def test_what_a_restarted_worker_tells_again_is_shown_once(mixed, sector, on_log):
    """As it is after a crash between publishing and committing: the last records come again."""
    (record,) = sector.values("receipts.fi-001")
    asyncio.run(sector.log.write([(f"{PREFIX}receipts.fi-001", 0, None, record)]))
    sector.send(payload("t-9", seq=4))

    assert offsets(on_log("fi-001", "--json")) == [0, 1, 2, 3, 4]


def test_institutions_do_not_mix(mixed, sector, on_log):
    sector.send(payload("t-1", "fi-002"), institution="fi-002")

    assert offsets(on_log("fi-002", "--json")) == [0]
    assert on_log("fi-002").returncode == 0


def test_what_is_missing_is_asked_for_and_closed_when_it_comes(sector, on_log):
    sector.send(payload("t-1", seq=1), payload("t-6", seq=6), payload("t-3", seq=3))
    told = on_log("fi-001")

    assert "    missing, please send again: siem/2026-03-02 2-5" in told.stdout
    assert "    was missing and has come: siem/2026-03-02 3" in told.stdout
    assert "缺漏，請重送: siem/2026-03-02 2-5" in on_log("fi-001", "--lang", "zh-TW").stdout
    missing = on_log("fi-001", "--missing")
    assert (missing.returncode, missing.stdout.splitlines()) == (
        1,
        ["fi-001 siem/2026-03-02 2", "fi-001 siem/2026-03-02 4-5"],
    )
    lines = [json.loads(line) for line in on_log("fi-001", "--missing", "--json").stdout.splitlines()]
    assert lines[1] == {"institution": "fi-001", "feed": "siem", "seq_epoch": "2026-03-02", "first": 4, "last": 5}

    sector.send(*(payload(f"t-{seq}", seq=seq) for seq in (2, 4, 5)))
    assert on_log("fi-001", "--missing") == (0, "nothing is missing\n", "")
    assert on_log("fi-001", "--missing", "--follow").returncode == 2


def test_what_is_on_the_wire_moves_no_terminal(run, tmp_path):
    receipt = {
        "schema": "fsoc.receipt/1",
        "offset": 1,
        "outcome": "quarantined",
        "feed": "\x1b[2J",
        "ticket_id": "\u202et-1",
        "revision": 1,
        "faults": [{"pointer": "/\x1b]0;x\x07", "code": "c\r", "reason": "\x9b1m", "reason_zh": "", "hint": "\x08"}],
    }
    (tmp_path / "r.ndjson").write_bytes(orjson.dumps(receipt))
    told = run("--from", tmp_path / "r.ndjson")

    assert told.returncode == 1
    assert all(line.isprintable() for line in told.stdout.splitlines())
    assert "\\x1b[2J" in told.stdout


def test_what_a_replay_writes_is_read_from_a_file(monkeypatch, capsys, tmp_path):
    fsoc = command_line(monkeypatch, capsys)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yml").write_text(RULE)
    tickets = [payload("t-1"), payload("t-1", "fi-002"), payload("t-2", severity=9)]
    (tmp_path / "t.ndjson").write_bytes(b"\n".join(tickets))
    written = ("--out", tmp_path / "a", "--receipts", tmp_path / "r", "--quarantine", tmp_path / "q")
    assert fsoc("replay", "--tickets", tmp_path / "t.ndjson", "--rules", tmp_path / "rules", *written).returncode == 0

    assert offsets(fsoc("receipts", "--from", tmp_path / "r", "--json")) == [0, 2, 1]
    assert offsets(fsoc("receipts", "fi-002", "--from", tmp_path / "r", "--json")) == [1]
    told = fsoc("quarantine", "list", "--from", tmp_path / "q", "--json")
    assert [json.loads(line)["name"] for line in told.stdout.splitlines()] == ["fi-001/2"]
    crowded = fsoc("replay", "--tickets", tmp_path / "t.ndjson", "--rules", tmp_path / "rules", "--receipts", "-")
    assert crowded.returncode == 2


def test_by_the_settings_of_an_institutions_own_user_they_are_its_own(mixed, on_log, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "fi-001.yml").write_text(
        "kafka_protocol: SASL_SSL\nkafka_username: fi-001\nkafka_password_file: password\n"
    )

    told = on_log("--settings", str(tmp_path / "fi-001.yml"))

    assert told.stdout == on_log("fi-001").stdout != ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fi-001",), "--brokers: is needed"),
        (("--brokers", "nobody:1"), "INSTITUTION: is needed"),
        (("fi-009", "--brokers", "nobody:1"), "fsoc.receipts.fi-009: no such topic"),
        (("--from", "/nowhere/x"), "/nowhere/x: No such file"),
        (("fi-001", "--from", "x", "--follow"), "--follow is for a cluster"),
        (("fi-001", "--brokers", "nobody:1", "--outcome", "used"), "'used' is not one of"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_why(run, arguments, said):
    told = run(*arguments)

    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_line_that_is_no_receipt_is_named(run, tmp_path):
    good = b'{"schema":"fsoc.receipt/1","offset":1,"outcome":"accepted"}'
    (tmp_path / "r.ndjson").write_bytes(good + b"\n\n{}\n")
    told = run("--from", tmp_path / "r.ndjson")

    assert told.returncode == 2
    assert f"{tmp_path / 'r.ndjson'}:3: no receipt" in told.stderr


def test_follow_goes_on_with_what_comes_until_it_is_stopped(mixed, sector, on_log, monkeypatch):
    """A ticket is sent while it waits; then it gets what Ctrl-C sends."""
    monkeypatch.setattr(reading, "WAIT_MS", 1)
    before = reading.followed

    async def followed(*arguments):
        quiet = 0
        async for several in before(*arguments):
            yield several
            quiet += not several
            if not several and quiet == 1:
                value = [{"schema": "fsoc.receipt/1", "offset": 4, "outcome": "accepted", "ticket_id": "t-7"}]
                await sector.log.write([(f"{PREFIX}receipts.fi-001", 0, None, orjson.dumps(value))])
            if quiet == 2:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("fsoc.cli.receipts.followed", followed)
    told = on_log("fi-001", "--follow", "--json")

    assert (offsets(told), told.returncode) == ([0, 1, 2, 3, 4], 0)
