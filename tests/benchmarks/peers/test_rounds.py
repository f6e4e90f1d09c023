"""Processes are charged their own CPU time, net of their start, and one that fails says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.peers.rounds import Starts, net, run_once


def test_what_a_run_costs_is_net_of_the_start():
    assert net([3.25, 2.25, 4.25], 1.25) == [2.0, 1.0, 3.0]


def test_a_run_that_costs_less_than_the_start_costs_a_hundredth_of_it():
    assert net([1.9], 2.0) == [0.02]


def telling(path, word):
    return [sys.executable, "-c", f"open({str(path)!r}, 'a').write('{word} ')"]


def test_starts_are_measured_until_each_was_often_enough(tmp_path):
    told = tmp_path / "order"
    starts = Starts(runs_min=3)
    for word in ("a", "a", "a", "a", "b"):
        starts.measure(telling(told, word))

    starts.complete()

    assert told.read_text().split() == ["a"] * 4 + ["b"] * 3
    assert starts.median(telling(told, "b")) > 0


def test_the_last_line_that_a_run_says_is_kept():
    ran = run_once([sys.executable, "-c", "import sys; print('many\\n3 rules', file=sys.stderr)"])

    assert ran.said == "3 rules"
    assert ran.cpu_seconds > 0


def test_a_run_that_fails_is_told_with_what_it_said():
    with pytest.raises(subprocess.CalledProcessError) as told:
        run_once([sys.executable, "-c", "raise SystemExit('no such rules')"])

    assert "no such rules" in told.value.stderr
