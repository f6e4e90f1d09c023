"""`fsoc campaigns` as an analyst calls it: on a file, and on a log."""

from __future__ import annotations

import asyncio

import msgspec
import orjson
import pytest

from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from tests.campaign_stage import Topics, make_decision, make_told, record_of
from tests.command_line import command_line

PREFIX = "fsoc."


class Sector:
    """A log with links, and the stage that works them; each call of the command line is another client."""

    def __init__(self):
        self.log = MemoryLog(lambda: 0)
        self.log.close = self._stays
        self.topics = Topics()
        self._read = 0
        asyncio.run(self.log.create(table(PREFIX, [], 1, "test")))

    async def _stays(self):
        """The log outlives its clients."""

    def tell(self, *said):
        asyncio.run(self.log.write([(f"{PREFIX}links", 0, *record_of(one)[2:4]) for one in said]))
        self.work()

    def work(self):
        async def work():
            reader = await self.log.reader({(f"{PREFIX}links", 0): self._read})
            while fetched := await reader.slices():
                for records in fetched.values():
                    self._read = records[-1].offset + 1
                    outputs = self.topics.stage.work(records)
                    self.topics.write(outputs)
                    published = [one for one in outputs.published if one.topic == "campaigns"]
                    if published:
                        await self.log.write([(f"{PREFIX}campaigns", 0, one.key, one.value) for one in published])

        asyncio.run(work())


@pytest.fixture
def sector(monkeypatch):
    sector = Sector()

    async def opened(*_):
        return sector.log

    monkeypatch.setattr(KafkaLog, "open", opened)
    return sector


@pytest.fixture
def run(monkeypatch, capsys):
    fsoc = command_line(monkeypatch, capsys)
    return lambda *arguments: fsoc("campaigns", *arguments)


@pytest.fixture
def on_log(run, sector):
    """Decide or look on the log; what was decided has been worked when it returns."""

    def run_one(*arguments):
        told = run(*arguments, "--brokers", "nobody:1")
        sector.work()
        return told

    return run_one


BY = ("--by", "lin", "--reason", "looked at it")


@pytest.fixture
def two(sector):
    """Two campaigns; the ids of each."""
    sector.tell(
        make_told("link-1", "a1 b1"),
        make_told("link-2", "b1 c1"),
        make_told("alert-1", "a1 c1", "alert"),
        make_told("link-3", "a3 b3", at=1_772_409_600_000),
        make_told("link-4", "b3 c3 c4", at=1_772_409_600_000),
    )
    first, second = sorted(sector.topics.standing().values(), key=lambda one: one["first_seen"])
    return first["campaign_id"], second["campaign_id"]


def test_the_list_has_what_stands_the_newest_first_in_both_languages(two, on_log):
    english, chinese = on_log("list"), on_log("list", "--zh")

    assert [line.split()[0] for line in english.stdout.splitlines()[::2]] == [two[1], two[0]]
    assert "3 institutions  1 alerts  2 links" in english.stdout
    assert "進行中" in chinese.stdout
    assert "由 2 項共同線索相連" in chinese.stdout


def test_a_split_by_value_takes_the_link_out_and_is_shown_with_who_and_why(two, on_log, sector):
    decided = on_log("split", two[0][:12], "link-2.example", *BY)

    assert decided.returncode == 0
    assert set(sector.topics.standing()) == {two[1]}
    shown = on_log("show", two[0])
    assert "retracted" in shown.stdout
    assert f"{decided.stdout.strip()}  split  link-2" in shown.stdout
    assert "lin: looked at it" in shown.stdout

    sector.tell(make_told("link-9", "b1 c1", at=20_000 * 86_400_000 + 1, group={"indicator": "link-2.example"}))
    assert set(sector.topics.standing()) == {two[1]}, "the value is split, not only its link of that week"


def test_merged_campaigns_are_one_until_that_is_undone(two, on_log, sector):
    decided = on_log("merge", *two, *BY).stdout.strip()
    assert set(sector.topics.standing()) == {two[0]}
    assert f"merged into {two[0]}" in on_log("show", two[1]).stdout

    undone = on_log("undo", decided[:8], *BY)
    assert undone.returncode == 0
    assert set(sector.topics.standing()) == set(two)
    shown = on_log("show", two[1], "--zh").stdout
    assert f"{decided}  合併  (已復原)" in shown
    assert f"{undone.stdout.strip()}  復原  {decided}" in shown


