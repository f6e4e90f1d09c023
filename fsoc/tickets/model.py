"""The ticket as people meet it: pydantic models for the schema, for `fsoc check` and to explain every fault at once.

Not the hot path: decoding with these costs several times what `wire.py` does (see `decode.py`). They are its oracle:
`tests/tickets/test_differential.py` holds that both take and refuse the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

from fsoc.tickets import vocabulary as words
from fsoc.tickets.times import TIME_PATTERN, BadTime, milliseconds


def _readable_time(text: str) -> str:
    try:
        milliseconds(text)
    except BadTime as error:
        raise PydanticCustomError(error.code, "{fault}", {"fault": str(error)}) from error
    return text


def _at_most_bytes(limit: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        found = len(value.encode()) if isinstance(value, str) else len(orjson.dumps(value))
        if found > limit:
            raise PydanticCustomError(
                "field.too-long", "is {found} bytes, limit {limit}", {"found": found, "limit": limit}
            )
        return value

    return check


def _field_value(value: Any) -> Any:
    """One fault per value: a union's own report would name each of its six members."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict | list):
            raise PydanticCustomError(
                "field.wrong-type", "holds an object or a list of lists; flatten it into fields with dotted names"
            )
        if isinstance(one, str) and len(one) > words.FIELD_VALUE_MAX:
            raise PydanticCustomError(
                "field.too-long",
                "is {found} characters, limit {limit}",
                {"found": len(one), "limit": words.FIELD_VALUE_MAX},
            )
        if not _fits_64_bit(one):
            raise PydanticCustomError("field.out-of-range", "is a number beyond 64 bit; write it as a string")
    if isinstance(value, list) and len(value) > words.FIELD_VALUES_MAX:
        raise PydanticCustomError(
            "field.too-many",
            "has {found} values, limit {limit}",
            {"found": len(value), "limit": words.FIELD_VALUES_MAX},
        )
    return value


def _fits_64_bit(value: Any) -> bool:
    if isinstance(value, float):
        return -(2.0**63) < value < 2.0**63
    return not isinstance(value, int) or words.INTEGER_MIN <= value <= words.INTEGER_MAX


Institution = Annotated[str, Field(pattern=f"^{words.INSTITUTION_PATTERN}$")]
AlertId = Annotated[str, Field(pattern=f"^{words.ALERT_ID_PATTERN}$")]
Feed = Annotated[str, Field(pattern=f"^{words.FEED_PATTERN}$")]
Id = Annotated[str, Field(pattern=f"^{words.ID_PATTERN}$")]
Technique = Annotated[str, Field(pattern=f"^{words.TECHNIQUE_PATTERN}$")]
Tactic = Annotated[str, Field(pattern=f"^{words.TACTIC_PATTERN}$")]
Word = Annotated[str, Field(min_length=1, max_length=words.WORD_MAX)]
Count = Annotated[int, Field(ge=0, le=words.INTEGER_MAX)]
Percent = Annotated[int, Field(ge=0, le=100)]
Time = Annotated[
    str,
    AfterValidator(_readable_time),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{TIME_PATTERN}$"}),
]
_SCALARS: list[dict[str, Any]] = [
    {"type": "string", "maxLength": words.FIELD_VALUE_MAX},
    {"type": "number", "minimum": words.INTEGER_MIN, "maximum": words.INTEGER_MAX},
    {"type": "boolean"},
    {"type": "null"},
]
FieldValue = Annotated[
    Any,
    BeforeValidator(_field_value),
    WithJsonSchema(
        {"anyOf": [*_SCALARS, {"type": "array", "maxItems": words.FIELD_VALUES_MAX, "items": {"anyOf": _SCALARS}}]}
    ),
]
Ids = Annotated[list[Id], Field(max_length=words.RELATIONS_MAX)]
Signature = Annotated[str, Field(max_length=words.SIGNATURE_MAX)]
Ext = Annotated[dict[str, JsonValue], AfterValidator(_at_most_bytes(words.EXT_BYTES_MAX))]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Attack(_Strict):
    tactic: Tactic
    technique: Technique
    confidence: Percent | None = None


class Trigger(_Strict):
    kind: words.TriggerKind
    baseline_version: Word | None = None
    rule_id: Word | None = None
    rule_version: Word | None = None


