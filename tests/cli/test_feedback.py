"""`fsoc feedback` and `fsoc audit` as analysts and auditors call them: on a log, and on files."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.sharing.caution import Caution
from fsoc.sharing.chain import Head, link
from tests.command_line import command_line
from tests.sharing_stage import DAY, NOON, Teller, alert, members, own

PREFIX = "fsoc."
FOUR = [f"aa-0{number}" for number in range(1, 5)]


class Sector:
    """A log of what is shared, and the stage that works it; each call of the command line is another client."""

    def __init__(self):
        self.now = NOON
        self.log = MemoryLog(lambda: self.now)
        self.log.close = self._stays
        self.teller = Teller(members(12), Caution(hold_below=50, environment="production"))
        self._read = 0
        asyncio.run(self.log.create(table(PREFIX, self.teller.setting.registry.institutions, 1, "test")))

    async def _stays(self):
        """The log outlives its clients."""

    def tell(self, *alerts):
        words = [(f"{PREFIX}sharing", 0, one["alert_id"].encode(), orjson.dumps(one)) for one in alerts]
        asyncio.run(self.log.write(words))
        self.work()

    def work(self):
        async def work():
            reader = await self.log.reader({(f"{PREFIX}sharing", 0): self._read})
            while fetched := await reader.slices():
                for records in fetched.values():
                    self._read = records[-1].offset + 1
                    outputs = self.teller.stage.work(records)
                    self.teller.keep(outputs)
                    await self.log.write([(f"{PREFIX}sharing.state", 0, *one) for one in outputs.state])
                    if outputs.published:
                        await self.log.write([(PREFIX + one.topic, 0, one.key, one.value) for one in outputs.published])

        asyncio.run(work())


@pytest.fixture
def fsoc(monkeypatch, capsys):
    return command_line(monkeypatch, capsys)


@pytest.fixture
def sector(monkeypatch, tmp_path, fsoc):
    sector = Sector()

    async def opened(*_):
        return sector.log

    monkeypatch.setattr(KafkaLog, "open", opened)
    lines = [
        f"  - {{id: {name}, name: Member {name}, sector: bank, tier: 1, feeds: [siem]}}"
        for name in sector.teller.setting.registry.institutions
    ]
    (tmp_path / "institutions.yml").write_text("\n".join(["institutions:", *lines]))
    monkeypatch.setenv("FSOC_INSTITUTIONS", str(tmp_path / "institutions.yml"))
    monkeypatch.setenv("FSOC_BROKERS", "127.0.0.1:9092")
    return sector


@pytest.fixture
def told(sector):
    """al-1 is told, al-2 is held for want of confidence."""
    sector.tell(alert(own(*FOUR)), alert(own(*FOUR), alert_id="al-2", sharing={"confidence": 10}))
    return sector


def test_what_waits_is_listed_first_with_how_many_were_told(told, fsoc):
    lines = fsoc("feedback", "list").stdout.splitlines()

    assert [line.split()[:2] for line in lines[::2]] == [["al-2", "held"], ["al-1", "told"]]
    assert "12 institutions told" in lines[2]
    assert "待放行" in fsoc("feedback", "list", "--held", "--zh").stdout
    (row,) = map(orjson.loads, fsoc("feedback", "list", "--held", "--json").stdout.splitlines())
    assert (row["alert_id"], row["held"], row["confidence"], row["told"]) == ("al-2", True, 10, 0)


def test_a_preview_is_what_will_be_told_and_tells_nobody(told, fsoc):
    previewed = orjson.loads(fsoc("feedback", "preview", "al-2", "--as", "aa-02", "--json").stdout)
    before = len(told.teller.published)
    assert fsoc("feedback", "release", "al-2", "--by", "lin", "--reason", "sure").returncode == 0
    assert len(told.teller.published) == before
    told.work()
    (said,) = [orjson.loads(one) for one in told.teller.heard_by("aa-02") if b'"al-2"' in one]

    day = {"told_at", "first_told_at", "statement"}
    assert {name: value for name, value in previewed.items() if name not in day} == {
        name: value for name, value in said.items() if name not in day
    }
    assert previewed["statement"]["indicators"] == said["statement"]["indicators"]


def test_a_preview_of_what_was_told_is_what_was_told_where_nothing_is_new(told, fsoc):
    told.tell(alert(own(*FOUR), revision=2, status="final"))
    previewed = orjson.loads(fsoc("feedback", "preview", "al-1", "--as", "aa-09", "--json").stdout)

    assert previewed["revision"] in {2, 3}  # a day later than it was told there is a new statement
    text = fsoc("feedback", "preview", "al-1", "--as", "aa-01", "--zh").stdout
    assert "貴機構有 1 張事件單列入本告警" in text
    assert "185.220.101.7" in text


def test_a_preview_works_on_a_file_of_alerts(sector, tmp_path, fsoc):
    file = tmp_path / "alerts.ndjson"
    file.write_bytes(orjson.dumps(alert(own(*FOUR))) + b"\n\n")

    assert "ticket-of-aa-03" in fsoc("feedback", "preview", "al-", "--as", "aa-03", "--from", str(file)).stdout
    file.write_bytes(b"{}\n" + file.read_bytes() + b"7\n")
    refused = fsoc("feedback", "preview", "al-1", "--as", "aa-03", "--from", str(file))
    assert refused.returncode == 2
    assert f"{file}:1" in refused.stderr
    assert f"{file}:4" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("preview", "al-9", "--as", "aa-01"), 2, "there is no alert of this id"),
        (("preview", "al-", "--as", "aa-01"), 2, "2 alerts begin so"),
        (("preview", "al-1", "--as", "fi-1"), 2, "fi-1 is not in"),
        (("hold", "al-9", "--by", "x", "--reason", "y"), 2, "there is no alert of this id"),
        (("hold", "al-1", "--by", "", "--reason", "y"), 2, "decision"),
    ],
)
def test_what_cannot_be_done_is_said(told, arguments, code, text, fsoc):
    result = fsoc("feedback", *arguments)

    assert (result.returncode, text in result.stderr) == (code, True)


def test_why_nothing_would_be_told_is_said(sector, fsoc):
    sector.tell(alert(own(*FOUR), sharing={"stands": False}), alert(own(*FOUR), alert_id="al-2", level="low"))

    red = fsoc("feedback", "preview", "al-1", "--as", "aa-01")
    assert (red.returncode, "TLP:RED" in red.stderr) == (1, True)
    other = fsoc("feedback", "preview", "al-2", "--as", "aa-09")
    assert (other.returncode, "no ticket in the alert" in other.stderr) == (1, True)


def test_why_nothing_would_be_told_of_what_is_over_or_of_a_drill_is_said(sector, fsoc):
    sector.tell(alert(own(*FOUR)), alert(own(*FOUR), revision=2, status="final"))
    sector.now += 40 * DAY
    sector.tell(alert(own(*FOUR), alert_id="al-2", status="retracted"))
    sector.tell(alert(own(*FOUR), alert_id="al-3", environment="exercise"))

    for name, why in (("al-1", "over for so long"), ("al-2", "taken back before"), ("al-3", "another environment")):
        result = fsoc("feedback", "preview", name, "--as", "aa-01")
        assert (result.returncode, why in result.stderr) == (1, True), result.stderr


def test_a_hold_is_a_record_with_who_and_why(told, fsoc):
    held = orjson.loads(fsoc("feedback", "hold", "al-1", "--by", "lin", "--reason", "asking", "--json").stdout)
    told.work()

    assert (held["op"], held["alert_id"], held["by"]) == ("hold", "al-1", "lin")
    assert "hold  lin: asking" in fsoc("feedback", "list").stdout
    assert told.teller.stage.known["al-1"].held


def test_the_audit_is_shown_verified_and_its_head_exported(told, tmp_path, fsoc):
    fsoc("feedback", "release", "al-2", "--by", "lin", "--reason", "sure")
    told.work()

    verified = fsoc("audit", "verify")
    head = fsoc("audit", "head").stdout.strip()
    assert (verified.returncode, verified.stdout) == (0, f"whole: 4 records; head {head}\n")
    assert head == told.teller.stage.head.text()
    shown = fsoc("audit", "show", "--institution", "aa-02").stdout
    assert [line.split()[3] for line in shown.splitlines() if line[:7].strip()] == ["told", "told"]
    assert "release by lin: sure" in fsoc("audit", "show", "--alert", "al-2").stdout
    file = tmp_path / "audit.ndjson"
    file.write_bytes(fsoc("audit", "show", "--json").stdout.encode())
    assert file.read_bytes().splitlines() == told.teller.audit
    (tmp_path / "heads").write_text(f"0:{'0' * 64}\n{head}\n")
    whole = fsoc("audit", "verify", "--file", str(file), "--head-file", str(tmp_path / "heads"))
    assert whole.returncode == 0


def test_what_was_done_to_the_audit_is_told_by_line(told, tmp_path, fsoc):
    file = tmp_path / "audit.ndjson"
    lines = told.teller.audit
    file.write_bytes(b"\n".join([lines[0].replace(b"aa-02", b"aa-22"), *lines[1:]]) + b"\n")
    broken = fsoc("audit", "verify", "--file", str(file))

    assert broken.returncode == 1
    assert "line 1: record 1 was changed" in broken.stdout
    assert fsoc("audit", "head", "--file", str(file)).returncode == 2
    file.write_bytes(lines[0] + b"\n")
    cut = fsoc("audit", "verify", "--file", str(file), "--head", told.teller.stage.head.text(), "--json")
    said = orjson.loads(cut.stdout)
    assert (cut.returncode, said["whole"], said["records"]) == (1, False, 1)
    assert "cut off" in said["faults"][0]["text"]


def test_showing_an_audit_that_was_changed_says_so_and_makes_it_no_sounder(told, tmp_path, fsoc):
    file, copy = tmp_path / "audit.ndjson", tmp_path / "copy.ndjson"
    edited = told.teller.audit[0].replace(b"aa-02", b"aa-22")
    seq, digest = (orjson.loads(told.teller.audit[0])[name] for name in ("seq", "hash"))
    _, forged = link(Head(seq, digest), {"what": "told", "alert_id": "al-7", "told": "x"})
    for lines in ([edited, *told.teller.audit[1:]], [*told.teller.audit[:1], forged, *told.teller.audit[1:]]):
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        for arguments in ((), ("--institution", "aa-01"), ("--alert", "al-1", "--json")):
            shown = fsoc("audit", "show", "--file", str(file), *arguments)
            assert (shown.returncode, "not as it was written" in shown.stderr) == (1, True)
        raw = fsoc("audit", "show", "--file", str(file), "--json")
        assert (raw.returncode, raw.stdout.encode().splitlines()) == (1, lines)
        copy.write_bytes(raw.stdout.encode())
        assert fsoc("audit", "verify", "--file", str(copy)).returncode == 1


@pytest.mark.parametrize(
    "more", [{}, {"told": {"aa-01": {}}}, {"what": "decided"}, {"alert_id": 7, "told": {"aa-01": 7}}]
)
def test_an_added_record_that_says_too_little_is_shown_with_what_it_says(told, tmp_path, more, fsoc):
    file = tmp_path / "audit.ndjson"
    _, added = link(told.teller.stage.head, {"what": "told", **more})
    file.write_bytes(b"".join(line + b"\n" for line in [*told.teller.audit, added]))

    for arguments in ((), ("--institution", "aa-01"), ("--alert", "al-1")):
        assert fsoc("audit", "show", "--file", str(file), *arguments).returncode == 0
    assert "?" in fsoc("audit", "show", "--file", str(file)).stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("verify", "--head", "7"), "--head: '7' is no head"),
        (("verify", "--head", f"0:{'0' * 64}", "--head-file", "nowhere"), "not both"),
        (("verify", "--head-file", "nowhere"), "nowhere: cannot be read"),
        (("show", "--file", "nowhere"), "nowhere: cannot be read"),
    ],
)
def test_what_cannot_be_verified_is_refused(told, arguments, text, fsoc):
    result = fsoc("audit", *arguments)

    assert (result.returncode, text in result.stderr) == (2, True)


def test_without_a_cluster_it_is_said_what_is_needed(monkeypatch, fsoc):
    monkeypatch.delenv("FSOC_BROKERS", raising=False)
    for arguments in (("feedback", "list"), ("audit", "verify")):
        result = fsoc(*arguments)
        assert (result.returncode, "--brokers: is needed" in result.stderr) == (2, True)
