"""`fsoc sample`: what it prints is taken by `fsoc check tickets`, and who is no institution gets none."""

from __future__ import annotations

import json

from tests.command_line import command_line


def test_ten_tickets_are_printed_unless_told_otherwise_and_all_are_sound(monkeypatch, capsys, tmp_path):
    fsoc = command_line(monkeypatch, capsys)

    ten, three = fsoc("sample", "fi-009"), fsoc("sample", "fi-009", "--count", "2", "--heartbeat", "--feed", "edr")

    assert (ten.returncode, ten.stderr, len(ten.stdout.splitlines())) == (0, "", 10)
    told = [json.loads(line) for line in three.stdout.splitlines()]
    assert [(one["kind"], one["feed"]) for one in told] == [("ticket", "edr")] * 2 + [("source_status", "edr")]
    (tmp_path / "tickets.ndjson").write_text(ten.stdout + three.stdout)
    assert fsoc("check", "tickets", tmp_path / "tickets.ndjson").returncode == 0


def test_who_can_be_no_institution_is_told_so(monkeypatch, capsys):
    told = command_line(monkeypatch, capsys)("sample", "First Bank")

    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == 'fsoc: INSTITUTION: "First Bank" is no institution: 2 to 32 of a–z, 0–9 and -\n'
