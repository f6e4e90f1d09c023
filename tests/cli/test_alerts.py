"""`fsoc alerts` as an analyst calls it: from a file, on a terminal and in a pipe, and from a real cluster."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
from functools import partial
from typing import NamedTuple, get_args

import orjson
import pytest

from fsoc.cli.alert_words import kind_name
from fsoc.cli.main import main
from fsoc.correlation.past import Novelty
from fsoc.correlation.policy import HOUR_MS, Clock, Kind, Policy
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.topics import table
from tests.alerts.conftest import make_alert, make_entry

POLICY = Policy((Clock("notify", "Report it", "通報", "raised_at_event_time", HOUR_MS),))
SUPPRESSED = {"id": "drill", "owner": "me", "until": "2026-03-03T00:00:00.000Z", "reason": "announced"}


class Told(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def alert(name="al-1a", **changes):
    entries = [make_entry("fi-001", "T-1"), make_entry("fi-001", "T-2", 2), make_entry("fi-002", "T-3", 5)]
    novelty = {"fi-001": Novelty("first_ever", 1, None)}
    told = make_alert(entries, policy=POLICY, novelty=novelty, title="Same indicator", title_zh="同一指標")
    return {**told, "alert_id": name, **changes}


@pytest.fixture
def run(monkeypatch, capfdbinary):
    for variable in os.environ:
        if variable.startswith("FSOC_") and variable != "FSOC_RULES_CACHE":
            monkeypatch.delenv(variable)

    def run_one(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["fsoc", "alerts", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Told(code or 0, out.decode(), err.decode())

    return run_one


@pytest.fixture
def file(tmp_path):
    def write(*alerts):
        path = tmp_path / "alerts.ndjson"
        path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in alerts))
        return path

    return write


def ids(told):
    return [json.loads(line)["alert_id"] for line in told.stdout.splitlines()]


def test_watch_in_a_pipe_writes_each_new_revision_as_it_came(run, file):
    several = [alert(), alert(revision=2), alert(), alert("al-2b", level="low")]
    path = file(*several)
    told = run("watch", "--from", path)

    assert told == Told(0, "".join(path.read_text().splitlines(keepends=True)[place] for place in (0, 1, 3)), "")
    assert ids(run("watch", "--from", path, "--level", "medium")) == ["al-1a", "al-1a"]
    assert run("watch", "--from", "-", stdin=path.read_bytes()).stdout == told.stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ["al-1", "al-2"]),
        (["--suppressed"], ["al-1", "al-2", "al-3"]),
        (["--kind", "local"], ["al-2"]),
        (["--kind", "rule", "--kind", "joint"], ["al-1"]),
        (["--status", "final"], ["al-2"]),
        (["--status", "final", "--status", "open"], ["al-1", "al-2"]),
        (["--institution", "fi-002"], ["al-1"]),
        (["--rule", "同一"], ["al-1", "al-2"]),
        (["--since", "2026-03-02T12:30:00Z"], ["al-2"]),
        (["--since", "2026-03-02"], ["al-1", "al-2"]),
        (["--since", "40m"], ["al-2"]),
        (["--since", "1h"], ["al-1", "al-2"]),
    ],
)
def test_watch_and_export_choose_alike(run, file, options, found):
    path = file(
        alert("al-3", suppressed=SUPPRESSED),
        alert("al-2", kind="local", status="final", last_seen="2026-03-02T13:00:00Z", institutions=["fi-001"]),
        alert("al-1"),
    )
    exported = run("export", "--from", path, "--format", "ndjson", *options)

    assert ids(exported) == found
    assert exported.returncode == 0
    if "40m" not in options:  # in the order of the file, and by what was known then
        assert sorted(ids(run("watch", "--from", path, *options))) == found


def test_every_kind_has_a_chinese_name():
    names = {kind: kind_name(kind, "zh-TW") for kind in get_args(Kind)}

    assert all(kind_name(kind, "en") == kind != name for kind, name in names.items())
    assert len(set(names.values())) == len(names)
    assert kind_name("other\x1b", "zh-TW") == kind_name("other\x1b", "en") == "other\\x1b"


@pytest.mark.parametrize(
    ("kind", "said"), [("joint", "聯防"), ("feed", "資料來源"), ("rule", "規則"), ("local", "單一機構")]
)
def test_show_calls_each_kind_by_its_name(run, file, kind, said):
    head = run("show", "1a", "--from", file(alert(kind=kind)), "--lang", "zh-TW").stdout.splitlines()[0]

    assert f"·  {said}  ·" in head
    assert f"·  {kind}  ·" in run("show", "1a", "--from", file(alert(kind=kind))).stdout.splitlines()[0]


def test_export_writes_json_and_csv_to_stdout_or_a_file(run, file, tmp_path):
    path, out = file(alert()), tmp_path / "out.csv"

    assert json.loads(run("export", "--from", path, "--format", "json").stdout) == [alert()]
    assert run("export", "--from", path, "--bom", "--out", out) == Told(0, "", "")
    assert out.read_bytes().startswith(b"\xef\xbb\xbfalert_id,revision,")
    assert run("export", "--from", path).stdout.encode() == out.read_bytes().removeprefix(b"\xef\xbb\xbf")


def test_export_of_nothing_is_a_heading_and_leaves_with_1(run, file):
    told = run("export", "--from", file(alert()), "--level", "critical")

    assert told.returncode == 1
    assert told.stdout.count("\r\n") == 1


def test_show_tells_the_whole_story(run, file):
    told = run("show", "1a", "--from", file(alert(), alert(status="final", revision=2), alert("al-2b")))

    assert told.returncode == 0
    for part in (
        "al-1a  ·  revision 2  ·  final  ·  joint  ·  high",
        "indicator = evil.example",
        "2 institutions within 1h",
        "Severity  2 (Low)",
        "+24  the gravest ticket is of severity 3 (Medium)",
        "Suggested grade  1",
        "2026-03-02 13:05 UTC  left 1h00  Report it",
        "initial-access  2026-03-02 12:00 → 2026-03-02 12:05  3 / 2  T1566.002",
        "fi-001  2  first ever  T-1, T-2",
        "fi-002  1  T-3 (decided it)",
        "1  open   2 ≥ 2 / 1h  3 tickets  2 institutions  Severity 2",
        "2  final  2 ≥ 2 / 1h",
    ):
        assert part in told.stdout, part
    assert "\x1b" not in told.stdout


def test_show_tells_it_in_chinese_too(run, file):
    told = run("show", "al-1a", "--from", file(alert(suppressed=SUPPRESSED)), "--lang", "zh-TW")

    for part in (
        "同一指標",
        "版次 1",
        "成立原因",
        "有 2 家機構",
        "嚴重度  2 (低)",
        "建議事件等級",
        "通報",
        "促成單",
        "已抑制: announced",
    ):
        assert part in told.stdout, part


INTEL = [{"institution": "fi-009", "ticket_id": "I-1", "at": "2026-03-02T11:58:00.000Z"}]


def test_show_names_intel_apart_from_the_institutions(run, file):
    """An earlier fsoc says nothing of it."""
    decided = {**alert()["explanation"], "deciding": {"fi-009": ["I-1"]}}
    told = run("show", "1a", "--from", file(alert(intel=INTEL, explanation=decided)))
    told_zh = run("show", "1a", "--from", file(alert(intel=INTEL)), "--lang", "zh-TW")
    kept = {name: value for name, value in alert().items() if name != "intel"}

    _, _, after = told.stdout.partition("Intel  (no victims)")
    assert "fi-009  2026-03-02 11:58 UTC  I-1 (decided it)" in after.partition("History")[0]
    assert "情資分析單  (非受害通報)" in told_zh.stdout
    assert "Intel" not in run("show", "1a", "--from", file(kept)).stdout


def test_show_as_json_has_the_alert_and_its_revisions(run, file):
    told = json.loads(run("show", "1a", "--json", "--from", file(alert(), alert(revision=2))).stdout)

    assert told["alert"]["revision"] == 2
    assert [each["revision"] for each in told["revisions"]] == [1, 2]


def test_show_refuses_what_names_no_alert_or_several(run, file):
    path = file(alert("al-1a"), alert("al-1b"), alert("al-1"))

    assert run("show", "9", "--from", path) == Told(2, "", "fsoc: 9: no alert begins so; 3 revisions were read\n")
    assert run("show", "1", "--from", file(alert("al-1a"), alert("al-1b"))).stderr == (
        "fsoc: 1: 2 alerts begin so: al-1a, al-1b\n"
    )
    assert run("show", "al-1", "--from", file(alert("al-1a"), alert("al-1"))).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["watch"], "--brokers: is needed (or FSOC_BROKERS), or --from FILE"),
        (["watch", "--from", "nowhere.ndjson"], "nowhere.ndjson: No such file or directory"),
        (["watch", "--from", "-", "--since", "noon"], '--since: "noon" is not RFC 3339'),
        (["export", "--from", "-", "--brokers", "a:1"], "--from and --brokers cannot both be given."),
        (["export", "--from", "-", "--format", "json", "--bom"], "--bom is for CSV."),
        (["show", "x", "--brokers", "nonsense"], "--brokers"),
        (["export", "--from", "-", "--out", "/nowhere/at/all"], "--out: /nowhere/at/all: No such file"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run, arguments, said):
    told = run(*arguments)

    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_line_that_is_no_alert_is_named(run):
    told = run("export", "--from", "-", stdin=orjson.dumps(alert()) + b"\n{}\n")

    assert told.returncode == 2
    assert told.stderr.startswith("fsoc: stdin:2: no alert: ")


def test_watch_on_a_terminal_draws_the_table_of_a_file_once(file):
    path = file(alert(), alert("al-2b", suppressed=SUPPRESSED), alert("al-3c", suppressed=SUPPRESSED, kind="local"))
    leader, follower = pty.openpty()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "fsoc", "alerts", "watch", "--kind", "joint", "--from", str(path)],
        {**os.environ, "COLUMNS": "100", "LINES": "30", "TERM": "xterm"},
        file_actions=[(os.POSIX_SPAWN_DUP2, follower, 1), (os.POSIX_SPAWN_CLOSE, follower)],
    )
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 1 << 16):
            shown += part
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(leader)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"Same indicator" in shown
    assert b"1 alert" in shown
    assert b"1 suppressed" in shown
    assert b"\x1b[" in shown


@pytest.mark.kafka
def test_alerts_of_a_real_cluster_are_watched_shown_and_exported(run, kafka, topic_prefix):
    async def put():
        log = await KafkaLog.open(kafka)
        await log.create(table(topic_prefix, ["fi-001"], 1, "test"))
        values = [orjson.dumps(alert()), b"nonsense", orjson.dumps(alert(status="final", revision=2))]
        await log.write((f"{topic_prefix}alerts", 0, b"al-1a", value) for value in values)
        await log.close()

    async def put_more():
        log = await KafkaLog.open(kafka)
        await log.write([(f"{topic_prefix}alerts", 0, b"al-2b", orjson.dumps(alert("al-2b")))])
        await log.close()

    asyncio.run(put())
    where = ("--brokers", kafka, "--topic-prefix", topic_prefix, "--environment", "test")
    command = [sys.executable, "-m", "fsoc", "alerts", "watch", *where]
    # Where the tests run in a shell's background, children ignore the interrupt unless they are told not to.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed,  # noqa: PLW1509 - one thread here
    ) as watching:
        followed = [json.loads(watching.stdout.readline()) for _ in range(2)]
        asyncio.run(put_more())
        followed.append(json.loads(watching.stdout.readline()))
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0
    assert [(each["alert_id"], each["revision"]) for each in followed] == [("al-1a", 1), ("al-1a", 2), ("al-2b", 1)]
    watched = run("watch", "--once", *where)
    shown, exported = run("show", "1a", *where), run("export", "--format", "json", *where)

    assert [json.loads(line)["revision"] for line in watched.stdout.splitlines()] == [2, 1]
    assert f"{topic_prefix}alerts, partition 0, offset 1: no alert" in watched.stderr
    assert "revision 2  ·  final" in shown.stdout
    assert "left 1h00" in shown.stdout  # an exercise's clocks are told against its own time
    assert [each["revision"] for each in json.loads(exported.stdout)] == [2, 1]
    missing = run("show", "1a", "--brokers", kafka, "--topic-prefix", "nobody.")
    assert (missing.returncode, "no such topic" in missing.stderr) == (2, True)
