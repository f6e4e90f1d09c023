"""One ticket of an exercise from its first line to its last revision, before it is sent. Not its sequence number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

from fsoc.exercise.crosswalk import written
from fsoc.exercise.finding import Finding
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, Detail, rfc3339

CONTENT = ("evidence", "observables", "assets", "suppliers", "volume", "impact")
SPARSE_CONTENT = ("assets", "volume")


class Care(Enum):
    """How its sender treats a ticket."""

    USUAL = auto()  # now and then lost and sent again much later
    PROMPT = auto()  # sent again within minutes
    LATE = auto()  # forgotten for hours


@dataclass(frozen=True, slots=True)
class Step:
    """One revision. after_ms: since detection; severity_more: what the analyst has learnt."""

    after_ms: int
    action: str
    status: str
    verdict: str | None = None
    severity_more: int = 0


@dataclass(slots=True)
class Draft:
    """A ticket to be sent. Times are true; the member's clock is applied when they are written down.

    step 0 is the opening. ticket_id is given when all drafts of the member are known.
    """

    member: Member
    feed: str
    finding: Finding
    occurred_ms: int
    detected_ms: int
    steps: tuple[Step, ...]
    care: Care = Care.USUAL
    kind: Literal["ticket", "intel"] = "ticket"
    ticket_id: str = ""

    @property
    def event_ms(self) -> int:
        """Event time as a reader will know it: by the member's clock, and only what the member writes down."""
        known = self.occurred_ms if self.member.gives_occurrence else self.detected_ms
        if self.detected_ms - known > HOUR_MS:
            known = self.detected_ms
        return known + self.member.skew_ms

    def body(
        self, revision: int, *, clock_ms: int, exercise_id: str, baseline_version: str, detail: Detail
    ) -> dict[str, Any]:
        """The payload of one revision but for seq, seq_epoch and sent_at, which are the sender's.

        clock_ms: the member's clock minus the true one. baseline_version: in force when the ticket was opened.
        """
        member, finding, step = self.member, self.finding, self.steps[revision - 1]
        severity = min(5, finding.severity + step.severity_more)
        incident = severity >= 4
        body: dict[str, Any] = {
            "schema": "fsoc.ticket/1",
            "kind": self.kind,
            "institution": member.id,
            "feed": self.feed,
            "ticket_id": self.ticket_id,
            "revision": revision,
            "action": step.action,
            "environment": "exercise",
            "exercise_id": exercise_id,
            "detected_at": rfc3339(self.detected_ms + clock_ms, local=member.local_time),
            "created_at": rfc3339(self.detected_ms + clock_ms + 1_500, local=member.local_time),
            "category": finding.category,
            "severity": severity,
            "is_incident": incident,
            "confidence": min(100, finding.confidence + 10 * (revision - 1)),
            "status": step.status,
            "trigger": self._trigger(baseline_version),
            "tlp": member.tlp,
            "pap": "amber",
            "attribution": "anonymous",
        }
        if member.gives_occurrence:
            body["occurred_from"] = rfc3339(self.occurred_ms + clock_ms, local=member.local_time)
        if incident:
            body["tw_level"] = severity - 2
        if step.verdict:
            body["verdict"] = step.verdict
        if detail is Detail.SPARSE:
            body["title"] = self._bare_title()
            body["attack_unmapped_reason"] = "the sender does not map its rules to ATT&CK"
        else:
            body["title"] = finding.title_zh if member.chinese else finding.title
            body["description"] = finding.text_zh if member.chinese else finding.text
            body |= self._attack()
        for name in SPARSE_CONTENT if detail is Detail.SPARSE else CONTENT:
            if value := getattr(finding, name):
                body[name] = value
        return body

    def _attack(self) -> dict[str, Any]:
        finding, version = self.finding, self.member.attack_version
        if not finding.attack:
            return {"attack_unmapped_reason": finding.unmapped}
        mapped = [written(version, tactic, technique) for tactic, technique in finding.attack]
        return {
            "attack_version": version,
            "attack": [
                {"tactic": tactic, "technique": technique, "confidence": finding.confidence}
                for tactic, technique in mapped
            ],
        }

    def _bare_title(self) -> str:
        kind, rule_id = self.finding.trigger
        if kind == "manual":
            return "人工通報" if self.member.chinese else "Reported by hand"
        return f"監控規則 {rule_id} 觸發" if self.member.chinese else f"Rule {rule_id} fired"

    def _trigger(self, baseline_version: str) -> dict[str, str]:
        kind, rule_id = self.finding.trigger
        if kind == "manual":
            return {"kind": "manual"}
        trigger = {"kind": kind, "rule_id": rule_id, "rule_version": "3"}
        if kind == "baseline":
            trigger["baseline_version"] = baseline_version
        return trigger
