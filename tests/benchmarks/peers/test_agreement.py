"""Matches that one side alone finds are counted by reason. The peer is a script that prints what it is told to."""

from __future__ import annotations

import sys

import orjson
import pytest

from benchmarks import corpus
from benchmarks.peers import agreement as of_peers
from fsoc.detection import PlainDetector

RULES = """
title: Image
id: image
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\a.exe'}
  condition: selection
---
title: Word
id: word
logsource: {product: cisco, service: aaa}
detection:
  keywords: [aaa]
  condition: keywords
"""
CREATED = {"product": "windows", "category": "process_creation", "service": "security"}
EVENTS = (
    {"logsource": CREATED, "EventID": 1, "Image": r"C:\a.exe"},
    {"logsource": CREATED, "EventID": 4688, "NewProcessName": r"C:\a.exe"},
    {"logsource": {"product": "cisco", "service": "aaa"}, "message": "show"},
)


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """What agreement() says where the peer finds these (event, rule) pairs."""
    path = tmp_path / "rules.yml"
    path.write_text(RULES, encoding="utf-8")
    loaded, logsources = corpus.load([path])
    program = tmp_path / f"rsigma-{of_peers.RSIGMA}" / "bin" / "rsigma"
    program.parent.mkdir(parents=True)
    monkeypatch.setattr(of_peers, "CACHE", tmp_path)
    file = tmp_path / "events.ndjson"

    def compare(*pairs):
        printed = [orjson.dumps({"rule_id": rule, "event": EVENTS[place]}).decode() for place, rule in pairs]
        program.write_text(f"#!{sys.executable}\nprint({chr(10).join(printed)!r})\n", encoding="utf-8")
        program.chmod(0o755)
        lines = [orjson.dumps(event) for event in EVENTS]
        detector = PlainDetector(loaded.rules, logsources)
        return of_peers.agreement(loaded.rules, tmp_path, detector, lines, file)

    return compare


def test_where_both_find_the_same_nothing_is_told(compared):
    told = compared((0, "image"), (1, "image"))

    assert (told["ours"], told["theirs"]) == (2, 2)
    assert told["only_ours"] == told["only_theirs"] == {}


def test_a_match_under_other_names_is_told_as_that(compared):
    assert compared((0, "image"))["only_ours"] == {of_peers._RENAMED: 1}


def test_a_keyword_in_what_states_the_logsource_is_told_as_that(compared):
    told = compared((0, "image"), (1, "image"), (2, "word"))

    assert told["only_theirs"] == {of_peers._STATED: 1}
    assert told["other"] == []


def test_a_difference_without_a_known_reason_names_the_rule(compared):
    told = compared((1, "image"))

    assert told["only_ours"] == {of_peers._OTHER: 1}
    assert told["other"] == ["image"]
