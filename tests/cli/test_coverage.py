"""`fsoc coverage` as an operator calls it: of files and of a log."""

from __future__ import annotations

import csv
import io
import json

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fsoc.cli import coverage as coverage_cli
from fsoc.runtime.coverage import norm_of
from tests.command_line import command_line
from tests.feed_sector import NOON, NOON_MS, FeedSector, command_line_on, heartbeat, payload

REGISTRY = """
institutions:
  - {id: fi-001, name: "=First Bank", name_zh: 第一銀行, sector: bank, tier: 1, group: null, feeds: [siem]}
  - {id: fi-002, name: Second Trust, name_zh: 第二信託, sector: trust, tier: 3, group: null, feeds: [siem]}
"""
BASELINE = {"kind": "baseline", "baseline_version": "2026.4"}


@pytest.fixture(scope="module")
def norm():
    """What is shipped, read once."""
    return norm_of(None, [])


@pytest.fixture
def run(monkeypatch, capsys, norm):
    fsoc = command_line(monkeypatch, capsys)
    monkeypatch.setattr(coverage_cli, "norm_of", lambda *_: norm)
    return lambda *arguments: fsoc("coverage", *arguments)


def messages() -> list[bytes]:
    """fi-001 declares and shows FB-0801; fi-002 has only own rules; one line is no ticket."""
    trigger = {**BASELINE, "rule_id": "FB-0801"}
    return [
        heartbeat(1, baseline_version="2026.4"),
        payload("t-1", trigger=trigger),
        payload("t-2", "fi-002", trigger={"kind": "local", "rule_id": "own"}),
        b'{"kind": "ticket", "institution": "fi-001"}',
    ]


def alert(technique: str) -> dict:
    ticket = {"alert_id": "al-1", "revision": 1, "status": "final", "rule_id": "r", "rule_title": "R", "kind": "joint"}
    times = dict.fromkeys(("window_from", "window_to", "first_seen", "last_seen", "raised_at_event_time"), NOON)
    told = {"text": "", "text_zh": "", "condition": {}, "seen": 2, "timespan": "1h", "share": {}}
    none = {"group": {}, "institutions": ["fi-001"], "ticket_ids": [], "ticket_count": 0, "tickets": {}}
    attack = [{"tactic": "credential-access", "technique": technique}]
    rest = {"level": "high", "severity": 3, "environment": "test", "institution_count": 1, "explanation": told}
    return {**ticket, **times, **none, **rest, "attack": attack}


@pytest.fixture
def files(tmp_path):
    """Options that say what to read."""
    (tmp_path / "tickets.ndjson").write_bytes(b"\n".join(messages()) + b"\n")
    (tmp_path / "institutions.yml").write_text(REGISTRY)
    (tmp_path / "alerts.ndjson").write_bytes(orjson.dumps(alert("T1003.001")) + b"\n")
    return (
        *("--from", tmp_path / "tickets.ndjson", "--institutions", tmp_path / "institutions.yml"),
        *("--alerts", tmp_path / "alerts.ndjson", "--environment", "test"),
    )


def objects(told) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for line in told.stdout.splitlines():
        one = json.loads(line)
        found.setdefault(one["what"], []).append(one)
    return found


def test_groups_institutions_and_gaps_are_shown(run, files):
    told = run("show", *files)

    assert told.returncode == 0
    assert "1 messages are none that intake would use" in told.stderr
    lines = told.stdout.splitlines()
    assert lines[0].startswith("baseline 2026.4, ATT&CK 19")
    assert any(line.split()[:2] == ["Tier", "1"] for line in lines)
    assert any("Sector trust" in line for line in lines)
    assert "● covered · 已涵蓋" in told.stdout
    assert "FB-" in lines[-1]


def test_in_json_there_is_a_line_for_each_and_gaps_are_ranked_by_joint_alerts(run, files):
    found = objects(run("show", *files, "--json"))

    first, second = found["institution"]
    assert first["items"]["FB-0801"]["status"] == "covered"
    assert (first["baseline_version"], second["baseline_version"]) == ("2026.4", None)
    assert second["counts"]["missing"] == len(second["items"])
    assert second["own"]
    assert found["gap"][0]["alerts"] == 1
    assert "fi-002" in found["gap"][0]["lacking"]["missing"]


@pytest.mark.parametrize(("floor", "code"), [("0.001", 1), ("0", 0)])
def test_a_floor_that_an_institution_misses_is_exit_code_1(run, files, floor, code):
    assert run("show", *files, "--floor", floor).returncode == code


def test_layers_are_files_in_utf_8_that_the_library_loads(run, files, tmp_path):
    from mitreattack.navlayers import Layer

    told = run("layer", *files, "--by", "tier", "--by", "institution", "--out", tmp_path / "layers")

    written = sorted(path.name for path in (tmp_path / "layers").iterdir())
    assert written == ["fi-001.json", "fi-002.json", "tier-1.json", "tier-3.json"]
    assert len(told.stdout.splitlines()) == 4
    text = (tmp_path / "layers" / "fi-001.json").read_bytes().decode("utf-8")
    assert "第一銀行" in text
    assert Layer(text).layer is not None
    assert json.loads(run("layer", *files, "--institution", "fi-001").stdout) == json.loads(text)


@pytest.mark.parametrize(
    "options", [(), ("--tier", "1", "--out", "x"), ("--tier", "1", "--by", "tier"), ("--tier", "1", "--sector", "bank")]
)
def test_what_a_layer_is_of_and_where_it_goes_is_asked_for(run, files, options):
    assert run("layer", *files, *options).returncode == 2


