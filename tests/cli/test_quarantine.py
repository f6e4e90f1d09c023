"""`fsoc quarantine`: what was refused is seen whole, mended and sent again, and never twice without being asked."""

from __future__ import annotations

import json

import orjson
import pytest

from fsoc.cli.payload_shown import laid_out, place_faults
from fsoc.institutions.registry import Registry
from fsoc.runtime.quarantine import Shelf, mark_in_file
from fsoc.tickets.told import Replayed
from tests.feed_sector import NOON_MS, REGISTRY, FeedSector, command_line_on, payload
from tests.signing import OWN, public_of, signed

BROKERS = ("--brokers", "nobody:1")
HOUR_MS = 3_600_000


@pytest.fixture
def sector():
    return FeedSector()


@pytest.fixture
def fsoc(monkeypatch, capsys, sector):
    return command_line_on(monkeypatch, capsys, sector)


@pytest.fixture
def run(fsoc):
    return lambda *arguments: fsoc("quarantine", *arguments, *BROKERS)


@pytest.fixture
def refused(sector):
    """fi-001/0: two faults. fi-001/1: from the future, by an hour. fi-002/0: no JSON."""
    sector.send(payload("t-1", seq=1, severity=9, tw_level=...), payload("t-2", seq=2, at="2026-03-02T13:00:00Z"))
    sector.send(b'{"institution": "\x1b[2J', institution="fi-002")


def lines(told):
    return [json.loads(line) for line in told.stdout.splitlines()]


def names(told):
    return [one["name"] for one in lines(told)]


def outcomes(sector, institution="fi-001"):
    return [one["outcome"] for value in sector.values(f"receipts.{institution}") for one in orjson.loads(value)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), ["fi-001/0", "fi-001/1", "fi-002/0"]),
        (("--institution", "fi-002"), ["fi-002/0"]),
        (("--code", "time.future", "payload.not-json"), ["fi-001/1", "fi-002/0"]),
    ],
)
def test_the_list_has_what_waits_and_why(refused, run, options, found):
    told = run("list", "--json", *options)

    assert (names(told), told.returncode) == (found, 1)
    assert all(one["faults"][0]["hint"] for one in lines(told))


def test_the_list_is_a_table_in_both_languages(refused, run):
    english, chinese = run("list").stdout, run("list", "--lang", "zh-TW").stdout

    assert "field.out-of-range, condition.tw-level" in english
    assert english.split()[0] == "refused"
    assert chinese.split()[0] == "隔離內容"
    assert len(english.splitlines()) == len(chinese.splitlines()) == 4


def test_one_is_shown_whole_with_each_fault_at_its_place(refused, run):
    shown = run("show", "fi-001/0").stdout.splitlines()

    places = {line: number for number, line in enumerate(shown) if line.startswith("> ")}
    assert list(places) == ["> {", '>   "severity": 9,']
    assert shown[places["> {"] + 1].startswith("  ^ /tw_level  condition.tw-level")  # missing: the whole is at fault
    below = places['>   "severity": 9,'] + 1
    assert shown[below].startswith("  ^ /severity  field.out-of-range  Input should be")
    assert shown[below + 1].startswith("  ^   → Send a number within")


def test_what_was_sent_moves_no_terminal(refused, run):
    told = run("show", "fi-002/0")

    assert told.returncode == 0
    assert all(line.isprintable() for line in told.stdout.splitlines())
    assert "\\x1b[2J" in told.stdout


def test_raw_is_the_payload_byte_for_byte_and_json_a_line_to_read_again(refused, run, fsoc, tmp_path):
    assert run("show", "fi-001/1", "--raw").stdout.encode() == payload("t-2", seq=2, at="2026-03-02T13:00:00Z")
    (tmp_path / "q.ndjson").write_text(run("show", "fi-001/0", "--json").stdout)

    assert names(fsoc("quarantine", "list", "--from", tmp_path / "q.ndjson", "--json")) == ["fi-001/0"]


