"""A sweep: every setting that is asked for, run and evaluated. Which settings, and what they come to, is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fsoc.errors import Problem, RefusedToStart
from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.figures import Evaluation
from fsoc.evaluation.records import Alert
from fsoc.evaluation.sweep import Axis, Curve, axes, name_of, setting
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import Truth
from fsoc.runtime.evaluation.runs import Runs

Tell = Callable[[str, int], None]
"""Told which setting is run, and the bytes of it that were read since it was told last."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What every run is held against."""

    truth: Truth
    tickets: Tickets
    independent_of: Callable[[str], str]

    def evaluate(self, alerts: Sequence[Alert]) -> Evaluation:
        return evaluate(alerts, self.truth, self.tickets, self.independent_of)


def planned(runs: Runs, asked: Sequence[str]) -> list[Axis]:
    """The axes of a sweep, all of whose values a rule may have.

    Of a value that a person named and no rule may have, the person is told; what was only our idea is left out.

    Raises:
        RefusedToStart: with everything that is wrong with what was asked.
    """
    try:
        found = axes(runs.documents, asked)
    except ValueError as error:
        raise RefusedToStart(*(Problem("--sweep", line) for line in str(error).splitlines())) from error
    problems: list[Problem] = []
    kept: list[Axis] = []
    for axis in found:
        refused = {value: wrong for value in _to_run(axis) if (wrong := _problems(runs, axis, value))}
        if axis.given:
            problems += [problem for wrong in refused.values() for problem in wrong]
        kept.append(replace(axis, values=tuple(value for value in axis.values if value not in refused)))
    if problems:
        raise RefusedToStart(*problems)
    return kept


def runs_of(planned_axes: Sequence[Axis]) -> int:
    """How many runs a sweep takes: what stands has been run already."""
    return sum(len(_to_run(axis)) for axis in planned_axes)


def sweep(runs: Runs, planned_axes: Sequence[Axis], judge: Judge, standing: Evaluation, tell: Tell) -> Iterator[Curve]:
    """One curve for each axis. standing: the evaluation of the rules as they are."""
    for axis in planned_axes:
        settings = []
        for value in axis.values:
            found = standing
            if value != axis.standing:
                name = f"{axis.title}: {name_of(axis, value)}"
                alerts = runs.alerts([axis.change(value)], lambda read, name=name: tell(name, read))  # type: ignore[misc]
                found = judge.evaluate(alerts)
            settings.append(setting(axis, value, found))
        yield Curve(axis, tuple(settings))


def _to_run(axis: Axis) -> list[Any]:
    return [value for value in axis.values if value != axis.standing]


def _problems(runs: Runs, axis: Axis, value: Any) -> list[Problem]:
    return runs.problems([axis.change(value)], f"--sweep {name_of(axis, value)}")