class Logsource(_Strict):
    product: Word | None = None
    category: Word | None = None
    service: Word | None = None


class Evidence(_Strict):
    logsource: Logsource | None = None
    fields: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=words.FIELD_NAME_MAX)], FieldValue],
        Field(max_length=words.FIELDS_MAX),
    ]


class Observable(_Strict):
    type: words.ObservableType
    value: Annotated[str, Field(min_length=1, max_length=words.OBSERVABLE_VALUE_MAX)]
    role: words.ObservableRole
    first_seen: Time | None = None
    last_seen: Time | None = None
    count: Count | None = None
    share: bool | None = None


class Asset(_Strict):
    ref: Word
    type: words.AssetType
    criticality: Annotated[int, Field(ge=1, le=5)] | None = None
    core_system: bool | None = None
    internet_facing: bool | None = None


class Supplier(_Strict):
    supplier_id: Id
    product: Word | None = None
    version: Word | None = None
    relation: Word | None = None


class Volume(_Strict):
    count: Count | None = None
    distinct_sources: Count | None = None
    peak_bps: Count | None = None
    peak_pps: Count | None = None
    peak_rps: Count | None = None
    failed_logins: Count | None = None
    successful_logins: Count | None = None
    distinct_accounts: Count | None = None
    duration_s: Count | None = None


class Impact(_Strict):
    service_down: bool | None = None
    downtime_s: Count | None = None
    customers_affected: Count | None = None
    funds_at_risk_twd: Count | None = None
    data_breach: bool | None = None


class Acknowledges(_Strict):
    """What the institution answers to a joint alert that it was told of."""

    alert_id: AlertId
    answer: words.Answer


class Relations(_Strict):
    correl_ids: Ids | None = None
    aggr_ids: Ids | None = None
    replaces_ids: Ids | None = None
    related_ids: Ids | None = None
    external_refs: (
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=words.EXTERNAL_REF_MAX)]],
            Field(max_length=words.RELATIONS_MAX),
        ]
        | None
    ) = None
    acknowledges: Annotated[list[Acknowledges], Field(max_length=words.ACKNOWLEDGES_MAX)] | None = None
    """Joint alerts that this message answers; of one alert the last counts."""


class Ticket(_Strict):
    """An event ticket (事件單) or an intelligence ticket (情資分析單)."""

    schema_: Literal["fsoc.ticket/1"] = Field(alias="schema")
    kind: Literal["ticket", "intel"]
    institution: Institution
    """Registered id of the institution; must be the one the topic or credential belongs to."""
    submitted_by: Institution | None = None
    """The group SOC or service provider that sends on the institution's behalf."""
    feed: Feed
    """Which of the institution's registered feeds this comes from."""
    seq_epoch: Id
    """Begins anew whenever the feed starts counting from the beginning, such as a date or an uptime id."""
    seq: Count
    """Number of this message in its feed and epoch, without gaps; a re-send keeps its own."""
    ticket_id: Id
    """The institution's own id, unique within it and its environment."""
    revision: Annotated[int, Field(ge=1, le=words.INTEGER_MAX)]
    """Rises by one with every change; a revision replaces the whole ticket."""
    action: words.Action
    environment: words.Environment
    exercise_id: Id | None = None
    """Required when environment is exercise."""
    occurred_from: Time | None = None
    """When it began, if known; event time if not too long before detected_at."""
    occurred_to: Time | None = None
    detected_at: Time
    """When the institution's SOC detected it."""
    created_at: Time
    """When the ticket was opened."""
    sent_at: Time
    """When this message left the sender."""
    received_at: Time | None = None
    """Set by the server; ignored but in replays."""
    processed_at: Time | None = None
    """Set by the server; ignored."""
    title: Annotated[str, Field(min_length=1, max_length=words.TITLE_MAX)]
    """One line, without personal data."""
    description: (
        Annotated[
            str,
            Field(max_length=words.DESCRIPTION_BYTES_MAX),
            AfterValidator(_at_most_bytes(words.DESCRIPTION_BYTES_MAX)),
        ]
        | None
    ) = None
    """At most 8 KiB of UTF-8. Never shown to other members."""
    category: words.Category
    """Reference Security Incident Taxonomy, version 1003, as class.type, and five types of our own."""
    severity: Annotated[int, Field(ge=0, le=5)]
    """OCSF severity_id: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical."""
    is_incident: bool
    """Whether it is a cyber security incident (資通安全事件)."""
    tw_level: Annotated[int, Field(ge=1, le=4)] | None = None
    """Level of the incident, 4 the gravest; required when is_incident."""
    confidence: Percent
    """0 to 100, that this is what it says."""
    status: words.Status
    verdict: words.Verdict | None = None
    """Required when action is close. Closing as false_positive takes the ticket back."""
    attack_version: Word | None = None
    """ATT&CK version of the techniques, such as 18.1; required with attack."""
    attack: Annotated[list[Attack], Field(max_length=words.ATTACK_MAX)] | None = None
    """At least one, or attack_unmapped_reason."""
    attack_unmapped_reason: Annotated[str, Field(min_length=1, max_length=words.TITLE_MAX)] | None = None
    trigger: Trigger
    """What opened the ticket."""
    evidence: Annotated[list[Evidence], Field(max_length=words.EVIDENCE_MAX)] | None = None
    """The events behind it, with the names of Sigma's taxonomy: what Sigma rules match."""
    observables: Annotated[list[Observable], Field(max_length=words.OBSERVABLES_MAX)] | None = None
    """At least one when kind is intel. Victims' accounts only as tokens."""
    assets: Annotated[list[Asset], Field(max_length=words.ASSETS_MAX)] | None = None
    suppliers: Annotated[list[Supplier], Field(max_length=words.SUPPLIERS_MAX)] | None = None
    volume: Volume | None = None
    impact: Impact | None = None
    relations: Relations | None = None
    tlp: words.Tlp
    pap: words.Pap | None = None
    attribution: words.Attribution
    """How this institution may be named to other members."""
    signature: Signature | None = None
    """Of the sender, over the rest; kept, not part of the digest."""
    ext: Ext | None = None
    """Anything of the sender's own; at most 16 KiB."""


