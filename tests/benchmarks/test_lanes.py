"""Lanes are the same everywhere, have the shape they claim, and state their logsource whole."""

from __future__ import annotations

import orjson
import pytest

from benchmarks import corpus
from benchmarks.lanes import LANES, Feed
from fsoc.detection import PlainDetector

RULES = """
title: Encoded command
id: encoded
logsource: {product: windows, category: process_creation}
detection:
  selection: {CommandLine|contains: ' -enc ', Image|endswith: '\\powershell.exe'}
  condition: selection
---
title: Shutdown
id: shutdown
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: StopLogging, requestParameters.name|startswith: trail}
  condition: selection
---
title: Word in a log
id: word
logsource: {product: python, category: application}
detection:
  keywords: [DataError]
  condition: keywords
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "three.yml"
    path.write_text(RULES, encoding="utf-8")
    loaded, logsources = corpus.load([path])
    assert len(loaded.rules) == 3
    return loaded.rules, logsources


def taken(name, rules, count=400, **given):
    return Feed(LANES[name], rules[0], **given).take(count)


@pytest.mark.parametrize("name", LANES)
def test_the_same_seed_gives_the_same_events_and_another_seed_others(name, rules):
    assert taken(name, rules, 50) == taken(name, rules, 50)
    assert taken(name, rules, 50) != taken(name, rules, 50, seed=8)


@pytest.mark.parametrize("name", LANES)
def test_every_event_states_all_three_attributes_of_its_logsource(name, rules):
    stated = [orjson.loads(line)["logsource"] for line in taken(name, rules)]

    assert {tuple(sorted(each)) for each in stated} == {("category", "product", "service")}


def test_a_feed_goes_on_where_it_was():
    feed = Feed(LANES["process"], ())

    assert feed.take(20) + feed.take(20) == Feed(LANES["process"], ()).take(40)


@pytest.mark.parametrize(("novelty", "least", "most"), [(0.0, 0.0, 0.0), (0.5, 0.4, 0.6), (1.0, 1.0, 1.0)])
def test_so_many_events_as_asked_bring_text_that_occurs_nowhere_else(novelty, least, most, rules):
    known = {orjson.loads(line).get("CommandLine") for line in taken("process", rules, 40_000, novelty=0.0)}
    lines = taken("process", rules, 2_000, novelty=novelty)
    new = sum(orjson.loads(line)["CommandLine"] not in known for line in lines) / len(lines)

    # Shapes that 40,000 events did not show are known to a longer stream; they are few.
    assert least <= new <= most + 0.02


def test_novel_values_leave_what_tells_the_logsource_as_it_was(rules):
    for line in taken("process", rules, novelty=1.0):
        event = orjson.loads(line)
        assert (event["Channel"], event["EventID"]) in {
            ("Microsoft-Windows-Sysmon/Operational", 1),
            ("Security", 4688),
        }


@pytest.mark.parametrize("name", ["attack", "novel"])
def test_events_made_of_rules_match_them_as_often_as_said(name, rules):
    found = PlainDetector(*rules).match_lines(taken(name, rules))

    assert {rule for _, ids in found.matched for rule in ids} == {"encoded", "shutdown", "word"}
    assert len(found.matched) > 390
    assert found.untried == 0


def test_no_text_of_the_novel_lane_that_a_rule_asks_for_comes_twice(rules):
    commands = [
        event["CommandLine"]
        for line in taken("novel", rules)
        if "CommandLine" in (event := orjson.loads(line)) and " -enc " in event["CommandLine"]
    ]

    assert len(commands) > 100
    assert len(set(commands)) == len(commands)


def test_wide_events_have_sixty_to_a_hundred_and_twenty_fields(rules):
    widths = [len(orjson.loads(line)) for line in taken("wide", rules)]

    assert min(widths) >= 60
    assert max(widths) <= 122


@pytest.mark.skipif(not corpus.SIGMAHQ.is_dir(), reason=f"the SigmaHQ rules are not at {corpus.SIGMAHQ}")
def test_the_no_match_lane_is_routed_and_matches_none_of_the_rules_of_sigmahq():
    loaded, logsources = corpus.load([corpus.SIGMAHQ])
    found = PlainDetector(loaded.rules, logsources).match_lines(taken("no-match", (loaded.rules, logsources), 1_000))

    assert found.matched == []
    assert found.untried == 0
