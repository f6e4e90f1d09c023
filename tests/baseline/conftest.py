"""The shipped baseline, read once; and one item as a text, to be changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from fsoc.baseline.read import Reading, read_items
from fsoc.detection.engine import make_detector
from fsoc.runtime.baseline.load import Loaded, load_baseline

RULE = "f837ba7e-24b5-4e86-92e0-dd0570681f3a"
ITEM: dict[str, Any] = {
    "id": "FB-0801",
    "title": "LSASS memory written to a file",
    "title_zh": "LSASS 記憶體遭傾印",
    "technique": "T1003.001",
    "tactic": "credential-access",
    "why": "From one machine to the domain.",
    "why_zh": "由單機擴及全網域。",
    "themes": ["credentials"],
    "tiers": [1, 2, 3],
    "sources": ["Process Creation"],
    "rules": ["lsass_memory_dumped"],
    "trigger": {
        "count": 1,
        "within": "10m",
        "per": "Computer",
        "severity": 4,
        "category": "intrusions.system-compromise",
        "asset": "server",
        "carries": ["evidence"],
    },
    "test": [
        {
            "rule": "lsass_memory_dumped",
            "event": {"Image": "C:\\p.exe", "OriginalFileName": "procdump", "CommandLine": "p.exe -ma lsass.exe x.dmp"},
        }
    ],
}


@pytest.fixture(scope="session")
def loaded() -> Loaded:
    return load_baseline()


@pytest.fixture(scope="session")
def detector(loaded):
    return make_detector(loaded.rules.rules, loaded.logsources)


@pytest.fixture
def item():
    """One item's entry; `changes` by dotted path, and what is given as `...` is left out."""

    def entry(**changes: Any) -> dict[str, Any]:
        made = copy.deepcopy(ITEM)
        for path, value in changes.items():
            *way, last = path.split("__")
            inner = made
            for name in way:
                inner = inner[name]
            if value is ...:
                del inner[last]
            else:
                inner[last] = value
        return made

    return entry


@pytest.fixture
def read():
    """Entries, as one file, through the reader."""

    def reading(*entries: dict[str, Any]) -> Reading:
        text = yaml.safe_dump({"items": list(entries)}, allow_unicode=True, sort_keys=False)
        return read_items([("items.yml", text)], {"lsass_memory_dumped": RULE})

    return reading
