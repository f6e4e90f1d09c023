"""`fsoc feeds`: every feed at a glance, from the log and from a file, and the report of a month."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from html.parser import HTMLParser

import orjson
import pytest

from fsoc.tickets.times import milliseconds, rfc3339
from tests.alerts.conftest import make_alert, make_entry
from tests.feed_sector import NOON_MS, REGISTRY, FeedSector, command_line_on, heartbeat, payload

BROKERS = ("--brokers", "nobody:1", "--environment", "test", "--prefix", "fsoc-t.")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def sector(monkeypatch):
    monkeypatch.setattr("tests.feed_sector.PREFIX", "fsoc-t.")
    return FeedSector()


@pytest.fixture
def fsoc(monkeypatch, capfd, sector):
    return command_line_on(monkeypatch, capfd, sector)


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "institutions.yml"
    path.write_text(REGISTRY)
    return path


@pytest.fixture
def run(fsoc, registry):
    return lambda *arguments: fsoc("feeds", *arguments, "--institutions", registry, *BROKERS)


def at(minutes):
    return rfc3339(NOON_MS + minutes * 60_000)


@pytest.fixture
def sent(sector):
    """fi-001 siem: 1, 2, 5 of 6 and a refused one; its clock 3 s behind. fi-002 siem: two that are well."""
    sector.send(
        payload("t-1", seq=1, detected_at=at(-20), created_at=at(-20)),
        payload("t-2", seq=2),
        payload("t-5", seq=5),
        heartbeat(6, clock_offset_ms=-3000, sensors_total=10, sensors_up=9),
        payload("t-6", seq=7, severity=9),
    )
    sector.send(payload("t-1", "fi-002", seq=1), payload("t-2", "fi-002", seq=2), institution="fi-002")


def feeds(told):
    return {(one["institution"], one["feed"]): one for one in map(json.loads, told.stdout.splitlines())}


def test_every_feed_is_there_with_its_figures(sent, run):
    told = run("--json")
    found = feeds(told)

    assert told.returncode == 1
    assert list(found) == [("fi-001", "edr"), ("fi-001", "siem"), ("fi-001", ""), ("fi-002", "siem")]
    siem = found["fi-001", "siem"]
    assert {name: siem[name] for name in ("tickets", "used", "quarantined", "heartbeats", "missing_total", "tier")} == {
        "tickets": 3,
        "used": 3,
        "quarantined": 0,
        "heartbeats": 1,
        "missing_total": 3,
        "tier": 1,
    }
    assert siem["missing"] == [
        {"seq_epoch": "2026-03-02", "first": 3, "last": 4},
        {"seq_epoch": "2026-03-02", "first": 6, "last": 6},
    ]
    assert siem["missing_share"] == 0.5
    assert 20 * 60_000 <= siem["detected_to_sent_ms"]["p95"] <= 25 * 60_000
    assert siem["detected_to_sent_ms"]["p50"] == siem["sent_to_received_ms"]["p99"] == 0
    assert (siem["clock_offset_ms"], siem["sensors"], siem["events_seen"]) == ([-3000, -3000, -3000], [10, 9], 120_000)
    assert [one["measure"] for one in siem["breaches"]] == ["detected_to_sent_p95", "missing", "clock_offset"]
    assert found["fi-001", ""]["quarantined"] == 1  # it could not be read whose it is
    assert found["fi-001", "edr"]["breaches"][0] == {"measure": "silence", "seen": None, "allowed": 900_000}
    assert found["fi-002", "siem"]["breaches"] == found["fi-002", "siem"]["missing"] == []


def test_the_table_names_what_is_missing_and_what_the_contract_says_in_both_languages(sent, run):
    english, chinese = run(), run("--lang", "zh-TW")

    assert "3 missing, asked for: 2026-03-02: 3-4, 6" in english.stdout
    assert re.search(r"detected → sent, p95 2\d min > 10 min", english.stdout)
    assert english.stdout.splitlines()[-1] == "1 of 4 feeds are well (7 days)"
    assert "缺漏 3 筆，已請求重送: 2026-03-02: 3-4, 6" in chinese.stdout
    assert chinese.stdout.splitlines()[-1] == "4 個資料來源中 1 個正常（7 日）"


def test_of_a_feed_that_is_well_the_exit_code_is_0(sent, run):
    told = run("--institution", "fi-002")

    assert told.returncode == 0
    assert "1 of 1 feeds are well" in told.stdout


def test_gaps_that_are_closed_are_gone(sent, sector, run):
    sector.send(*(payload(f"t-{seq}", seq=seq) for seq in (3, 4, 6)))
    siem = feeds(run("--json"))["fi-001", "siem"]

    assert (siem["missing_total"], siem["missing_share"]) == (0, 0)


def test_what_is_exported_says_the_same(sent, run, fsoc, registry, tmp_path):
    path = tmp_path / "feeds.ndjson"
    assert fsoc("feeds", "export", "--out", path, *BROKERS).returncode == 0

    assert fsoc("feeds", "--json", "--from", path, "--institutions", registry).stdout == run("--json").stdout


def test_open_alerts_about_a_feed_are_shown(sent, sector, run):
    alert = {
        **make_alert(
            [make_entry("fi-001", "T-1"), make_entry("fi-002", "T-1")],
            title="A feed has fallen \x1bsilent",
            title_zh="資料來源中斷",
        ),
        "kind": "feed",
        "status": "open",
        "group": {"institution": "fi-002", "feed": "siem"},
    }
    asyncio.run(sector.log.write([("fsoc-t.alerts", 0, b"a", orjson.dumps(alert))]))
    told = run("--institution", "fi-002")

    assert told.returncode == 1
    assert "A feed has fallen \\x1bsilent · 資料來源中斷" in told.stdout


def test_a_feed_that_falls_silent_breaks_its_contract(sent, sector, run):
    """Against the newest message of all: fi-001 speaks on, fi-002 does not."""
    later = NOON_MS + HOUR_MS
    sector.send(payload("t-9", seq=8, at=rfc3339(later)), at_ms=later)
    silent = feeds(run("--json"))["fi-002", "siem"]

    assert silent["silent_ms"] == HOUR_MS
    assert [one["measure"] for one in silent["breaches"]] == ["silence"]


def test_heartbeats_are_judged_over_whole_days(sector, run):
    """day 1: the first, not judged    day 2: 144 of 288    day 3: today, not judged"""
    for day, count in ((0, 1), (1, 144), (2, 1)):
        for number in range(count):
            moment = NOON_MS - 11 * HOUR_MS + day * DAY_MS + number * 300_000
            sector_heartbeat = heartbeat(0, institution="fi-002", at=rfc3339(moment))
            sector.queue("fi-002", sector_heartbeat, moment)
    sector.work()
    (found,) = [one for one in feeds(run("--json"))["fi-002", "siem"]["breaches"] if one["measure"] == "heartbeats"]

    assert found == {"measure": "heartbeats", "seen": 0.5, "allowed": 0.95}


class _Page(HTMLParser):
    """What a browser would fetch or run, and whether every element is closed."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.fetched, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)
        self.fetched += [name for name, _ in attributes if name in {"src", "href"} or name.startswith("on")]
        assert tag not in {"script", "link", "img", "iframe"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page(html):
    read = _Page()
    read.feed(html)
    read.close()
    assert read.open == []
    assert read.fetched == []
    assert "@import" not in html
    assert "url(" not in html
    return " ".join(read.text)


def test_the_report_of_a_month_is_one_page_in_both_languages_with_both_calendars(sent, run):
    told = run("report", "--month", "2026-03")
    text = page(told.stdout)

    assert told.returncode == 0
    assert "民國115年3月" in text
    assert "2026-03-01 to 2026-03-02 · 民國115年3月1日至民國115年3月2日" in text
    assert "the month is not over" in text
    assert "First Bank · 第一銀行 (fi-001)" in text
    assert "Second Trust · 第二信託 (fi-002)" in text
    assert "3 missing as of now · 目前仍缺 3 筆: 2026-03-02: 3-4, 6" in text
    assert re.search(r"detected → sent, p95 2\d min > 10 min", text)
    assert re.search(r"偵測至送出 p95 2\d min > 10 min", text)
    assert "9 / 10" in text
    assert "@page" in told.stdout


def test_the_report_of_one_institution_says_nothing_of_another(sent, run):
    text = page(run("report", "--month", "2026-03", "--institution", "fi-002").stdout)

    assert "Second Trust" in text
    assert "fi-001" not in text
    assert "First Bank" not in text
    assert "at a glance" not in text


def rows(told):
    return list(csv.DictReader(io.StringIO(told.stdout, newline="")))


def test_the_csv_has_a_line_a_feed(sent, run):
    told = run("report", "--month", "2026-03", "--format", "csv")
    found = {(row["institution"], row["feed"]): row for row in rows(told)}

    assert list(found) == [("fi-001", "edr"), ("fi-001", "siem"), ("fi-001", ""), ("fi-002", "siem")]
    siem = found["fi-001", "siem"]
    assert (siem["month"], siem["month_roc"], siem["name_zh"], siem["tickets"]) == (
        "2026-03",
        "民國115年3月",
        "第一銀行",
        "3",
    )
    assert (siem["numbers_asked_for"], siem["missing_share"], siem["clock_offset_least_ms"]) == (
        "3",
        "0.500000",
        "-3000",
    )
    assert "偵測至送出 p95" in siem["breaches_zh"]
    assert run("report", "--month", "2026-03", "--format", "csv", "--bom").stdout.startswith("\ufeffmonth")


def test_what_others_wrote_is_escaped_in_both(sent, run, registry):
    registry.write_text(
        REGISTRY.replace("First Bank", "'=cmd|x <script>alert(1)</script>'").replace("第一銀行", '"@銀行 <b>"')
    )
    html = run("report", "--month", "2026-03").stdout
    page(html)  # asserts there is no script in it
    assert "&lt;script&gt;alert(1)" in html
    assert "@銀行 &lt;b&gt;" in html
    siem = rows(run("report", "--month", "2026-03", "--format", "csv"))[1]
    assert (siem["name"][:6], siem["name_zh"][:2]) == ("'=cmd|", "'@")


def test_a_month_belongs_to_taipei(sector, run):
    """16:30 UTC of the last of February is half past midnight of the first of March in Taipei."""
    moment = milliseconds("2026-02-28T16:30:00Z")
    sector.send(payload("t-1", "fi-002", at=rfc3339(moment)), institution="fi-002", at_ms=moment)

    february = run("report", "--month", "2026-02", "--format", "csv")
    assert (february.returncode, "nothing is known of 2026-02" in february.stderr) == (1, True)
    assert rows(run("report", "--month", "2026-03", "--format", "csv"))[-1]["tickets"] == "1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "--month", "2026-13"), "--month"),
        (("report", "--month", "2026-03", "--bom"), "--bom is for CSV"),
        (("report", "--month", "2026-03", "--institution", "fi-9"), "fi-9: nothing is known"),
        (("--institution", "fi-9"), "fi-9: nothing is known"),
        (("--contract", "/nowhere"), "/nowhere: cannot be read"),
        (("--days", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_why(sent, run, arguments, said):
    told = run(*arguments)

    assert told.returncode == 2
    assert said in told.stderr
    assert not re.search("Traceback", told.stderr)


def test_a_file_that_is_no_export_is_refused_line_by_line(fsoc, tmp_path):
    (tmp_path / "x").write_bytes(b'{}\n{"institution":"a","header":[],"days":{}}\n')
    told = fsoc("feeds", "--from", tmp_path / "x")

    assert told.returncode == 2
    assert [line.split(":")[1:3][1] for line in told.stderr.splitlines()] == ["1", "2"]


def test_before_anything_came_there_is_nothing_to_be_told(fsoc, registry):
    assert "no institution" in fsoc("feeds", *BROKERS).stdout
    told = fsoc("feeds", "--institutions", registry, *BROKERS)

    assert (told.returncode, "0 of 3 feeds are well" in told.stdout) == (1, True)
