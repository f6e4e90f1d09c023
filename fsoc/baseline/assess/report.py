"""An assessment as data, and against the last one: by script, step, technique, institution. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fsoc.baseline.assess.judge import Judged, Outcome, shares

SCHEMA: Final = "fsoc.assessment/1"
STAGES: Final = ("detected", "ticketed", "joined")


@dataclass(frozen=True, slots=True)
class Assessment:
    """assessed: the institution as which scripts were played. floor: the least total that passes."""

    assessed: str
    baseline: str
    floor: float
    judged: tuple[Judged, ...]

    @property
    def total(self) -> float:
        """The mean over all steps at all institutions; 0 where there is none."""
        return sum(one.score for one in self.judged) / len(self.judged) if self.judged else 0.0

    @property
    def passes(self) -> bool:
        return self.total >= self.floor

    def by(self, what: str) -> dict[str, float]:
        """Shares by script, technique, tactic or institution."""
        return shares(self.judged, lambda one: str(getattr(one, what)))

    def steps(self) -> dict[str, float]:
        """By `script/step`, over all its institutions."""
        return shares(self.judged, lambda one: f"{one.script}/{one.step}")

    def reached(self, stage: str) -> tuple[int, int]:
        """How often a stage was reached, and how often it was asked for."""
        outcomes = [outcome for one in self.judged if (outcome := getattr(one, stage)).asked]
        return sum(outcome.reached for outcome in outcomes), len(outcomes)


@dataclass(frozen=True, slots=True)
class Against:
    """What differs from the last assessment: scores of steps before and now; steps that only one has."""

    total_before: float
    worse: Mapping[str, tuple[float, float]]
    better: Mapping[str, tuple[float, float]]
    new: tuple[str, ...]
    gone: tuple[str, ...]


def as_data(found: Assessment, against: Against | None = None) -> dict[str, Any]:
    """For `--json`, and to be given as the last one the next time."""
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "assessed": found.assessed,
        "baseline_version": found.baseline,
        "total": _rounded(found.total),
        "floor": found.floor,
        "passes": found.passes,
        "stages": {stage: dict(zip(("reached", "asked"), found.reached(stage), strict=True)) for stage in STAGES},
        **{f"by_{what}": _all(found.by(what)) for what in ("script", "technique", "tactic", "institution")},
        "by_step": _all(found.steps()),
        "steps": [_step(one) for one in found.judged],
    }
    if against is not None:
        told["against"] = {
            "total_before": against.total_before,
            "worse": {name: list(pair) for name, pair in against.worse.items()},
            "better": {name: list(pair) for name, pair in against.better.items()},
            "new": list(against.new),
            "gone": list(against.gone),
        }
    return told


def compare(found: Assessment, last: Mapping[str, Any]) -> Against:
    """Against what `as_data` gave the last time.

    Raises:
        ValueError: it is no assessment.
    """
    before = last.get("by_step")
    total = last.get("total")
    if last.get("schema") != SCHEMA or not isinstance(before, dict) or not isinstance(total, int | float):
        raise ValueError(f"is no {SCHEMA}")
    now = _all(found.steps())
    both = [name for name in now if name in before]
    return Against(
        total_before=float(total),
        worse={name: (before[name], now[name]) for name in both if now[name] < before[name]},
        better={name: (before[name], now[name]) for name in both if now[name] > before[name]},
        new=tuple(name for name in now if name not in before),
        gone=tuple(name for name in before if name not in now),
    )


def missed(judged: Sequence[Judged]) -> list[tuple[Judged, str, Outcome]]:
    """Every stage that was asked for and not reached, with what it was."""
    return [
        (one, stage, outcome)
        for one in judged
        for stage in STAGES
        if (outcome := getattr(one, stage)).asked and not outcome.reached
    ]


def _step(one: Judged) -> dict[str, Any]:
    return {
        "script": one.script,
        "step": one.step,
        "institution": one.institution,
        "technique": one.technique,
        "rule": one.rule,
        "item": one.item,
        "score": _rounded(one.score),
        **{stage: _outcome(getattr(one, stage)) for stage in STAGES},
    }


def _outcome(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.asked:
        return None
    told: dict[str, Any] = {"reached": outcome.reached}
    if outcome.after_ms is not None:
        told["after_seconds"] = outcome.after_ms // 1000
    return told | {name: value for name, value in (("by", outcome.by), ("why", outcome.why)) if value}


def _all(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: _rounded(score) for name, score in scores.items()}


def _rounded(score: float) -> float:
    return round(score, 4)
