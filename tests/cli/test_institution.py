"""`fsoc institution` as people and scripts meet it, without a cluster that asks who comes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fsoc.cli.main import main
from fsoc.settings import load
from tests.command_line import command_line

NEW = ("--name", "Fifth Bank", "--name-zh", "第五銀行", "--sector", "bank", "--tier", "2", "--feed", "siem")
ENTRY = "  - {id: fi-005, name: Fifth Bank, name_zh: 第五銀行, sector: bank, tier: 2, feeds: [siem]}"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    fsoc = command_line(monkeypatch, capsys)
    monkeypatch.chdir(tmp_path)

    def run_one(*arguments, brokers="127.0.0.1:1"):
        where = ("--institutions", "who.yml", *(("--brokers", brokers) if brokers else ()))
        return fsoc("institution", *arguments, *where)

    return run_one


def test_without_apply_the_registry_is_changed_and_kafkas_commands_are_printed(run, secure, tmp_path):
    told = run("add", "fi-005", *NEW, "--delegate", "msp-1", *secure)

    assert told.returncode == 0
    assert (tmp_path / "who.yml").read_text().splitlines()[1:] == [
        "institutions:",
        ENTRY.replace("[siem]}", "[siem], delegations: [msp-1]}"),
    ]
    commands = [line for line in told.stdout.splitlines() if line.startswith("kafka-")]
    at = '--bootstrap-server 127.0.0.1:1 --command-config "$ADMIN"'
    assert all(at in line for line in commands)
    assert [line.split()[0] for line in commands] == [
        *["kafka-topics.sh"] * 3,
        *["kafka-acls.sh"] * 15,
        *["kafka-configs.sh"] * 3,
    ]
    literal = "--resource-pattern-type literal"
    who = f"kafka-acls.sh {at} --add --allow-principal"
    assert f"{who} User:fi-005 --operation Write --topic fsoc.tickets.fi-005 {literal}" in commands
    assert f"{who} User:msp-1 --operation Read --topic fsoc.receipts.fi-005 {literal}" in commands
    assert f"{who} User:fi-005 --operation Read --group fsoc.fi-005 {literal}" in commands
    scram = tmp_path / "kit-fi-005" / "fi-005.scram"
    assert commands[-1].endswith(f"--entity-type users --entity-name fi-005 --add-config-file {scram}")
    password = (tmp_path / "kit-fi-005" / "fi-005.password").read_text().strip()
    assert password not in told.stdout + told.stderr
    assert "secret" not in told.stdout
    assert str(tmp_path / "kit-fi-005") in told.stderr, "stdout may be piped to a shell"

    again = run("add", "fi-005", *secure)
    assert (again.returncode, again.stdout.splitlines()[1:]) == (0, told.stdout.splitlines()[2:])
    assert (tmp_path / "kit-fi-005" / "fi-005.password").read_text().strip() == password


def test_what_is_asked_of_a_new_one_is_told_at_once_and_what_differs_of_a_known_one(run, tmp_path):
    missing = run("add", "fi-005")
    assert missing.returncode == 2
    assert [line.split(":")[1].strip() for line in missing.stderr.splitlines()] == [
        "--name",
        "--sector",
        "--tier",
        "--feed",
    ]
    assert not (tmp_path / "who.yml").exists()

    assert run("add", "fi-005", *NEW).returncode == 0
    text = (tmp_path / "who.yml").read_text()
    other = run("add", "fi-005", "--tier", "1", "--allowed-lateness", "2h", "--sector", "bank")
    assert other.returncode == 2
    assert "registered with tier: 2; found 1. Edit the file instead" in other.stderr
    assert "registered with allowed_lateness: 3600000; found 7200000" in other.stderr
    wrong = run("add", "FI", *NEW)
    assert (wrong.returncode, "who.yml:4: id: 'FI'; expected 2 to 32" in wrong.stderr) == (2, True)
    assert (tmp_path / "who.yml").read_text() == text
    assert run("add", "fi-006", *NEW, brokers=None).stderr == "fsoc: --brokers: is needed (or FSOC_BROKERS)\n"


def test_who_is_registered_is_listed(run):
    run("add", "fi-005", *NEW, "--group", "fh-1", "--delegate", "msp-1")
    run("add", "fi-006", "--name", "Sixth", *NEW[4:])
    run("suspend", "fi-006")

    told = run("list", brokers=None)
    assert told.returncode == 0
    assert [line.split() for line in told.stdout.splitlines()[1:]] == [
        ["fi-005", "第五銀行", "bank", "2", "fh-1", "siem", "msp-1", "active", "使用中"],
        ["fi-006", "Sixth", "bank", "2", "–", "siem", "–", "suspended", "停用"],
    ]
    (first, second) = json.loads(run("list", "--json", brokers=None).stdout)["institutions"]
    assert (first["id"], first["group"], first["delegations"], first["suspended"]) == (
        "fi-005",
        "fh-1",
        ["msp-1"],
        False,
    )
    assert (second["id"], second["suspended"]) == ("fi-006", True)


def test_without_a_cluster_only_the_registry_is_shown(run):
    run("add", "fi-005", *NEW)

    told = run("show", "fi-005", brokers=None)
    assert told.returncode == 0
    assert told.stdout.splitlines()[0] == "fi-005  Fifth Bank 第五銀行"
    assert [line[1] for line in told.stdout.splitlines()[2:]] == ["✓", *"????????"]
    nobody = run("show", "fi-009", brokers=None)
    assert (nobody.returncode, '"fi-009" is not registered' in nobody.stderr) == (2, True)
    unreachable = run("show", "fi-005")
    assert (unreachable.returncode, "no Kafka answers" in unreachable.stderr) == (2, True)


def test_a_suspension_without_apply_is_written_and_its_commands_are_printed(run, secure, tmp_path):
    run("add", "fi-005", *NEW, *secure)

    told = run("suspend", "fi-005", *secure)
    assert told.returncode == 0
    assert (tmp_path / "who.yml").read_text().splitlines()[-1] == ENTRY.replace("[siem]}", "[siem], suspended: true}")
    commands = [line for line in told.stdout.splitlines() if line.startswith("kafka-")]
    assert len(commands) == 9
    assert all("--remove --force --allow-principal User:" in line for line in commands[:7])
    assert sum("User:fi-005 " in line for line in commands) == 4
    assert sum("User:fsoc-gateway " in line for line in commands) == 4
    assert commands[-1].endswith("--entity-name fi-005 --delete-config SCRAM-SHA-512")
    lifted = run("suspend", "fi-005", "--lift", "--json", *secure)
    facts = json.loads(lifted.stdout)
    assert (facts["lifted"], facts["applied"], len(facts["commands"])) == (True, False, 19)
    assert (tmp_path / "who.yml").read_text().splitlines()[-1] == ENTRY.replace("[siem]}", "[siem], suspended: false}")


def test_a_password_is_changed_only_of_who_may_have_one(run, secure):
    run("add", "fi-005", *NEW, "--delegate", "msp-1", *secure)

    assert "this cluster has no passwords" in run("rotate", "fi-005").stderr
    assert '"msp-2" is neither registered nor named' in run("rotate", "msp-2", *secure).stderr
    told = run("rotate", "msp-1", "--kit", "theirs", *secure)
    assert told.returncode == 0
    assert [line.split()[0] for line in told.stdout.splitlines() if line.startswith("kafka-")] == ["kafka-configs.sh"]
    assert load(Path("theirs") / "msp-1.yml", environment={}).kafka_username == "msp-1"
    run("suspend", "fi-005", *secure)
    assert '"fi-005" is suspended' in run("rotate", "msp-1", *secure).stderr
    assert "is suspended" in run("add", "fi-005", *secure).stderr


@pytest.mark.kafka
def test_a_cluster_that_asks_nobody_needs_no_password(run, kafka, topic_prefix, tmp_path, monkeypatch):
    monkeypatch.setenv("FSOC_GROUP", f"{topic_prefix}workers")  # the rule on it is what all share, too
    prefix = ("--topic-prefix", topic_prefix, "--environment", "test")
    told = run("add", "fi-005", *NEW, "--apply", *prefix, brokers=kafka)

    assert (told.returncode, told.stderr) == (0, "")
    assert "fi-005: 16 topics, 48 access rules, " in told.stdout
    assert "password none." in told.stdout
    assert not list((tmp_path / "kit-fi-005").glob("*.password"))
    shown = json.loads(run("show", "fi-005", "--json", *prefix, brokers=kafka).stdout)
    states = {step["id"]: step["state"] for step in shown["checklist"]}
    assert states == {
        **dict.fromkeys(("registered", "topics", "rules", "quota"), "done"),
        "credential": "not needed",
        **dict.fromkeys(("received", "ticket", "heartbeat", "receipt"), "open"),
    }
    again = run("add", "fi-005", "--apply", "--json", *prefix, brokers=kafka)
    facts = json.loads(again.stdout)
    assert (facts["topics_created"], facts["rules_added"], facts["quotas_set"]) == (0, 0, 0)


@pytest.mark.parametrize("command", ["add", "list", "show", "rotate", "suspend"])
def test_help_shows_an_example_and_speaks_both_languages(monkeypatch, capsys, command):
    monkeypatch.setattr(sys, "argv", ["fsoc", "institution", command, "--help"])
    main()
    shown = capsys.readouterr().out

    assert f"fsoc institution {command}" in shown
    assert "Example" in shown
    assert any("\u4e00" <= letter <= "\u9fff" for letter in shown)
