"""The start is measured as whole processes: cold compiles, warm does not, and what fails is not measured."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks.start import _run, measure

RULE = "title: t\nid: one\nlogsource: {product: windows}\ndetection: {one: {a: b}, condition: one}\n"


def test_every_engine_is_started_cold_and_warm_beside_the_yardstick(tmp_path):
    (tmp_path / "one.yml").write_text(RULE)

    figures = measure([tmp_path], ["plain"], 1)

    assert (figures["rules"], figures["rounds"]) == (1, 1)
    runs = [figures["yaml"], figures["starts"]["plain"]["cold"], figures["starts"]["plain"]["warm"]]
    assert all(value > 0 for run in runs for value in run.values())


def test_a_process_that_fails_ends_the_measuring(capfd):
    with pytest.raises(SystemExit, match="ended with 3"):
        _run([sys.executable, "-c", "import sys; sys.exit(3)"], "", dict(os.environ))
