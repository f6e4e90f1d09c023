"""A peer is made once, and one that cannot be made says why."""

from __future__ import annotations

import sys

import pytest

from benchmarks.peers import install


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "CACHE", tmp_path)


def test_what_is_there_is_not_made_again(tmp_path):
    made = tmp_path / "program"
    made.touch()

    assert install._made(made, "no-such-tool", [["false"]]) is None


def test_without_the_tool_the_reason_names_it(tmp_path):
    assert install._made(tmp_path / "program", "no-such-tool", [["false"]]) == "no-such-tool is not installed"


def test_a_build_that_fails_gives_the_last_line_it_said(tmp_path):
    failing = [sys.executable, "-c", "import sys; sys.exit('trying\\nneeds a newer compiler')"]

    assert "needs a newer compiler" in (install._made(tmp_path / "program", sys.executable, [failing]) or "")


def test_a_peer_that_cannot_be_made_is_absent_and_named(monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda _: None)

    assert install.rsigma() == install.Absent("rsigma", "cargo is not installed")
    assert install.sigma_rust() == install.Absent("sigma-rust", "cargo is not installed")
