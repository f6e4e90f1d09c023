"""`fsoc detect` as a process among others: pipes that are slow, pipes that end, a terminal that watches."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

FSOC = Path(sys.executable).with_name("fsoc")
WAIT_SECONDS = 60
RULE = """\
title: One
id: one
logsource: {category: test}
detection:
    selection: {a: 1}
    condition: selection
"""
HIT = b'{"logsource": {"category": "test"}, "a": 1}\n'
MISS = HIT.replace(b"1", b"2")


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    (path := tmp_path / "rule.yml").write_text(RULE)
    return path


def started(*args: object, **pipes: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([FSOC, "detect", *map(str, args)], **pipes)


def there(stream: int) -> bytes:
    """What comes next; fails where nothing comes."""
    assert select.select([stream], [], [], WAIT_SECONDS)[0], "nothing came"
    return os.read(stream, 65_536)


def test_what_is_in_the_pipe_is_matched_before_more_is_waited_for(rule):
    with started("--rules", rule, "--events", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(HIT + HIT[:10])
        process.stdin.flush()
        assert there(process.stdout.fileno()) == b'{"event":0,"rules":["one"]}\n'
        process.stdin.write(HIT[10:])
        process.stdin.flush()
        assert there(process.stdout.fileno()) == b'{"event":1,"rules":["one"]}\n'
        process.stdin.close()
        assert process.wait(WAIT_SECONDS) == 0


def test_a_named_pipe_is_live_too(rule, tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    with started("--rules", rule, "--events", pipe, stdout=subprocess.PIPE) as process:
        with pipe.open("wb", buffering=0) as events:
            events.write(MISS + HIT)
            assert there(process.stdout.fileno()) == b'{"event":1,"rules":["one"]}\n'
        assert process.wait(WAIT_SECONDS) == 0


def test_a_reader_that_leaves_ends_it_quietly(rule, tmp_path):
    (events := tmp_path / "events.ndjson").write_bytes(HIT * 100_000)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started("--rules", rule, "--events", events, **pipes) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(WAIT_SECONDS) == 141


def test_a_terminal_is_shown_how_far_it_is(rule, tmp_path):
    (events := tmp_path / "events.ndjson").write_bytes((HIT + MISS) * 10_000)
    ours, theirs = pty.openpty()
    with started("--rules", rule, "--events", events, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        told = b""
        while True:
            try:
                told += there(ours)
            except OSError:  # Linux's end of a terminal
                break
        assert process.wait(WAIT_SECONDS) == 0
    os.close(ours)
    drawn = [line.strip() for line in re.split(rb"\r\x1b\[K", told) if line.strip()]
    assert re.fullmatch(rb"[\d,]+ events, [\d,]+ matched, [\d,]+ events/s, \d+%", drawn[0])
    assert re.fullmatch(rb"20,000 events, 10,000 matched in [\d.]+ s, [\d,]+ events/s", drawn[-1])


def test_counts_are_one_json_object_where_asked_for(rule, tmp_path):
    (tmp_path / "bad.yml").write_text(RULE.replace("a: 1", "a|foo: 1").replace("one", "bad"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started("--rules", tmp_path, "--events", "-", "--engine", "plain", "--json", **pipes) as process:
        out, told = process.communicate(HIT + MISS + b"{}\n", WAIT_SECONDS)
    assert out == b'{"event":0,"rules":["one"]}\n'
    assert json.loads(told) | {"seconds": 0} == {
        "events": 3,
        "matched": 1,
        "untried": 1,
        "unreadable": 0,
        "refused": 1,
        "engine": "plain",
        "seconds": 0,
    }
