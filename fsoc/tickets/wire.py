"""The ticket as the hot path checks it: msgspec structs, every bound declared. Explains no fault (`model.py` does).

A value that converts is a ticket but for the rules between fields (`rules.py`). Times stay text; `times.py` reads them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from fsoc.tickets import vocabulary as words

Institution = Annotated[str, Meta(pattern=rf"\A{words.INSTITUTION_PATTERN}\Z")]
AlertId = Annotated[str, Meta(pattern=rf"\A{words.ALERT_ID_PATTERN}\Z")]
Feed = Annotated[str, Meta(pattern=rf"\A{words.FEED_PATTERN}\Z")]
Id = Annotated[str, Meta(pattern=rf"\A{words.ID_PATTERN}\Z")]
Technique = Annotated[str, Meta(pattern=rf"\A{words.TECHNIQUE_PATTERN}\Z")]
Tactic = Annotated[str, Meta(pattern=rf"\A{words.TACTIC_PATTERN}\Z")]
Word = Annotated[str, Meta(min_length=1, max_length=words.WORD_MAX)]
Count = Annotated[int, Meta(ge=0, le=words.INTEGER_MAX)]
Integer = Annotated[int, Meta(ge=words.INTEGER_MIN, le=words.INTEGER_MAX)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Time = str
# Open at both ends: −2^63−1 is written exactly, read as the float −2^63, and must not pass as it.
Number = Annotated[float, Meta(gt=-(2.0**63), lt=2.0**63)]
Text = Annotated[str, Meta(max_length=words.FIELD_VALUE_MAX)]
Scalar = Text | Integer | Number | bool | None
Values = Annotated[list[Scalar], Meta(max_length=words.FIELD_VALUES_MAX)]
FieldName = Annotated[str, Meta(min_length=1, max_length=words.FIELD_NAME_MAX)]
Ids = Annotated[list[Id], Meta(max_length=words.RELATIONS_MAX)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Strict: an unknown field is an error, and nothing is coerced."""


class Attack(_Strict, frozen=True):
    tactic: Tactic
    technique: Technique
    confidence: Percent | None = None


class Trigger(_Strict, frozen=True):
    kind: words.TriggerKind
    baseline_version: Word | None = None
    rule_id: Word | None = None
    rule_version: Word | None = None


class Logsource(_Strict, frozen=True):
    product: Word | None = None
    category: Word | None = None
    service: Word | None = None


class Evidence(_Strict, frozen=True):
    fields: Annotated[dict[FieldName, Scalar | Values], Meta(max_length=words.FIELDS_MAX)]
    logsource: Logsource | None = None


class Observable(_Strict, frozen=True):
    type: words.ObservableType
    value: Annotated[str, Meta(min_length=1, max_length=words.OBSERVABLE_VALUE_MAX)]
    role: words.ObservableRole
    first_seen: Time | None = None
    last_seen: Time | None = None
    count: Count | None = None
    share: bool | None = None


class Asset(_Strict, frozen=True):
    ref: Word
    type: words.AssetType
    criticality: Annotated[int, Meta(ge=1, le=5)] | None = None
    core_system: bool | None = None
    internet_facing: bool | None = None


class Supplier(_Strict, frozen=True):
    supplier_id: Id
    product: Word | None = None
    version: Word | None = None
    relation: Word | None = None


class Volume(_Strict, frozen=True):
    count: Count | None = None
    distinct_sources: Count | None = None
    peak_bps: Count | None = None
    peak_pps: Count | None = None
    peak_rps: Count | None = None
    failed_logins: Count | None = None
    successful_logins: Count | None = None
    distinct_accounts: Count | None = None
    duration_s: Count | None = None


class Impact(_Strict, frozen=True):
    service_down: bool | None = None
    downtime_s: Count | None = None
    customers_affected: Count | None = None
    funds_at_risk_twd: Count | None = None
    data_breach: bool | None = None


class Acknowledges(_Strict, frozen=True):
    alert_id: AlertId
    answer: words.Answer


class Relations(_Strict, frozen=True):
    correl_ids: Ids | None = None
    aggr_ids: Ids | None = None
    replaces_ids: Ids | None = None
    related_ids: Ids | None = None
    external_refs: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=words.EXTERNAL_REF_MAX)]],
            Meta(max_length=words.RELATIONS_MAX),
        ]
        | None
    ) = None
    acknowledges: Annotated[list[Acknowledges], Meta(max_length=words.ACKNOWLEDGES_MAX)] | None = None


