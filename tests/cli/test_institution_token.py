"""The kit has a token for the gateway: made, kept, rotated, stopped; shown to nobody."""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
import subprocess

import pytest

from fsoc.runtime.gateway.credentials import Credentials, digest_of, new_token
from fsoc.runtime.gateway.problems import Refusal
from tests.command_line import command_line

NEW = ("--name", "Fifth Bank", "--sector", "bank", "--tier", "2", "--feed", "siem")
TODAY = dt.date(2026, 3, 2)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Everything it says is looked through: no token is ever in it."""
    fsoc = command_line(monkeypatch, capsys)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.pem").write_text("a certificate\n")

    def run_one(*arguments, credentials=("--credentials", "gateway.yml", "--gateway", "https://g.example:8443")):
        where = ("--institutions", "who.yml", "--brokers", "127.0.0.1:1", *credentials)
        told = fsoc("institution", *arguments, *where)
        assert not re.search(r"fsoc_fi-005_[A-Za-z0-9_-]{20}", told.stdout + told.stderr)
        return told

    return run_one


def token_of(folder, user="fi-005"):
    return (folder / f"{user}.token").read_text().strip()


def became(told):
    return json.loads(told.stdout)["token"]


def who(tmp_path, token):
    """Whose it is for the gateway; None: nobody's."""
    try:
        return Credentials.parse((tmp_path / "gateway.yml").read_text(), "gateway.yml").identify(token, None, TODAY)
    except Refusal:
        return None


