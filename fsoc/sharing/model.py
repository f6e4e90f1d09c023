"""What one member is told of an alert, as a model, for `fsoc schema feedback`. It is made in `statement.py`, `own.py`.

Every field is of a type that has no room for another member's words: ids of ours, names of ours, values of kinds that
cannot be a victim's, times rounded to the hour, numbers out of four.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from fsoc.alerts.schema import AlertId, Reason, Strict
from fsoc.tickets.model import Id, Institution, Time
from fsoc.tickets.schema import schema_of
from fsoc.tickets.vocabulary import OBSERVABLE_VALUE_MAX, AssetType, Category, Environment

SCHEMA: Final = "fsoc.feedback/1"

TechniqueId = Annotated[str, Field(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")]
MitigationId = Annotated[str, Field(pattern=r"^M[0-9]{4}$")]
Tactic = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,63}$")]
Hour = Time
"""Rounded down to the hour, in UTC."""
IndicatorType = Literal[
    "ipv4",
    "ipv6",
    "cidr",
    "asn",
    "domain",
    "url",
    "email",
    "sha256",
    "sha1",
    "md5",
    "ja4",
    "cve",
    "user_agent",
    "text",
]


class TechniqueTold(Strict):
    """A technique that ATT&CK knows, in the words of the newest version fsoc has."""

    tactic: Tactic
    tactic_name: str
    tactic_name_zh: str
    technique: TechniqueId
    name: str


class TacticTold(Strict):
    """When a tactic was seen, by all tickets of the alert that may be told of."""

    tactic: Tactic
    techniques: list[TechniqueId]
    first_seen: Hour
    last_seen: Hour


class Indicator(Strict):
    """A value of the attacker's: never a victim's address, account, device or machine."""

    type: IndicatorType
    """text: of no kind that could be told by its form, such as the name of a process or a mutex."""
    value: Annotated[str, Field(min_length=1, max_length=OBSERVABLE_VALUE_MAX)]
    role: Literal["attacker", "infrastructure"]
    confidence: Annotated[int, Field(ge=0, le=100)]
    """Rounded down to 0, 25, 50, 75 or 90."""
    basis: Literal["shared", "offered"]
    """shared: several institutions have it, and it is what joined them. offered: one has it, and lets it be told."""


class Source(Strict):
    """An institution that lets it be told that it was among those who reported, or of which sector it is."""

    sector: str
    institution: Institution | None
    name: str | None
    name_zh: str | None


class Hunt(Strict):
    """What to look for in one's own logs."""

    rule_id: str
    """Of the Sigma rule; the same indicators have the same id."""
    title: str
    title_zh: str
    sigma: str
    """The whole rule, YAML, to be converted for any SIEM."""


class Mitigation(Strict):
    id: MitigationId
    name: str
    name_zh: str
    techniques: list[TechniqueId]
    """Of those that were seen, which it is against."""


class Statement(Strict):
    """What is said of the others: made once an alert and day, the same to every institution that is told that day."""

    day: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    """The day of it, in Taiwan (+08:00)."""
    summary: Reason
    confidence: Annotated[int, Field(ge=0, le=100)] | None
    """That it is an attack: what half of the independent institutions hold for sure at least, rounded down to 0, 25,
    50, 75 or 90; null where none says, and where fewer than k are in it."""
    institution_count_at_least: Literal[3, 5, 10, 20] | None
    """Institutions concerned, rounded down; null below k, where too few are left to hide among, and on a retraction."""
    first_seen: Hour
    last_seen: Hour
    techniques: list[TechniqueTold]
    """In ATT&CK's order, as the next."""
    timeline: list[TacticTold]
    indicators: list[Indicator]
    suppliers: list[Id]
    """By the id that the tickets of several institutions agree on."""
    asset_types: list[AssetType]
    """What kind of asset the tickets have in common; none where they have none."""
    categories: list[Category]
    sources: list[Source]
    hunt: list[Hunt]
    mitigations: list[Mitigation]
    """Those against most of the techniques first."""
    tlp: Literal["amber", "amber+strict"]


class Withdrawn(Strict):
    """Something that an earlier statement told this institution, and that was withdrawn from it."""

    type: IndicatorType | Literal["sigma", "technique"]
    value: Annotated[str, Field(min_length=1, max_length=OBSERVABLE_VALUE_MAX)]
    """The indicator's; of a hunting rule its title; of a technique its id."""
    is_told: bool
    """The statement says it again. Otherwise it is to be forgotten."""
    earlier: Time | None
    """When it had been withdrawn before it was told the last time; null where it was told once."""


class Change(Strict):
    """One thing that is otherwise than in what this institution was told before."""

    what: Literal[
        "status",
        "own_tickets",
        "concern",
        "count",
        "level",
        "indicators_added",
        "indicators_gone",
        "techniques_added",
        "techniques_gone",
        "suppliers_added",
    ]
    values: list[str]
    text: str
    text_zh: str


class Feedback(Strict):
    """One revision; the newest of an alert_id replaces those before. No other member can be read from it."""

    schema_: Literal["fsoc.feedback/1"] = Field(alias="schema")
    alert_id: AlertId
    revision: Annotated[int, Field(ge=1)]
    """Of what this institution is told; rises when that changes, and not when the alert does."""
    status: Literal["open", "final", "retracted"]
    """retracted: it was none, or it may not be told any more; what was said of it before is to be forgotten."""
    environment: Environment
    exercise: bool
    """A drill (演練), or a test: nothing of it has happened."""
    institution: Institution
    """Whom this was written for."""
    told_at: Time
    first_told_at: Time
    """When this institution was first told of this alert."""
    kind: Literal["joint", "feed", "rule"]
    title: str
    title_zh: str
    level: Literal["informational", "low", "medium", "high", "critical"]
    concern: Literal["own_tickets", "at_risk"]
    """own_tickets: the alert rests on tickets of this institution. at_risk: it has none in it and may be next."""
    why: Reason
    ticket_ids: list[str]
    """This institution's own tickets that the alert rests on, the first 1,000 in the alert's order."""
    ticket_count: Annotated[int, Field(ge=0)]
    """How many of its own there are."""
    feed: str | None
    """Of an alert on this institution's own feed: which one."""
    trigger_rule_id: str | None
    """Where all tickets were triggered by one rule: which one, as this institution's own tickets name it."""
    statement: Statement | None
    """null of an alert on this institution's own feed, of which there is nothing to say of others."""
    withdrawn: list[Withdrawn] = Field(default_factory=list)
    """Since this institution was told first, or again after a retraction; the newest 200 of the alert."""
    retractions: Annotated[int, Field(ge=0)] = 0
    """How often this institution was told again after a retraction."""
    changes: list[Change]
    """Since the revision before; none in the first."""
    tlp: Literal["amber", "amber+strict"]
    handling: Reason
    """What the receiver may do with it."""


def feedback_schema() -> JsonSchemaValue:
    """JSON Schema of one record of a feedback topic."""
    return schema_of(TypeAdapter(Feedback), SCHEMA)
