"""Recorded events in the forms that tools write, and what is expected of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsoc.baseline.assess.forms import recorded
from fsoc.baseline.assess.recording import read_expected
from fsoc.errors import RefusedToStart
from fsoc.runtime.baseline.assessing import assess, read_recording

REGRESSION = Path(__file__).parents[4] / "shared" / "data" / "regression"
AT_MS = 1_781_488_800_000

COMMAND = "reg save HKLM\\SAM C:\\s.hiv"
REG = "C:\\Windows\\System32\\reg.exe"
FLAT = {
    "Provider_Name": "Microsoft-Windows-Sysmon",
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Image": REG,
    "CommandLine": COMMAND,
    "TimeCreated_SystemTime": "2026-06-15T02:00:00.000000Z",
}
WINLOGBEAT = {
    "@timestamp": "2026-06-15T02:00:00.000Z",
    "winlog": {
        "channel": "Microsoft-Windows-Sysmon/Operational",
        "provider_name": "Microsoft-Windows-Sysmon",
        "event_id": "1",
        "computer_name": "SRV-0007",
        "event_data": {"Image": REG, "CommandLine": COMMAND},
    },
}
EVTX = {
    "Event": {
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}},
            "EventID": {"#text": "1"},
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "Computer": "SRV-0007",
            "TimeCreated": {"#attributes": {"SystemTime": "2026-06-15 02:00:00.0000000"}},
        },
        "EventData": {"Image": REG, "CommandLine": COMMAND},
    }
}


@pytest.mark.parametrize("event", [FLAT, WINLOGBEAT, EVTX], ids=["flat", "winlogbeat", "evtx"])
def test_an_event_is_the_same_in_every_form(event, detector, loaded):
    found = recorded(event)

    rule = next(rule.id for rule in loaded.rules.rules if rule.name == "sam_hive_saved")
    assert found.at_ms == AT_MS
    assert found.fields["EventID"] == 1
    assert detector.match_event(found.fields, found.logsource) == [rule]


def test_nested_names_are_dotted_and_a_stated_logsource_is_kept():
    found = recorded({"userIdentity": {"type": "Root"}, "logsource": {"product": "aws"}, "x": [1]})

    assert found.fields == {"userIdentity.type": "Root", "x": [1]}
    assert found.logsource == {"product": "aws"}
    assert found.at_ms is None


def test_a_recording_is_played_and_what_an_item_has_must_become_a_ticket(tmp_path, stage):
    (tmp_path / "night.ndjson").write_text("\n".join(map(json.dumps, [FLAT, WINLOGBEAT, {"a": 1}])))
    (tmp_path / "expected.ndjson").write_text(
        '{"rule": "sam_hive_saved", "events": [0, 1], "at_least": 2}\n{"rule": "sam_hive_saved", "events": [2]}\n'
    )

    script = read_recording(tmp_path / "night.ndjson", tmp_path / "expected.ndjson", stage)
    found, not_found = assess([script], stage, "fi-001")

    assert found.score == 1
    assert found.ticketed.asked
    assert found.technique == "T1003.002"
    assert not_found.score == 0
    assert not_found.detected.why == "0 of 1 events"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"rule": "a", "events": [9]}', "event 9, and there are 3, from 0"),
        (b'{"rule": "a", "events": []}', "length >= 1"),
        (b'{"rule": "a"}', "missing required field `events`"),
        (b"nonsense", "malformed"),
    ],
)
def test_what_is_expected_must_be_there(line, told):
    with pytest.raises(RefusedToStart) as refused:
        read_expected([line], "expected.ndjson", 3)

    assert told in str(refused.value)
    assert refused.value.problems[0].where == "expected.ndjson:1"


def test_nothing_expected_is_nothing_assessed():
    with pytest.raises(RefusedToStart, match="expected 1 to"):
        read_expected([b"", b" "], "expected.ndjson", 3)


def test_what_is_no_json_is_told_with_its_line(tmp_path, stage):
    (tmp_path / "a.ndjson").write_text('{"a": 1}\nnot\n')
    (tmp_path / "e.ndjson").write_text('{"rule": "a", "events": [0]}\n')

    with pytest.raises(RefusedToStart, match=r"a\.ndjson:2: not JSON"):
        read_recording(tmp_path / "a.ndjson", tmp_path / "e.ndjson", stage)


@pytest.mark.skipif(not REGRESSION.is_dir(), reason=f"the recorded events are not at {REGRESSION}")
def test_the_recorded_events_are_found_by_the_rules_they_must_trigger(loaded, stage):
    """SigmaHQ's own events and rules: what is expected of them is detected; none of those rules is of the baseline."""
    from dataclasses import replace

    from fsoc.detection import load_rules
    from fsoc.detection.engine import make_detector
    from fsoc.runtime.content import read_sources

    wanted = {json.loads(line)["rule"] for line in (REGRESSION / "expected.ndjson").read_text().splitlines()}
    sources = [
        source
        for source in read_sources([REGRESSION.parent / "sigmahq-rules"])
        if any(f"id: {rule}" in source.text for rule in wanted)
    ]
    rules = load_rules(sources).rules
    other = replace(
        stage, detector=make_detector(rules, loaded.logsources), detections={rule.id: rule.id for rule in rules}
    )

    judged = assess(
        [read_recording(REGRESSION / "events.ndjson", REGRESSION / "expected.ndjson", other)], other, "fi-001"
    )

    assert len(judged) == len(wanted)
    assert [one.rule for one in judged if not one.detected.reached] == []