def test_a_new_institutions_kit_has_a_token_that_the_gateway_takes(run, tmp_path):
    told = run("add", "fi-005", *NEW)

    kit = tmp_path / "kit-fi-005"
    assert told.returncode == 0
    assert "gateway token 閘道權杖: new" in told.stderr
    assert who(tmp_path, token_of(kit)) == "fi-005"
    assert (kit / "fi-005.header").read_text() == f"Authorization: Bearer {token_of(kit)}\n"
    assert token_of(kit) not in (tmp_path / "gateway.yml").read_text()
    for path in (kit / "fi-005.token", kit / "fi-005.header", tmp_path / "gateway.yml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_added_again_the_token_stays_while_the_gateway_takes_it(run, tmp_path):
    run("add", "fi-005", *NEW)
    token, text = token_of(tmp_path / "kit-fi-005"), (tmp_path / "gateway.yml").read_text()

    assert became(run("add", "fi-005", "--json")) == "unchanged"
    assert (token_of(tmp_path / "kit-fi-005"), (tmp_path / "gateway.yml").read_text()) == (token, text)

    (tmp_path / "gateway.yml").unlink()
    assert became(run("add", "fi-005", "--json")) == "new"
    assert who(tmp_path, token) is None
    assert who(tmp_path, token_of(tmp_path / "kit-fi-005")) == "fi-005"


def test_rotated_only_the_new_one_is_taken_and_what_is_of_no_kit_stays(run, tmp_path):
    by_hand = new_token("fi-005")
    entry = f'credentials:\n  - institution: fi-005\n    token_sha256: "{digest_of(by_hand.encode())}"  # of the SIEM\n'
    (tmp_path / "gateway.yml").write_text(entry)
    run("add", "fi-005", *NEW)
    before = token_of(tmp_path / "kit-fi-005")

    assert run("rotate", "fi-005").returncode == 0

    after = token_of(tmp_path / "kit-fi-005")
    assert [who(tmp_path, token) for token in (before, after, by_hand)] == [None, "fi-005", "fi-005"]
    assert "# of the SIEM" in (tmp_path / "gateway.yml").read_text()


def test_rotated_on_a_cluster_with_passwords_both_are_new(run, secure, tmp_path):
    run("add", "fi-005", *NEW, *secure)
    kit = tmp_path / "kit-fi-005"
    before = (token_of(kit), (kit / "fi-005.password").read_text())

    told = run("rotate", "fi-005", *secure)

    assert [line.split()[0] for line in told.stdout.splitlines() if line.startswith("kafka-")] == ["kafka-configs.sh"]
    assert token_of(kit) != before[0]
    assert (kit / "fi-005.password").read_text() != before[1]


def test_suspended_nothing_of_it_is_taken_any_more_and_lifted_it_has_another(run, tmp_path):
    run("add", "fi-005", *NEW)
    run("add", "fi-006", *NEW)
    token, other = token_of(tmp_path / "kit-fi-005"), token_of(tmp_path / "kit-fi-006", "fi-006")

    told = run("suspend", "fi-005")
    assert "1 credentials taken out" in told.stderr
    assert (who(tmp_path, token), who(tmp_path, other)) == (None, "fi-006")
    assert json.loads(run("suspend", "fi-006", "--json").stdout)["tokens_taken"] == 1
    assert (who(tmp_path, token), who(tmp_path, other)) == (None, None)

    run("suspend", "fi-005", "--lift")
    assert who(tmp_path, token) is None
    assert who(tmp_path, token_of(tmp_path / "kit-fi-005")) == "fi-005"


def test_suspended_its_tokens_are_gone_though_the_cluster_does_not_answer(run, tmp_path):
    run("add", "fi-005", *NEW)
    token = token_of(tmp_path / "kit-fi-005")

    told = run("suspend", "fi-005", "--apply")

    assert (told.returncode, "no Kafka answers" in told.stderr) == (2, True)
    assert who(tmp_path, token) is None


def test_a_delegate_has_a_token_of_whom_it_sends_for(run, tmp_path):
    run("add", "fi-005", *NEW, "--delegate", "msp-1")

    assert run("rotate", "msp-1").returncode == 0

    theirs, own = token_of(tmp_path / "kit-msp-1", "msp-1"), token_of(tmp_path / "kit-fi-005")
    assert [who(tmp_path, token) for token in (theirs, own)] == ["fi-005", "fi-005"]


def test_the_manual_tells_how_in_both_languages_and_its_commands_are_shells(run, tmp_path):
    run("add", "fi-005", *NEW, "--gateway-ca", "gateway.pem")

    kit = tmp_path / "kit-fi-005"
    manual = (kit / "README.txt").read_text()
    assert "By HTTPS instead" in manual
    assert "改以 HTTPS 送件" in manual
    assert "fsoc send first-tickets.ndjson --to https://g.example:8443 --token-file fi-005.token" in manual
    assert token_of(kit) not in manual
    assert (kit / "gateway-ca.pem").read_text() == "a certificate\n"
    commands = "\n".join(line for line in manual.splitlines() if line.startswith(("   ", "     ")))
    curls = re.findall(r"curl -H (?:.*\\\n)*.*", commands)
    assert len(curls) == 2
    send, receipts = (given(curl, kit) for curl in curls)
    for asked in (send, receipts):
        assert asked[:4] == ["-H", "@fi-005.header", "--cacert", "gateway-ca.pem"]
        assert asked[-1].startswith("https://g.example:8443/v1/")
    assert any(re.fullmatch(r"Idempotency-Key: [0-9a-f]{64}", one) for one in send)


def given(curl, folder):
    """The arguments that a shell makes of the command."""
    printing = f'curl() {{ printf "%s\\n" "$@"; }}; {curl}'
    told = subprocess.run(["bash", "-c", printing], cwd=folder, capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def test_without_a_gateway_nothing_is_said_or_made_of_one(run, tmp_path):
    told = run("add", "fi-005", *NEW, credentials=())

    assert "token" not in told.stdout + told.stderr
    assert not list((tmp_path / "kit-fi-005").glob("*.token"))
    assert "HTTPS" not in (tmp_path / "kit-fi-005" / "README.txt").read_text()
    assert "has no passwords" in run("rotate", "fi-005", credentials=()).stderr
    assert "tokens_taken" not in json.loads(run("suspend", "fi-005", "--json", credentials=()).stdout)


def test_a_credentials_file_that_cannot_be_changed_is_left_and_told(run, tmp_path):
    text = f'credentials: [{{institution: fi-001, token_sha256: "{digest_of(b"a")}"}}]\n'
    (tmp_path / "gateway.yml").write_text(text)

    told = run("add", "fi-005", *NEW)

    assert (told.returncode, "gateway.yml: has a layout that cannot be changed here" in told.stderr) == (2, True)
    assert (tmp_path / "gateway.yml").read_text() == text
    assert "fi-005" not in ((tmp_path / "who.yml").read_text() if (tmp_path / "who.yml").exists() else "")
    assert run("suspend", "fi-005").returncode == 2
