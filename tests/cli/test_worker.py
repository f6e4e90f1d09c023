"""`fsoc worker` and `fsoc up`: what is missing or wrong is said at once, readably, with exit code 2."""

from __future__ import annotations

import subprocess
import sys

import pytest

REGISTRY = "institutions: [{id: fi-001, name: A, sector: bank, tier: 1, group: null, feeds: [siem]}]\n"


@pytest.fixture
def fsoc(tmp_path):
    """Runs the command as a person does, in an empty folder and with none of our variables set."""
    (tmp_path / "institutions.yml").write_text(REGISTRY, encoding="utf-8")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "fsoc", *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_worker_names_all_that_it_lacks(fsoc):
    done = fsoc("worker")

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "fsoc: --brokers: is needed (or FSOC_BROKERS)",
        "fsoc: --institutions: is needed (or FSOC_INSTITUTIONS)",
    ]


def test_up_lacks_only_the_institutions(fsoc):
    done = fsoc("up")

    assert (done.returncode, done.stderr) == (2, "fsoc: --institutions: is needed (or FSOC_INSTITUTIONS)\n")


@pytest.mark.parametrize("command", ["worker", "up"])
def test_options_that_are_wrong_are_all_named(fsoc, command):
    done = fsoc(command, "--brokers", "nowhere", "--environment", "holiday", "--institutions", "institutions.yml")

    assert done.returncode == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["--brokers", "--environment"]


@pytest.mark.parametrize("command", ["worker", "up"])
def test_a_cluster_that_does_not_answer_is_said_in_one_line(fsoc, command):
    done = fsoc(command, "--brokers", "127.0.0.1:1", "--institutions", "institutions.yml")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith('fsoc: --brokers: no Kafka answers at "127.0.0.1:1"')
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["worker", "up"])
def test_a_bad_institutions_file_is_told_by_file_and_line(fsoc, command, tmp_path):
    (tmp_path / "bad.yml").write_text("institutions:\n  - {id: NO, name: A, sector: bank, tier: 1, feeds: [s]}\n")

    done = fsoc(command, "--brokers", "127.0.0.1:1", "--institutions", "bad.yml")

    assert done.returncode == 2
    assert done.stderr.startswith("fsoc: bad.yml:2: ")