class Ticket(_Strict, frozen=True, kw_only=True):
    """Kinds `ticket` and `intel`."""

    schema: Literal["fsoc.ticket/1"]
    kind: Literal["ticket", "intel"]
    institution: Institution
    submitted_by: Institution | None = None
    feed: Feed
    seq_epoch: Id
    seq: Count
    ticket_id: Id
    revision: Annotated[int, Meta(ge=1, le=words.INTEGER_MAX)]
    action: words.Action
    environment: words.Environment
    exercise_id: Id | None = None
    occurred_from: Time | None = None
    occurred_to: Time | None = None
    detected_at: Time
    created_at: Time
    sent_at: Time
    received_at: Time | None = None
    processed_at: Time | None = None
    title: Annotated[str, Meta(min_length=1, max_length=words.TITLE_MAX)]
    description: Annotated[str, Meta(max_length=words.DESCRIPTION_BYTES_MAX)] | None = None
    category: words.Category
    severity: Annotated[int, Meta(ge=0, le=5)]
    is_incident: bool
    tw_level: Annotated[int, Meta(ge=1, le=4)] | None = None
    confidence: Percent
    status: words.Status
    verdict: words.Verdict | None = None
    attack_version: Word | None = None
    attack: Annotated[list[Attack], Meta(max_length=words.ATTACK_MAX)] | None = None
    attack_unmapped_reason: Annotated[str, Meta(min_length=1, max_length=words.TITLE_MAX)] | None = None
    trigger: Trigger
    evidence: Annotated[list[Evidence], Meta(max_length=words.EVIDENCE_MAX)] | None = None
    observables: Annotated[list[Observable], Meta(max_length=words.OBSERVABLES_MAX)] | None = None
    assets: Annotated[list[Asset], Meta(max_length=words.ASSETS_MAX)] | None = None
    suppliers: Annotated[list[Supplier], Meta(max_length=words.SUPPLIERS_MAX)] | None = None
    volume: Volume | None = None
    impact: Impact | None = None
    relations: Relations | None = None
    tlp: words.Tlp
    pap: words.Pap | None = None
    attribution: words.Attribution
    signature: Annotated[str, Meta(max_length=words.SIGNATURE_MAX)] | None = None
    ext: dict[str, Any] | None = None


class SourceStatus(_Strict, frozen=True, kw_only=True):
    """Kind `source_status`: a feed's own report of what it sent and how it is."""

    schema: Literal["fsoc.ticket/1"]
    kind: Literal["source_status"]
    institution: Institution
    submitted_by: Institution | None = None
    feed: Feed
    seq_epoch: Id
    last_seq: Count
    period_from: Time
    period_to: Time
    tickets_opened: Count | None = None
    events_seen: Count | None = None
    sensors_total: Count | None = None
    sensors_up: Count | None = None
    baseline_version: Word | None = None
    clock_offset_ms: Integer | None = None
    environment: words.Environment = "production"
    exercise_id: Id | None = None
    ended: bool | None = None
    sent_at: Time | None = None
    received_at: Time | None = None
    processed_at: Time | None = None
    signature: Annotated[str, Meta(max_length=words.SIGNATURE_MAX)] | None = None
    ext: dict[str, Any] | None = None


class Acknowledgement(_Strict, frozen=True, kw_only=True):
    """Kind `acknowledgement`: what an institution answers to alerts it was told of, and nothing else."""

    schema: Literal["fsoc.ticket/1"]
    kind: Literal["acknowledgement"]
    institution: Institution
    submitted_by: Institution | None = None
    ticket_id: Id
    revision: Annotated[int, Meta(ge=1, le=words.INTEGER_MAX)]
    action: words.AnswerAction
    environment: words.Environment
    exercise_id: Id | None = None
    created_at: Time
    sent_at: Time
    received_at: Time | None = None
    processed_at: Time | None = None
    relations: Relations | None = None
    signature: Annotated[str, Meta(max_length=words.SIGNATURE_MAX)] | None = None
    ext: dict[str, Any] | None = None
