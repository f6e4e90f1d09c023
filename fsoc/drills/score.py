"""How a drill went, institution by institution: time to ticket, time to acknowledge, what was missed. Pure.

Every time is the log's own, so that nobody's clock makes anybody faster: a ticket or an acknowledgement counts from
when it was received, an inject from when it was posed, feedback from when it was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final, NamedTuple

INJECT_SCHEMA: Final = "fsoc.inject/1"


class Posed(NamedTuple):
    """An inject as it was posed. indicators: values by which a ticket is known to answer it."""

    inject_id: str
    institution: str
    scenario: str
    title: str
    indicators: frozenset[str]
    at_ms: int


class Reported(NamedTuple):
    """A ticket as it was received. refs: what it refers to. values: of its observables."""

    institution: str
    ticket_id: str
    refs: frozenset[str]
    values: frozenset[str]
    at_ms: int

    def answers(self, posed: Posed) -> bool:
        """Whether it is about the inject: it names it, or one of its indicators, after it was posed."""
        return (
            self.institution == posed.institution
            and self.at_ms >= posed.at_ms
            and (posed.inject_id in self.refs or not self.values.isdisjoint(posed.indicators))
        )


class ToldOf(NamedTuple):
    """An institution was told of an alert. answered_at_ms: when its first answer was received; None: not yet."""

    institution: str
    alert_id: str
    at_ms: int
    answered_at_ms: int | None


class Answered(NamedTuple):
    """An inject, and the first ticket that answers it. after_s: None where there is none."""

    posed: Posed
    ticket_id: str | None
    after_s: float | None


@dataclass(frozen=True, slots=True)
class MemberScore:
    """One institution's."""

    institution: str
    injects: tuple[Answered, ...]
    told: tuple[ToldOf, ...]

    @property
    def ticket_seconds(self) -> list[float]:
        return [one.after_s for one in self.injects if one.after_s is not None]

    @property
    def missed(self) -> int:
        return len(self.injects) - len(self.ticket_seconds)

    @property
    def answer_seconds(self) -> list[float]:
        return [(one.answered_at_ms - one.at_ms) / 1000 for one in self.told if one.answered_at_ms is not None]

    @property
    def unanswered(self) -> int:
        return len(self.told) - len(self.answer_seconds)

    def wire(self) -> dict[str, Any]:
        return {
            "institution": self.institution,
            "injects": len(self.injects),
            "missed": self.missed,
            "ticket_seconds_median": middle(self.ticket_seconds),
            "ticket_seconds_max": max(self.ticket_seconds, default=None),
            "told": len(self.told),
            "unanswered": self.unanswered,
            "answer_seconds_median": middle(self.answer_seconds),
            "answer_seconds_max": max(self.answer_seconds, default=None),
            "of_injects": [
                {
                    "inject_id": one.posed.inject_id,
                    "scenario": one.posed.scenario,
                    "ticket_id": one.ticket_id,
                    "ticket_seconds": one.after_s,
                }
                for one in self.injects
            ],
        }


@dataclass(frozen=True, slots=True)
class DrillScore:
    """stopped_at_ms: None while it goes on; what comes later does not count. alerts: joint ones not taken back."""

    exercise_id: str
    started_at_ms: int
    stopped_at_ms: int | None
    members: tuple[MemberScore, ...]
    alerts: int = 0
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def all_ticket_seconds(self) -> list[float]:
        return [seconds for member in self.members for seconds in member.ticket_seconds]

    @property
    def all_answer_seconds(self) -> list[float]:
        return [seconds for member in self.members for seconds in member.answer_seconds]

    def wire(self) -> dict[str, Any]:
        return {
            "schema": "fsoc.drill-score/1",
            "exercise": True,
            "exercise_id": self.exercise_id,
            "stopped": self.stopped_at_ms is not None,
            "alerts": self.alerts,
            "injects": sum(len(member.injects) for member in self.members),
            "missed": sum(member.missed for member in self.members),
            "ticket_seconds_median": middle(self.all_ticket_seconds),
            "told": sum(len(member.told) for member in self.members),
            "unanswered": sum(member.unanswered for member in self.members),
            "answer_seconds_median": middle(self.all_answer_seconds),
            "members": [member.wire() for member in self.members],
        }


def score_drill(
    exercise_id: str,
    started_at_ms: int,
    stopped_at_ms: int | None,
    institutions: Iterable[str],
    posed: Sequence[Posed],
    reported: Sequence[Reported],
    told: Sequence[ToldOf],
    *,
    alerts: int = 0,
    names: Mapping[str, tuple[str, str]] | None = None,
) -> DrillScore:
    """Score everybody who takes part, also those who were posed nothing. What comes after the end does not count."""
    reported = [one for one in reported if stopped_at_ms is None or one.at_ms <= stopped_at_ms]
    by_member: dict[str, list[Reported]] = {}
    for one in sorted(reported, key=lambda ticket: (ticket.at_ms, ticket.ticket_id)):
        by_member.setdefault(one.institution, []).append(one)
    members = []
    for institution in sorted(institutions):
        mine = sorted(
            (one for one in posed if one.institution == institution), key=lambda one: (one.at_ms, one.inject_id)
        )
        of_alerts = [
            _until(one, stopped_at_ms)
            for one in told
            if one.institution == institution and (stopped_at_ms is None or one.at_ms <= stopped_at_ms)
        ]
        injects = tuple(_answered(one, by_member.get(institution, ())) for one in mine)
        members.append(MemberScore(institution, injects, tuple(of_alerts)))
    return DrillScore(exercise_id, started_at_ms, stopped_at_ms, tuple(members), alerts, dict(names or {}))


def middle(seconds: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return median(seconds) if seconds else None


def _answered(posed: Posed, tickets: Iterable[Reported]) -> Answered:
    for ticket in tickets:
        if ticket.answers(posed):
            return Answered(posed, ticket.ticket_id, (ticket.at_ms - posed.at_ms) / 1000)
    return Answered(posed, None, None)


def _until(told: ToldOf, stopped_at_ms: int | None) -> ToldOf:
    late = told.answered_at_ms is not None and stopped_at_ms is not None and told.answered_at_ms > stopped_at_ms
    return told._replace(answered_at_ms=None) if late else told
