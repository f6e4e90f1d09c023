"""JSON Schema 2020-12 of what stands on the wire, from the models. Checks nothing itself.

What JSON Schema cannot say (order of times, bytes of UTF-8, duplicate keys) is in this folder's README.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from fsoc.tickets import model
from fsoc.tickets.codes import CODES
from fsoc.tickets.receipts import RECEIPT_SCHEMA, Told
from fsoc.tickets.vocabulary import SCHEMA

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_CODES: Final[list[JsonValue]] = [*sorted(CODES)]
_NOT_NULL: Final = {"not": {"type": "null"}}


def _when(condition: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": condition, "required": list(condition)}, "then": then}


def _has(*names: str) -> dict[str, Any]:
    return {"required": list(names), "properties": dict.fromkeys(names, _NOT_NULL)}


_AT_LEAST_ONE: Final = {"type": "array", "minItems": 1}
_EXERCISE: Final = _when({"environment": {"const": "exercise"}}, _has("exercise_id"))
_CONDITIONS: Final[dict[str, list[dict[str, Any]]]] = {
    "Ticket": [
        _EXERCISE,
        _when({"is_incident": {"const": True}}, _has("tw_level")),
        _when({"action": {"const": "close"}}, _has("verdict")),
        _when({"attack": _AT_LEAST_ONE}, _has("attack_version")),
        _when(
            {"kind": {"const": "intel"}}, {"required": ["observables"], "properties": {"observables": _AT_LEAST_ONE}}
        ),
        {
            "anyOf": [
                {"required": ["attack"], "properties": {"attack": _AT_LEAST_ONE}},
                _has("attack_unmapped_reason"),
            ]
        },
    ],
    "SourceStatus": [
        _EXERCISE,
        _when(
            {"ended": {"const": True}},
            {"required": ["environment"], "properties": {"environment": {"enum": ["exercise", "test"]}}},
        ),
    ],
    "Acknowledgement": [
        _EXERCISE,
        {
            "if": {"not": {"required": ["action"], "properties": {"action": {"const": "retract"}}}},
            "then": {
                "required": ["relations"],
                "properties": {
                    "relations": {
                        "type": "object",
                        "required": ["acknowledges"],
                        "properties": {"acknowledges": _AT_LEAST_ONE},
                    }
                },
            },
        },
    ],
    "Trigger": [_when({"kind": {"const": "baseline"}}, _has("baseline_version", "rule_id"))],
}


class _Quiet(GenerateJsonSchema):
    """Without a title for every field: it would only say the field's name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


Range = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)]


class ReceiptFault(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    pointer: str
    """JSON Pointer (RFC 6901) into the message; "" is the whole of it."""
    code: str = Field(json_schema_extra={"enum": _CODES})
    reason: str
    """What was found and what is allowed."""
    reason_zh: str
    hint: str
    """How to mend it."""
    hint_zh: str


class Resend(BaseModel):
    """What the message changes of the numbers that are missing of its feed. Ranges; both ends are included."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    seq_epoch: str
    ask: list[Range]
    """They are missing: please send them again, each with its own seq."""
    closed: list[Range]
    """They were asked for, and are here."""
    given_up: list[Range]
    """They are no longer looked for: the feed has too many gaps."""


class Receipt(BaseModel):
    """What became of one message."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    schema_: str = Field(alias="schema", json_schema_extra={"const": RECEIPT_SCHEMA})
    offset: Annotated[int, Field(ge=0)]
    """Offset of the message in the institution's own ticket topic."""
    outcome: Told
    feed: str | None
    seq: int | None
    ticket_id: str | None
    revision: int | None
    faults: list[ReceiptFault]
    """Why it was not used; empty when it was."""
    resend: Resend | None = None
    """null where it changes nothing of what is missing."""
    notes: list[ReceiptFault] = []
    """Hints about a ticket that is used all the same; absent where there are none."""


def ticket_schema() -> JsonSchemaValue:
    """Schema of one message of a ticket topic: ticket, intel, source_status or acknowledgement."""
    wire: Any = Annotated[model.Ticket | model.SourceStatus | model.Acknowledgement, Field(discriminator="kind")]
    document = schema_of(TypeAdapter(wire), SCHEMA)
    definitions = document["$defs"]
    for name, conditions in _CONDITIONS.items():
        definitions[name]["allOf"] = conditions
    # Not `oneOf`: of a bad ticket that would say only that it is none of the three.
    del document["oneOf"], document["discriminator"]
    choice: dict[str, Any] = {"$ref": "#/$defs/Ticket"}
    for kind, name in (("acknowledgement", "Acknowledgement"), ("source_status", "SourceStatus")):
        is_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        choice = {"if": is_kind, "then": {"$ref": f"#/$defs/{name}"}, "else": choice}
    return {**document, "type": "object", **choice}


def receipt_schema() -> JsonSchemaValue:
    """Schema of one record of a receipts topic: an array of receipts."""
    return schema_of(TypeAdapter(list[Receipt]), RECEIPT_SCHEMA)


def schema_of(adapter: TypeAdapter[Any], name: str) -> JsonSchemaValue:
    """JSON Schema 2020-12 of a model, as read on the wire; `name` such as `fsoc.ticket/1` becomes its title and id."""
    # "serialization" would call every field with a default required.
    document = adapter.json_schema(by_alias=True, mode="validation", schema_generator=_Quiet)
    return {"$schema": DIALECT, "$id": f"urn:fsoc:{name.replace('/', ':')}", **document, "title": name}