def test_the_heatmap_is_of_whom_it_is_asked_for(run, files, tmp_path):
    run("html", *files, "--out", tmp_path / "all.html")
    one = run("html", *files, "--institution", "fi-001").stdout

    text = (tmp_path / "all.html").read_text("utf-8")
    assert text.count('<section class="tactic"') == 15
    assert "Second Trust" in text
    assert "No alerts were read" not in text
    assert "fi-002" not in one
    refused = run("html", *files, "--sector", "circus")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2,
        "fsoc: --sector: 'circus': no institution is of it",
    )


def test_the_csv_has_a_line_an_item_and_no_formula(run, files):
    rows = list(csv.DictReader(io.StringIO(run("csv", *files).stdout)))

    assert {row["institution"] for row in rows} == {"fi-001", "fi-002"}
    [covered] = [row for row in rows if row["status"] == "covered"]
    assert (covered["item"], covered["tickets"], covered["joint_alerts"]) == ("FB-0801", "1", "1")
    assert covered["name"] == "'=First Bank"
    assert run("csv", *files, "--bom").stdout.startswith("\ufeff")


def test_gaps_are_a_csv_too(run, files):
    rows = list(csv.DictReader(io.StringIO(run("csv", *files, "--gaps").stdout)))

    assert [row["rank"] for row in rows] == [str(place) for place in range(1, len(rows) + 1)]
    assert rows[0]["joint_alerts"] == "1"
    assert rows[0]["missing"] == "fi-002"


def test_metrics_are_gauges_by_our_own_words(run, files, tmp_path):
    run("metrics", *files, "--out", tmp_path / "coverage.prom")

    text = (tmp_path / "coverage.prom").read_text("utf-8")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["fsoc_coverage_items", "fi-001", "covered"] == 1
    assert samples["fsoc_coverage_ratio", "fi-002"] == 0
    assert [path.name for path in tmp_path.glob("*.new")] == []


def test_what_was_exported_is_read_with_what_comes_later(run, files, tmp_path):
    kept = tmp_path / "seen.ndjson"
    run("export", *files, "--out", kept)
    later = payload("t-9", "fi-002", trigger={**BASELINE, "rule_id": "FB-0801"})
    (tmp_path / "later.ndjson").write_bytes(later)
    registry = ("--institutions", tmp_path / "institutions.yml", "--environment", "test")

    found = objects(run("show", "--from", kept, tmp_path / "later.ndjson", *registry, "--json"))

    assert [one["items"]["FB-0801"]["status"] for one in found["institution"]] == ["covered", "covered"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "fsoc: --brokers: is needed (or FSOC_BROKERS), or --from FILE"),
        (("--from", "/nowhere"), "fsoc: /nowhere: No such file or directory"),
        (("--from", "-", "--silent-after", "soon"), "fsoc: --silent-after: 'soon' is no duration"),
        (("--brokers", "nobody:1"), "fsoc: --institutions: is needed to read a cluster"),
    ],
)
def test_what_cannot_be_read_is_refused_and_says_why(run, options, told):
    refused = run("show", *options)

    assert refused.returncode == 2
    assert refused.stderr.startswith(told)


def test_messages_of_another_environment_are_told_and_passed_over(run, files):
    told = run("show", *files, "--environment", "production", "--json")

    assert "3 messages of environment test were passed over; --environment says which count" in told.stderr
    assert {one["baseline_version"] for one in objects(told)["institution"]} == {None}


def test_on_a_log_it_says_what_it_says_of_files(monkeypatch, capsys, norm, files):
    sector = FeedSector()
    true = {"environment": "production"}
    ahead = payload("t-3", trigger={**BASELINE, "rule_id": "FB-0802"}, at="2026-03-03T12:00:00Z", **true)
    sector.send(heartbeat(1, baseline_version="2026.4", **true))
    sector.send(payload("t-1", trigger={**BASELINE, "rule_id": "FB-0801"}, **true), b"nothing")
    sector.send(payload("t-2", "fi-002", trigger={"kind": "local", "rule_id": "own"}, **true), institution="fi-002")
    sector.queue("fi-001", ahead, NOON_MS)
    fsoc = command_line_on(monkeypatch, capsys, sector)
    monkeypatch.setattr(coverage_cli, "norm_of", lambda *_: norm)
    monkeypatch.setattr(coverage_cli, "present_ms", lambda: NOON_MS + 3_600_000)

    told = fsoc("coverage", "show", "--brokers", "nobody:1", *files[2:4], "--json")

    first, second = objects(told)["institution"]
    assert first["items"]["FB-0801"]["status"] == "covered"
    assert first["items"]["FB-0802"]["status"] == "declared-only"  # a day ahead of when it was received
    assert second["own"]
    assert "2 messages are none that intake would use" in told.stderr


def test_a_log_without_a_topic_is_read_as_far_as_it_is_there(monkeypatch, capsys, tmp_path, norm):
    more = "  - {id: fi-003, name: Third, name_zh: 三, sector: bank, tier: 1, group: null, feeds: [siem]}\n"
    (tmp_path / "more.yml").write_text(REGISTRY + more)
    fsoc = command_line_on(monkeypatch, capsys, FeedSector())
    monkeypatch.setattr(coverage_cli, "norm_of", lambda *_: norm)

    told = fsoc("coverage", "show", "--brokers", "nobody:1", "--institutions", tmp_path / "more.yml", "--json")

    assert told.returncode == 0
    assert "fsoc.tickets.fi-003: no such topic" in told.stderr
    assert len(objects(told)["institution"]) == 3
