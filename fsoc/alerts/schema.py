"""The joint alert on the wire, as a model: what `fsoc schema alert` publishes. Alerts are made in `compose.py`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

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
    also: list[Also]
    """Of which other fields the rule asks for different values as well."""
    timespan: str
    share: dict[str, Count]
    """Tickets per institution."""
    detections: dict[str, Count]
    """Tickets per rule that matched."""


class Alert(Strict):
    """One revision of an alert; the newest of an alert_id replaces those before. For the F-SOC's eyes only."""

    schema_: Literal["fsoc.alert/1"] = Field(alias="schema")
    alert_id: AlertId
    revision: Annotated[int, Field(ge=1)]
    status: Literal["open", "final", "retracted", "merged"]
    rule_id: str
    rule_title: str
    rule_title_zh: str
    kind: Literal["joint", "local"]
    """joint: at least two institutions."""
    level: Literal["informational", "low", "medium", "high", "critical"]
    severity: Annotated[int, Field(ge=0, le=5)]
    """The highest of its tickets."""
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
    attack: list[Technique]
    explanation: Explanation


def alert_schema() -> JsonSchemaValue:
    """JSON Schema of one record of the alerts topic."""
    return schema_of(TypeAdapter(Alert), SCHEMA)
