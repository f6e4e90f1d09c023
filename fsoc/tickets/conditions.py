"""The rules between fields, each with its own code and place, on any decoded JSON. Not the hot path (`rules.py`).

They look at raw JSON and hold their tongue about what is missing or of the wrong type: the model says that, so both
speak at once.
"""

from __future__ import annotations

from typing import Any

from fsoc.errors import Fault
from fsoc.tickets.pointer import pointer
from fsoc.tickets.times import BadTime, milliseconds


def broken_conditions(body: dict[str, Any]) -> list[Fault]:
    """Every rule between fields that a message breaks."""
    faults: list[Fault] = []
    if body.get("environment") == "exercise" and body.get("exercise_id") is None:
        faults.append(_missing("exercise_id", "when environment is exercise"))
    if body.get("kind") == "source_status":
        return faults + _of_status(body)
    if body.get("kind") == "acknowledgement":
        return faults + _of_acknowledgement(body)
    return faults + _of_ticket(body)


def _of_ticket(body: dict[str, Any]) -> list[Fault]:
    faults = _out_of_order(body, "occurred_from", "occurred_to", ())
    if body.get("is_incident") is True and body.get("tw_level") is None:
        faults.append(_missing("tw_level", "when is_incident is true"))
    if body.get("action") == "close" and body.get("verdict") is None:
        faults.append(_missing("verdict", "when action is close"))
    if not body.get("attack") and body.get("attack_unmapped_reason") is None:
        faults.append(_missing("attack", "with at least one technique, or attack_unmapped_reason"))
    if body.get("attack") and body.get("attack_version") is None:
        faults.append(_missing("attack_version", "when attack names techniques"))
    if body.get("kind") == "intel" and not body.get("observables"):
        faults.append(_missing("observables", "with at least one, when kind is intel"))
    trigger = body.get("trigger")
    if isinstance(trigger, dict) and trigger.get("kind") == "baseline":
        faults += [
            Fault("condition.trigger-baseline", f"/trigger/{name}", f"{name} is required when the kind is baseline")
            for name in ("baseline_version", "rule_id")
            if trigger.get(name) is None
        ]
    observables = body.get("observables")
    for index, observable in enumerate(observables if isinstance(observables, list) else ()):
        if isinstance(observable, dict):
            faults += _out_of_order(observable, "first_seen", "last_seen", ("observables", index))
    return faults


def _of_status(body: dict[str, Any]) -> list[Fault]:
    faults = _out_of_order(body, "period_from", "period_to", ())
    if body.get("ended") is True and body.get("environment", "production") == "production":
        faults.append(Fault("condition.ended", "/ended", "ended is allowed only when environment is exercise or test"))
    total, up = body.get("sensors_total"), body.get("sensors_up")
    if type(total) is int and type(up) is int and up > total:
        faults.append(Fault("condition.sensors", "/sensors_up", f"{up} sensors are up of {total} in all"))
    return faults


def _of_acknowledgement(body: dict[str, Any]) -> list[Fault]:
    relations = body.get("relations")
    answers = relations.get("acknowledges") if isinstance(relations, dict) else None
    if answers or body.get("action") == "retract":
        return []
    text = "acknowledges is required with at least one, unless action is retract"
    return [Fault("condition.acknowledges", "/relations/acknowledges", text)]


def _missing(name: str, when: str) -> Fault:
    return Fault(f"condition.{name.replace('_', '-')}", f"/{name}", f"{name} is required {when}")


def _out_of_order(body: dict[str, Any], first: str, last: str, path: tuple[str | int, ...]) -> list[Fault]:
    try:
        if milliseconds(body[last]) >= milliseconds(body[first]):
            return []
    except (BadTime, KeyError, TypeError):
        return []
    return [Fault("time.order", pointer((*path, last)), f"{last} is before {first}")]
