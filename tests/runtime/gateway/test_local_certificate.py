"""A certificate for this machine: trusted by its own authority, served by a gateway, left while it is good."""

from __future__ import annotations

import datetime as dt
import ssl
import stat

import pytest
from click.testing import CliRunner
from cryptography import x509

from fsoc.cli.gateway import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.gateway.certificates import context_of
from fsoc.runtime.gateway.local_certificate import AUTHORITY, CERTIFICATE, KEY, make

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_it_is_for_this_machine_and_leads_to_its_authority(tmp_path):
    assert make(tmp_path / "new", NOW)

    folder = tmp_path / "new"
    made = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    made.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes()))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert context_of(folder / CERTIFICATE, folder / KEY, None).minimum_version is ssl.TLSVersion.TLSv1_2
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {file.name for file in folder.iterdir()} == {CERTIFICATE, KEY, AUTHORITY}


def test_it_is_left_until_thirty_days_before_its_end_and_made_anew_where_a_file_is_gone_or_bad(tmp_path):
    make(tmp_path, NOW)
    first = (tmp_path / CERTIFICATE).read_bytes()

    assert not make(tmp_path, NOW + dt.timedelta(days=366))
    assert (tmp_path / CERTIFICATE).read_bytes() == first
    assert make(tmp_path, NOW + dt.timedelta(days=368))
    (tmp_path / KEY).unlink()
    assert make(tmp_path, NOW)
    (tmp_path / CERTIFICATE).write_text("none")
    assert make(tmp_path, NOW)


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RefusedToStart, match="cannot be used"):
        make(tmp_path / "file", NOW)


def test_the_command_says_what_it_did(tmp_path):
    told = [CliRunner().invoke(command, ["certificate", str(tmp_path)]).output for _ in range(2)]

    assert [line.split(": ")[1] for line in told] == ["made 已產製\n", "left as it is 維持不變\n"]
