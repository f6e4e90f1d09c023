"""Keeps figures with the machine they were measured on, as JSON under `results/`. Does not measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

RESULTS = Path(__file__).parent / "results"


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Write `results/<name>.json` anew: `machine`, then `figures` as given."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": describe(), "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return path
