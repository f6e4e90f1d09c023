"""What came of each step at each institution, held against what the script asks for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsoc.baseline.assess.play import Member
from fsoc.baseline.assess.script import Script, Step
from fsoc.baseline.assess.triggers import FirstLine, Happening, Opened
from fsoc.baseline.model import Baseline
from fsoc.tickets.times import milliseconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that is asked for. after_ms: since the step's first event; None: it never came, or too late.

    why: what is known of why not. by: the ticket or the alert that it was.
    """

    asked: bool
    after_ms: int | None = None
    by: str = ""
    why: str = ""

    @property
    def reached(self) -> bool:
        return self.after_ms is not None


NOT_ASKED = Outcome(asked=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """One step at one institution. technique, tactic: of its item."""

    script: str
    step: str
    title: str
    title_zh: str
    institution: str
    technique: str
    tactic: str
    rule: str
    item: str
    detected: Outcome
    ticketed: Outcome
    joined: Outcome

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in (self.detected, self.ticketed, self.joined) if outcome.asked)

    @property
    def score(self) -> float:
        """Of what was asked for, the share that was reached, 0 to 1."""
        return sum(outcome.reached for outcome in self.outcomes) / len(self.outcomes)


@dataclass(frozen=True, slots=True)
class Played:
    """All that came of one script.

    accepted: (institution, ticket_id) that the joint SOC took. alerts: the newest of each, as they are on the wire.
    """

    happened: Mapping[str, Sequence[Happening]]
    first_lines: Mapping[str, FirstLine]
    accepted: Collection[tuple[str, str]]
    alerts: Sequence[Mapping[str, Any]]


def judge(
    script: Script,
    members: Sequence[Member],
    played: Played,
    baseline: Baseline,
    detections: Mapping[str, str],
    correlations: Mapping[str, str],
) -> Iterator[Judged]:
    """Each step at each institution it strikes; what an institution's tier need not see is passed over.

    detections: ids by name. correlations: ids by name of what raises joint alerts.
    """
    for role, member in enumerate(members, 1):
        for step in script.steps:
            item = baseline.items.get(step.item) if step.item else None
            if not step.strikes(role) or (item is not None and member.tier not in item.tiers):
                continue
            rule = detections.get(step.rule, step.rule)
            at = _At(step, rule, member.id, played)
            ticketed = at.ticketed() if step.item else NOT_ASKED
            yield Judged(
                script=script.id,
                step=step.id,
                title=step.title,
                title_zh=step.title_zh,
                institution=member.id,
                technique=item.technique if item else "",
                tactic=item.tactic if item else "",
                rule=step.rule,
                item=step.item or "",
                detected=at.detected(rule in detections.values()),
                ticketed=ticketed,
                joined=at.joined(correlations) if step.joined else NOT_ASKED,
            )


class _At:
    """One step at one institution, and what came of it."""

    def __init__(self, step: Step, rule: str, institution: str, played: Played) -> None:
        self._step, self._rule, self._institution, self._played = step, rule, institution, played
        self._first_line = played.first_lines[institution]
        happened = [one.at_ms for one in played.happened[institution] if one.step == step.id]
        self._began_ms = min(happened)

    def detected(self, known: bool) -> Outcome:
        found = [one.at_ms for one in self._first_line.detected if one.step == self._step.id and one.rule == self._rule]
        if len(found) >= self._step.at_least:
            return Outcome(asked=True, after_ms=sorted(found)[self._step.at_least - 1] - self._began_ms)
        others = sorted({one.rule for one in self._first_line.detected if one.step == self._step.id})
        why = f"{len(found)} of {self._step.at_least} events" if known else "there is no such rule"
        return Outcome(asked=True, why=why + (f"; found by {', '.join(others[:3])}" if others else ""))

    def ticketed(self) -> Outcome:
        opened = self._opened()
        if not opened:
            return Outcome(asked=True, why="no ticket of the item")
        first = min(opened, key=lambda one: one.opened_ms)
        after_ms = max(0, first.opened_ms - self._began_ms)  # one that was open already is there at once
        if after_ms > self._step.ticket_ms:
            return Outcome(asked=True, by=first.ticket_id, why=f"too late, after {after_ms // 1000} s")
        if (self._institution, first.ticket_id) not in self._played.accepted:
            return Outcome(asked=True, by=first.ticket_id, why="the joint SOC did not take the ticket")
        return Outcome(asked=True, after_ms=after_ms, by=first.ticket_id)

    def joined(self, correlations: Mapping[str, str]) -> Outcome:
        wanted = self._step.joined
        assert wanted is not None  # noqa: S101 - asked for by the caller
        rule_id = correlations.get(wanted.rule)
        tickets = {one.ticket_id for one in self._opened()}
        found = [
            (milliseconds(alert["raised_at_event_time"]) - self._began_ms, str(alert["alert_id"]))
            for alert in self._played.alerts
            if alert["rule_id"] == rule_id and not tickets.isdisjoint(alert["ticket_ids"])
        ]
        if not found:
            return Outcome(asked=True, why="in no such alert" if rule_id else "there is no such rule")
        after_ms, alert_id = min(found)
        if after_ms > wanted.within_ms:
            return Outcome(asked=True, by=alert_id, why=f"too late, after {after_ms // 1000} s")
        return Outcome(asked=True, after_ms=max(0, after_ms), by=alert_id)

    def _opened(self) -> list[Opened]:
        step = self._step
        return [
            one
            for one in self._first_line.opened
            if one.item == step.item and one.rule == self._rule and step.id in one.steps
        ]


def shares(judged: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, float]:
    """The mean score by what `key` gives, in the order of first sight; steps at institutions weigh the same."""
    scores: dict[str, list[float]] = {}
    for one in judged:
        scores.setdefault(key(one), []).append(one.score)
    return {name: sum(several) / len(several) for name, several in scores.items()}
