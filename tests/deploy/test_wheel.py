"""The wheel is whole: what a worker needs to run lies in it, and nothing else does."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTENT = {"rules": "rules", "attack_mappings": "attack_mappings", "deploy/kafka": "kafka"}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--no-index", "--wheel-dir", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("fsoc-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(("folder", "inside"), CONTENT.items())
def test_the_wheel_carries_rules_mappings_and_the_brokers_coordinates(names, folder, inside):
    files = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}

    assert any(file.suffix in {".yml", ".tsv", ".xml"} for file in files)
    assert {f"fsoc/content/{inside}/{file}" for file in files} <= names


def test_the_wheel_carries_every_module(names):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "fsoc").rglob("*.py")}

    assert modules <= names


def test_the_wheel_carries_no_tests_and_no_benchmarks(names):
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"fsoc"}
