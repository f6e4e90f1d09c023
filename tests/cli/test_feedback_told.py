"""`fsoc feedback show`, `export` and `ack`: from a file in every form, and an answer by way of a gateway."""

from __future__ import annotations

import asyncio
import json
from email import message_from_bytes
from email.policy import default

import orjson
import pytest
from click.testing import CliRunner

from fsoc.cli.feedback import command
from fsoc.runtime.log import read_to_end
from fsoc.tickets.answering import acknowledge
from fsoc.tickets.decode import decode
from tests.channels.told import record
from tests.command_line import command_line
from tests.runtime.gateway.conftest import PREFIX
from tests.runtime.gateway.site import Site

ALERT, OTHER = "al-" + "1" * 32, "al-" + "2" * 32


@pytest.fixture
def fsoc(monkeypatch, capfd):
    run = command_line(monkeypatch, capfd)
    return lambda *arguments: run("feedback", *arguments)


@pytest.fixture
def told(tmp_path):
    """Of one alert two revisions, of another one, and what another institution was told of it."""
    path = tmp_path / "feedback.ndjson"
    records = [
        record(alert_id=ALERT, title="before"),
        record(alert_id=ALERT, revision=2, title="after"),
        record(alert_id=OTHER, exercise=True, environment="exercise"),
        record(alert_id=OTHER, institution="fi-002", ticket_ids=["theirs"]),
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return path


@pytest.mark.parametrize("address", ["a@b.example\nBcc: x@y.example", "a@b.example\x00", "", "nobody", "ä@b.example"])
@pytest.mark.parametrize("option", ["--recipient", "--sender"])
def test_what_is_no_address_is_refused_before_anything_is_written(told, tmp_path, option, address):
    runner = CliRunner()
    for arguments in (("show", ALERT, "--as", "mail"), ("export", "--dir", str(tmp_path / "out"), "--as", "maildir")):
        done = runner.invoke(command, [*arguments, "--from", str(told), option, address])
        assert (done.exit_code, f"'{option}'" in done.output) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["soc@bank.example", "資安 <soc@bank.example>, b@bank.example"])
def test_addresses_may_have_names_and_be_several(told, address):
    done = CliRunner().invoke(command, ["show", ALERT, "--as", "mail", "--from", str(told), "--recipient", address])

    assert done.exit_code == 0
    assert message_from_bytes(done.stdout_bytes, policy=default)["To"] == address


def test_one_alert_is_shown_in_every_form(fsoc, told):
    def show(form, *more):
        done = fsoc("show", "1111", "--as", form, "--from", told, "--lang", "en", *more)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert show("text").startswith("after\n")
    assert "<h1>after</h1>" in show("html")
    assert json.loads(show("stix"))["type"] == "bundle"
    assert json.loads(show("json"))["revision"] == 2
    mail = message_from_bytes(show("mail", "--recipient", "soc@bank.example").encode(), policy=default)
    assert (mail["To"], mail["Subject"]) == ("soc@bank.example", "[TLP:AMBER] after")
    assert fsoc("show", "1111", "--from", told).stdout.startswith("同一釣魚套件")


