"""Each error of mutations.py, made in a copy of the tree, is found by the differential tests. A long test: FSOC_SOAK=1.

Prints which test found each. A mutation whose text is not there, or that does not build, fails: nothing would be shown.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.detection.differential.engines import ENGINES
from tests.detection.differential.mutations import OF_FAST, OF_NATIVE

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("fsoc", "benchmarks", "rules", "tests", "attack_mappings", "pyproject.toml")
HERE = "tests/detection/differential"
FINDERS = [f"{HERE}/test_{name}.py" for name in ("collisions", "names", "keywords", "drawn", "bounds", "corpus")]
SECONDS_MAX = 1_200
# Optimised no further than what many thousand examples need.
QUICK_BUILD = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}
QUICK_BUILD |= {"CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}

pytestmark = pytest.mark.skipif(not os.environ.get("FSOC_SOAK"), reason="takes many minutes; FSOC_SOAK=1 runs it")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what the tests need, beside the same data."""
    parent = tmp_path_factory.mktemp("mutated")
    data = ROOT.parent / "shared"
    if data.is_dir():
        (parent / "shared").symlink_to(data)
    tree = parent / "tree"
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
        else:
            shutil.copy(source, tree / name)
    return tree


@pytest.fixture
def mutate(tree):
    """Make one change; it is undone after the test."""
    undo = []

    def mutate(mutation):
        path = tree / mutation.path
        text = path.read_text(encoding="utf-8")
        assert mutation.old in text, f"{mutation.path} does not have this text: {mutation.old}"
        undo.append((path, text))
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")

    yield mutate
    for path, text in undo:
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def build(tree):
    """Build the crate of the copy, and put it where the tests find it."""
    if "native" not in ENGINES or shutil.which("cargo") is None:
        pytest.skip("the native engine cannot be built here")
    target, site = tree.parent / "target", tree.parent / "site"
    site.mkdir()

    def build():
        subprocess.run(
            ["cargo", "build", "--release", "--quiet", "--locked"],
            cwd=tree / "fsoc/detection/native_core",
            env={**os.environ, **QUICK_BUILD, "CARGO_TARGET_DIR": str(target), "PYO3_PYTHON": sys.executable},
            check=True,
        )
        shutil.copy(target / "release/libfsoc_native.so", site / "fsoc_native.so")
        return site

    return build


def run(tree, engine, paths):
    """The tests on one engine alone: what failed, or None."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-p",
        "no:cacheprovider",
        "--hypothesis-profile",
        "verdict",
        *FINDERS,
    ]
    # No more examples than are drawn every day.
    usual = {name: value for name, value in os.environ.items() if name != "FSOC_SOAK"}
    environment = {**usual, "FSOC_ENGINES": engine, "PYTHONPATH": os.pathsep.join(map(str, (*paths, tree)))}
    ran = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    assert "ImportError" not in ran.stdout, ran.stdout
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    return None if ran.returncode == 0 or failed is None else failed[1].removeprefix(f"{HERE}/")


def test_what_is_not_mutated_passes(tree, build):
    assert run(tree, "fast,native", [build()]) is None


@pytest.mark.parametrize("mutation", OF_FAST, ids=[each.wrong for each in OF_FAST])
def test_an_error_of_the_python_path_is_found(tree, mutate, mutation):
    mutate(mutation)
    found = run(tree, "fast", [])

    print(f"{mutation.wrong} -> {found}")  # noqa: T201 - pytest -s shows it
    assert found is not None


@pytest.mark.parametrize("mutation", OF_NATIVE, ids=[each.wrong for each in OF_NATIVE])
def test_an_error_of_the_native_engine_is_found(tree, mutate, build, mutation):
    mutate(mutation)
    found = run(tree, "native", [build()])

    print(f"{mutation.wrong} -> {found}")  # noqa: T201
    assert found is not None