class SourceStatus(_Strict):
    """A feed's report of what it sent and how it is (監控設備狀況單), every five minutes."""

    schema_: Literal["fsoc.ticket/1"] = Field(alias="schema")
    kind: Literal["source_status"]
    institution: Institution
    submitted_by: Institution | None = None
    feed: Feed
    seq_epoch: Id
    last_seq: Count
    """Number of the last message sent in this epoch."""
    period_from: Time
    period_to: Time
    tickets_opened: Count | None = None
    events_seen: Count | None = None
    sensors_total: Count | None = None
    sensors_up: Count | None = None
    baseline_version: Word | None = None
    clock_offset_ms: Annotated[int, Field(ge=words.INTEGER_MIN, le=words.INTEGER_MAX)] | None = None
    """The sender's clock less true time."""
    environment: words.Environment = "production"
    exercise_id: Id | None = None
    ended: bool | None = None
    """The feed's last message; exercises and tests only."""
    sent_at: Time | None = None
    received_at: Time | None = None
    processed_at: Time | None = None
    signature: Signature | None = None
    ext: Ext | None = None


class Acknowledgement(_Strict):
    """An answer to joint alerts and nothing else (回復單): no detection, of no feed, and it moves no time."""

    schema_: Literal["fsoc.ticket/1"] = Field(alias="schema")
    kind: Literal["acknowledgement"]
    institution: Institution
    submitted_by: Institution | None = None
    """The group SOC or service provider that sends on the institution's behalf."""
    ticket_id: Id
    """The institution's own id of the answer, unique as its tickets' are."""
    revision: Annotated[int, Field(ge=1, le=words.INTEGER_MAX)]
    """Rises by one with every change; a revision replaces all that was answered."""
    action: words.AnswerAction
    """Retracting takes all of its answers back."""
    environment: words.Environment
    exercise_id: Id | None = None
    """Required when environment is exercise."""
    created_at: Time
    """When it was answered."""
    sent_at: Time
    """When this message left the sender."""
    received_at: Time | None = None
    """Set by the server; ignored but in replays."""
    processed_at: Time | None = None
    """Set by the server; ignored."""
    relations: Relations | None = None
    """With at least one in acknowledges, unless it is retracted."""
    signature: Signature | None = None
    ext: Ext | None = None