def test_a_mended_payload_is_sent_again_and_accepted_and_closes_the_gap(refused, run, sector, tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(json.loads(payload("t-1", seq=1)), indent=2))
    told = run("replay", "fi-001/0", "--payload", tmp_path / "m.json", "--by", "lin")
    sector.work()

    assert (told.returncode, told.stdout.split()[:3]) == (0, ["fi-001/0", "sent", "mended,"])
    assert outcomes(sector) == ["quarantined", "quarantined", "accepted"]
    assert names(run("list", "--json")) == ["fi-001/1", "fi-002/0"]
    told_again = [one for one in lines(run("list", "--all", "--json")) if one["replayed"]]
    assert [(one["name"], one["replayed"]["by"], one["replayed"]["mended"]) for one in told_again] == [
        ("fi-001/0", "lin", True)
    ]


def test_nothing_is_sent_twice_without_being_asked(refused, run, sector):
    sector.now_ms = NOON_MS + HOUR_MS  # its hour has come: as it is, it is accepted now
    assert run("replay", "fi-001/1").returncode == 0
    again = run("replay", "fi-001/1", "--json")
    sector.work()

    assert (again.returncode, lines(again)[0]["done"]) == (1, "left out")
    assert "--again sends it anew" in lines(again)[0]["why"]
    assert outcomes(sector) == ["quarantined", "quarantined", "accepted"]
    assert run("replay", "fi-001/1", "--again").returncode == 0
    sector.work()
    assert outcomes(sector)[3:] == ["duplicate"]


