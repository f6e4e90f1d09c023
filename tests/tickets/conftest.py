"""Shared by the tests of tickets."""

import importlib.util
from pathlib import Path

import pytest


def _load():
    path = Path(__file__).with_name("bad_payloads.py")
    spec = importlib.util.spec_from_file_location("bad_payloads", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_bad = _load()


def pytest_generate_tests(metafunc):
    """`bad` is every bad payload in turn."""
    if "bad" in metafunc.fixturenames:
        metafunc.parametrize("bad", _bad.corpus(), ids=lambda bad: bad.name[:60])


@pytest.fixture(scope="session")
def bad_payloads():
    return _bad