def test_hunting_rules_are_shown_as_queries_of_the_siems_that_are_named_or_chosen(fsoc, told, tmp_path):
    done = fsoc(
        "show", "1111", "--as", "queries", "--siem", "splunk", "--siem", "qradar", "--from", told, "--lang", "en"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "# Sector indicator · Splunk SPL" in done.stdout
    assert "# Sector indicator · QRadar AQL" in done.stdout
    assert done.stdout.count("login.update.example") == 2

    (tmp_path / "siems.yml").write_text("institutions: {fi-001: {target: opensearch}}\n")
    chosen = fsoc("show", "1111", "--as", "html", "--mappings", tmp_path / "siems.yml", "--from", told)
    assert "查詢語法 OpenSearch" in chosen.stdout
    assert fsoc("show", "1111", "--as", "queries", "--from", told).returncode == 2
    assert "is none of splunk" in fsoc("show", "1111", "--siem", "excel", "--from", told).stderr


def test_a_drill_is_shown_as_one(fsoc, told):
    assert fsoc("show", OTHER, "--institution", "fi-001", "--from", told).stdout.startswith("【演練】")


@pytest.mark.parametrize(
    ("alert", "said"), [("9", "nothing was told"), ("al-", "several begin so"), (OTHER, "give --institution")]
)
def test_what_is_not_one_alert_is_refused(fsoc, told, alert, said):
    done = fsoc("show", alert, "--from", told)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_line_that_is_no_feedback_is_named(fsoc, tmp_path):
    (tmp_path / "x").write_text('\n{"schema": "fsoc.alert/1"}\n')

    done = fsoc("show", "x", "--from", tmp_path / "x")
    assert done.returncode == 2
    assert f"{tmp_path}/x:2: no feedback: /schema" in done.stderr


def test_an_export_writes_what_is_new_and_leaves_the_rest_alone(fsoc, told, tmp_path):
    folder = tmp_path / "out"
    arguments = ("export", "--dir", folder, "--as", "html", "--as", "stix", "--institution", "fi-001", "--from", told)

    assert json.loads(fsoc(*arguments, "--json").stdout) == {"alerts": 2, "written": 4, "unchanged": 0}
    assert {path.name for path in folder.iterdir()} == {
        f"{a}.{s}" for a in (ALERT, OTHER) for s in ("html", "stix.json")
    }
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    with told.open("ab") as more:
        more.write(b"\n" + orjson.dumps(record(alert_id=ALERT, revision=3, title="last")))
    assert json.loads(fsoc(*arguments, "--json").stdout) == {"alerts": 2, "written": 2, "unchanged": 2}
    assert {path.name for path, at in before.items() if path.stat().st_mtime_ns != at} == {
        f"{ALERT}.html",
        f"{ALERT}.stix.json",
    }
    assert fsoc("export", "--dir", folder, "--institution", "fi-009", "--from", told).returncode == 1


def test_a_maildir_gets_each_revision_once_wherever_its_reader_moves_it(fsoc, told, tmp_path):
    box = tmp_path / "box"
    arguments = ("export", "--dir", box, "--as", "maildir", "--institution", "fi-001", "--from", told, "--json")

    assert json.loads(fsoc(*arguments).stdout)["written"] == 2
    (first, second) = sorted((box / "new").iterdir())
    first.replace(box / "cur" / f"{first.name}:2,S")
    assert json.loads(fsoc(*arguments).stdout)["written"] == 0
    assert message_from_bytes(second.read_bytes(), policy=default)["Subject"].startswith("[TLP:AMBER] 【演練】")


def test_an_answer_is_a_valid_message_and_the_next_replaces_it():
    (first,) = acknowledge("fi-001", [ALERT], "seen", 1_000, "production")
    (second,) = acknowledge("fi-001", [ALERT], None, 2_000, "exercise", "ex-1")

    for body in (first, second):
        message = decode(orjson.dumps(body), institution="fi-001")
        assert message.ticket_id == f"ack/{ALERT}"
    assert first["revision"] < second["revision"]
    assert second["action"] == "retract"


async def test_an_answer_goes_to_the_gateway_and_its_faults_come_back(tmp_path):
    site = Site(tmp_path)
    await site.start()
    try:
        (tmp_path / "token").write_text(site.tokens["fi-001"])
        where = ["--to", site.url, "--token-file", str(tmp_path / "token"), "--institution", "fi-001"]

        async def ack(*arguments):
            return await asyncio.to_thread(CliRunner().invoke, command, ["ack", *arguments, *where])

        done = await ack(ALERT, OTHER, "--answer", "affected")
        assert (done.exit_code, done.output.count("已回復 affected")) == (0, 2), done.output
        assert (await ack(ALERT, "--retract")).exit_code == 0
        refused = await ack("no alert", "--answer", "seen")
        assert refused.exit_code == 1
        assert "/relations/acknowledges/0/alert_id" in refused.output
        assert (await ack(ALERT)).exit_code == 2
        topic = f"{PREFIX}tickets.fi-001"
        bodies = [orjson.loads(one.value) async for several in read_to_end(site.log, topic, 0) for one in several]
        assert [body["action"] for body in bodies[:3]] == ["update", "update", "retract"]
    finally:
        await site.stop()
