"""The joint alert on the wire, as a model: what `fsoc schema alert` publishes. Alerts are made in `compose.py`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from fsoc.correlation.policy import Kind
from fsoc.tickets.model import Time
from fsoc.tickets.schema import schema_of
from fsoc.tickets.vocabulary import Environment

SCHEMA: Final = "fsoc.alert/1"

Count = Annotated[int, Field(ge=0)]
AlertId = Annotated[str, Field(min_length=1, max_length=128)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Technique(Strict):
    tactic: str
    technique: str


class Also(Strict):
    """What a rule counts beside."""

    field: str
    condition: dict[str, float]
    seen: Count
    """Different values among the alert's tickets."""


class Intel(Strict):
    """An intelligence ticket (情資分析單) that stands in the alert. Its sender is no victim by it."""

    institution: str
    ticket_id: str
    at: Time
    """Its event time."""


class SeverityReason(Strict):
    text: str
    text_zh: str
    points: Count
    """What it adds; ten are one step of severity."""


class Reason(Strict):
    text: str
    text_zh: str


class SuggestedGrade(Strict):
    """The level (資通安全事件等級) to think of first; a person decides."""

    grade: Annotated[int, Field(ge=1, le=4)]
    """4 is the gravest."""
    reasons: list[Reason]
    note: str
    note_zh: str


class TacticSeen(Strict):
    """One ATT&CK tactic, by all tickets of the alert that name it."""

    tactic: str
    techniques: list[str]
    first_seen: Time
    last_seen: Time
    tickets: Count
    institutions: Count


class RunningClock(Strict):
    """What must be reported or done, and by when: a clock of clocks.yml."""

    id: str
    name: str
    name_zh: str
    starts_at: Time
    due_at: Time


class Suppressed(Strict):
    """By which suppression of suppressions.yml: raised and kept, but nobody need look at it."""

    id: str
    owner: str
    until: Time
    reason: str


class Unusual(Strict):
    """Why an institution counts where only what is unusual for it does."""

    kind: Literal["first_ever", "surge", "drop"]
    seen: float
    """In the hour that counted; of a drop, in the hours compared that ended with it."""
    before: float | None
    """The most there was in an hour of its own past; of a drop, in the same hours a week before; null: nothing."""


class Explanation(Strict):
    """Why it was raised: once in words, once in numbers."""

    text: str
    text_zh: str
    type: str
    """The correlation's type, in Sigma's words."""
    counted: list[str]
    """The fields whose values were counted or reckoned with; none where tickets or rules were counted."""
    percentile: float | None
    """Of value_percentile: which one."""
    condition: dict[str, float]
    seen: float
    """What was measured, where it spoke most for the condition."""
    ordered: bool
    """Of value_count: only values that came one after another in the order they have, as tactics do."""
    each: dict[str, float] | None
    """Of value_count: a value counts only where its tickets in the window are so many."""
    spread: str | None
    """Of value_count: how far apart the first tickets of the counted values must lie at least."""
    cap_each: Literal["half"] | None
    """Of value_sum: of each independent institution its greatest number counts, at most half of what is asked for."""
    absent: bool
    """Of event_count: what was looked for is that nothing came for a timespan after the tickets that are named."""
    also: list[Also]
    """Of which other fields the rule asks for different values as well."""
    margin: float | None
    """By how much `seen` may come closer to the condition's bound without crossing it; 0: it is no more than needed."""
    timespan: str
    share: dict[str, Count]
    """Tickets per institution."""
    deciding: dict[str, list[str]]
    """By institution, the tickets at whose event time the condition first held, intel too."""
    novelty: dict[str, Unusual]
    """By institution."""
    detections: dict[str, Count]
    """Tickets per rule that matched, intel too."""


class Alert(Strict):
    """One revision of an alert; the newest of an alert_id replaces those before. For the F-SOC's eyes only."""

    schema_: Literal["fsoc.alert/1"] = Field(alias="schema")
    alert_id: AlertId
    revision: Annotated[int, Field(ge=1)]
    status: Literal["open", "final", "retracted", "merged"]
    rule_id: str
    rule_version: str | None
    """The day on which the rule was last modified, or made; null where it does not say."""
    rule_title: str
    rule_title_zh: str
    kind: Kind
    """joint: at least two institutions. feed: about a feed of one institution, rule: about the rule that triggered the
    tickets; neither is about what they report."""
    level: Literal["informational", "low", "medium", "high", "critical"]
    severity: Annotated[int, Field(ge=0, le=5)]
    """OCSF's severity_id, by what its gravest ticket says and what only the sector sees."""
    severity_reasons: list[SeverityReason]
    """They add up to the severity: ten points a step, 5 at most."""
    suggested_grade: SuggestedGrade
    environment: Environment
    campaign_id: str | None
    continues: AlertId | None
    """The alert of the episode before this one, of which this is the continuation."""
    group: dict[str, Any]
    """What the tickets have in common: the rule's group-by fields and their values."""
    window_from: Time
    window_to: Time
    first_seen: Time
    last_seen: Time
    raised_at_event_time: Time
    """The earliest event time at which the rule's condition holds."""
    institutions: list[str]
    institution_count: Count
    independent_count: Count
    """Affiliates of one holding group counted once."""
    ticket_ids: list[str]
    ticket_count: Count
    tickets: dict[str, list[str]]
    """Ticket ids per institution."""
    intel: list[Intel]
    """The earliest first. It is in no other field but `explanation`."""
    attack_version: str | None
    """The ATT&CK version in whose words `attack` and `timeline` are, whatever the tickets' own."""
    attack: list[Technique]
    timeline: list[TacticSeen]
    """In ATT&CK's order."""
    clocks: list[RunningClock]
    """The first to be due first."""
    suppressed: Suppressed | None
    explanation: Explanation


def alert_schema() -> JsonSchemaValue:
    """JSON Schema of one record of the alerts topic."""
    return schema_of(TypeAdapter(Alert), SCHEMA)
