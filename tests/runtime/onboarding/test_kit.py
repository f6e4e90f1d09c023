"""What is handed over is valid, private, and says how, in two languages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import orjson
import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.onboarding.kit import Kit, first_tickets
from fsoc.settings import Settings, load
from fsoc.tickets.decode import decode

NOW = dt.datetime(2026, 11, 29, 22, 30, 5, 123_000, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "authority.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "admin").write_text("secret\n")
    return load(
        environment={},
        options={
            "brokers": "kafka-1:9092,kafka-2:9092",
            "kafka_protocol": "SASL_SSL",
            "kafka_ca_file": tmp_path / "authority.pem",
            "kafka_username": "fsoc-admin",
            "kafka_password_file": tmp_path / "admin",
        },
    )


def test_the_first_tickets_are_a_ticket_its_correction_and_a_heartbeat_of_now():
    messages = [decode(line, institution="fi-010") for line in first_tickets("fi-010", "edr", NOW)]

    assert [(one.kind, one.revision, one.seq, one.body.get("last_seq")) for one in messages] == [
        ("ticket", 1, 1, None),
        ("ticket", 2, 2, None),
        ("source_status", 0, None, 2),
    ]
    assert {(one.feed, one.environment) for one in messages} == {("edr", "test")}
    now_ms = int(NOW.timestamp() * 1000)
    assert {one.sent_at_ms for one in messages[:2]} == {now_ms}
    assert messages[2].detected_at_ms == now_ms, "its period ends now"
    assert all(one.body.get("submitted_by") is None for one in messages)
    (delegated, *_) = first_tickets("fi-010", "edr", NOW, submitted_by="msp-1")
    assert decode(delegated, institution="fi-010").body["submitted_by"] == "msp-1"


def test_the_longest_names_fit():
    for line in first_tickets("f" * 32, "e" * 32, NOW, submitted_by="m" * 32):
        decode(line, institution="f" * 32)


def test_a_kit_is_for_its_owner_alone_and_each_file_says_the_same(settings: Settings, tmp_path: Path):
    kit = Kit(tmp_path / "kit", "fi-010")
    password = kit.write_access(settings)
    kit.write_first_steps(settings, "fi-010", "siem", NOW)

    assert kit.folder.stat().st_mode & 0o777 == 0o700
    secret = {path.name for path in kit.folder.iterdir() if password.encode() in path.read_bytes()}
    assert secret == {"fi-010.password", "fi-010.kcat", "fi-010.properties", "fi-010.scram"}
    assert {(kit.folder / name).stat().st_mode & 0o777 for name in secret} == {0o600}
    assert "secret" not in "".join(path.read_text() for path in kit.folder.iterdir()), "nothing of the administrator's"
    theirs = load(kit.files.settings, environment={})
    assert (theirs.brokers, theirs.topic_prefix) == (settings.brokers, "fsoc.")
    assert Security.of(theirs) == Security("SASL_SSL", kit.folder / "ca.pem", "fi-010", kit.files.password)
    assert (kit.folder / "ca.pem").read_text() == "-----BEGIN CERTIFICATE-----\n"
    assert dict(line.split("=", 1) for line in kit.files.kcat.read_text().splitlines()[1:]) == {
        "bootstrap.servers": "kafka-1:9092,kafka-2:9092",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "ca.pem",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "fi-010",
        "sasl.password": password,
    }
    assert kit.scram.read_text() == f"SCRAM-SHA-512=password={password}\n"


def test_a_password_is_kept_only_where_that_is_asked_for(settings: Settings, tmp_path: Path):
    kit = Kit(tmp_path / "kit", "fi-010")
    first = kit.write_access(settings, keep=True)

    assert kit.write_access(settings, keep=True) == first
    assert kit.write_access(settings) != first


def test_where_nobody_is_asked_there_is_no_password(tmp_path: Path):
    kit = Kit(tmp_path / "kit", "fi-010")

    assert kit.write_access(load(environment={}, options={"brokers": "k:1"})) is None
    assert {path.name for path in kit.folder.iterdir()} == {"fi-010.yml", "fi-010.kcat", "fi-010.properties"}
    assert load(kit.files.settings, environment={}).kafka_protocol == "PLAINTEXT"


def test_the_manual_shows_the_commands_of_this_institution_and_no_feedback_to_a_delegate(
    settings: Settings, tmp_path: Path
):
    own, theirs = Kit(tmp_path / "own", "fi-010"), Kit(tmp_path / "theirs", "msp-1")
    for kit in (own, theirs):
        kit.write_first_steps(settings, "fi-010", "siem", NOW)
    mine, others = ((kit.folder / "README.txt").read_text() for kit in (own, theirs))

    assert "kcat -P -F fi-010.kcat -t fsoc.tickets.fi-010 -l first-tickets.ndjson" in mine
    assert "kcat -P -F msp-1.kcat -t fsoc.tickets.fi-010 -l first-tickets.ndjson" in others
    assert "fsoc.feedback.fi-010" in mine
    assert "fsoc.feedback" not in others


def test_a_folder_that_cannot_be_written_is_told_in_a_line(settings: Settings, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RefusedToStart, match="file/kit: cannot be made: Not a directory"):
        Kit(tmp_path / "file" / "kit", "fi-010").write_access(settings)
    gone = settings.model_copy(update={"kafka_ca_file": tmp_path / "gone.pem"})
    with pytest.raises(RefusedToStart, match=r"gone\.pem: cannot be read: No such file"):
        Kit(tmp_path / "kit", "fi-010").write_access(gone)


def test_first_tickets_are_one_a_line(settings: Settings, tmp_path: Path):
    kit = Kit(tmp_path / "kit", "fi-010")
    kit.write_first_steps(settings, "fi-010", "siem", NOW)

    lines = (kit.folder / "first-tickets.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line)["institution"] for line in lines] == ["fi-010"] * 3