def test_what_would_be_refused_again_is_not_sent_and_says_why(refused, run, sector):
    told = run("replay", "fi-001/0", "fi-001/1", "--json")

    assert told.returncode == 1
    left, sent = lines(told)
    assert (left["done"], [fault["code"] for fault in left["faults"]]) == (
        "left out",
        ["field.out-of-range", "condition.tw-level"],
    )
    assert sent["done"] == "sent"
    assert run("replay", "fi-001/0", "--anyway").returncode == 0
    sector.now_ms += HOUR_MS
    sector.work()
    assert outcomes(sector) == ["quarantined", "quarantined", "quarantined", "quarantined"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(refused, run, sector):
    before = sector.values("quarantine"), sector.values("tickets.fi-001")
    told = run("replay", "--code", "time.future", "--dry-run", "--json")

    assert [(one["name"], one["done"]) for one in lines(told)] == [("fi-001/1", "would be sent")]
    assert (sector.values("quarantine"), sector.values("tickets.fi-001")) == before


def test_an_institution_replays_from_a_file_and_the_note_is_in_the_file(refused, run, fsoc, sector, tmp_path):
    """With its own right to its topic and none to the quarantine."""
    path = tmp_path / "q.ndjson"
    path.write_text(run("show", "fi-001/1", "--json").stdout.rstrip("\n"))
    kept = sector.values("quarantine")
    sector.now_ms += HOUR_MS
    told = fsoc("quarantine", "replay", "fi-001/1", "--from", path, *BROKERS)
    sector.work()

    assert told.returncode == 0
    assert outcomes(sector)[2:] == ["accepted"]
    assert sector.values("quarantine") == kept
    assert [json.loads(line)["schema"] for line in path.read_text().splitlines()] == [
        "fsoc.quarantine/1",
        "fsoc.replayed/1",
    ]
    assert fsoc("quarantine", "replay", "fi-001/1", "--from", path, *BROKERS).returncode == 1


def test_what_was_refused_for_its_key_is_sent_again_with_its_signature_once_the_key_is_known(run, sector, tmp_path):
    """The key came to the registry a while after the tickets that it signed."""
    good, other = payload("t-1", seq=1), payload("t-2", seq=2)
    signature = signed(OWN, [good, other], kid="own")
    sector.send_signed(signature, good, other)
    assert outcomes(sector) == ["quarantined"] * 2
    assert names(run("list", "--json", "--code", "signature.unknown-key")) == ["fi-001/0", "fi-001/1"]

    keys = f"signing: {{keys: [{{kid: own, public_key: {public_of(OWN)}}}]}}, feeds: [siem, edr]"
    sector.registry = Registry.parse(REGISTRY.replace("feeds: [siem, edr]", keys), "institutions.yml")
    assert run("replay", "fi-001/0").returncode == 0
    mended = tmp_path / "mended.json"
    mended.write_bytes(payload("t-2", seq=2, severity=5))
    assert run("replay", "fi-001/1", "--payload", mended).returncode == 0
    sector.work()

    assert outcomes(sector)[2:] == ["accepted", "accepted"]
    assert [one.signature for one in sector.records("tickets.fi-001")] == [signature, signature, signature, None]


def test_it_is_written_down_before_it_is_sent(refused, run, sector, monkeypatch):
    """Should sending fail, nobody takes it for unsent and sends it a second time."""
    before = sector.log.write

    async def write(records, *signature):
        records = list(records)
        if records[0][0].startswith("fsoc.tickets."):
            raise RuntimeError("gone")
        await before(records, *signature)

    monkeypatch.setattr(sector.log, "write", write)
    with pytest.raises(RuntimeError):
        run("replay", "fi-001/1")
    monkeypatch.setattr(sector.log, "write", before)

    assert names(run("list", "--json")) == ["fi-001/0", "fi-002/0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "fi-001/77"), "fi-001/77: nothing of this name was refused; 3 were"),
        (("replay",), "Name what to send"),
        (("replay", "fi-001/0", "fi-001/1", "--payload", "x"), "--payload is for exactly one"),
        (("replay", "fi-001/0", "--payload", "/nowhere"), "/nowhere: No such file"),
        (("replay", "fi-001/0", "--from", "-"), "cannot be written to"),
        (("show", "fi-001/0", "--raw", "--json"), "cannot both"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_why(refused, run, arguments, said):
    told = run(*arguments)

    assert told.returncode == 2
    assert said in told.stderr


def test_only_what_was_kept_whole_is_sent_as_it_is(run, fsoc, tmp_path):
    record = {
        "schema": "fsoc.quarantine/1",
        "institution": "fi-001",
        "offset": 3,
        "received_at": "2026-03-02T00:00:00Z",
        "payload_bytes": 9,
        "payload": "e30=",
        "faults": [],
    }
    (tmp_path / "q.ndjson").write_bytes(orjson.dumps(record) + b"\n{}\n")
    broken = fsoc("quarantine", "list", "--from", tmp_path / "q.ndjson")
    assert (broken.returncode, "q.ndjson:2: no record" in broken.stderr) == (2, True)

    (tmp_path / "q.ndjson").write_bytes(orjson.dumps(record))
    told = fsoc("quarantine", "replay", "fi-001/3", "--from", tmp_path / "q.ndjson", *BROKERS)
    assert (told.returncode, "only the first 2 of 9 bytes were kept" in told.stdout) == (1, True)


def test_a_note_goes_on_a_line_of_its_own(tmp_path):
    path = tmp_path / "q"
    path.write_bytes(b"{}")
    mark_in_file(path, Replayed("fi-001", 1, "now", "me", False, 2))
    mark_in_file(path, Replayed("fi-001", 2, "now", "me", False, 2))

    assert len(path.read_bytes().splitlines()) == 3
    shelf = Shelf()
    for line in path.read_bytes().splitlines()[1:]:
        shelf.take(line)
    assert shelf.last_replay("fi-001/1").by == "me"


def test_a_payload_is_laid_out_a_member_a_line_and_faults_are_placed():
    body = orjson.dumps({"a": [1, {"b/c": "x"}], "d": {}, "e": "\u202e"})
    shown = laid_out(body)

    assert [line.text for line in shown] == [
        "{",
        '  "a": [',
        "    1,",
        "    {",
        '      "b/c": "x"',
        "    }",
        "  ],",
        '  "d": {},',
        '  "e": "\\u202e"',
        "}",
    ]
    placed = place_faults(shown, ["/a/1/b~1c", "/a/1/missing", "/nothing", "", "/e"])
    assert placed == {4: [0], 3: [1], 0: [2, 3], 8: [4]}


@pytest.mark.parametrize("nested", [b"[" * 900 + b"]" * 900, b"[" * 90_000])
def test_a_payload_that_nests_deep_is_shown_and_nothing_breaks(nested):
    shown = laid_out(nested)

    assert 0 < len(shown) < 300
    assert all(line.text.isprintable() for line in shown)
