"""The shape of the tree: imports flow one way, files stay short, every folder has its manual."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES_MAX = 400
WRITTEN = {".py", ".md", ".yml", ".sh", ".xml"}  # by people; tables and locks are not
FOLDERS_WITH_A_MANUAL = ["fsoc", "rules", "attack_mappings", "deploy", "benchmarks", "tests"]


def written_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.suffix in WRITTEN and path.is_file()]


def stages() -> list[Path]:
    """The folders of fsoc/ that hold code: each is a stage, or the shell."""
    return [path for path in sorted((ROOT / "fsoc").iterdir()) if path.is_dir() and any(path.glob("**/*.py"))]


def test_imports_flow_one_way_and_the_core_is_pure():
    """The contracts of pyproject.toml, as `make check` holds them."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    lint = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert lint.returncode == 0, lint.stdout + lint.stderr
    assert "0 broken" in lint.stdout


def test_no_file_is_longer_than_anyone_reads():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in written_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
    }

    assert not long


@pytest.mark.parametrize("folder", FOLDERS_WITH_A_MANUAL)
def test_every_top_level_folder_has_its_manual(folder):
    assert (ROOT / folder / "README.md").is_file()


@pytest.mark.parametrize("stage", stages(), ids=lambda path: path.name)
def test_every_stage_has_its_manual(stage):
    assert (stage / "README.md").is_file()


def test_every_module_says_what_it_is_in_its_first_line():
    silent = [
        str(path.relative_to(ROOT))
        for path in written_files()
        if path.suffix == ".py"
        and (ROOT / "tests") not in path.parents
        and (text := path.read_text(encoding="utf-8")).strip()
        and not text.startswith(('"""', 'r"""'))
    ]

    assert not silent