def test_what_cannot_be_decided_is_refused_with_its_reason(two, on_log, sector):
    decided = on_log("merge", *two, *BY).stdout.strip()
    on_log("undo", decided, *BY)
    written = sector._read

    for arguments, why in (
        (("split", "ca-nobody", "link-1"), "there is no campaign of this id"),
        (("split", "ca-", "link-1"), "2 campaigns begin so"),
        (("split", two[0], "link-4"), "there is no link or alert of it of this id"),
        (("split", two[0], "link-"), "2 link or alert of its begin so"),
        (("merge", two[0], two[0]), "is the same campaign"),
        (("undo", decided), "is undone already"),
        (("undo", "de-nobody"), "there is no decision of this id"),
    ):
        told = on_log(*arguments, *BY)
        assert (told.returncode, told.stdout) == (2, "")
        assert why in told.stderr
    assert on_log("split", two[0], "link-1", "--by", "", "--reason", "x").returncode == 2
    assert on_log("split", two[0], "link-1", "--by", "lin").returncode == 2
    assert sector._read == written, "something was written all the same"


def test_what_is_merged_or_retracted_takes_no_decisions(two, on_log, sector):
    on_log("merge", *two, *BY)
    assert f"is merged into {two[0]}" in on_log("split", two[1], "link-3", *BY).stderr

    sector.tell(make_told("link-1", "a1", told=2, status="retracted"))
    sector.tell(*(make_told(f"link-{n}", "a1", told=3, status="retracted") for n in (2, 3, 4)))
    assert "is retracted" in on_log("merge", *two, *BY).stderr


def test_a_drill_and_an_incident_are_never_merged(two, on_log, sector):
    sector.tell(
        make_told("drill-1", "a1 b1", environment="exercise"), make_told("drill-2", "b1 c1", environment="exercise")
    )
    (drill,) = sector.topics.standing().keys() - set(two)

    assert "another environment" in on_log("merge", two[0], drill, *BY).stderr


@pytest.fixture
def file(two, sector, tmp_path):
    sector.tell(make_decision("merge", "de-1", "link-1 link-2 link-3 link-4", campaigns=two))
    path = tmp_path / "campaigns.ndjson"
    lines = [*sector.topics.bodies.values(), msgspec.json.encode(sector.topics.stage.nodes.decisions.all["de-1"])]
    lines.append(orjson.dumps({"schema": "fsoc.reach/1", "partition": 0, "reach_ms": 0}))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_file_does_instead_of_a_cluster(file, two, run):
    assert [
        orjson.loads(line)["campaign_id"] for line in run("list", "--from", str(file), "--json").stdout.splitlines()
    ] == [two[0]]
    everything = run("list", "--all", "--from", str(file), "--json").stdout.splitlines()
    assert {orjson.loads(line)["status"] for line in everything} == {"open", "merged"}
    shown = orjson.loads(run("show", two[1], "--from", str(file), "--json").stdout)
    assert (shown["merged_into"], shown["decisions"][0]["decision_id"]) == (two[0], "de-1")
    assert shown["decisions"][0]["holds"] is True


def test_a_bad_file_is_refused_line_by_line(tmp_path, run):
    path = tmp_path / "bad.ndjson"
    path.write_text('{"schema": "fsoc.decision/1", "op": "forge"}\n\nno json\n[]\n')

    told = run("list", "--from", str(path))

    assert told.returncode == 2
    assert [line.partition(f"{path}:")[2].partition(":")[0] for line in told.stderr.splitlines()] == ["1", "3", "4"]
    assert run("list", "--from", str(tmp_path / "none")).returncode == 2


def test_without_cluster_or_file_it_says_what_is_missing(run):
    told = run("list")

    assert (told.returncode, "--brokers" in told.stderr) == (2, True)


def test_nothing_from_a_ticket_moves_the_cursor(sector, on_log):
    sector.tell(make_told("link-1", "a1 b1", group={"indicator": "\x1b[2J.example"}), make_told("link-2", "b1 c1"))
    (name,) = sector.topics.standing()

    assert "\x1b[2J" not in on_log("show", name).stdout + on_log("list").stdout
    assert "\\x1b[2J.example" in on_log("show", name).stdout
