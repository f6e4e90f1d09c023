"""`fsoc institution key`: a key is made, registered, seen, retired, and required."""

from __future__ import annotations

import json
import stat

import pytest

from fsoc.client import Signer
from fsoc.feeds.signatures import Signatures
from fsoc.institutions.registry import Registry
from fsoc.tickets.times import milliseconds
from tests.command_line import command_line

REGISTRY = """\
institutions:
  - {id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}  # the first
  - {id: fi-002, name: B, sector: bank, tier: 1, feeds: [siem]}
"""
TICKETS = [b"{}", b"[]"]
NOON = milliseconds("2027-03-02T12:00:00Z")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    fsoc = command_line(monkeypatch, capsys)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "who.yml").write_text(REGISTRY)

    def run_one(*arguments):
        where = () if arguments[0] == "make" else ("--institutions", "who.yml")
        return fsoc("institution", "key", *arguments, *where)

    return run_one


@pytest.fixture
def key(run, tmp_path):
    """A key that fi-001 has made and the joint SOC has registered."""
    (tmp_path / "pub.jwk").write_text(run("make", "signing.jwk").stdout)
    assert run("add", "fi-001", "pub.jwk").returncode == 0
    return Signer.from_file(tmp_path / "signing.jwk")


def code(tmp_path, signer, at_ms=NOON, signature=...):
    registry = Registry.parse((tmp_path / "who.yml").read_text(), "who.yml")
    given = signer.sign(TICKETS).encode() if signature is ... else signature
    fault = Signatures("fi-001").fault(registry, given, TICKETS[0], at_ms)
    return fault and fault.code


def test_what_the_made_key_signs_is_taken_once_it_is_registered(run, tmp_path):
    told = run("make", "signing.jwk")
    (tmp_path / "pub.jwk").write_text(told.stdout)
    signer = Signer.from_file(tmp_path / "signing.jwk")
    assert code(tmp_path, signer) == "signature.unknown-key"

    assert run("add", "fi-001", "pub.jwk").returncode == 0

    assert code(tmp_path, signer) is None
    assert "# the first" in (tmp_path / "who.yml").read_text()


def test_the_private_key_is_its_owners_alone_and_is_never_shown_or_written_over(run, tmp_path):
    told = run("make", "signing.jwk")

    path = tmp_path / "signing.jwk"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = json.loads(path.read_text())["d"]
    assert private not in told.stdout + told.stderr
    assert "d" not in json.loads(told.stdout)
    again = run("make", "signing.jwk")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert json.loads(path.read_text())["d"] == private


def test_a_private_key_is_not_registered(run, tmp_path):
    run("make", "signing.jwk")

    told = run("add", "fi-001", "signing.jwk")

    assert (told.returncode, "is a private key" in told.stderr) == (2, True)
    assert (tmp_path / "who.yml").read_text() == REGISTRY


def test_a_key_ends_when_it_is_retired_and_keeps_what_it_signed_before(run, key, tmp_path):
    told = run("retire", "fi-001", key.kid, "--at", "2027-03-02T12:00:00Z")

    assert told.returncode == 0
    assert code(tmp_path, key, NOON) is None
    assert code(tmp_path, key, NOON + 1) == "signature.expired-key"


def test_a_key_that_ended_is_not_given_longer_by_being_retired_again(run, key, tmp_path):
    run("retire", "fi-001", key.kid, "--at", "2027-03-01")
    run("retire", "fi-001", key.kid, "--at", "2027-04-01")

    assert code(tmp_path, key, NOON) == "signature.expired-key"


def test_an_institution_is_shown_with_its_keys(run, key, capsys, monkeypatch):
    run("require", "fi-001", "--from", "2027-03-02")
    fsoc = command_line(monkeypatch, capsys)

    shown = fsoc("institution", "show", "fi-001", "--institutions", "who.yml").stdout

    assert "signing keys 簽章金鑰 1, required from 要求起始 2027-03-02" in shown
    assert "簽章金鑰" not in fsoc("institution", "show", "fi-002", "--institutions", "who.yml").stdout


def test_without_a_time_it_ends_now(run, key, tmp_path):
    run("retire", "fi-001", key.kid)

    (listed,) = json.loads(run("list", "fi-001", "--json").stdout)["keys"]
    assert listed["ended"] is True
    assert "ended 已停用" in run("list", "fi-001").stdout


def test_signatures_are_required_from_a_day_on_and_no_longer(run, key, tmp_path):
    told = run("require", "fi-001", "--from", "2027-03-02")
    assert "要求簽章: from 自 2027-03-02T00:00:00.000Z" in told.stdout
    assert code(tmp_path, key, NOON, None) == "signature.missing"

    run("require", "fi-001", "--never")
    assert code(tmp_path, key, NOON, None) is None


def test_two_keys_are_taken_while_one_follows_the_other(run, key, tmp_path):
    (tmp_path / "next.pub").write_text(run("make", "next.jwk").stdout)
    assert run("add", "fi-001", "next.pub", "--not-after", "2027-06-30").returncode == 0

    assert code(tmp_path, key) is None
    assert code(tmp_path, Signer.from_file(tmp_path / "next.jwk")) is None
    assert code(tmp_path, Signer.from_file(tmp_path / "next.jwk"), milliseconds("2027-07-01T00:00:00Z")) == (
        "signature.expired-key"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "fi-009", "pub.jwk"), '"fi-009" is not registered'),
        (("add", "fi-001", "pub.jwk"), "has a key"),
        (("add", "fi-002", "pub.jwk"), "is another key's already"),
        (("add", "fi-001", "nowhere"), "nowhere: key cannot be read"),
        (("add", "fi-001", "pub.jwk", "--not-after", "soon"), "--not-after: 'soon': expected a day"),
        (("retire", "fi-001", "other"), "has no such key"),
        (("require", "fi-002", "--from", "2027-01-01"), "there is no key that could sign"),
        (("require", "fi-001"), "Give --from TIME, or --never"),
        (("require", "fi-001", "--from", "2027-01-01", "--never"), "Give --from TIME, or --never"),
        (("list", "fi-009"), '"fi-009" is not registered'),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_the_registry(run, key, tmp_path, arguments, said):
    before = (tmp_path / "who.yml").read_text()

    told = run(*arguments)

    assert told.returncode == 2
    assert said in told.stderr
    assert (tmp_path / "who.yml").read_text() == before
