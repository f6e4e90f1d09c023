"""The campaign on the wire, as a model: what `fsoc schema campaign` publishes. Campaigns are made in `compose.py`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from fsoc.alerts.schema import AlertId, Count, Strict
from fsoc.tickets.model import Time
from fsoc.tickets.schema import schema_of
from fsoc.tickets.vocabulary import Environment

SCHEMA: Final = "fsoc.campaign/1"

CampaignId = Annotated[str, Field(min_length=1, max_length=128)]


class Link(Strict):
    """A rare value that several institutions share."""

    id: AlertId
    rule_id: str
    rule_title: str
    rule_title_zh: str
    group: dict[str, Any]
    """The value, under the name of its field."""
    institutions: list[str]
    ticket_count: Count
    first_seen: Time
    last_seen: Time


class Tactic(Strict):
    tactic: str
    techniques: list[str]
    first_seen: Time
    last_seen: Time


class Explanation(Strict):
    """Which links tie it together."""

    text: str
    text_zh: str


class Campaign(Strict):
    """One revision of a campaign; the newest of a campaign_id replaces those before. For the F-SOC's eyes only."""

    schema_: Literal["fsoc.campaign/1"] = Field(alias="schema")
    campaign_id: CampaignId
    revision: Annotated[int, Field(ge=1)]
    status: Literal["open", "final", "merged", "retracted"]
    """final: nothing can be added any more. merged, retracted: what follows is what it was when it stood last."""
    merged_into: CampaignId | None
    """Where its story goes on, of one that is merged."""
    environment: Environment
    alert_ids: list[AlertId]
    """Its joint alerts, the earliest first, at most 1,000."""
    alert_count: Count
    links: list[Link]
    """What ties it together, the earliest first, at most 1,000. The first gives the campaign its id."""
    link_count: Count
    institutions: list[str]
    institution_count: Count
    independent_count: Count
    """Affiliates of one holding group counted once."""
    ticket_count: Count
    first_seen: Time
    last_seen: Time
    tactics: list[Tactic]
    """Along the kill chain."""
    severity: Annotated[int, Field(ge=0, le=5)]
    """The highest of its alerts and links."""
    level: Literal["informational", "low", "medium", "high", "critical"]
    explanation: Explanation


def campaign_schema() -> JsonSchemaValue:
    """JSON Schema of one record of the campaigns topic."""
    return schema_of(TypeAdapter(Campaign), SCHEMA)
