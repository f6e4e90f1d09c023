"""Ticket files: one a line, or one JSON text; each fault in its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime import ticket_files
from fsoc.runtime.ticket_files import faults_of
from fsoc.tickets.sample import source_status, ticket


def places(*paths: Path) -> list[list[str]]:
    """For each ticket, line and pointer of each fault."""
    return [[f"{p.where.rpartition(':')[2]} {p.text.partition(':')[0]}" for p in found] for found in faults_of(paths)]


def written(tmp_path: Path, text: str, name: str = "t.json") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_one_ticket_a_line(tmp_path):
    lines = [json.dumps(ticket()), "", json.dumps(ticket(severity=9)), json.dumps(source_status())]
    assert places(written(tmp_path, "\n".join(lines))) == [[], ["3 field.out-of-range at /severity"], []]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_tickets(tmp_path, indent):
    text = json.dumps([ticket(), ticket(severity=9), ticket()], indent=indent)
    line = 1 + text[: text.index('"severity": 9')].count("\n") if indent else 1
    [first, [fault], last] = places(written(tmp_path, text + "\n"))
    assert (first, last) == ([], [])
    assert fault.endswith("/severity")
    assert int(fault.split()[0]) <= line


def test_one_ticket_over_several_lines(tmp_path):
    assert places(written(tmp_path, "\n" + json.dumps(ticket(), indent=1))) == [[]]
    [[fault]] = places(written(tmp_path, json.dumps(ticket(severity=9), indent=1)))
    assert fault.endswith("/severity")


def test_what_decoding_would_hide_is_found_in_a_list_too(tmp_path):
    text = json.dumps([ticket()], indent=1).replace('"severity": 4', '"severity": 4, "severity": 5')
    [[fault]] = places(written(tmp_path, text))
    assert "duplicate" in fault


@pytest.mark.parametrize(
    "text",
    ["[{", "{\n", "[1, ", "[1 2]", "[" * 100_000, "[\n{}, {},\n", '{\n"institution": "fi-001",\n', "[", "\n[ ]x"],
)
def test_a_text_that_cannot_be_taken_apart_never_ends_in_a_traceback(tmp_path, text):
    found = list(faults_of([written(tmp_path, text)]))
    assert all(problem.where.startswith(f"{tmp_path}/t.json:") for problems in found for problem in problems)
    assert text == "\n[ ]x" or any(found)


def test_a_sender_nobody_can_read_is_a_fault_and_not_an_end(tmp_path):
    lines = [json.dumps(ticket(institution=...)), json.dumps(ticket(institution=5)), '"text"', "\ud7ff"]
    assert all(found for found in faults_of([written(tmp_path, "\n".join(lines))]))


def test_folders_are_searched_and_what_is_missing_is_told_at_once(tmp_path):
    (tmp_path / "deep").mkdir()
    written(tmp_path, json.dumps(ticket()), "deep/a.ndjson")
    written(tmp_path, json.dumps(ticket(severity=9)), "deep/b.jsonl")
    written(tmp_path, "no ticket", "deep/c.txt")
    assert [len(found) for found in faults_of([tmp_path])] == [0, 1]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedToStart) as refusal:
        list(faults_of([tmp_path / "empty", tmp_path / "nowhere", tmp_path]))
    assert [problem.text for problem in refusal.value.problems] == ["holds no ticket file", "no such file or folder"]


def test_one_json_text_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(ticket_files, "WHOLE_BYTES_MAX", 10)
    with pytest.raises(RefusedToStart, match="limit 10 — write one ticket a line"):
        list(faults_of([written(tmp_path, "[" + json.dumps(ticket()) + "]")]))
    assert places(written(tmp_path, json.dumps(ticket()))) == [[]]
