"""Spool, patience and the gateway's client: a line is acknowledged or waits; the gateway's answer says what is next."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.cli.send import command
from fsoc.client import Gateway, Refused, Spool, SpoolFull, Unavailable, drain
from fsoc.client import spool as spooling
from fsoc.errors import RefusedToStart
from fsoc.runtime.gateway.credentials import new_token

TO = "https://g.example as fi-001"


class Destination:
    """Keeps what arrived by key; fails as it is told: before or after it has the lines."""

    def __init__(self, faults=()):
        self.arrived = {}
        self.calls = 0
        self._faults = iter(faults)

    def send(self, lines, key):
        self.calls += 1
        fault = next(self._faults, None)
        if fault != "before":
            assert self.arrived.setdefault(key, lines) == lines  # the same key never has other lines
        if fault in {"before", "after"}:
            raise Unavailable("no answer")
        if fault == "killed":
            raise KeyboardInterrupt
        return [{"outcome": "taken", "offset": 0, "faults": []} for _ in lines]


def lines(count, begin=0):
    return [b"line %d" % number for number in range(begin, begin + count)]


def quickly(spool, destination, patience_seconds=1e9, **named):
    now = itertools.count()
    named = {"clock": lambda: float(next(now)), "sleep": lambda _: None} | named
    return drain(spool, destination, patience_seconds=patience_seconds, **named)


def test_lines_go_out_in_order_in_bounded_batches_and_leave_the_spool_when_acknowledged(tmp_path, monkeypatch):
    monkeypatch.setattr(spooling, "BATCH_LINES", 3)
    monkeypatch.setattr(spooling, "BATCH_BYTES", 20)
    destination = Destination()
    with Spool(tmp_path, TO) as spool:
        spool.add([*lines(4), b"x" * 50])

        assert quickly(spool, destination)

        assert list(destination.arrived.values()) == [lines(2), lines(2, 2), [b"x" * 50]]
        assert spool.standing()[:3] == (0, 0, None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, "before", "after", "killed"])), max_size=12),
    st.integers(1, 3),
)
def test_whatever_fails_or_is_killed_every_line_arrives_once_under_one_key(tmp_path_factory, steps, size):
    """Each step adds lines, then sends with one fault; "killed" leaves as kill -9 would: no line of ours runs."""
    folder = tmp_path_factory.mktemp("spool")
    destination = Destination()
    added = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooling, "BATCH_LINES", size)
        for count, fault in steps:
            new = lines(count, len(added))
            spool = Spool(folder, TO)
            spool.add(new)
            added += new
            destination._faults = iter([fault])
            try:
                quickly(spool, destination)
            except KeyboardInterrupt:
                continue  # never closed
            spool.close()
        with Spool(folder, TO) as spool:
            assert quickly(spool, destination)
    assert [line for batch in destination.arrived.values() for line in batch] == added


def test_a_process_that_is_killed_keeps_what_it_added(tmp_path):
    program = (
        "import os, signal; from fsoc.client import Spool\n"
        f"spool = Spool({str(tmp_path)!r}, {TO!r}); spool.add([b'one', b'two']); spool.batch()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9

    with Spool(tmp_path, TO) as spool:
        assert spool.add([b"three"]) == 1
        assert spool.batch().lines == [b"one", b"two"]


def test_patience_ends_and_nothing_is_lost(tmp_path):
    told = []
    destination = Destination(["before"] * 99)
    with Spool(tmp_path, TO) as spool:
        spool.add(lines(2))

        assert not quickly(spool, destination, 20, waits=lambda seconds, _: told.append(seconds))

        assert spool.standing().lines == 2
    assert destination.calls == len(told) + 1
    assert all(1.2 < later / earlier < 2.6 for earlier, later in itertools.pairwise(told))


def test_it_never_comes_back_sooner_than_it_was_asked(tmp_path):
    told = []

    class Busy(Destination):
        def send(self, lines, key):
            if not told:
                raise Unavailable("later", 7)
            return super().send(lines, key)

    with Spool(tmp_path, TO) as spool:
        spool.add(lines(1))
        assert quickly(spool, Busy(), waits=lambda seconds, _: told.append(seconds))
    assert 7 <= told[0] <= 9


def test_what_a_spool_does_not_take(tmp_path):
    with Spool(tmp_path / "small", TO, bytes_max=10) as spool:
        with pytest.raises(SpoolFull):
            spool.add([b"123456", b"123456"])
        for bad in (b"", b" ", b"a\nb", b"x" * 1_000_001):
            with pytest.raises(ValueError, match="a line of"):
                spool.add([b"good", bad])
        assert spool.standing().lines == 0
        spool.add([b"1"])
        with spool.sender() as mine, spool.sender() as theirs:
            assert (mine, theirs) == (True, False)
    with pytest.raises(RefusedToStart, match=r"holds 1 lines for https://g.example as fi-001"):
        Spool(tmp_path / "small", "https://g.example as fi-002")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RefusedToStart, match="cannot be used as a spool"):
        Spool(tmp_path / "file", TO)


@pytest.fixture
def served():
    """A gateway of which every answer is given beforehand: (status, headers, body), "drop" hangs up."""
    answers, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, dict(self.headers), body))
            answer = answers.pop(0) if answers else None
            if answer == "drop":
                return
            status, headers, told = answer or (202, {}, {"entries": [_entry(line) for line in body.split(b"\n")]})
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers, asked
    server.shutdown()
    thread.join()
    server.server_close()


def _entry(line):
    if line != b"bad":
        return {"line": 1, "outcome": "taken", "offset": 1, "faults": []}
    fault = {"pointer": "/severity", "code": "field.out-of-range", "reason": "too much", "reason_zh": "超出範圍"}
    return {"line": 1, "outcome": "quarantined", "offset": 2, "faults": [{**fault, "hint": "less", "hint_zh": "少"}]}


def test_every_answer_of_a_gateway_is_done_to_be_tried_again_or_to_be_changed(served):
    url, answers, asked = served
    token = f"{new_token('fi-001')[:-2]}_x"  # there may be a _ in its secret
    gateway = Gateway(url, token=token, timeout_seconds=20)

    assert len(gateway.send([b"1", b"2"], "k")) == 2
    assert asked[0][1]["Authorization"] == f"Bearer {token}"
    assert (asked[0][1]["Idempotency-Key"], asked[0][2]) == ("k", b"1\n2")
    assert gateway.name == f"{url} as fi-001"
    for status in (408, 429, 500, 502, 503, 504):
        answers.append((status, {"Retry-After": "3"}, {"title": "later"}))
        with pytest.raises(Unavailable, match=f"{status} later") as again:
            gateway.send([b"1"], "k")
        assert again.value.retry_after == 3
    for answer in ("drop", (202, {}, b"{"), (202, {}, {"entries": []}), (503, {"Retry-After": "soon"}, b"<html>")):
        answers.append(answer)
        with pytest.raises(Unavailable) as again:
            gateway.send([b"1"], "k")
        assert again.value.retry_after is None
    for status in (301, 400, 401, 403, 404, 413, 415, 422):
        answers.append((status, {}, {"title": "no", "title_zh": "否"}))
        with pytest.raises(Refused, match=f"{status} no 否"):
            gateway.send([b"1"], "k")
    with pytest.raises(Unavailable, match="does not answer"):
        Gateway("http://127.0.0.1:1").send([b"1"], "k")
    for bad in ("http://gateway.example", "ftp://x", "https://", "https://g/path", "https://g:x"):
        with pytest.raises(RefusedToStart):
            Gateway(bad)
    assert Gateway(url, token="strange_one").name.endswith("as the holder of a token")  # noqa: S106 - none
    with pytest.raises(RefusedToStart, match="one line of printable ASCII"):
        Gateway(url, token="\r\n".join("ab"))


@pytest.fixture
def send(tmp_path, served):
    (tmp_path / "token").write_text("fsoc_fi-001_secret\n")

    def run(*arguments, **named):
        options = ["--to", served[0], "--token-file", str(tmp_path / "token"), "--spool", str(tmp_path / "spool")]
        return CliRunner().invoke(command, [*arguments, *options], **named)

    return run


def test_a_file_is_sent_and_what_will_be_refused_is_told_with_how_to_mend_it(tmp_path, send, served):
    file = tmp_path / "t.ndjson"
    file.write_bytes(b"good\n\nbad\r\n" + b"x" * 1_000_001 + b"\ngood")

    told = send(str(file))

    assert told.exit_code == 1
    assert [body for *_, body in served[2]] == [b"good\nbad\ngood"]
    assert "/severity  field.out-of-range  too much  超出範圍" in told.stdout
    assert told.stdout.splitlines()[-1].startswith("2 arrived, 2 refused, 0 wait in the spool")
    assert "line 4 is 1,000,001 bytes" in told.stderr
    file.write_bytes(b"good\n")
    assert send(str(file)).exit_code == 0


def test_what_could_not_be_sent_waits_and_the_next_run_sends_it_under_the_same_key(tmp_path, send, served):
    file = tmp_path / "t.ndjson"
    file.write_bytes(b"one\ntwo\n")
    served[1].append("drop")

    first = send(str(file), "--give-up-after", "0", "--json")
    status = CliRunner().invoke(command, ["--status", "--json", "--spool", str(tmp_path / "spool")])
    second = send("--json")

    assert (first.exit_code, json.loads(first.stdout)) == (1, {"taken": 0, "refused": 0, "waiting": 2})
    assert (status.exit_code, json.loads(status.stdout)["waiting"]) == (1, 2)
    assert (second.exit_code, json.loads(second.stdout.splitlines()[-1])["taken"]) == (0, 2)
    keys = [headers["Idempotency-Key"] for _, headers, _ in served[2]]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    told = CliRunner().invoke(command, ["--status", "--spool", str(tmp_path / "spool")])
    assert (told.exit_code, told.stdout) == (0, "nothing waits  沒有待送之事件單\n")


def test_what_must_be_changed_first_is_told_and_everything_waits(tmp_path, send, served):
    file = tmp_path / "t.ndjson"
    file.write_bytes(b"one\n")
    served[1].append((401, {}, {"title": "The token is not known."}))

    told = send(str(file))

    assert isinstance(told.exception, RefusedToStart)
    assert "401 The token is not known.; what is not acknowledged waits in" in str(told.exception)
    assert (
        json.loads(CliRunner().invoke(command, ["--status", "--json", "--spool", str(tmp_path / "spool")]).stdout)[
            "waiting"
        ]
        == 1
    )
    assert isinstance(send("nowhere.ndjson").exception, RefusedToStart)
    assert CliRunner().invoke(command, ["x", "--to", "https://g", "--brokers", "k:1"]).exit_code == 2
    assert isinstance(CliRunner().invoke(command, ["x"], env={"FSOC_BROKERS": ""}).exception, RefusedToStart)


def test_a_pipe_is_sent_to_its_end_also_without_a_last_line_feed(tmp_path, served):
    (tmp_path / "token").write_text("t")
    arguments = ["send", "-", "--to", served[0], "--token-file", "token", "--spool", "spool", "--json"]
    told = subprocess.run(
        [sys.executable, "-m", "fsoc", *arguments], input=b"one\ntwo", cwd=tmp_path, capture_output=True, check=False
    )

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == {"taken": 2, "refused": 0, "waiting": 0}
    assert b"\n".join(body for *_, body in served[2]) == b"one\ntwo"


def test_the_client_imports_nothing_of_the_engine():
    heavy = "pydantic orjson msgspec aiokafka faust click yaml fsoc.runtime fsoc.tickets"
    program = f"import sys, fsoc.client; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
