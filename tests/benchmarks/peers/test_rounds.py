"""Processes are charged their own CPU time, net of their start, and one that fails says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.peers.rounds import Runs, run_once, run_rounds


def test_what_a_process_costs_is_net_of_the_median_start():
    runs = Runs(start=[1.0, 1.2, 9.0], whole=[3.2, 2.2, 4.2])

    assert runs.net_seconds == pytest.approx([2.0, 1.0, 3.0])


def test_a_run_that_costs_less_than_the_start_costs_a_hundredth_of_it():
    assert Runs(start=[2.0], whole=[1.9]).net_seconds == [0.02]


def test_every_round_runs_each_contestant_on_one_event_and_on_all(tmp_path):
    told = tmp_path / "order"
    tell = lambda word: [sys.executable, "-c", f"open({str(told)!r}, 'a').write('{word} ')"]  # noqa: E731

    runs = run_rounds({"a": tell("a1"), "b": tell("b1")}, {"a": tell("a"), "b": tell("b")}, 2)

    assert told.read_text().split() == ["a1", "a", "b1", "b"] * 2
    assert all(len(run.start) == len(run.whole) == 2 for run in runs.values())


def test_the_last_line_that_a_run_says_is_kept():
    ran = run_once([sys.executable, "-c", "import sys; print('many\\n3 rules', file=sys.stderr)"])

    assert ran.said == "3 rules"
    assert ran.cpu_seconds > 0


def test_a_run_that_fails_is_told_with_what_it_said():
    with pytest.raises(subprocess.CalledProcessError) as told:
        run_once([sys.executable, "-c", "raise SystemExit('no such rules')"])

    assert "no such rules" in told.value.stderr
