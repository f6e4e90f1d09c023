"""Recorded events in the common JSON forms, as flat fields by their Sigma names, and when each was. Pure.

Flat fields as Sigma has them; Winlogbeat's and Elastic Agent's (`winlog.event_data`); what evtx_dump and its like write
(`Event.System`, `Event.EventData`). What is none of these is taken as flat fields, nested names dotted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fsoc.tickets.times import BadTime, milliseconds

DEPTH_MAX: Final = 8
_TIMES: Final = ("@timestamp", "TimeCreated_SystemTime", "TimeCreated", "EventTime", "timestamp", "eventTime", "time")


class Recorded(NamedTuple):
    """at_ms: None where the event does not say. logsource: as stated beside the event's fields."""

    fields: dict[str, Any]
    at_ms: int | None
    logsource: Mapping[str, str] | None = None


def recorded(event: Mapping[str, Any]) -> Recorded:
    """One event, whatever its form."""
    stated = event.get("logsource")
    logsource = stated if isinstance(stated, Mapping) else None
    if isinstance(winlog := event.get("winlog"), Mapping):
        fields = _of_winlogbeat(event, winlog)
    elif isinstance(inner := event.get("Event"), Mapping) and isinstance(inner.get("System"), Mapping):
        fields = _of_evtx(inner)
    else:
        fields = dict(_flat(event, left_out=("logsource",) if logsource is not None else ()))
    return Recorded(fields, _time(fields, event), logsource)


def _of_winlogbeat(event: Mapping[str, Any], winlog: Mapping[str, Any]) -> dict[str, Any]:
    data = winlog.get("event_data")
    fields = dict(_flat(data)) if isinstance(data, Mapping) else {}
    names = {"channel": "Channel", "provider_name": "Provider_Name", "computer_name": "Computer", "event_id": "EventID"}
    fields |= {name: winlog[key] for key, name in names.items() if key in winlog}
    fields["EventID"] = _number(fields.get("EventID"))
    if "@timestamp" in event:
        fields["@timestamp"] = event["@timestamp"]
    return fields


def _of_evtx(event: Mapping[str, Any]) -> dict[str, Any]:
    system = event["System"]
    data = event.get("EventData") or event.get("UserData") or {}
    fields = dict(_flat(data)) if isinstance(data, Mapping) else {}
    fields["EventID"] = _number(_text(system.get("EventID")))
    for key in ("Channel", "Computer"):
        if key in system:
            fields[key] = system[key]
    provider = system.get("Provider")
    name = _attribute(provider, "Name")
    if name is not None:
        fields["Provider_Name"] = name
    created = _attribute(system.get("TimeCreated"), "SystemTime")
    if created is not None:
        fields["TimeCreated"] = created
    return fields


def _attribute(value: Any, name: str) -> Any:
    """An attribute of an XML element as converters write it: `#attributes`, `@Name`, or plain."""
    if not isinstance(value, Mapping):
        return None
    attributes = value.get("#attributes")
    return (attributes if isinstance(attributes, Mapping) else value).get(name, value.get(f"@{name}"))


def _text(value: Any) -> Any:
    return value.get("#text") if isinstance(value, Mapping) else value


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _flat(
    value: Mapping[str, Any], prefix: str = "", depth: int = 0, left_out: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if name in left_out:
            continue
        if isinstance(inner, Mapping) and depth < DEPTH_MAX:
            yield from _flat(inner, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", inner


def _time(fields: Mapping[str, Any], event: Mapping[str, Any]) -> int | None:
    for name in _TIMES:
        value = fields.get(name, event.get(name))
        if isinstance(value, str):
            try:
                return milliseconds(_rounded(value))
            except BadTime:
                continue
    return None


def _rounded(text: str) -> str:
    """`2026-03-11 05:16:41.8157201` as RFC 3339: to the microsecond, with an offset."""
    date, _, rest = text.strip().replace("T", " ").partition(" ")
    clock, zone = rest, "Z"
    for mark in ("Z", "+", "-"):
        if mark in rest:
            clock, _, offset = rest.partition(mark)
            zone = mark + offset
            break
    seconds, dot, fraction = clock.partition(".")
    return f"{date}T{seconds}{dot}{fraction[:6]}{zone}"
