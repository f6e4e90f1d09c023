"""The audit: whatever is done to it is found."""

from __future__ import annotations

import os
from random import Random

import orjson
import pytest

from fsoc.sharing.chain import BEGIN, FIRST, Head, link, verified

EDITS = 1_000 if os.environ.get("FSOC_SOAK") != "1" else 20_000


def chain(count):
    """So many records, and the head."""
    head, lines = FIRST, []
    for number in range(count):
        head, line = link(
            head, {"what": "told", "at": f"2026-03-02T12:00:{number % 60:02d}.000Z", "told": {"a": number}}
        )
        lines.append(line)
    return lines, head


LINES, HEAD = chain(60)


def test_a_chain_as_it_was_written_is_whole():
    found = verified(LINES, HEAD)

    assert (found.faults, found.head, found.repeated) == ([], HEAD, 0)
    assert orjson.loads(LINES[0])["previous"] == BEGIN
    assert verified([]).head == FIRST


def test_what_a_crash_wrote_twice_is_no_fault():
    twice = [*LINES[:10], *LINES[7:10], *LINES[8:], *LINES[-2:]]

    assert (verified(twice, HEAD).faults, verified(twice).repeated) == ([], 7)


def test_a_head_that_was_kept_is_in_the_log_that_has_grown_since():
    _, kept = chain(40)

    assert verified(LINES, kept).faults == []
    assert verified(LINES, FIRST).faults == []


def test_an_end_that_is_cut_off_is_found_by_the_head_alone():
    """Nothing in the log itself says that there was more."""
    assert verified(LINES[:-1]).faults == []
    assert "cut off" in verified(LINES[:-1], HEAD).faults[0].text
    assert "cut off" in verified([], HEAD).faults[0].text


def test_a_log_that_was_written_anew_is_found_by_the_head():
    head, lines = FIRST, []
    for line in LINES:
        said = {name: value for name, value in orjson.loads(line).items() if name not in {"seq", "previous", "hash"}}
        head, anew = link(head, {**said, "told": {"b": 1}})
        lines.append(anew)

    assert verified(lines).faults == []
    assert "written anew" in verified(lines, HEAD).faults[0].text


def test_where_it_is_broken_is_said_by_line():
    edited = [*LINES]
    edited[4] = edited[4].replace(b'"a":4', b'"a":5')
    found = verified(edited, HEAD)

    assert [(fault.line, "was changed" in fault.text) for fault in found.faults] == [(5, True), (6, False)]
    assert "missing" in verified([*LINES[:4], *LINES[5:]], HEAD).faults[0].text


@pytest.mark.parametrize("text", ["", "7", "7:", "x:" + "0" * 64, "-1:" + "0" * 64, "7:" + "g" * 64, "٣:" + "0" * 64])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(ValueError, match="is no head"):
        Head.parse(text)


def test_a_head_is_read_as_it_was_exported():
    assert Head.parse(f" {HEAD.text()}\n") == HEAD


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b'{"schema":"fsoc.audit/1","seq":true}',
        b'{"schema":"fsoc.audit/1","seq":0}',
        b'{"schema":"fsoc.audit/1","seq":1}',
        b'{"a":' * 300 + b"1" + b"}" * 300,
        LINES[0] + b" ",
    ],
)
def test_what_is_no_record_is_a_fault_and_no_crash(line):
    assert verified([line, *LINES], HEAD).faults[0].line == 1


def test_every_random_edit_deletion_swap_and_truncation_is_found():
    random = Random(20_260_302)
    missed = [
        (kind, number)
        for number in range(EDITS)
        if (kind := tampered(random, lines := list(LINES))) and not verified(lines, HEAD).faults
    ]

    assert missed == []


def tampered(random, lines):
    """Do one thing to a log, which is another afterwards; return what."""
    before = list(lines)
    while lines == before:
        kind = random.choice(["edit", "rehashed edit", "delete", "swap", "truncate", "replace"])
        at = random.randrange(len(lines))
        if kind == "edit":
            line = bytearray(lines[at])
            line[random.randrange(len(line))] = random.randrange(256)
            lines[at] = bytes(line)
        elif kind == "rehashed edit":  # by somebody who knows how hashes are made, but not how to mend all after it
            said = orjson.loads(lines[at])
            before_it = Head(said["seq"] - 1, said["previous"])
            kept = {name: value for name, value in said.items() if name not in {"seq", "previous", "hash"}}
            _, lines[at] = link(before_it, {**kept, "told": {"a": random.random()}})
        elif kind == "delete":
            del lines[at : at + random.randint(1, 5)]
        elif kind == "swap":
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "truncate":
            del lines[at:]
        else:
            lines[at] = lines[random.randrange(len(lines))]
    return kind
