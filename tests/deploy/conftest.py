from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml


@pytest.fixture(scope="session")
def deploy():
    return Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="session")
def alerts(deploy):
    """Every alert of alerts.yml, by name."""
    document = yaml.safe_load((deploy / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}


@pytest.fixture(scope="session")
def compose(deploy):
    return yaml.safe_load((deploy / "compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not here (Debian: apt-get install prometheus)")
    return found
