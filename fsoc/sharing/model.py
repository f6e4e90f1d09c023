"""What one member is told of an alert, as a model, for `fsoc schema feedback`. It is made in `feedback.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from fsoc.alerts.schema import AlertId, Strict, Technique
from fsoc.sharing.feedback import SCHEMA
from fsoc.tickets.schema import schema_of
from fsoc.tickets.vocabulary import Environment, Tlp


class Feedback(Strict):
    """One revision; the newest of an alert_id replaces those before. No other member can be read from it."""

    schema_: Literal["fsoc.feedback/1"] = Field(alias="schema")
    alert_id: AlertId
    revision: int = Field(ge=1)
    status: Literal["open", "final", "retracted", "merged"]
    environment: Environment
    institution: str
    """Whom this was written for."""
    title: str
    title_zh: str
    level: Literal["informational", "low", "medium", "high", "critical"]
    attack: list[Technique]
    indicators: list[str]
    ticket_ids: list[str]
    """This institution's own tickets that the alert rests on."""
    institution_count_at_least: Literal[3, 5, 10, 20] | None
    """Institutions concerned, rounded down; null below three."""
    feed: str | None
    """Of an alert on this institution's own feed: which one."""
    trigger_rule_id: str | None
    """Of an alert on a rule that misfires: which one, as this institution's own tickets name it."""
    tlp: Tlp


def feedback_schema() -> JsonSchemaValue:
    """JSON Schema of one record of a feedback topic."""
    return schema_of(TypeAdapter(Feedback), SCHEMA)
