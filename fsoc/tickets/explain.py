"""Why a payload is not a ticket: every reason at once. Cold: it runs only on what `decode` refuses."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fsoc.errors import Fault
from fsoc.tickets import model
from fsoc.tickets import vocabulary as words
from fsoc.tickets.conditions import broken_conditions
from fsoc.tickets.pointer import pointer
from fsoc.tickets.structure import structural_faults

FAULTS_MAX: Final = 32
TEXT_MAX: Final = 200
_FOUND_MAX: Final = 40
_ALLOWED_SHOWN_MAX: Final = 6
_QUOTED = re.compile(r"'([^']*)'")

# pydantic's names for what is wrong → ours. What is not here carries our own code already.
_CODES: Final = {
    "missing": "field.missing",
    "extra_forbidden": "field.unknown",
    "literal_error": "field.not-allowed",
    "greater_than_equal": "field.out-of-range",
    "less_than_equal": "field.out-of-range",
    "string_too_long": "field.too-long",
    "string_too_short": "field.too-short",
    "too_long": "field.too-many",
    "string_pattern_mismatch": "field.malformed",
}


def explain(payload: bytes, institution: str) -> list[Fault]:
    """Every fault of `payload` as a message of `institution`, at most FAULTS_MAX; [] when it is a ticket."""
    if len(payload) > words.PAYLOAD_BYTES_MAX:
        text = f"payload is {len(payload)} bytes, limit {words.PAYLOAD_BYTES_MAX}"
        return [Fault("payload.too-large", "", text)]
    try:
        body: Any = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return [_not_json(payload, str(error))]
    faults = structural_faults(payload, body)
    if all(fault.code != "payload.too-deep" for fault in faults):  # what is too deep is too deep for the model as well
        told = {(fault.code, fault.pointer) for fault in faults}
        faults += [fault for fault in content_faults(body, institution) if (fault.code, fault.pointer) not in told]
    if len(faults) > FAULTS_MAX:
        more = Fault("payload.more-faults", "", f"{len(faults) - FAULTS_MAX + 1} more faults are not listed")
        faults = [*faults[: FAULTS_MAX - 1], more]
    return faults


def content_faults(body: Any, institution: str | None) -> list[Fault]:
    """Every fault of decoded JSON; `institution` None asks for no particular sender."""
    if not isinstance(body, dict):
        return [Fault("field.wrong-type", "", f"is {_kind(body)}, a JSON object expected")]
    schema = body.get("schema")
    if "schema" in body and schema != words.SCHEMA:
        # What the fields of another schema mean is not ours to judge.
        return [Fault("schema.unknown", "/schema", f"is {_shown(schema)}; {words.SCHEMA} is understood")]
    kind = body.get("kind")
    faults = _model_faults(_MODELS.get(kind, model.Ticket) if isinstance(kind, str) else model.Ticket, body)
    faults += broken_conditions(body)
    claimed = body.get("institution")
    if institution is not None and isinstance(claimed, str) and claimed != institution:
        text = f"is {_shown(claimed)}, but this topic belongs to {institution}"
        faults.append(Fault("identity.mismatch", "/institution", text))
    return faults


_MODELS: Final[dict[str, type[BaseModel]]] = {
    "source_status": model.SourceStatus,
    "acknowledgement": model.Acknowledgement,
}


def _model_faults(kind: type[BaseModel], body: dict[str, Any]) -> list[Fault]:
    try:
        kind.model_validate(body)
    except ValidationError as error:
        return [
            Fault(
                _code(found["type"]),
                pointer(_place(found["loc"])),
                _text(found),
            )
            for found in error.errors(include_url=False)
        ]
    return []


def _place(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Pydantic says `(…, name, "[key]")` for what is wrong with a name itself."""
    return location[:-1] if location[-1:] == ("[key]",) else location


def _code(pydantic_type: str) -> str:
    code = _CODES.get(pydantic_type)
    if code is None:
        code = pydantic_type if "." in pydantic_type else "field.wrong-type"
    return code


def _text(found: ErrorDetails) -> str:
    kind, message = found["type"], found["msg"]
    if kind == "missing":
        text = "is required and missing"
    elif kind == "extra_forbidden":
        text = "is no field of this schema; put your own under ext"
    elif kind == "literal_error":
        # Each model knows its own kinds; the sender may choose among all.
        allowed = list(get_args(words.Kind)) if found["loc"] == ("kind",) else _QUOTED.findall(found["ctx"]["expected"])
        text = _not_allowed(found["input"], allowed)
    elif "." in kind:
        text = message
    else:
        text = f"{message}; found {_shown(found['input'])}"
    return text[:TEXT_MAX]


def _not_allowed(value: Any, allowed: list[str]) -> str:
    """All that is allowed if that is little, else what comes nearest."""
    if len(allowed) <= _ALLOWED_SHOWN_MAX:
        return f"{_shown(value)} is not allowed; allowed: {', '.join(allowed)}"
    near = difflib.get_close_matches(value[:TEXT_MAX], allowed, n=3, cutoff=0.5) if isinstance(value, str) else []
    hint = f"nearest: {', '.join(near)}" if near else "fsoc schema ticket lists them"
    return f"{_shown(value)} is none of the {len(allowed)} values allowed; {hint}"


def _not_json(payload: bytes, message: str) -> Fault:
    if "depth limit" in message:
        return Fault("payload.too-deep", "", f"nested deeper than {words.DEPTH_MAX}")
    if "surrogate in string" in message:
        return Fault("payload.surrogate", "", _first_line(message))
    if "number is infinity" in message or _at_not_finite(payload, message):
        return Fault("payload.not-finite", "", _first_line(message))
    return Fault("payload.not-json", "", _first_line(message))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}[type(value)]


def _shown(value: Any) -> str:
    """What was found, cut short and quoted, so that nothing in it can pass for our own words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = repr(value[:_FOUND_MAX]) if isinstance(value, str) else repr(value)
    return text + ("…" if isinstance(value, str) and len(value) > _FOUND_MAX else "")


def _first_line(message: str) -> str:
    return message.partition("\n")[0][:TEXT_MAX]


def _at_not_finite(payload: bytes, message: str) -> bool:
    """Whether decoding stopped at NaN, Infinity or -Infinity, which many writers take for JSON."""
    position = message.rpartition("(char ")[2].rstrip(")")
    if not position.isdigit():
        return False
    try:
        rest = payload.decode()[max(int(position) - 1, 0) :]
    except UnicodeDecodeError:
        return False
    return rest.startswith(("NaN", "Infinity", "-Infinity")) or rest[1:].startswith(("NaN", "Infinity", "-Infinity"))
